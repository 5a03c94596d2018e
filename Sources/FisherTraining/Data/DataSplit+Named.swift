public import FisherDistributed
import Foundation

extension DataSplit {
  /// What the command line offers.
  public static let names = [
    "digits", "curves", "recall", "sorting", "text", "text:PATH", "screened-poisson",
  ]

  /// `digits`, `curves`, ``Sequences`` by name, ``TextData``, ``ScreenedPoisson``, a CSV file, or a directory with the files of MNIST, CIFAR-10 or CIFAR-100.
  ///
  /// - Parameters:
  ///   - name: of a data set, or a path.
  ///   - kind: what the targets of a CSV file are; nothing else has columns that can be named.
  ///   - ranks: that train together, all of which call this. Of the images of a folder that are not compressed each reads
  ///     its part, and later the rows of its shards, from files that have to stay as they are; nil for this process alone.
  /// - Throws: ``FileError``.
  public static func named(
    _ name: String, as kind: TargetKind = .classes, sharedBy ranks: (any Communicator)? = nil
  ) throws(FileError) -> DataSplit {
    let split = try known(name, as: kind, ranks)
    if case .columns(let columns) = kind, split.train.targetNames == nil {
      throw FileError(name, "is no CSV file, so that '\(columns[0])' names no column of it")
    }
    return split
  }

  /// Whether ranks may read the data set together, so that all of them have to be there when it is read.
  package static func isReadTogether(_ name: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  private static func known(
    _ name: String, as kind: TargetKind, _ ranks: (any Communicator)?
  ) throws(FileError) -> DataSplit {
    switch name {
    case "digits": return Digits.split
    case "curves": return Curves.split()
    case "recall": return Sequences.recall()
    case "sorting": return Sequences.sorting()
    case "screened-poisson": return ScreenedPoisson.split
    case "text": return try TextData.split(TextData.licenseText(), context: TextData.context, name: name)
    case _ where name.hasPrefix("text:"):
      let path = String(name.dropFirst("text:".count))
      return try TextData.split(FileBytes.read(path), context: TextData.context, name: name)
    default: break
    }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) else {
      throw FileError(name, "neither a data set (\(names.joined(separator: ", "))) nor a file or directory")
    }
    if !isDirectory.boolValue { return DataSplit(splitting: try CSV.dataset(name, as: kind)) }
    if IDX.isPresent(in: name) { return try IDX.split(in: name, sharedBy: ranks) }
    if CIFAR.kind(of: name) != nil { return try CIFAR.split(in: name, sharedBy: ranks) }
    throw FileError(
      name,
      "holds neither train-images-idx3-ubyte (MNIST) nor data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100)"
    )
  }
}
