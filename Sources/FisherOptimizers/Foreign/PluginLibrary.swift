import FisherPluginABI
import FisherRuntime

/// Optimizers in shared libraries, by `fisher_plugin.h`.
public enum PluginLibrary {
  /// The most optimizers of a library.
  private static let mostOptimizers = 64

  /// The optimizers of a library, which stays loaded as long as the process runs.
  ///
  /// If code of the library ends the process, then or later, the last line on standard error names the library and the
  /// call.
  ///
  /// - Parameter path: a file, or a name that the loader finds.
  /// - Throws: ``PluginError``; then none of them is known.
  public static func load(_ path: String) throws(PluginError) -> [any Optimizer.Type] {
    let loading = PluginCall.Line(path, "the code that runs when it is loaded")
    guard let handle = PluginCall.perform(loading, { dlopen(path, RTLD_NOW | RTLD_LOCAL) }) else {
      throw .notLoaded(path: path, reason: dlerror().map { String(cString: $0) } ?? "unknown reason")
    }
    guard let symbol = dlsym(handle, "fisher_plugin") else {
      dlclose(handle)
      throw .noEntry(path: path)
    }
    typealias Entry = @convention(c) (UInt32, UnsafeMutablePointer<fisher_optimizer>?) -> Int32
    let tables = try tables(unsafeBitCast(symbol, to: Entry.self), of: path)
    for table in tables { try table.tryReference(from: path) }
    return tables.map(ForeignTypes.add)
  }

  /// What the entry point describes, one after the other.
  package static func tables(
    _ entry: (UInt32, UnsafeMutablePointer<fisher_optimizer>?) -> Int32, of path: String
  ) throws(PluginError) -> [ForeignTable] {
    let line = PluginCall.Line(path, "fisher_plugin")
    var tables: [ForeignTable] = []
    while true {
      var table = fisher_optimizer()
      if PluginCall.perform(line, { entry(UInt32(tables.count), &table) }) != 0 { break }
      guard tables.count < mostOptimizers else { throw .endless(path: path, count: mostOptimizers) }
      let new = try ForeignTable(table, from: path)
      if tables.contains(where: { $0.record.name == new.record.name }) {
        throw .invalid(
          path: path, optimizer: new.record.name, reason: "two optimizers have this name")
      }
      tables.append(new)
    }
    if tables.isEmpty { throw .empty(path: path) }
    return tables
  }
}
