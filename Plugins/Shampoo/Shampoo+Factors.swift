import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

extension Shampoo {
  /// Hᵢ ← β·Hᵢ + (1 − β)·G₍ᵢ₎·G₍ᵢ₎ᵀ for every axis i: lower triangles. The first update overwrites.
  func updateFactors<S: KernelScalar>(of block: TensorBlock, _ gradient: Matrix<S>, _ step: inout Step<S>) {
    let updates = (step.number - 1) / statisticsPeriod + 1
    let kept = beta2 == 1 ? 1 : min(1 - 1 / Double(updates), beta2)
    let added = beta2 == 1 ? 1 : 1 - kept
    var G = block.part(of: gradient)
    for (i, n) in block.axes.enumerated() {
      if i > 0 { G = block.turned(G, after: i - 1) }
      if !block.modes.contains(i) { continue }
      let (unfolding, backend, threads) = (G, step.backend, step.threads)
      step.average(block.factorSlot(i), of: block.owner, order: n) { H in
        syrk(alpha: S(added), unfolding, beta: S(kept), into: &H, on: backend, threads: threads)
      }
    }
  }

  /// Pᵢ = (Hᵢ + λ·I)^(−1/2k) for the factors whose turn it is.
  ///
  /// All in the first preconditioned step; then factor j of J at the step whose place in the period T₂ is j·T₂/J, so that no
  /// step has to compute many. One whose root is no number, or is far from one, keeps the former root, at first the identity,
  /// and is counted.
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
    var roots = [Matrix<S>?](repeating: nil, count: due.count)
    let (backend, threads) = (step.backend, step.threads)
    roots.withUnsafeMutableBufferPointer { roots in
      // Each task writes its own root; within a task everything runs on its thread. A single one has all threads.
      nonisolated(unsafe) let roots = roots
      Parallel.perform(due.count, threads: due.count < threads ? 1 : threads) { i in
        roots[i] = inverseRoot(of: H[i], due[i].0.rootOrder, backend, threads)
      }
    }
    for ((block, mode), root) in zip(due, roots) {
      let slot = block.rootSlot(mode)
      if let root {
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
    guard let X = try? InverseRoot(H, p: p, damping: λ, by: method, on: backend, threads: threads) else {
      return nil
    }
    return root == .eigen || X.residual < 0.1 ? X.matrix : nil
  }

  /// D = m ×₁ P₁ ×₂ P₂ …, block by block.
  func preconditioned<S: KernelScalar>(
    _ m: Matrix<S>, of parameter: ParameterInfo, _ blocks: [TensorBlock], _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    var parts: [Matrix<S>] = []
    for block in blocks { parts.append(try preconditioned(block.part(of: m), of: block, &step)) }
    if blocks.isEmpty { return m }
    if blocks.count == 1 { return parts[0].reshaped(rows: parameter.rows, columns: parameter.columns) }
    return step.temporary("D", of: parameter.name, rows: parameter.rows, columns: parameter.columns) { D in
      for (block, part) in zip(blocks, parts) {
        D[rows: block.rows, columns: block.columns] = part.reshaped(
          rows: block.rows.count, columns: block.columns.count)
      }
    }
  }

  private func preconditioned<S: KernelScalar>(
    _ m: Matrix<S>, of block: TensorBlock, _ step: inout Step<S>
  ) throws(StepRefusal) -> Matrix<S> {
    let (backend, threads) = (step.backend, step.threads)
    let name = "T" + block.label
    // The first or the last axis alone needs no turning.
    if block.modes == [0] {
      let P = try state(block.rootSlot(0), of: block, step)
      return step.temporary(name, of: block.owner, rows: m.rows, columns: m.columns) {
        gemm(P, m, into: &$0, on: backend, threads: threads)
      }
    }
    if block.modes == [block.axes.count - 1] {
      let n = block.axes[block.modes[0]]
      let P = try state(block.rootSlot(block.modes[0]), of: block, step)
      let x = m.reshaped(rows: m.count / n, columns: n)
      return step.temporary(name, of: block.owner, rows: x.rows, columns: n) {
        gemm(x, P, into: &$0, on: backend, threads: threads)
      }
    }
    // (P·X)ᵀ = Xᵀ·P has the next axis first.
    var x = m
    for (i, n) in block.axes.enumerated() {
      if i > 0 { x = x.reshaped(rows: n, columns: x.count / n) }
      let P =
        block.modes.contains(i) ? try state(block.rootSlot(i), of: block, step) : Matrix(identity: n)
      x = step.temporary("\(name) \(i)", of: block.owner, rows: x.columns, columns: n) {
        gemm(x.transposed, P, into: &$0, on: backend, threads: threads)
      }
    }
    return x
  }
}
