import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import Synchronization
import Testing

/// What threads of one program ask for at the same time.
private enum Routine: String, CaseIterable {
  case gemm, syrk, potrf, getrf, trsm, batched

  /// All bits of the result for operands of about order n, which the seed decides.
  func bits<S: KernelScalar>(_ n: Int, seed: UInt64, threads: Int, _: S.Type) -> [UInt64] {
    var generator = Generator(seed: seed)
    let a = Matrix<S>(rows: n, columns: n + 3) { _, _ in generator.uniform() }
    switch self {
    case .gemm:
      var c = Matrix<S>(repeating: 1, rows: n, columns: n)
      FisherLinearAlgebra.gemm(alpha: 0.5, a, a.transposed, beta: -1, into: &c, threads: threads)
      return c.array.map(\.bits)
    case .syrk: return gram(a, threads).array.map(\.bits)
    case .potrf:
      let damped = Damping<S>.absolute(S(n))
      guard let factor = try? Cholesky(gram(a, 1), damping: damped, threads: threads) else { return [] }
      return factor.upper.array.map(\.bits)
    case .getrf:
      let factor = LU(a, threads: threads)
      return factor.factors.array.map(\.bits) + factor.pivots.map(UInt64.init)
    case .trsm:
      let t = Matrix<S>(rows: n, columns: n) { i, j in i == j ? 2 : a[i, j] / S(n) }
      var b = a
      FisherLinearAlgebra.trsm(t, into: &b, threads: threads)
      return b.array.map(\.bits)
    case .batched:
      let block = gram(a[rows: 0..<9, columns: 0...], 1)
      var blocks = MatrixStack(repeating: block, count: 4 * n)
      let outcome = blocks.invertPositiveDefinite(damping: .absolute(1), threads: threads)
      return outcome.isComplete ? blocks.stacked.array.map(\.bits) : []
    }
  }

  private func gram<S: KernelScalar>(_ a: Matrix<S>, _ threads: Int) -> Matrix<S> {
    var c = Matrix<S>(rows: a.rows, columns: a.rows)
    FisherLinearAlgebra.syrk(a, into: &c, mirror: true, threads: threads)
    return c
  }
}

/// 0, 1, 2 … for threads that want one each.
private final class Numbers: Sendable {
  private let count = Atomic<Int>(0)

  func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
}

/// Eight threads call every routine at once, each with threads of its own: all get the bits that one alone gets.
@Test(arguments: [1, 2, 3]) func callersAtOnceGetTheBitsOfOneAlone(threads: Int) {
  struct Call: Sendable {
    let routine: Routine, order: Int, seed: UInt64, isDouble: Bool

    func bits(threads: Int) -> [UInt64] {
      isDouble
        ? routine.bits(order, seed: seed, threads: threads, Double.self)
        : routine.bits(order, seed: seed, threads: threads, Float.self)
    }
  }
  let calls = Routine.allCases.flatMap { routine in
    zip([9, 40, 150, 260], [false, true, true, false]).map { order, isDouble in
      Call(routine: routine, order: order, seed: Seed.first &+ UInt64(order), isDouble: isDouble)
    }
  }
  let alone = calls.map { $0.bits(threads: 1) }
  #expect(alone.allSatisfy { !$0.isEmpty })
  // Prime to the number of calls.
  let strides = [1, 5, 7, 11, 13, 17, 19, 23]
  let (numbers, start) = (Numbers(), Meeting(of: 8))
  onThreads(8) {
    let number = numbers.next()
    start.attend()
    for round in 0..<3 {
      // Each in an order of its own, so that every routine meets every other.
      for i in calls.indices {
        let place = (i * strides[number] + round) % calls.count
        let call = calls[place]
        let same = call.bits(threads: threads) == alone[place]
        #expect(same, "\(call.routine) of order \(call.order), caller \(number), seed \(call.seed)")
      }
    }
  }
}
