import FisherRuntime

/// What started a process as one of several ranks, as its environment tells.
public enum RankLauncher: Sendable, Equatable {
  /// `mpirun` of Open MPI.
  case openMPI
  /// `mpirun` of MPICH, or another that speaks its protocol.
  case mpich

  /// Of this process; nil if none is known.
  public static var current: RankLauncher? {
    if getenv("OMPI_COMM_WORLD_SIZE") != nil { return .openMPI }
    if getenv("PMI_RANK") != nil || getenv("PMI_SIZE") != nil { return .mpich }
    return getenv("PMIX_RANK") != nil ? .openMPI : nil
  }

  /// The ranks that it has started.
  var size: Int? { Self.number(["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"]) }

  /// The ranks that it has started on this machine.
  public var localSize: Int? { Self.number(["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"]) }

  private static func number(_ names: [String]) -> Int? {
    names.lazy.compactMap { getenv($0) }.compactMap { Int(String(cString: $0)) }.first
  }
}

extension MPILibrary {
  private static let standardFiles = ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi_abi.dylib"]
  private static let mpichFiles = ["libmpi.so.12", "libmpich.so.12", "libmpi.12.dylib"]
  private static let openMPIFiles = ["libmpi.so.40", "libmpi.40.dylib"]

  /// The library that belongs to a launcher: the one that `FISHER_MPI` names, or the first that can be loaded.
  ///
  /// - Throws: ``CommunicationError``.
  public static func load(for launcher: RankLauncher?) throws(CommunicationError) -> MPILibrary {
    if let file = getenv("FISHER_MPI").map({ String(cString: $0) }), !file.isEmpty {
      return try MPILibrary(file)
    }
    let files =
      switch launcher {
      case .openMPI: openMPIFiles + standardFiles + mpichFiles
      case .mpich, nil: standardFiles + mpichFiles + openMPIFiles
      }
    var reason = ""
    for file in files {
      do { return try MPILibrary(file) } catch .noLibrary(_, let said) { reason = said }
    }
    throw .noLibrary(tried: files, reason: reason)
  }

  /// The libraries that can be loaded, each file once. They are loaded to be asked for their versions, not to be used.
  public static func discover() -> [MPILibrary] {
    let named = getenv("FISHER_MPI").map { [String(cString: $0)] } ?? []
    var found: [MPILibrary] = []
    for file in named + standardFiles + mpichFiles + openMPIFiles {
      guard let library = try? MPILibrary(file, global: false),
        !found.contains(where: { $0.path == library.path })
      else { continue }
      found.append(library)
    }
    return found
  }
}
