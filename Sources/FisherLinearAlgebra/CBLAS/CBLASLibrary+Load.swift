import FisherRuntime
import Synchronization

extension CBLASLibrary {
  /// Loads a library by name or path, with `@core` at the end if a core of OpenBLAS is to be forced.
  static func load(_ library: String) throws(CBLASError) -> CBLASLibrary {
    let (name, core) = split(library)
    let original = try open(name)
    guard let core else { return original }
    return try original.copy(forcedTo: core)
  }

  /// `openblas@Haswell` is the name `openblas` and the core `Haswell`. An @ inside a directory's name stays.
  package static func split(_ library: String) -> (name: String, core: String?) {
    guard let at = library.lastIndex(of: "@"), !library[at...].contains("/") else { return (library, nil) }
    return (String(library[..<at]), String(library[library.index(after: at)...]))
  }

  private static func open(_ name: String) throws(CBLASError) -> CBLASLibrary {
    let candidates = fileNames(for: name)
    var reason = ""
    for candidate in candidates {
      guard let handle = dlopen(candidate, flags) else {
        reason = lastLoaderError()
        continue
      }
      guard let symbols = CBLASSymbols(handle: handle) else {
        dlclose(handle)
        throw .notCBLAS(path: candidate)
      }
      return shared(symbols, path: symbols.path ?? candidate)
    }
    throw .notFound(library: name, tried: candidates, reason: reason)
  }

  /// The one value for a loaded library: it remembers a setting that is global in the library.
  private static func shared(_ symbols: CBLASSymbols, path: String) -> CBLASLibrary {
    let handle = UInt(bitPattern: symbols.handle)
    return loaded.withLock { loaded in
      if let library = loaded[handle] { return library }
      let library = CBLASLibrary(symbols, path: path)
      loaded[handle] = library
      return library
    }
  }

  private static let loaded = Mutex<[UInt: CBLASLibrary]>([:])

  /// Loads the same file once more, under another name so that the loader takes it for another library.
  ///
  /// OpenBLAS reads its environment while it is loaded, and a process may hold it with several cores. The original has
  /// been loaded before, and with it all libraries that both need.
  private func copy(forcedTo core: String) throws(CBLASError) -> CBLASLibrary {
    let file = try temporaryCopy(of: path)
    let address = withEnvironment("OPENBLAS_CORETYPE", core) { UInt(bitPattern: dlopen(file, Self.flags)) }
    let handle = UnsafeMutableRawPointer(bitPattern: address)
    let reason = handle == nil ? lastLoaderError() : ""
    unlink(file)
    guard let handle else { throw .cannotCopy(path: path, reason: reason) }
    guard let symbols = CBLASSymbols(handle: handle) else { throw .notCBLAS(path: path) }
    let library = CBLASLibrary(symbols, path: path)
    guard library.core?.lowercased() == core.lowercased() else {
      throw .coreNotAccepted(path: path, wanted: core, got: library.core)
    }
    return library
  }

  /// All symbols are bound at once, hidden from other libraries, and the library's own come before those of a BLAS
  /// that the program may be linked to.
  private static var flags: Int32 {
    #if canImport(Glibc)
      RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND
    #else
      RTLD_NOW | RTLD_LOCAL
    #endif
  }
}

private func lastLoaderError() -> String {
  dlerror().map { String(cString: $0) } ?? "unknown reason"
}

/// One thread at a time changes the environment: another one would take away what this one has set, or keep it as the old
/// value.
private let environment = Mutex<Void>(())

/// Runs `body` with an environment variable set, and restores it. Other threads see it meanwhile.
private func withEnvironment<R: Sendable>(_ name: String, _ value: String, _ body: () -> R) -> R {
  environment.withLock { _ in
    let old = Environment[name]
    setenv(name, value, 1)
    defer {
      if let old { setenv(name, old, 1) } else { unsetenv(name) }
    }
    return body()
  }
}

/// The path of a new file with the content of `path`.
private func temporaryCopy(of path: String) throws(CBLASError) -> String {
  let source = open(path, O_RDONLY | O_CLOEXEC)
  guard source >= 0 else { throw .cannotCopy(path: path, reason: String(cString: strerror(errno))) }
  defer { close(source) }
  var name = Array("\(Environment.temporaryFolder)/fisherkit-cblas-XXXXXX".utf8CString)
  let target = mkstemp(&name)
  let file = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  guard target >= 0 else {
    throw .cannotCopy(path: path, reason: "\(file): \(String(cString: strerror(errno)))")
  }
  defer { close(target) }
  if copyContents(from: source, to: target) { return file }
  let reason = String(cString: strerror(errno))
  unlink(file)
  throw .cannotCopy(path: path, reason: "\(file): \(reason)")
}

private func copyContents(from source: Int32, to target: Int32) -> Bool {
  withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 4096) { buffer in
    while true {
      let count = read(source, buffer.baseAddress!, buffer.count)
      if count <= 0 { return count == 0 }
      var written = 0
      while written < count {
        let step = write(target, buffer.baseAddress! + written, count - written)
        if step < 0 { return false }
        written += step
      }
    }
  }
}
