import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

extension Shampoo {
  /// Hᵢ ← β·Hᵢ + (1 − β)·X₍ᵢ₎·X₍ᵢ₎ᵀ for every axis i: lower triangles. X is G, and the first update overwrites; or X is G
  /// whitened by the roots of all other axes, over the root of their size, with roots as they are.
  func updateFactors<S: KernelScalar>(
    of block: TensorBlock, _ gradient: Matrix<S>, _ step: inout Step<S>
  ) throws(StepRefusal) {
    let G = block.part(of: gradient)
    let updates = (step.number - 1) / statisticsPeriod + 1
    let kept = beta2 == 1 ? 1 : factors == .kl ? beta2 : min(1 - 1 / Double(updates), beta2)
    let start = factors == .kl ? startRoots(of: block, G, &step) : nil
    for i in block.modes {
      let n = block.axes[i]
      var (X, added) = (G, beta2 == 1 ? 1 : 1 - kept)
      if factors == .kl {
        let others = block.modes.filter { $0 != i }
        let means = others.map { mean(start, or: step.tensor(block.factorSlot($0), of: block.owner)) }
        let former = means.reduce(1, *)
        X = try product(G, of: block, on: others, times: 1 / former.squareRoot(), &step)
        added /= Double(G.count / n)
      }
      if X.rows != block.axes[0] { X = X.reshaped(rows: block.axes[0], columns: X.count / block.axes[0]) }
      for j in 0..<i { X = block.turned(X, after: j) }
      let (unfolding, backend, threads) = (X, step.backend, step.threads)
      step.average(block.factorSlot(i), of: block.owner, order: n, addsSquares: true) { H in
        if let start { for j in 0..<n { H[j, j] = S(start) } }
        syrk(alpha: S(added), unfolding, beta: S(kept), into: &H, on: backend, threads: threads)
      }
    }
  }

  /// Of KL-Shampoo: until a block has seen a gradient, Hᵢ = c^(1/k)·I for its first one, c the mean of its squares: the product
  /// of the factors is on the scale of the gradient from the start. Stages Pᵢ = I.
  ///
  /// - Returns: c^(1/k); 0 for a gradient of zeros, nil for a block that has seen others.
  private func startRoots<S: KernelScalar>(
    of block: TensorBlock, _ G: Matrix<S>, _ step: inout Step<S>
  ) -> Double? {
    let slot = block.factorSlot(block.modes[0])
    if let H = step.tensor(slot, of: block.owner), (0..<H.rows).contains(where: { H[$0, $0] != 0 }) {
      return nil
    }
    let norm = Double(nrm2(G, on: step.backend))
    let scale = norm > 0 ? exp(2 * log(norm / Double(G.count).squareRoot()) / Double(block.modes.count)) : 0
    for i in block.modes { step.set(block.rootSlot(i), of: block.owner, to: Matrix(identity: block.axes[i])) }
    return scale
  }

  /// The mean of a factor's diagonal, if that is not known; 1 without a factor, or without a gradient so far.
  private func mean<S: KernelScalar>(_ known: Double? = nil, or H: Matrix<S>?) -> Double {
    let mean = known ?? H.map { meanDiagonal($0) } ?? 1
    return mean > 0 ? mean : 1
  }

  /// Pᵢ = (Hᵢ + λ·I)^(−1/2k) for the factors whose turn it is.
  ///
  /// All in the first preconditioned step; then factor j of J at the step whose place in the period T₂ is j·T₂/J, so that no
  /// step has to compute many. One whose root is no number, or is far from one, keeps the former root, at first the identity,
  /// and is counted. Each is computed by one rank.
  func refreshRoots<S: KernelScalar>(
    of blocks: [TensorBlock], _ step: inout Step<S>
  ) throws(StepRefusal) {
    let factors = blocks.flatMap { block in block.modes.map { (block, $0) } }
    let place = (step.number - 1) % rootPeriod
    let due = factors.enumerated().filter { j, factor in
      step.number == startStep || place == j * rootPeriod / factors.count
    }.map(\.element)
    var H: [Matrix<S>] = []
    for (block, mode) in due { H.append(try state(block.factorSlot(mode), of: block, step)) }
    var roots = H.map { [Matrix<S>(rows: $0.rows, columns: $0.rows)] }
    let backend = step.backend
    let costs = H.map { Double($0.rows) }.map { $0 * $0 * $0 }
    let outcomes = try step.fill(&roots, costs: costs) { i, result, threads in
      guard let root = inverseRoot(of: H[i], rootOrder(axes: due[i].0.modes.count), backend, threads) else {
        return 1
      }
      result[0] = root
      return 0
    }
    // Roots of KL-Shampoo are kept for factors whose mean diagonal is 1.
    for (i, (block, mode)) in due.enumerated() {
      let slot = block.rootSlot(mode)
      if outcomes[i] == 0 {
        var root = roots[i][0]
        if self.factors == .kl {
          let H = step.latest(block.factorSlot(mode), of: block.owner)
          scal(alpha: S(mean(or: H).squareRoot()), &root, on: backend)
        }
        step.set(slot, of: block.owner, to: root)
      } else {
        step.count("roots kept")
        let former = step.tensor(slot, of: block.owner)
        step.set(slot, of: block.owner, to: former ?? Matrix(identity: block.axes[mode]))
      }
    }
  }

  /// Missing after a resume with other periods, or from the state of another run.
  private func state<S: KernelScalar>(
    _ slot: String, of block: TensorBlock, _ step: borrowing Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    guard let tensor = step.latest(slot, of: block.owner) else {
      throw .failed(optimizer: Self.record.name, place: block.owner, reason: "its state has no \(slot)")
    }
    return tensor
  }

  /// Nil if it is no number; of the Newton iteration also if Pᵖ·(H + λ·I) is a tenth or more from I somewhere.
  private func inverseRoot<S: KernelScalar>(
    of H: Matrix<S>, _ p: Int, _ backend: any Backend, _ threads: Int
  ) -> Matrix<S>? {
    let λ: Damping<S> = dampingForm == .absolute ? .absolute(S(damping)) : .relative(S(damping))
    // Rounding leaves eigenvalues uncertain by that much.
    let largest = (0..<H.rows).reduce(S.zero) { max($0, H[$1, $1]) }
    let floor = S(H.rows) * S.ulpOfOne * largest
    // u^(3/4): the iteration converges quadratically, and does not reach u itself.
    let tolerance = S.ulpOfOne.squareRoot() * S.ulpOfOne.squareRoot().squareRoot()
    let method: InverseRootMethod<S> =
      root == .eigen ? .eigen(floor: floor) : .coupledNewton(tolerance: tolerance)
    guard
      let X = try? InverseRoot(
        H, p: p, damping: λ, by: method, measuresResidual: root == .newton, on: backend, threads: threads)
    else { return nil }
    return root == .eigen || X.residual < 0.1 ? X.matrix : nil
  }

  /// D = m ×₁ P₁ ×₂ P₂ …, block by block.
  func preconditioned<S: KernelScalar>(
    _ m: Matrix<S>, of parameter: ParameterInfo, _ blocks: [TensorBlock], _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    var parts: [Matrix<S>] = []
    for block in blocks {
      parts.append(
        try product(block.part(of: m), of: block, on: block.modes, times: scale(of: block, step), &step))
    }
    if blocks.isEmpty { return m }
    if blocks.count == 1 { return parts[0].reshaped(rows: parameter.rows, columns: parameter.columns) }
    return step.temporary(rows: parameter.rows, columns: parameter.columns) { D in
      for (block, part) in zip(blocks, parts) {
        D[rows: block.rows, columns: block.columns] = part.reshaped(
          rows: block.rows.count, columns: block.columns.count)
      }
    }
  }

  /// What the roots of a block lack: those of KL-Shampoo the scale of the factors as they are now. Between two refreshes a
  /// gradient may grow a hundredfold, and a step with it that has no graft.
  private func scale<S: KernelScalar>(of block: TensorBlock, _ step: borrowing Step<S>) -> Double {
    if factors == .outer { return 1 }
    var product = 1.0
    for mode in block.modes { product *= mean(or: step.latest(block.factorSlot(mode), of: block.owner)) }
    return 1 / product.squareRoot()
  }

  /// c·m ×ᵢ Pᵢ over some axes i of a block.
  private func product<S: KernelScalar>(
    _ m: Matrix<S>, of block: TensorBlock, on modes: [Int], times c: Double, _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    if modes.isEmpty { return m }
    let (backend, threads) = (step.backend, step.threads)
    // The first or the last axis alone needs no turning.
    if modes == [0] {
      let P = try state(block.rootSlot(0), of: block, step)
      return step.temporary(rows: m.rows, columns: m.columns) {
        gemm(alpha: S(c), P, m, into: &$0, on: backend, threads: threads)
      }
    }
    if modes == [block.axes.count - 1] {
      let n = block.axes[modes[0]]
      let P = try state(block.rootSlot(modes[0]), of: block, step)
      let x = m.reshaped(rows: m.count / n, columns: n)
      return step.temporary(rows: x.rows, columns: n) {
        gemm(alpha: S(c), x, P, into: &$0, on: backend, threads: threads)
      }
    }
    // (P·X)ᵀ = Xᵀ·P has the next axis first.
    var x = m
    for (i, n) in block.axes.enumerated() {
      if i > 0 { x = x.reshaped(rows: n, columns: x.count / n) }
      let P =
        modes.contains(i) ? try state(block.rootSlot(i), of: block, step) : Matrix(identity: n)
      x = step.temporary(rows: x.columns, columns: n) {
        gemm(alpha: i == 0 ? S(c) : 1, x.transposed, P, into: &$0, on: backend, threads: threads)
      }
    }
    return x
  }
}
