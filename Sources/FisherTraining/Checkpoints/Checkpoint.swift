import FisherLinearAlgebra
import FisherOptimizers
import Foundation

/// A run at rest, as one file: weights, the optimizer's slots, where the run is, and what it was started with.
///
/// The tensors `weights/NAME`, `statistics/NAME`, `averages/NAME` and `state/OWNER/SLOT`, whose names hold `%` and `/` as
/// `%25` and `%2F`; numbers in the table of texts, with all their bits; what the run depends on; and a hash of everything.
/// One file, so that it is either the old or the new run, and never half of each.
public struct Checkpoint: Sendable {
  static let format = "fisher-checkpoint 2"

  /// In front of what the run depends on.
  static let identityPrefix = "depends."

  package let file: Safetensors
  /// Where it was read from, for messages.
  let path: String

  /// What the run was started with, as its owner stored it.
  public var configuration: [String: String] {
    var result: [String: String] = [:]
    for (key, value) in file.metadata where key.hasPrefix("configuration.") {
      result[String(key.dropFirst("configuration.".count))] = value
    }
    return result
  }

  /// Reads the checkpoint in a directory.
  ///
  /// - Throws: ``FileError`` if there is none, or it is truncated, changed or foreign.
  public init(in directory: String) throws(FileError) {
    let path = directory + "/" + Self.name
    try self.init(decoding: try FileBytes.read(path), from: path)
  }

  /// - Parameter path: for messages.
  package init(decoding bytes: [UInt8], from path: String) throws(FileError) {
    self.path = path
    file = try Safetensors(decoding: bytes, from: path)
    guard let format = file.metadata["format"] else {
      throw FileError(path, "no checkpoint: it names no format")
    }
    guard format == Self.format else {
      throw FileError(path, "its format is '\(format)', this version reads '\(Self.format)'")
    }
    guard Checksum.isIntact(bytes) else {
      throw FileError(path, "damaged: its bytes do not have the checksum that was stored with them")
    }
  }

  /// The whole run.
  package static let name = "checkpoint.safetensors"
  /// The tested weights alone, under their own names.
  static let weightsName = "weights.safetensors"

  func number(_ key: String) throws(FileError) -> Double {
    guard let text = file.metadata[key], let bits = UInt64(text, radix: 16) else {
      throw FileError(path, "\(key) is missing or no number")
    }
    return Double(bitPattern: bits)
  }

  func integer(_ key: String) throws(FileError) -> Int {
    guard let text = file.metadata[key], let value = Int(text), value >= 0 else {
      throw FileError(path, "\(key) is missing or no count")
    }
    return value
  }

  /// A double with all its bits.
  package static func text(_ x: Double) -> String { String(x.bitPattern, radix: 16) }
}
