import FisherRuntime
import KernelTemplates

// Nothing on the way to a root leaves the range of the type because of A's size: the root of B = (A + λ·I)/2ᵉ is computed, with
// the largest element of B near 1, and
//
//     (A + λ·I)^(−1/p) = 2^(−e/p)·B^(−1/p)        e a multiple of p, so that all factors are powers of 2.

/// One root, with seven squares and a row of scratch memory: B, X, and five to work with.
struct RootCall<S: KernelScalar> {
  typealias Outcome = Result<(residual: S, raised: Int, iterations: Int), FactorizationError>

  let p: Int
  let work: ScratchSquares<S>
  let measuresResidual: Bool
  /// e
  private var exponent = 0

  init(p: Int, work: ScratchSquares<S>, measuresResidual: Bool) {
    (self.p, self.work, self.measuresResidual) = (p, work, measuresResidual)
  }

  private var b: MutableMatrixPointer<S> { work[0] }
  private var x: MutableMatrixPointer<S> { work[6] }

  /// X ← B^(−1/p) for the A in the lower triangle.
  mutating func run(
    _ a: MatrixPointer<S>, _ damping: (absolute: S, relative: S), _ method: InverseRootMethod<S>
  ) -> Outcome {
    if work.order == 0 { return .success((0, 0, 0)) }
    var floor: S = 0
    if case .eigen(let least) = method { floor = least }
    guard load(a, damping, floor) else { return .failure(.notFinite) }
    var (raised, iterations) = (0, 0)
    // Eigenvectors follow from the lower triangle alone.
    switch method {
    case .eigen where !measuresResidual: break
    case .eigen, .coupledNewton: work.mirror(b)
    }
    switch method {
    case .eigen:
      switch runEigen(floor.scaled(byPowerOfTwo: -exponent)) {
      case .success(let count): raised = count
      case .failure(let error): return .failure(error)
      }
    case .coupledNewton(let tolerance, let maxIterations):
      iterations = CoupledNewton(p: p, tolerance: tolerance, maxIterations: maxIterations)
        .run(b, into: x, work, first: 1)
    }
    let residual = measuresResidual ? self.residual() : .nan
    if measuresResidual && residual.isNaN { return .failure(.notConverged) }
    return (0..<work.order).allSatisfy { x[$0, $0].scaled(byPowerOfTwo: -exponent / p).isFinite }
      ? .success((residual, raised, iterations)) : .failure(.notFinite)
  }

  /// max |Xᵖ·B − I|
  private func residual() -> S {
    let (power, free) = work.power(of: x, p, work[1], work[2])
    work.multiply(power, b, into: free)
    return work.distanceFromIdentity(free)
  }

  /// Target ← X·2^(−e/p)
  func store(to target: MutableMatrixPointer<S>) {
    work.scale(x.readOnly, byPowerOfTwo: -exponent / p, to: target)
  }

  /// B ← (A + λ·I)/2ᵉ in the lower triangle.
  ///
  /// - Returns: whether all its elements are numbers.
  private mutating func load(
    _ a: MatrixPointer<S>, _ damping: (absolute: S, relative: S), _ floor: S
  ) -> Bool {
    let n = work.order
    let lambda = Damping<S>.value(damping.absolute, damping.relative, order: n) { a[$0, $0] }
    var largest = max(lambda, floor)
    for i in 0..<n {
      let magnitude = work.largestMagnitude(
        VectorPointer(a.base + i * a.rowStride, count: i + 1, stride: a.columnStride))
      if !magnitude.isFinite { return false }
      largest = max(largest, magnitude)
    }
    if !lambda.isFinite { return false }
    if largest > 0 { exponent = Int(largest.exponent) / p * p }
    let scaledLambda = lambda.scaled(byPowerOfTwo: -exponent)
    var isFinite = true
    for i in 0..<n {
      let row = b.block(i, 0, rows: 1, columns: i + 1)
      work.scale(a.block(i, 0, rows: 1, columns: i + 1), byPowerOfTwo: -exponent, to: row)
      b[i, i] += scaledLambda
      isFinite = isFinite && b[i, i].isFinite
    }
    return isFinite
  }

  /// X ← V·Λ^(−1/p)·Vᵀ = (Λ^(−1/2p)·Vᵀ)ᵀ·(Λ^(−1/2p)·Vᵀ), with the eigenvectors in rows: symmetric to the last bit.
  ///
  /// - Returns: how many eigenvalues were raised.
  private func runEigen(_ floor: S) -> Result<Int, FactorizationError> {
    let (n, rows) = (work.order, work[1])
    let values = work.base + 7 * n * n
    let status = work.backend.symmetricEigen(
      SymmetricEigenCall(a: b.readOnly, vectors: rows.transposed, values: values), threads: work.threads)
    if status != .converged { return .failure(status == .notFinite ? .notFinite : .notConverged) }
    var raised = 0
    for i in 0..<n {
      if values[i] < floor { raised += 1 }
      let image = inverseRoot(max(values[i], floor))
      if !image.isFinite { return .failure(.notPositiveDefinite(pivot: i)) }
      work.backend.scal(alpha: image.squareRoot(), x: MutableVectorPointer(rows.base + i * n, count: n))
    }
    work.backend.syrk(
      Syrk(alpha: 1, a: rows.transposed.readOnly, beta: 0, c: x, triangle: .lower, mirror: true),
      threads: work.threads)
    return .success(raised)
  }

  /// λ^(−1/p); not a finite number for a λ that is not above 0.
  private func inverseRoot(_ value: S) -> S {
    switch p {
    case 1: 1 / value
    case 2: 1 / value.squareRoot()
    default: S(pow(Double(value), -1 / Double(p)))
    }
  }
}
