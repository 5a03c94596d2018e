import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Foundation
import KernelTemplates
import Testing

/// A child process made by `fork` can go on computing, with threads, although only one thread survived in it.
struct AfterFork: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let (m, n, k) = (200, 160, 256)
    var generator = Generator(seed: Seed.first)
    let a = GuardedMatrix<S>(m, k).filled(.integers, &generator)
    let b = GuardedMatrix<S>(k, n).filled(.integers, &generator)
    let (parents, childs) = (GuardedMatrix<S>(m, n), GuardedMatrix<S>(m, n))
    let call = { (c: GuardedMatrix<S>) in
      backend.gemm(Gemm(alpha: 1, a: a.readOnly, b: b.readOnly, beta: 0, c: c.pointer), threads: 4)
    }
    // The first call starts the threads that the child will miss.
    call(parents)
    let bytes = m * n * MemoryLayout<S>.stride
    let outcome = inChild {
      call(childs)
      return memcmp(parents.pointer.base, childs.pointer.base, bytes) == 0
    }
    found.expect(outcome == .succeeded, "\(backend.name) \(S.self): gemm after fork \(outcome)")
    return found
  }

  // Ours alone: a library with a thread pool of its own may hang in the child, and does. And in a process without
  // such a library: before a fork OpenBLAS waits for its threads to end, for ever if another test just uses them.
  @Test(.ownThread) func afterFork() async {
    await #expect(processExitsWith: .success) {
      let natives = InstructionSet.supported.map { NativeBackend(instructionSet: $0) as any Backend }
      for backend in [ReferenceBackend()] + natives {
        for kind in ScalarKind.allCases {
          AfterFork.expect(Subject(BackendUnderTest(backend, keepsBits: true), kind))
        }
      }
    }
  }
}

enum ChildOutcome { case succeeded, computedWrongly, crashed, hung }

/// Runs the body in a forked child, which gets 30 seconds, and what the parent does meanwhile.
func inChild(meanwhile: () -> Void = {}, _ body: () -> Bool) -> ChildOutcome {
  // Swift marks fork as unavailable, with reason; here its dangers are what is tested.
  let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "fork")!
  let fork = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
  let child = fork()
  if child == 0 { _exit(body() ? 0 : 1) }
  meanwhile()
  var status: Int32 = 0
  for _ in 0..<3000 {
    if waitpid(child, &status, WNOHANG) == child {
      let signalled = status & 0x7F != 0
      return signalled ? .crashed : status >> 8 == 0 ? .succeeded : .computedWrongly
    }
    usleep(10_000)
  }
  kill(child, SIGKILL)
  waitpid(child, &status, 0)
  return .hung
}
