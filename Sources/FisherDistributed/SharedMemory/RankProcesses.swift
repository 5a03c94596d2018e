import FisherRuntime
import Synchronization

/// Ranks that a program starts itself: copies of it, that share memory with it.
///
/// The program that the user has started is rank 0. The others find the segment in an environment variable, end when
/// rank 0 is gone, and are ended by it when it fails.
public final class RankProcesses: Sendable {
  private static let variable = "FISHER_RANK"
  private let segment: SharedSegment
  private let children = Mutex<[Int: Child]>([:])

  private enum Child {
    case running(pid_t)
    case ended(how: String)
  }

  /// Most ranks on one machine.
  public static let most = 256

  /// - Throws: ``CommunicationError`` if there is no shared memory.
  public init(ranks: Int) throws(CommunicationError) {
    require(ranks >= 1 && ranks <= Self.most, "RankProcesses: \(ranks) ranks, of at most \(Self.most)")
    segment = try SharedSegment(ranks: ranks, slotBytes: SharedMemoryCommunicator.slotBytes)
  }

  /// Rank 0, this process; the others come when they are started.
  public func communicator() -> SharedMemoryCommunicator {
    SharedMemoryCommunicator(
      segment, rank: 0, watch: { self.howEnded($0) }, end: { if $0 != 0 { self.end() } })
  }

  /// Ends the other ranks in silence: this one says why.
  public func fail() {
    _ = segment.claimFailure(0)
    end()
  }

  /// Starts the ranks from 1 on: this program with the given arguments. Once; later calls do nothing.
  ///
  /// - Throws: ``CommunicationError`` if one cannot be started; then all are ended.
  public func start(arguments: [String]) throws(CommunicationError) {
    if children.withLock({ !$0.isEmpty }) { return }
    // The descriptor survives into children alone.
    _ = fcntl(segment.descriptor, F_SETFD, 0)
    defer { _ = fcntl(segment.descriptor, F_SETFD, FD_CLOEXEC) }
    for rank in 1..<max(1, segment.ranks) {
      let (pid, error) = Self.spawn(
        arguments, "\(segment.descriptor),\(rank),\(segment.ranks),\(segment.slotBytes),\(getpid())")
      guard let pid else {
        end()
        throw .system(what: "starting rank \(rank)", reason: String(cString: strerror(error)))
      }
      children.withLock { $0[rank] = .running(pid) }
    }
  }

  /// The communicator of a process that was started as a rank; nil in all others.
  ///
  /// - Throws: ``CommunicationError`` if the environment names no memory of such ranks.
  public static func inherited() throws(CommunicationError) -> SharedMemoryCommunicator? {
    guard let text = getenv(variable).map({ String(cString: $0) }) else { return nil }
    unsetenv(variable)
    let numbers = text.split(separator: ",").compactMap { Int($0) }
    guard numbers.count == 5, numbers[2] >= 2, numbers[1] >= 1, numbers[1] < numbers[2], numbers[3] >= 4096
    else { throw .system(what: variable, reason: "\(quoted(text)) names no rank") }
    let segment = try SharedSegment(
      descriptor: Int32(truncatingIfNeeded: numbers[0]), ranks: numbers[2], slotBytes: numbers[3])
    _ = fcntl(segment.descriptor, F_SETFD, FD_CLOEXEC)
    let parent = numbers[4]
    // Only rank 0 knows about the others, and tells.
    return SharedMemoryCommunicator(
      segment, rank: numbers[1],
      watch: { rank in rank == 0 && Int(getppid()) != parent ? "has ended" : nil })
  }

  private func howEnded(_ rank: Int) -> String? {
    children.withLock { children in
      guard let child = children[rank] else { return nil }
      switch child {
      case .ended(let how): return how
      case .running(let pid):
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = status & 0x7F
        let how = signal == 0 ? "ended with status \(status >> 8 & 0xFF)" : "was ended by signal \(signal)"
        children[rank] = .ended(how: how)
        return how
      }
    }
  }

  /// Ends all that still run: there is nothing that they could lose. One that has failed ends by itself when it has said why,
  /// within a second.
  private func end() {
    if let failed = segment.failedRank, failed > 0 {
      for _ in 0..<1000 where howEnded(failed) == nil { usleep(1000) }
    }
    children.withLock { children in
      for (rank, child) in children {
        guard case .running(let pid) = child else { continue }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        children[rank] = .ended(how: "was ended")
      }
    }
  }

  /// - Returns: the process, or nil and the error.
  private static func spawn(_ arguments: [String], _ place: String) -> (pid_t?, Int32) {
    setenv(variable, place, 1)
    defer { unsetenv(variable) }
    #if os(Linux)
      let path = "/proc/self/exe"
    #else
      let path = CommandLine.arguments[0]
    #endif
    let words: [UnsafeMutablePointer<CChar>?] =
      ([CommandLine.arguments[0]] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    // By its address: to the compiler `environ` is a variable that other threads may change, though nobody does.
    let environment = dlsym(dlopen(nil, RTLD_NOW), "environ")?
      .load(as: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self)
    let error = posix_spawn(&pid, path, nil, nil, words, environment)
    return (error == 0 ? pid : nil, error)
  }
}
