import FisherRuntime

/// How this process belongs to others, as its environment says.
public enum RankEnvironment {
  /// The communicator of a process that something has started as a rank: `mpirun`, or a program that started copies of
  /// itself. Nil for a process that is alone.
  ///
  /// - Throws: ``CommunicationError``.
  public static func join() throws(CommunicationError) -> (any Communicator)? {
    if let inherited = try RankProcesses.inherited() { return inherited }
    // One rank needs no library.
    guard let launcher = RankLauncher.current, launcher.size != 1 else { return nil }
    return try MPICommunicator(try MPILibrary.load(for: launcher), launcher: launcher)
  }

  /// Whether the launcher has given this process some of the machine's cores.
  private static var isBound: Bool { Threads.cores < Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Whether a rank with so many threads leaves a core of its part of the machine to what talks to other machines.
  public static func leavesCore(threads: Int) -> Bool {
    threads < (isBound ? Threads.cores : Threads.cores / max(1, RankLauncher.current?.localSize ?? 1))
  }

  /// The threads that a rank has: its part of the machine's, unless its launcher has bound it to some of them.
  ///
  /// - Parameter ranks: on this machine.
  public static func threads(ranks: Int) -> Int {
    isBound ? Threads.available : max(1, Threads.available / max(1, ranks))
  }
}
