/// Why a CBLAS library cannot be used.
public enum CBLASError: Error, Equatable, Sendable {
  /// None of the names or paths could be loaded; `reason` is the loader's last message.
  case notFound(library: String, tried: [String], reason: String)
  /// The file was loaded, but has no `cblas_sgemm` or `cblas_dgemm` under any known prefix or suffix.
  case notCBLAS(path: String)
  /// A core was forced, and the library had to be copied for it, but could not be.
  case cannotCopy(path: String, reason: String)
  /// A core was forced, and the library chose another one; nil if it has no cores to choose from.
  case coreNotAccepted(path: String, wanted: String, got: String?)
}

extension CBLASError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let library, let tried, let reason):
      "cannot load the CBLAS library '\(library)': tried \(tried.joined(separator: ", ")): \(reason)"
    case .notCBLAS(let path):
      "\(path) is not a CBLAS library: it has neither cblas_sgemm nor cblas_dgemm"
    case .cannotCopy(let path, let reason):
      "cannot make the temporary copy of \(path) that a forced core needs: \(reason)"
    case .coreNotAccepted(let path, let wanted, let got):
      "\(path) does not accept the core '\(wanted)'" + (got.map { ", it chose \($0)" } ?? "")
    }
  }
}
