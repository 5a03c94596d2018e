import FisherCommandLine
import FisherRuntime
import Foundation

/// Files that are written together into a new folder, or not at all.
struct FileSet {
  let folder: String
  private var files: [(path: String, text: String)] = []

  init(folder: String) { self.folder = folder }

  mutating func add(_ path: String, _ text: String) { files.append((path, text)) }

  var paths: [String] { files.map { folder + "/" + $0.path } }

  /// - Throws: `UsageError` if the folder is there, or a file cannot be written; then no folder is left.
  func write() throws(UsageError) {
    let manager = FileManager.default
    if manager.fileExists(atPath: folder) {
      throw UsageError("\(quoted(folder, atMost: 4096)) is there already; nothing was written")
    }
    do {
      for (path, text) in files {
        let target = URL(fileURLWithPath: folder).appendingPathComponent(path)
        try manager.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: target)
      }
    } catch {
      try? manager.removeItem(atPath: folder)
      throw UsageError(
        "\(quoted(folder, atMost: 4096)) cannot be written: \(oneLine(error.localizedDescription))")
    }
  }
}
