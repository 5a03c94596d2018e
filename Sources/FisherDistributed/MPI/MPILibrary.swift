import FisherRuntime

/// A library of MPI that has been loaded at run time: no header, nothing to link.
public final class MPILibrary: Sendable {
  /// The file.
  public let path: String
  /// How it writes its handles.
  public let interface: MPIInterface
  let handles: MPIHandles
  nonisolated(unsafe) private let handle: UnsafeMutableRawPointer

  /// Loads a library.
  ///
  /// - Parameters:
  ///   - file: a name that the loader finds, or a path.
  ///   - global: its symbols serve the parts that it loads itself, which older versions of Open MPI need for more than their
  ///     version.
  /// - Throws: ``CommunicationError``.
  public init(_ file: String, global: Bool = true) throws(CommunicationError) {
    guard let handle = dlopen(file, RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL)) else {
      throw .noLibrary(tried: [file], reason: Self.loaderError())
    }
    func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(handle, name) }
    guard let initialize = symbol("MPI_Init_thread") else {
      throw .unusable(library: file, reason: "it is no MPI library: it has no MPI_Init_thread")
    }
    self.handle = handle
    path = loadedFile(of: initialize, in: handle) ?? file
    if symbol("ompi_mpi_comm_world") != nil {
      guard let handles = MPIHandles.openMPI(symbol) else {
        throw .unusable(library: file, reason: "it lacks handles of Open MPI")
      }
      (interface, self.handles) = (.openMPI, handles)
    } else if Self.hasStandardInterface(symbol("MPI_Abi_get_version")) {
      (interface, handles) = (.standard, .standard)
    } else {
      (interface, handles) = (.mpich, .mpich)
    }
  }

  /// Some versions of other libraries have the function, and answer −1.
  private static func hasStandardInterface(_ address: UnsafeMutableRawPointer?) -> Bool {
    typealias Function = @convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32
    guard let address else { return false }
    var (major, minor): (Int32, Int32) = (-1, -1)
    _ = unsafeBitCast(address, to: Function.self)(&major, &minor)
    return major >= 1
  }

  /// A function of the library.
  ///
  /// - Throws: ``CommunicationError`` if it lacks it.
  func function<F>(_ name: String, as _: F.Type = F.self) throws(CommunicationError) -> F {
    guard let address = dlsym(handle, name) else {
      throw .unusable(library: path, reason: "it has no \(name)")
    }
    return unsafeBitCast(address, to: F.self)
  }

  /// What the library says about itself, the first line: `Open MPI v4.1.4, …`.
  public var version: String {
    typealias Function = @convention(c) (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
    guard let function = try? function("MPI_Get_library_version", as: Function.self) else {
      return "of unknown version"
    }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 8193) { text in
      text.initialize(repeating: 0)
      var count: Int32 = 0
      _ = function(text.baseAddress!, &count)
      let lines = String(cString: text.baseAddress!).split(separator: "\n")
      // "MPICH Version:      4.0.2"
      return lines.first.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") } ?? ""
    }
  }

  static func loaderError() -> String { dlerror().map { String(cString: $0) } ?? "unknown reason" }
}
