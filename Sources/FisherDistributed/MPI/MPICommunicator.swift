import FisherRuntime

/// The ranks that `mpirun` has started, by whichever library of MPI is there.
///
/// One for a process, which is initialised once and for all.
public final class MPICommunicator: Communicator {
  public let rank: Int
  public let size: Int
  public let library: MPILibrary
  public private(set) var servesAnyThread = false
  public private(set) var spansMachines = false
  private let functions: MPIFunctions
  private let memory = ExchangeMemory()

  /// Most bytes of a call: its counts and displacements have 32 bits.
  private static let mostBytes = 1 << 30

  /// Joins the other ranks.
  ///
  /// - Parameters:
  ///   - library: of the launcher.
  ///   - launcher: what has started the ranks; it is checked that the library sees as many.
  /// - Throws: ``CommunicationError``.
  public init(
    _ library: MPILibrary, launcher: RankLauncher? = .current
  ) throws(CommunicationError) {
    self.library = library
    functions = try MPIFunctions(library)
    let functions = functions
    var (provided, rank, size): (Int32, Int32, Int32) = (0, 0, 0)
    let handles = library.handles
    try functions.check("MPI_Init_thread", functions.initialize(nil, nil, handles.serialized, &provided))
    // Else an error would end the process before it is told.
    try functions.check(
      "MPI_Comm_set_errhandler", functions.setErrorHandler(handles.world, handles.errorsReturn))
    try functions.check("MPI_Comm_rank", functions.rank(handles.world, &rank))
    try functions.check("MPI_Comm_size", functions.size(handles.world, &size))
    (self.rank, self.size) = (Int(rank), Int(size))
    if let started = launcher?.size, started != Int(size) {
      throw .unusable(
        library: library.path,
        reason:
          "it sees \(size) of \(started) ranks, so another library's mpirun has started them; name that one's "
          + "file in FISHER_MPI")
    }
    // What a launcher tells may differ from rank to rank, and all have to do the same.
    let isElsewhere = launcher?.localSize.map { $0 < Int(size) } ?? false
    let all = try allGather([provided >= handles.serialized ? 0 : 1, isElsewhere ? 1 : 0])
    servesAnyThread = stride(from: 0, to: all.count, by: 2).allSatisfy { all[$0] == 0 }
    spansMachines = stride(from: 1, to: all.count, by: 2).contains { all[$0] == 1 }
  }

  public func barrier() throws(CommunicationError) {
    try functions.check("MPI_Barrier", functions.barrier(library.handles.world))
  }

  public func broadcast(_ bytes: inout MutableRawSpan, from root: Int) throws(CommunicationError) {
    require(root >= 0 && root < size, "Communicator: a broadcast from rank \(root) of \(size)")
    try bytes.withUnsafeMutableBytes { bytes throws(CommunicationError) in
      guard let base = bytes.baseAddress else { return }
      for start in stride(from: 0, to: bytes.count, by: Self.mostBytes) {
        let count = Int32(min(Self.mostBytes, bytes.count - start))
        try functions.check(
          "MPI_Bcast",
          functions.broadcast(base + start, count, library.handles.byte, Int32(root), library.handles.world))
      }
    }
  }

  public func allGather(_ all: inout MutableRawSpan, counts: [Int]) throws(CommunicationError) {
    requireCounts(counts, all.byteCount)
    let starts = partStarts(counts)
    if all.byteCount > Self.mostBytes {
      for root in counts.indices {
        var part = all._mutatingExtracting(starts[root]..<starts[root] + counts[root])
        try broadcast(&part, from: root)
      }
      return
    }
    try all.withUnsafeMutableBytes { all throws(CommunicationError) in
      guard let base = all.baseAddress else { return }
      try gather(base, counts, starts)
    }
  }

  /// Few bytes go to every rank, which then adds them up; of many, a rank gets and adds up its part of the elements, and
  /// then gives the sums to all.
  public func allReduce<Number: BitwiseCopyable & AdditiveArithmetic>(
    _ nodes: inout MutableSpan<Number>, over tree: ReductionTree
  ) throws(CommunicationError) {
    let own = requireNodes(nodes.count, tree)
    if size == 1 { return }
    let exchange = NodeExchange<Number>(tree, rank: rank, count: nodes.count / own, memory: memory)
    try nodes.withUnsafeMutableBufferPointer { nodes throws(CommunicationError) in
      guard let base = nodes.baseAddress else { return }
      try exchange.run(
        base,
        gather: { (all, counts, starts) throws(CommunicationError) in
          try self.gather(all, counts, starts)
        },
        allToAll: { (source, sent, target, received) throws(CommunicationError) in
          try self.allToAll(source, sent, target, received)
        })
    }
  }

  /// The library's own sum, in whatever order it likes: to be measured against.
  package func librarySum(_ numbers: inout [Float]) throws(CommunicationError) {
    let handles = library.handles
    let code = numbers.withUnsafeMutableBytes { bytes in
      functions.allReduce(
        handles.inPlace, bytes.baseAddress, Int32(bytes.count / 4), handles.float, handles.sum, handles.world)
    }
    try functions.check("MPI_Allreduce", code)
  }

  public func fail() -> Bool { true }

  public func finish(status: Int32) {
    if status == 0 { _ = functions.finalize() } else { _ = functions.abort(library.handles.world, status) }
  }

  /// Gathers in place.
  private func gather(
    _ all: UnsafeMutableRawPointer, _ counts: [Int], _ starts: [Int]
  ) throws(CommunicationError) {
    let handles = library.handles
    try functions.check(
      "MPI_Allgatherv",
      functions.allGather(
        handles.inPlace, 0, handles.byte, all, counts.map { Int32($0) }, starts.map { Int32($0) },
        handles.byte,
        handles.world))
  }

  /// Sends each rank its part of the source, one after the other, and gets its part of each rank's.
  private func allToAll(
    _ source: UnsafeRawPointer, _ sent: [Int], _ target: UnsafeMutableRawPointer, _ received: [Int]
  ) throws(CommunicationError) {
    func starts(_ counts: [Int]) -> [Int32] { counts.indices.map { Int32(counts[..<$0].reduce(0, +)) } }
    let handles = library.handles
    try functions.check(
      "MPI_Alltoallv",
      functions.allToAll(
        source, sent.map { Int32($0) }, starts(sent), handles.byte, target, received.map { Int32($0) },
        starts(received), handles.byte, handles.world))
  }
}
