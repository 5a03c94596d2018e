import FisherRuntime

/// The symbols of a loaded library, which may bear a prefix and a suffix: `scipy_cblas_sgemm64_`.
struct CBLASSymbols {
  /// The handle of `dlopen`; the library stays loaded for good, for it may have started threads.
  let handle: UnsafeMutableRawPointer
  let prefix: String
  let suffix: String

  /// Finds out the prefix and the suffix; nil if there is no matrix product under any known pair.
  init?(handle: UnsafeMutableRawPointer) {
    for suffix in ["", "64_", "_64"] {
      for prefix in ["", "scipy_"] {
        for name in ["cblas_sgemm", "cblas_dgemm"] where dlsym(handle, prefix + name + suffix) != nil {
          self.handle = handle
          self.prefix = prefix
          self.suffix = suffix
          return
        }
      }
    }
    return nil
  }

  /// The address of a function, with the affixes or, as some libraries have it for their own names, without.
  func address(of name: String) -> UnsafeMutableRawPointer? {
    dlsym(handle, prefix + name + suffix) ?? dlsym(handle, prefix + name) ?? dlsym(handle, name)
  }

  /// The function of this name as a C function of type `F`; nil, and the name noted, if the library lacks it.
  func bind<F>(_ name: String, _ missing: inout [String]) -> F? {
    guard let address = address(of: name) else {
      missing.append(name)
      return nil
    }
    return unsafeBitCast(address, to: F.self)
  }

  /// Calls a function without arguments that returns a C string.
  func string(from name: String) -> String? {
    typealias Function = @convention(c) () -> UnsafePointer<CChar>?
    guard let address = address(of: name) else { return nil }
    return unsafeBitCast(address, to: Function.self)().map { String(cString: $0) }
  }

  /// The file that the functions come from, with links resolved.
  var path: String? {
    (address(of: "cblas_dgemm") ?? address(of: "cblas_sgemm")).flatMap { loadedFile(of: $0, in: handle) }
  }
}
