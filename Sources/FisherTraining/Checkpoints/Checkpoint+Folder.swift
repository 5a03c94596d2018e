import Foundation

extension Checkpoint {
  /// Makes a folder ready for ``Trainer/save(to:configuration:)``, so that what cannot be written is noticed before the
  /// work is done: makes it if need be, removes what a killed process left half written, and tries to write.
  ///
  /// - Throws: ``FileError``.
  public static func prepare(_ directory: String) throws(FileError) {
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch { throw FileError(directory, "cannot be made a directory") }
    for name in [name, weightsName] {
      let path = directory + "/" + name
      FileBytes.removeLeftovers(of: path)
      try FileBytes.requireReplaceable(path)
    }
  }

  /// Whether a folder holds a run already, or weights that a run would replace.
  public static func isPresent(in directory: String) -> Bool {
    [name, weightsName].contains { FileManager.default.fileExists(atPath: directory + "/" + $0) }
  }

  /// Whether both are of one run: started alike, from the same data.
  public func isOfSameRun(as other: Checkpoint) -> Bool {
    func identity(_ checkpoint: Checkpoint) -> [String: String] {
      checkpoint.file.metadata.filter { $0.key.hasPrefix(Self.identityPrefix) || $0.key == "seed" }
    }
    return identity(self) == identity(other)
  }

  /// Steps taken.
  public var stepCount: Int { file.metadata["steps"].flatMap { Int($0) } ?? 0 }
}
