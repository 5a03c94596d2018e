/// The file that a function of a loaded library comes from, with links resolved.
///
/// - Parameters:
///   - function: its address.
///   - handle: of the library, or of one that has the loader's functions.
package func loadedFile(of function: UnsafeRawPointer, in handle: UnsafeMutableRawPointer) -> String? {
  // `dladdr` is declared only with GNU extensions, so it is looked up; it fills four pointers, the name first.
  typealias Function = @convention(c) (UnsafeRawPointer, UnsafeMutableRawPointer) -> Int32
  guard let dladdr = dlsym(handle, "dladdr") else { return nil }
  return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: 4) { info in
    info.initialize(repeating: nil)
    guard unsafeBitCast(dladdr, to: Function.self)(function, info.baseAddress!) != 0 else { return nil }
    guard let path = info[0], let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
