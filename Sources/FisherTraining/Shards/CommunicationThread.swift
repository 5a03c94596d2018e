import Dispatch
import FisherOptimizers
import FisherRuntime
import Synchronization

/// A thread that sums over the ranks while the one that made it computes: jobs, in the order in which they come.
///
/// While it has jobs nobody else uses the communicator. A job that cannot be done is the end of those behind it, on all
/// ranks alike: what has no sum is not waited for.
final class CommunicationThread {
  // A serial queue has one thread at a time, beyond the pool of one thread a core.
  private let queue = DispatchQueue(label: "FisherKit.CommunicationThread")
  private let jobs = DispatchGroup()
  private let failure = Failure()

  private final class Failure: Sendable {
    let refusal = Mutex<StepRefusal?>(nil)
  }

  /// What a job has answered, once ``wait()`` has returned.
  final class Later<Answer> {
    fileprivate(set) var answer: Answer

    fileprivate init(_ answer: Answer) { self.answer = answer }
  }

  /// Takes on a job, which computes with this thread's underflow.
  ///
  /// - Parameter nothing: the answer until the job is done.
  @discardableResult
  func run<Answer>(
    else nothing: Answer, _ job: @escaping () throws(StepRefusal) -> Answer
  ) -> Later<Answer> {
    // What the job shares with this thread is left alone until `wait` has returned.
    nonisolated(unsafe) let (job, later) = (job, Later(nothing))
    let (underflow, failure) = (Underflow.current, failure)
    queue.async(group: jobs) {
      if failure.refusal.withLock({ $0 != nil }) { return }
      let former = Underflow.set(underflow)
      defer { Underflow.set(former) }
      do throws(StepRefusal) { later.answer = try job() } catch {
        failure.refusal.withLock { $0 = error }
      }
    }
    return later
  }

  /// Returns when all jobs are done.
  ///
  /// - Throws: why one could not be done; the next jobs are not concerned.
  func wait() throws(StepRefusal) {
    jobs.wait()
    let refusal = failure.refusal.withLock { refusal in
      defer { refusal = nil }
      return refusal
    }
    if let refusal { throw refusal }
  }
}
