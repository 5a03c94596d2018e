import FisherRuntime

extension CBLASLibrary {
  /// The files to try for a name, in this order. A path, or the name of a file, is tried as it is.
  static func fileNames(for name: String) -> [String] {
    if name.contains("/") || name.contains(".so") || name.contains(".dylib") { return [name] }
    switch name.lowercased() {
    case "openblas":
      return [
        "libopenblas.so", "libopenblas.so.0", "libopenblas64_.so", "libopenblas64.so", "libopenblas.dylib",
      ]
    case "mkl": return ["libmkl_rt.so", "libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1"]
    case "blis": return ["libblis.so", "libblis-mt.so", "libblis.so.5", "libblis.so.4", "libblis.dylib"]
    default: return ["lib\(name).so", name]
    }
  }

  /// The CBLAS libraries in the usual places, each file once.
  static func installedFiles() -> [String] {
    let searchPath = getenv("LD_LIBRARY_PATH").map { String(cString: $0) } ?? ""
    let directories = searchPath.split(separator: ":").map(String.init) + usualDirectories
    var files: [String] = []
    for directory in directories {
      for name in usualNames {
        for file in matches("\(directory)/\(name)") where !files.contains(file) { files.append(file) }
      }
    }
    return files
  }

  private static let usualDirectories = [
    "/usr/lib/*-linux-gnu", "/usr/lib/*-linux-gnu/*", "/usr/lib64", "/usr/lib64/*", "/usr/lib",
    "/usr/local/lib",
    "/opt/OpenBLAS/lib", "/opt/intel/oneapi/mkl/latest/lib", "/opt/AMD/aocl/*/*/lib",
    "/opt/homebrew/opt/*/lib",
  ]

  private static let usualNames = [
    "libopenblas*.so*", "libscipy_openblas*.so*", "libmkl_rt.so*", "libblis*.so*", "libcblas*.so*",
    "libopenblas*.dylib",
  ]

  /// The files that match a shell pattern, with links resolved.
  private static func matches(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { i in
      guard let path = found.gl_pathv[i], let resolved = realpath(path, nil) else { return nil }
      defer { free(resolved) }
      return String(cString: resolved)
    }
  }
}
