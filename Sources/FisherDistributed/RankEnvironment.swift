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

  /// The threads that a rank has: its part of the machine's, unless its launcher has bound it to some of them.
  ///
  /// - Parameter ranks: on this machine.
  public static func threads(ranks: Int) -> Int {
    let isBound = Threads.cores < Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    return isBound ? Threads.available : max(1, Threads.available / max(1, ranks))
  }
}
