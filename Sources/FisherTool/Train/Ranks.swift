import FisherCommandLine
import FisherKit
import FisherRuntime

/// The ranks of a run: this process alone, those that `--ranks` asks for, or those that `mpirun` has started.
struct Ranks {
  let communicator: any Communicator
  /// Those that this process has to start.
  private let processes: RankProcesses?
  private let command: [String]

  /// - Parameters:
  ///   - arguments: of the command.
  ///   - command: how the other ranks are called.
  /// - Throws: `CommunicationError`, or `UsageError`.
  init(_ arguments: Arguments, command: [String]) throws {
    self.command = command
    let wanted = try arguments.count("ranks", atMost: RankProcesses.most)
    if let joined = try RankEnvironment.join() {
      if let wanted, wanted != joined.size {
        throw UsageError("--ranks: \(wanted), and \(joined.size) have been started")
      }
      (communicator, processes) = (joined, nil)
    } else if let wanted, wanted > 1 {
      let processes = try RankProcesses(ranks: wanted)
      (communicator, self.processes) = (processes.communicator(), processes)
      Console.beforeFailing { processes.fail() }
    } else {
      (communicator, processes) = (SingleProcess(), nil)
    }
  }

  /// Whether this is the rank that reads signals, writes files and tells how things go.
  var isFirst: Bool { communicator.rank == 0 }

  /// The threads of each, unless the user says otherwise.
  var threads: Int {
    communicator.size == 1
      ? Threads.available
      : RankEnvironment.threads(ranks: RankLauncher.current?.localSize ?? communicator.size)
  }

  /// How many there are and when they add up, for people; nil for one.
  ///
  /// - Parameters:
  ///   - overlaps: sums go on beside the passes.
  ///   - wanted: what the user has asked for.
  func summary(overlaps: Bool, wanted: SumOverlap) -> String? {
    if communicator.size == 1 { return nil }
    if overlaps { return "\(communicator.size), which add up while they compute" }
    let isMissed =
      !communicator.servesAnyThread && (wanted == .on || wanted == .auto && communicator.spansMachines)
    return "\(communicator.size)"
      + (isMissed ? ", which add up after they have computed: their MPI library serves one thread alone" : "")
  }

  /// Starts the others, unless they run.
  ///
  /// - Throws: `CommunicationError`.
  func launch() throws(CommunicationError) { try processes?.start(arguments: command) }

  /// Starts the others unless they run, and waits until all are as far; so that nothing that they read is written before.
  ///
  /// - Throws: `CommunicationError`, or `UsageError` if the ranks would not compute the same bits.
  func start() throws {
    try launch()
    var hash = BitHash()
    hash.add("\(packageVersion) \(InstructionSet.best.rawValue)")
    if let other = try communicator.firstRank(differingIn: hash.value) {
      throw UsageError(
        "rank \(other) is another version, or has other instructions than rank 0; FISHER_ISA can make them alike"
      )
    }
  }

  /// Runs a command as one of the ranks, of which one tells what has failed.
  ///
  /// - Returns: the exit status.
  /// - Throws: `UsageError` in one line, if there is only this process.
  func run(_ body: () throws -> Int32) throws(UsageError) -> Int32 {
    do {
      let status = try body()
      communicator.finish(status: status)
      return status
    } catch {
      if communicator.size == 1 { throw error as? UsageError ?? UsageError("\(error)") }
      if communicator.fail() { Console.error("\(error)") }
      Console.flush()
      communicator.finish(status: 2)
      return 2
    }
  }
}

extension SumOverlap {
  /// What `--overlap` says.
  ///
  /// - Throws: `UsageError`.
  init(_ arguments: Arguments) throws(UsageError) {
    let text = arguments.value("overlap") ?? Self.auto.rawValue
    guard let overlap = Self(rawValue: text) else {
      throw UsageError("--overlap: \(quoted(text)) is none of auto, on, off")
    }
    self = overlap
  }
}
