import FisherCommandLine
import FisherKit
import FisherRuntime

/// `fisher bench allreduce`: sums over ranks by shared memory, by our tree over an MPI library, and by that library's own
/// function, size by size in one run.
enum AllReduceBench {
  /// Runs the suite as one of the ranks.
  ///
  /// - Returns: the exit status.
  /// - Throws: ``UsageError``.
  static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
    do {
      let joined = try RankEnvironment.join()
      let wanted = try arguments.count("ranks", atMost: RankProcesses.most) ?? 2
      let processes = joined == nil ? try RankProcesses(ranks: wanted) : nil
      guard let communicator = joined ?? processes?.communicator() else { return 2 }
      let json = communicator.rank == 0 ? try arguments.jsonLines() : nil
      try processes?.start(arguments: ["bench", "allreduce"] + sizeWords(arguments))
      try measure(communicator, try sizes(arguments), json, isQuiet: arguments.isQuiet)
      communicator.finish(status: 0)
      return 0
    } catch {
      throw error as? UsageError ?? UsageError("\(error)")
    }
  }

  private static func sizeWords(_ arguments: Arguments) -> [String] {
    arguments.all("sizes").flatMap { ["--sizes", $0] }
  }

  /// Bytes.
  private static func sizes(_ arguments: Arguments) throws(UsageError) -> [Int] {
    if let given = try arguments.counts("sizes", atLeast: 4, atMost: 1 << 30) { return given }
    return stride(from: 2, through: 24, by: 2).map { 1 << $0 }
  }

  private static func measure(
    _ communicator: any Communicator, _ sizes: [Int], _ json: JSONLines?, isQuiet: Bool
  ) throws {
    let mpi = communicator as? MPICommunicator
    var shared: (any Communicator)? = communicator
    if mpi != nil { shared = try SharedMemoryCommunicator.sharing(with: communicator) }
    let tells = communicator.rank == 0 && !isQuiet
    if tells {
      if let library = mpi?.library {
        print("\(library.version), \(library.interface.rawValue)  \(library.path)")
      }
      print(
        column("bytes", 10) + column("shared µs", 12) + column("GB/s", 8) + column("copy µs", 10)
          + column("in place µs", 13)
          + (mpi == nil ? "" : column("over MPI µs", 13) + column("library's µs", 14) + column("ratio", 7)))
    }
    for bytes in sizes {
      let own = try shared.map { try timeWhereWritten(communicator, $0, bytes) } ?? .nan
      let copy = try shared.map { try timeOfCopy(communicator, $0, bytes) } ?? .nan
      let inPlace = try time(communicator, bytes) { try shared?.allReduce(&$0) }
      var line: [(String, JSON)] = [
        ("bytes", .int(bytes)), ("ranks", .int(communicator.size)), ("sharedSeconds", .number(own)),
        ("copySeconds", .number(copy)), ("inPlaceSeconds", .number(inPlace)),
      ]
      var text = column("\(bytes)", 10) + column(fixed(own * 1e6, 1), 12)
      text += column(fixed(Double(bytes) / own * 1e-9, 2), 8) + column(fixed(copy * 1e6, 1), 10)
      text += column(fixed(inPlace * 1e6, 1), 13)
      if let mpi {
        let over = try time(communicator, bytes) { try mpi.allReduce(&$0) }
        let library = try time(communicator, bytes) { try mpi.librarySum(&$0) }
        line += [("overMPISeconds", .number(over)), ("librarySeconds", .number(library))]
        text += column(fixed(over * 1e6, 1), 13) + column(fixed(library * 1e6, 1), 14)
        text += column(fixed(library / own, 2), 7)
      }
      if tells {
        print(text)
        Console.flush()
      }
      json?.write(.object([("event", .string("allreduce"))] + line))
    }
  }

  /// Seconds of the best of several sums of so many bytes, as the slowest rank sees it. Each rank has just written its
  /// numbers, as in a step.
  private static func time(
    _ communicator: any Communicator, _ bytes: Int, _ sum: (inout [Float]) throws -> Void
  ) throws -> Double {
    var numbers = [Float](repeating: 1, count: bytes / 4)
    return try best(communicator, bytes) {
      for i in numbers.indices { numbers[i] = Float(i & 7) }
      try communicator.barrier()
      let start = ContinuousClock.now
      try sum(&numbers)
      return ContinuousClock.now - start
    }
  }

  /// The same for numbers that are written where they are added up: from the last number written to the first that can be
  /// read.
  private static func timeWhereWritten(
    _ communicator: any Communicator, _ shared: any Communicator, _ bytes: Int
  ) throws -> Double {
    let tree = ReductionTree(leaves: shared.size, ranks: shared.size)
    return try best(communicator, bytes) {
      var start = ContinuousClock.now
      var time = Duration.zero
      try shared.allReduce(
        count: bytes / 4, over: tree,
        write: { (numbers: inout MutableSpan<Float>) in
          for i in numbers.indices { numbers[i] = Float(i & 7) }
          // All begin together, as in the other columns.
          try? communicator.barrier()
          start = .now
        }, read: { _ in time = .now - start })
      return time
    }
  }

  /// The same for a copy of what a sum must at least read of other ranks, and write, without adding anything: a rank's part
  /// of so many bytes.
  private static func timeOfCopy(
    _ communicator: any Communicator, _ shared: any Communicator, _ bytes: Int
  ) throws -> Double {
    let counts = Array(repeating: max(1, bytes / 4 / shared.size), count: shared.size)
    var target = [Float](repeating: 0, count: counts[0])
    return try best(communicator, bytes) {
      var start = ContinuousClock.now
      var time = Duration.zero
      let neighbour = (shared.rank + 1) % shared.size
      try shared.allGather(
        counts: counts,
        write: { (numbers: inout MutableSpan<Float>) in
          for i in numbers.indices { numbers[i] = Float(i & 7) }
          try? communicator.barrier()
          start = .now
        },
        read: { rank, numbers in
          if rank != neighbour { return }
          numbers.withUnsafeBufferPointer { numbers in
            target.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: numbers) }
          }
          time = .now - start
        })
      return time
    }
  }

  private static func best(
    _ communicator: any Communicator, _ bytes: Int, _ run: () throws -> Duration
  ) throws -> Double {
    let repetitions = max(10, min(1000, (1 << 26) / bytes))
    var best = Double.infinity
    for _ in 0..<repetitions {
      let time = try run().components
      best = min(best, Double(time.seconds) + 1e-18 * Double(time.attoseconds))
    }
    return try communicator.allGather([best]).max() ?? best
  }
}
