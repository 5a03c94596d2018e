import FisherPluginABI
import FisherRuntime

/// Why a plugin was not loaded.
public enum PluginError: Error, Equatable, CustomStringConvertible {
  case notLoaded(path: String, reason: String)
  case noEntry(path: String)
  case foreign(path: String)
  case version(path: String, got: UInt32)
  case size(path: String, got: UInt64)
  case empty(path: String)
  case incomplete(path: String, optimizer: String, missing: String)

  public var description: String {
    switch self {
    case .notLoaded(let path, let reason): return "plugin '\(path)' cannot be loaded: \(reason)"
    case .noEntry(let path): return "plugin '\(path)' does not export the function fisher_plugin"
    case .foreign(let path):
      return "plugin '\(path)' does not begin with FISHER_PLUGIN_MAGIC: it is none of ours"
    case .version(let path, let got):
      return
        "plugin '\(path)' is written for version \(got) of fisher_plugin.h; this is \(FISHER_PLUGIN_VERSION)"
    case .size(let path, let got):
      return "plugin '\(path)' describes an optimizer with \(got) bytes; "
        + "it must be \(MemoryLayout<fisher_optimizer>.size)"
    case .empty(let path): return "plugin '\(path)' has no optimizer"
    case .incomplete(let path, let optimizer, let missing):
      return "plugin '\(path)': optimizer '\(optimizer)' has no \(missing)"
    }
  }
}

/// Optimizers in shared libraries, by `fisher_plugin.h`.
public enum PluginLibrary {
  /// The optimizers of a library, which stays loaded as long as the process runs.
  ///
  /// - Parameter path: a file, or a name that the loader finds.
  /// - Throws: ``PluginError``.
  public static func load(_ path: String) throws(PluginError) -> [any Optimizer.Type] {
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw .notLoaded(path: path, reason: dlerror().map { String(cString: $0) } ?? "unknown reason")
    }
    guard let symbol = dlsym(handle, "fisher_plugin") else {
      dlclose(handle)
      throw .noEntry(path: path)
    }
    typealias Entry = @convention(c) (UInt32, UnsafeMutablePointer<fisher_optimizer>?) -> Int32
    let entry = unsafeBitCast(symbol, to: Entry.self)
    var tables: [ForeignTable] = []
    var table = fisher_optimizer()
    while entry(UInt32(tables.count), &table) == 0 {
      tables.append(try ForeignTable(table, from: path))
      table = fisher_optimizer()
    }
    if tables.isEmpty { throw .empty(path: path) }
    return tables.map(ForeignTypes.add)
  }
}
