import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// H_g, an inverse Hessian in the pre-activations of a layer: a matrix, or the pairs that make it of the identity.
enum InverseHessian<S: KernelScalar> {
  case matrix(Matrix<S>)
  case pairs(PairMemory<S>)

  /// The layer's, at first the identity.
  init(
    of layer: KroneckerLayer, memory: Int, in step: borrowing Step<S>, for optimizer: String
  ) throws(StepRefusal) {
    if memory > 0 {
      self = .pairs(PairMemory(of: layer, count: memory, in: step))
      return
    }
    let (n, H) = (layer.outputs, step.tensor("Hg", of: layer.owner))
    if let H, H.rows != n || H.columns != n {
      throw .failed(
        optimizer: optimizer, place: layer.owner,
        reason: "Hg of its state is \(H.rows)×\(H.columns) instead of \(n)×\(n)")
    }
    self = .matrix(H ?? Matrix(identity: n))
  }

  /// Δ ← H·M·Hₐ.
  func apply(
    to M: Matrix<S>, times Ha: Matrix<S>, into Δ: inout Matrix<S>, on backend: any Backend, threads: Int
  ) {
    switch self {
    case .matrix(let H):
      applyKronecker(
        left: .explicit(H), M, right: .explicit(Ha), into: &Δ, on: backend, threads: threads)
    case .pairs(let pairs):
      gemm(M, Ha, into: &Δ, on: backend, threads: threads)
      pairs.apply(to: &Δ, on: backend, threads: threads)
    }
  }

  /// H·x.
  func multiplied(by x: [Double], on backend: any Backend, threads: Int) -> [Double] {
    switch self {
    case .matrix(let H): return product(H, x, backend, threads)
    case .pairs(let pairs):
      var X = Matrix(x.map { S($0) }, rows: x.count, columns: 1)
      pairs.apply(to: &X, on: backend, threads: threads)
      return X.array.map { Double($0) }
    }
  }

  /// Stages H after it has seen a pair; as it is without one.
  ///
  /// - Returns: whether the pair was taken: not if H would no longer be finite.
  func stage(_ pair: CurvaturePair?, of layer: KroneckerLayer, _ step: inout Step<S>) -> Bool {
    switch self {
    case .matrix(let H): return stageUpdate(of: H, by: pair, as: "Hg", of: layer, &step)
    case .pairs(let pairs): return pairs.stage(pair, of: layer, &step)
    }
  }
}

/// Stages BFGS's update of an inverse Hessian, or H itself without a pair or where it would no longer be finite.
///
///     H ← (I − r·s·yᵀ)·H·(I − r·y·sᵀ) + r·s·sᵀ,  r = 1/sᵀy
///       = H + s·wᵀ + w·sᵀ,  w = ½·r·(1 + r·yᵀu)·s − r·u,  u = H·y
///
/// - Returns: whether it was updated.
@discardableResult
func stageUpdate<S: KernelScalar>(
  of H: Matrix<S>, by pair: CurvaturePair?, as slot: String, of layer: KroneckerLayer, _ step: inout Step<S>
) -> Bool {
  if let pair {
    let (n, owner) = (H.rows, layer.owner)
    let u = product(H, pair.y, step.backend, step.threads)
    let r = 1 / pair.curvature
    let w = combination(0.5 * r * (1 + r * product(pair.y, u)), pair.s, -r, u)
    var new = step.memory(for: slot, of: owner, rows: n, columns: n)
    addSymmetricProducts(H, pair.s.map { S($0) }, w.map { S($0) }, into: &new, threads: step.threads)
    if new.isFinite(threads: step.threads) {
      step.set(slot, of: owner, to: new)
      return true
    }
  }
  step.set(slot, of: layer.owner, to: H)
  return false
}

/// C ← A + x·yᵀ + y·xᵀ, with the same bits in both triangles if A has them.
@specialized(where S == Float) @specialized(where S == Double)
private func addSymmetricProducts<S: KernelScalar>(
  _ A: Matrix<S>, _ x: [S], _ y: [S], into C: inout Matrix<S>, threads: Int
) {
  let (n, A) = (A.rows, A.compacted())
  C.withMutablePointer(discarding: true) { C in
    A.withPointer { A in
      x.withUnsafeBufferPointer { x in
        y.withUnsafeBufferPointer { y in
          // Each task writes its own row.
          nonisolated(unsafe) let (x, y, a, c) = (x, y, A.base, C.base)
          Parallel.perform(n, threads: Parallel.elementwise(n * n, threads: threads)) { i in
            let (xi, yi) = (x[i], y[i])
            for j in 0..<n { c[i * n + j] = a[i * n + j] + (xi * y[j] + yi * x[j]) }
          }
        }
      }
    }
  }
}
