/// OpenBLAS, MKL, BLIS or another CBLAS library, found at run time.
///
/// Bound once; nothing needs to be installed to build. What the interface cannot express, such as strides that are
/// not 1 in one direction or sizes beyond its integers, goes to `fallback`, and so does what the library lacks
/// (``missingSymbols``), what does not need it (α = 0, k = 0, epilogues), and plain copying.
///
/// The number of threads is a global setting of the library: it is set before a call if the last call through a
/// `CBLASBackend` had another one, and calls from several threads with different numbers disturb each other. Level-1
/// operations set it to 1.
public final class CBLASBackend: Backend {
  package let library: CBLASLibrary
  let fallback: any Backend

  /// Loads a library.
  ///
  /// - Parameters:
  ///   - library: `openblas`, `mkl`, `blis`, or a path. `@` and a core at the end, as in `openblas@SkylakeX`, forces
  ///     the core of OpenBLAS: a temporary copy of the file is loaded next to the original, so that several cores can
  ///     live in one process. `OPENBLAS_CORETYPE` is set meanwhile; do not read the environment elsewhere.
  ///   - fallback: what computes the rest.
  /// - Throws: ``CBLASError`` when there is no such library, or it is none.
  public convenience init(library: String, fallback: any Backend = NativeBackend()) throws(CBLASError) {
    self.init(try CBLASLibrary.load(library), fallback: fallback)
  }

  init(_ library: CBLASLibrary, fallback: any Backend) {
    self.library = library
    self.fallback = fallback
  }

  /// Loads all CBLAS libraries that are found in the usual places, and in `LD_LIBRARY_PATH`.
  public static func discover(fallback: any Backend = NativeBackend()) -> [CBLASBackend] {
    CBLASLibrary.installedFiles().compactMap { try? CBLASBackend(library: $0, fallback: fallback) }
  }

  public var name: String { "cblas \(library.version)" }

  /// The file of the library.
  public var path: String { library.path }

  /// The product and its version: `OpenBLAS 0.3.21`.
  public var version: String { library.version }

  /// The core that the library has detected, or was forced to; nil if it does not say.
  public var core: String? { library.core }

  /// From now on every call of this library uses `count` threads, whatever it is told.
  package func pinThreads(_ count: Int) { library.pinThreads(count) }

  /// Whether the library lets its number of threads be set; if not, it uses as many as it likes.
  public var canSetThreads: Bool { library.canSetThreads }

  /// The routines that the library lacks, such as `cblas_ssymm`.
  public var missingSymbols: [String] { library.missingSymbols }

  /// Whether the library's integers can hold every one of the sizes, none negative, that were joined with `|`.
  @inline(__always)
  func fits(_ sizes: Int) -> Bool { sizes <= library.largestInteger }
}
