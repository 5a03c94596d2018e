/// Why ranks cannot go on together.
public enum CommunicationError: Error, Equatable, CustomStringConvertible {
  /// Another rank has ended; what is known about how.
  case ended(rank: Int, how: String)
  /// Another rank has given up and says why itself.
  case failedElsewhere(rank: Int)
  /// No library of MPI can be loaded; what was tried, and what the loader says.
  case noLibrary(tried: [String], reason: String)
  /// A library lacks a function, or is not what started this process.
  case unusable(library: String, reason: String)
  /// A function of the library has failed.
  case function(String, code: Int, text: String)
  /// The operating system refuses what the ranks need.
  case system(what: String, reason: String)

  public var description: String {
    switch self {
    case .ended(let rank, let how): "rank \(rank) \(how)"
    case .failedElsewhere(let rank): "rank \(rank) has failed"
    case .noLibrary(let tried, let reason):
      "no MPI library among \(tried.joined(separator: ", ")): \(reason); install one (apt-get install mpich, or "
        + "openmpi-bin), or name its file in FISHER_MPI"
    case .unusable(let library, let reason): "\(library): \(reason)"
    case .function(let name, let code, let text): "\(name) failed with \(code): \(text)"
    case .system(let what, let reason): "\(what): \(reason)"
    }
  }
}
