import Synchronization

/// A CBLAS library that has been loaded: its functions, and what it says about itself.
package final class CBLASLibrary: Sendable {
  /// The file.
  let path: String
  /// The product and its version: `OpenBLAS 0.3.21`; the file's name if it does not say.
  let version: String
  /// The core that the library has detected or was forced to: `Haswell`.
  let core: String?
  /// The functions that it lacks.
  let missingSymbols: [String]
  /// The largest integer that it takes.
  let largestInteger: Int

  private let single: CBLASFunctions
  private let double: CBLASFunctions
  private let setThreads: (@convention(c) (Int) -> Void)?
  private let threads = Atomic<Int>(0)

  init(_ symbols: CBLASSymbols, path: String) {
    self.path = path
    var missing: [String] = []
    single = CBLASFunctions(type: "s", in: symbols, missing: &missing)
    double = CBLASFunctions(type: "d", in: symbols, missing: &missing)
    missingSymbols = missing
    setThreads = Self.threadSetters.lazy.compactMap(symbols.address).first
      .map { unsafeBitCast($0, to: (@convention(c) (Int) -> Void).self) }

    let config = symbols.string(from: "openblas_get_config")
    version =
      config.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
      ?? Self.mklVersion(symbols)
      ?? symbols.string(from: "bli_info_get_version_str").map { "BLIS \($0)" }
      ?? String(path.split(separator: "/").last ?? "")
    core = symbols.string(from: "openblas_get_corename")
    let has64BitIntegers = !symbols.suffix.isEmpty || config?.contains("USE64BITINT") == true
    largestInteger = has64BitIntegers ? Int.max : Int(Int32.max)
  }

  /// The functions that set the number of threads, which all take one integer by value.
  private static let threadSetters = [
    "openblas_set_num_threads", "MKL_Set_Num_Threads", "bli_thread_set_num_threads",
  ]

  private static func mklVersion(_ symbols: CBLASSymbols) -> String? {
    typealias Function = @convention(c) (UnsafeMutablePointer<CChar>, Int) -> Void
    guard let address = symbols.address(of: "MKL_Get_Version_String") else { return nil }
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      buffer.initialize(repeating: 0)
      unsafeBitCast(address, to: Function.self)(buffer.baseAddress!, 255)
      return String(cString: buffer.baseAddress!)
    }
    // "Intel(R) oneAPI Math Kernel Library Version 2026.2-Product Build …"
    let words = text.split(separator: " ")
    guard let i = words.firstIndex(of: "Version"), i + 1 < words.count else { return text }
    return "MKL \(words[i + 1].prefix { $0 != "-" })"
  }

  /// The functions for the element type.
  @inline(__always)
  func functions<S>(for type: S.Type) -> CBLASFunctions { type == Float.self ? single : double }

  /// The library lets its number of threads be set.
  var canSetThreads: Bool { setThreads != nil }

  /// Sets the library's number of threads if it is not `count` already.
  @inline(__always)
  func useThreads(_ count: Int) {
    let current = threads.load(ordering: .relaxed)
    if current != count && current >= 0 { changeThreads(count) }
  }

  /// Sets the number of threads for good. Where several threads call the library at once, one that changed the number
  /// would change it under the others.
  func pinThreads(_ count: Int) {
    setThreads?(count)
    threads.store(-1, ordering: .relaxed)
  }

  @inline(never)
  private func changeThreads(_ count: Int) {
    setThreads?(count)
    threads.store(count, ordering: .relaxed)
  }
}
