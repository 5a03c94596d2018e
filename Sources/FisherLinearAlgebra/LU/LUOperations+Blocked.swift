import KernelTemplates

// What a backend without routines of its own does: solutions by its triangular solver, everything else by solutions.

extension LUOperations where Self: Backend {
  public func factorLU<S: KernelScalar>(_ factors: LUFactors<S>, threads: Int) -> Int? {
    ReferenceBackend().factorLU(factors, threads: threads)
  }

  public func solveLU<S: KernelScalar>(
    _ factors: LUFactors<S>, transposed: Bool, _ b: MutableMatrixPointer<S>, threads: Int
  ) {
    factors.solve(b, transposed: transposed, on: self, threads)
  }

  public func invertLU<S: KernelScalar>(
    _ factors: LUFactors<S>, into x: MutableMatrixPointer<S>, threads: Int
  ) {
    for i in 0..<x.rows { for j in 0..<x.columns { x[i, j] = i == j ? 1 : 0 } }
    solveLU(factors, transposed: false, x, threads: threads)
  }

  public func reciprocalConditionLU<S: KernelScalar>(_ factors: LUFactors<S>, norm: S, threads: Int) -> S {
    factors.reciprocalCondition(norm: norm, on: self, threads)
  }
}

extension LUFactors {
  /// A⁻¹ = U⁻¹·L⁻¹·P and A⁻ᵀ = Pᵀ·L⁻ᵀ·U⁻ᵀ.
  @specialized(where S == Float) @specialized(where S == Double)
  func solve(_ b: MutableMatrixPointer<S>, transposed: Bool, on backend: any Backend, _ threads: Int) {
    let a = a.readOnly
    if transposed {
      backend.trsm(Trsm(triangle: .lower, alpha: 1, a: a.transposed, b: b), threads: threads)
      backend.trsm(
        Trsm(triangle: .upper, unitDiagonal: true, alpha: 1, a: a.transposed, b: b), threads: threads)
      for j in (0..<count).reversed() { swapRows(b, j, pivots[j]) }
    } else {
      for j in 0..<count { swapRows(b, j, pivots[j]) }
      backend.trsm(Trsm(triangle: .lower, unitDiagonal: true, alpha: 1, a: a, b: b), threads: threads)
      backend.trsm(Trsm(triangle: .upper, alpha: 1, a: a, b: b), threads: threads)
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  func reciprocalCondition(norm: S, on backend: any Backend, _ threads: Int) -> S {
    let n = a.rows
    if n == 0 { return 1 }
    if firstBadPivot != nil { return 0 }
    let estimate = InverseNormEstimate<S>.estimate(order: n) { x, transposed in
      backend.solveLU(self, transposed: transposed, x, threads: threads)
    }
    let condition = norm * estimate
    // ‖A‖·‖A⁻¹‖ may overflow where its reciprocal is still a number.
    let reciprocal = condition.isFinite ? 1 / condition : 1 / norm / estimate
    return reciprocal > 0 ? min(reciprocal, 1) : 0
  }

  private func swapRows(_ b: MutableMatrixPointer<S>, _ i: Int, _ j: Int) {
    if i == j { return }
    for c in 0..<b.columns {
      let value = b[i, c]
      b[i, c] = b[j, c]
      b[j, c] = value
    }
  }
}
