import FisherPluginABI
import FisherRuntime

/// Why a plugin was not loaded.
public enum PluginError: Error, Equatable, CustomStringConvertible {
  case notLoaded(path: String, reason: String)
  case noEntry(path: String)
  case foreign(path: String)
  case version(path: String, got: UInt32)
  case size(path: String, got: UInt64, wanted: UInt64)
  case empty(path: String)
  /// The entry point never says that there is no further optimizer.
  case endless(path: String, count: Int)
  case incomplete(path: String, optimizer: String, missing: String)
  /// Something in the description of an optimizer cannot be.
  case invalid(path: String, optimizer: String, reason: String)

  public var description: String {
    switch self {
    case .notLoaded(let path, let reason):
      return "plugin \(quoted(path, atMost: 4096)) cannot be loaded: \(oneLine(reason))"
    case .noEntry(let path):
      return "plugin \(quoted(path, atMost: 4096)) does not export the function fisher_plugin"
    case .foreign(let path):
      return
        "plugin \(quoted(path, atMost: 4096)) does not begin with FISHER_PLUGIN_MAGIC: it is none of ours"
    case .version(let path, let got):
      return
        "plugin \(quoted(path, atMost: 4096)) is written for version \(got) of fisher_plugin.h; this is \(FISHER_PLUGIN_VERSION), which also loads 1"
    case .size(let path, let got, let wanted):
      return
        "plugin \(quoted(path, atMost: 4096)) describes an optimizer with \(got) bytes; it must be \(wanted)"
    case .empty(let path): return "plugin \(quoted(path, atMost: 4096)) has no optimizer"
    case .endless(let path, let count):
      return
        "plugin \(quoted(path, atMost: 4096)) never says that an optimizer is the last: it has more than \(count)"
    case .incomplete(let path, let optimizer, let missing):
      return "plugin \(quoted(path, atMost: 4096)): optimizer '\(optimizer)' has no \(missing)"
    case .invalid(let path, let optimizer, let reason):
      return "plugin \(quoted(path, atMost: 4096)): optimizer '\(optimizer)': \(reason)"
    }
  }
}
