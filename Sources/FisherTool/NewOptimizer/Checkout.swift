import FisherCommandLine
import FisherRuntime
import Foundation

/// A checkout of FisherKit in the current folder, and the two lists in it that an optimizer is added to.
enum Checkout {
  /// A file and what it becomes.
  struct Edit {
    let path: String
    let text: String

    func write() throws(UsageError) {
      do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
        throw UsageError("\(path) cannot be written: \(oneLine(error.localizedDescription))")
      }
    }
  }

  private static let manifest = "Package.swift"
  private static let registry = "Sources/FisherKit/OptimizerRegistry+BuiltIn.swift"

  static var path: String { FileManager.default.currentDirectoryPath }

  static var isHere: Bool {
    FileManager.default.fileExists(atPath: registry)
      && ((try? read(manifest))?.contains("name: \"FisherKit\"") ?? false)
  }

  /// The manifest with the new module, and the registry with the new optimizer.
  static func edits(adding name: OptimizerName) throws(UsageError) -> [Edit] {
    var manifestText = try read(manifest)
    try insert("  \"\(name.type)\",\n", into: &manifestText, after: "let plugins = [\n", of: manifest)
    var registryText = try read(registry)
    try insert(
      "import FisherPlugin\(name.type)\n", into: &registryText, after: "public import FisherOptimizers\n",
      of: registry)
    try insert(
      "          \(name.type).self,\n", into: &registryText,
      after: "      return try OptimizerRegistry(\n        [\n",
      of: registry)
    return [Edit(path: manifest, text: manifestText), Edit(path: registry, text: registryText)]
  }

  private static func insert(
    _ line: String, into text: inout String, after anchor: String, of path: String
  ) throws(UsageError) {
    guard let place = text.range(of: anchor)?.upperBound else {
      throw UsageError("\(path) has no line \(quoted(anchor)) any more; nothing was written")
    }
    text.insert(contentsOf: line, at: place)
  }

  private static func read(_ path: String) throws(UsageError) -> String {
    do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw UsageError("\(path) cannot be read: \(oneLine(error.localizedDescription))")
    }
  }
}
