import FisherLinearAlgebra

/// A library that runs beside ours.
struct Peer {
  let key: String
  let backend: CBLASBackend

  /// `OpenBLAS 0.3.34 Haswell`
  var version: String { backend.version + (backend.core.map { " " + $0 } ?? "") }
}

/// The libraries of `--against`.
struct Peers {
  private(set) var cblas: [Peer] = []
  /// For the map alone.
  private(set) var xsmm: (key: String, library: Libxsmm)?

  /// Those named, each of which must be there; if none are, OpenBLAS and, for the map, libxsmm if they are installed.
  ///
  /// - Parameter environment: a virtual environment of Python, whose wheels are looked at first.
  /// - Throws: ``LibraryError``.
  init(_ names: [String]?, environment: PythonEnvironment?) throws(LibraryError) {
    guard let names else {
      cblas = (try? CBLASBackend(library: "openblas")).map { [Peer(key: "openblas", backend: $0)] } ?? []
      xsmm = (try? Libxsmm("libxsmm")).map { ("libxsmm", $0) }
      return
    }
    for name in names where name != "none" {
      if Libxsmm.isNamed(name) {
        xsmm = ("libxsmm", try Libxsmm(name))
        continue
      }
      var key = String(name.split(separator: "/").last ?? "")
      while cblas.contains(where: { $0.key == key }) { key += "'" }
      do {
        let library = environment?.path(of: name) ?? PythonEnvironment.usual(name)
        cblas.append(Peer(key: key, backend: try CBLASBackend(library: library)))
      } catch { throw LibraryError("\(error)") }
    }
  }

  /// Every library with its version and file.
  var lines: [(key: String, version: String, path: String)] {
    cblas.map { ($0.key, $0.version, $0.backend.path) }
      + (xsmm.map { [($0.key, $0.library.version, $0.library.path)] } ?? [])
  }
}
