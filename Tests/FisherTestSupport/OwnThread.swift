import Dispatch
public import Testing

// A test that waits for a process which it has started goes on when one of the threads for asynchronous work is free, and
// long tests occupy all of them for minutes. Until then the library's thread that waits for processes spins.

/// Tests with this trait run on a thread that no other test has.
public struct OwnThread: TestTrait, TestScoping {
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
  }
}

extension Trait where Self == OwnThread {
  /// For tests that start processes: see ``OwnThread``.
  public static var ownThread: Self { Self() }
}

/// Runs jobs one after the other on a thread of its own.
private final class ThreadExecutor: TaskExecutor {
  static let shared = ThreadExecutor()
  private let queue = DispatchQueue(label: "tests that start processes")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
