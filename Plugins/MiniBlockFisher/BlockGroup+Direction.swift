import FisherLinearAlgebra
import FisherOptimizers

extension BlockGroup {
  /// The slot that holds what directions are made with.
  var slot: String {
    switch form {
    case .diagonal: "G"
    case .rankOne: "v"
    case .separate, .shared: "C"
    }
  }

  /// P = C·M, row by row of the vectors.
  ///
  /// - Parameter C: what stands in ``slot``: the inverses, or what they are of.
  func direction<S: KernelScalar>(
    _ M: Matrix<S>, by C: Matrix<S>, damping λ: Double, on backend: any Backend
  ) -> Direction<S> {
    let perElement = form == .separate || form == .shared ? 2 * columns : 8
    let flops = Double(M.count) * Double(perElement)
    return Direction(of: owner, rows: rows, columns: columns, flops: flops) { P, threads in
      switch form {
      case .diagonal: P.assign(DampedQuotient(ε: λ), of: M, C, threads: threads)
      case .rankOne: P.assignRankOneSolutions(of: M, C, damping: S(λ), threads: threads)
      case .separate: blocks(C).multiply(M, into: &P, on: backend, threads: threads)
      case .shared: gemm(M, C, into: &P, on: backend, threads: threads)
      }
    }
  }
}
