package import FisherDistributed
import Foundation
import Synchronization

/// Runs a body as each of several ranks at once, a thread each.
///
/// - Returns: what each rank gives back.
package func asRanks<Answer: Sendable>(
  _ count: Int, slotBytes: Int = 1 << 18,
  _ body: @escaping @Sendable (SharedMemoryCommunicator) throws -> Answer
) throws -> [Answer] {
  let answers = Mutex<[Int: Result<Answer, any Error>]>([:])
  let group = DispatchGroup()
  for communicator in try SharedMemoryCommunicator.threads(count, slotBytes: slotBytes) {
    // Each is used by its thread alone.
    nonisolated(unsafe) let communicator = communicator
    group.enter()
    Thread.detachNewThread {
      let answer = Result { try body(communicator) }
      answers.withLock { $0[communicator.rank] = answer }
      group.leave()
    }
  }
  group.wait()
  return try (0..<count).map { rank in try answers.withLock { $0[rank]! }.get() }
}
