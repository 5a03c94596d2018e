import FisherLinearAlgebra
import FisherRuntime

/// A virtual environment of Python, where the wheels `scipy-openblas32` and `mkl` keep their libraries.
struct PythonEnvironment {
  let folder: String

  /// The one given, or that which is active.
  init?(_ folder: String?) {
    guard let folder = folder ?? Environment["VIRTUAL_ENV"] else { return nil }
    self.folder = folder
  }

  /// The file of `mkl` or `scipy-openblas`, with the core that was asked for; nil if it is not there, or something else
  /// is meant.
  func path(of library: String) -> String? {
    let (name, core) = CBLASLibrary.split(library)
    let pattern: String
    switch name {
    case "mkl": pattern = "/lib/libmkl_rt.so*"
    case "scipy-openblas": pattern = "/lib/python3*/site-packages/scipy_openblas*/lib/libscipy_openblas*.so"
    default: return nil
    }
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(folder + pattern, 0, nil, &found) == 0, let first = found.gl_pathv[0] else { return nil }
    return String(cString: first) + (core.map { "@" + $0 } ?? "")
  }

  /// What the loader finds by itself, in `LD_LIBRARY_PATH` too.
  static func usual(_ library: String) -> String {
    let (name, core) = CBLASLibrary.split(library)
    return name == "scipy-openblas" ? "libscipy_openblas.so" + (core.map { "@" + $0 } ?? "") : library
  }
}
