import Dispatch
import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import Synchronization
import Testing

/// The bits of every result are those of one thread: for any budget, for calls from inside a parallel loop, and
/// for several application threads that call at once.
struct SameBitsAcrossThreads: Clause {
  static let shapes = [
    (3, 5, 20_000), (130, 65, 257), (256, 192, 385), (1, 700, 400), (900, 2, 130), (40, 41, 2),
    // k blocks go to the threads.
    (48, 50, 9_000),
  ]

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    // Plain loops have one thread whatever the shape.
    let isNaive = backend is ReferenceBackend
    for (m, n, k) in Self.shapes where !isNaive || m * n * k < 500_000 {
      let set = ProductSet<S>(m, n, k)
      let expected = set.run(backend, threads: 1)
      func compare(_ got: [(routine: String, bits: [UInt64])], _ circumstance: String) -> [String] {
        zip(got, expected).filter { $0.bits != $1.bits }.map { got, _ in
          "\(backend.name) \(S.self) \(got.routine) \(m)×\(n)×\(k): other bits \(circumstance)"
        }
      }
      for threads in [2, 3, 7, 16] {
        for line in compare(set.run(backend, threads: threads), "with \(threads) threads") { found.add(line) }
      }
      // A wide product is enough to see whether concurrent calls disturb each other.
      let product = [(routine: "gemm", bits: set.gemm(backend, 1))]
      let lines = Mutex<[String]>([])
      let call: @Sendable (String) -> Void = { circumstance in
        let got = ProductSet<S>(m, n, k).gemm(backend, 4)
        guard got != product[0].bits else { return }
        let line = "\(backend.name) \(S.self) gemm \(m)×\(n)×\(k): other bits \(circumstance)"
        lines.withLock { $0.append(line) }
      }
      DispatchQueue.concurrentPerform(iterations: 4) { _ in call("in a nested call") }
      onThreads(4) { call("from several application threads") }
      for line in lines.withLock({ $0 }) { found.add(line) }
      if found.isFull { break }
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func sameBitsAcrossThreads(_ subject: Subject) { expect(subject) }
}

/// Runs the body on `count` threads of its own at once and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  for _ in 0..<count {
    Thread.detachNewThread {
      body()
      done.signal()
    }
  }
  for _ in 0..<count { done.wait() }
}
