import FisherRuntime

/// A command as one would type it.
package enum CommandText {
  /// What changes the results without standing in the arguments.
  private static let variables = [
    "FISHER_ISA", "FISHER_THREADS", "FISHER_CACHES", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_THREAD_TIMEOUT", "OMP_NUM_THREADS", "MKL_THREADING_LAYER", "MKL_NUM_THREADS", "MKL_CBWR",
    "VIRTUAL_ENV",
  ]

  /// The words, quoted for a shell where they must be, behind the variables that are set.
  package static func of(_ words: [String], environment: (String) -> String? = { Environment[$0] }) -> String
  {
    let settings = variables.compactMap { name in environment(name).map { "\(name)=\(shellQuoted($0))" } }
    return (settings + words.map(shellQuoted)).joined(separator: " ")
  }

  private static func shellQuoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-_./,=:@+%".utf8.contains(byte)
        }
      }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
