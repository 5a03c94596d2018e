import KernelTemplates

// Large matrices by halves, on any backend:
//
//     factor:   U₁₁;  U₁₂ = U₁₁⁻ᵀ·A₁₂  (trsm);  A₂₂ ← A₂₂ − U₁₂ᵀ·U₁₂  (syrk);  U₂₂
//     invert:   X = U⁻¹:      X₁₂ = −X₁₁·U₁₂·X₂₂                        (trmm twice)
//     square:   X·Xᵀ:         C₁₁ = X₁₁·X₁₁ᵀ + X₁₂·X₁₂ᵀ  (syrk),  C₁₂ = X₁₂·X₂₂ᵀ  (trmm)
//
// The halves depend on n alone, so that the bits are the same for any number of threads.

/// The recursion on one backend.
struct BlockedCholesky<S: KernelScalar> {
  /// What factors, inverts and squares a block that is not cut any further, an upper triangle in place.
  let blocks: PackedBlocks<S>
  let backend: any Backend
  let threads: Int

  func factor(_ a: MutableMatrixPointer<S>, _ rule: inout PivotRule<S>, first: Int = 0) {
    if a.rows <= blocks.limit { return blocks.factor(a, &rule, first: first) }
    let (a11, a12, a22) = halves(a)
    factor(a11, &rule, first: first)
    if rule.firstBad >= 0 { return }
    backend.trsm(
      Trsm(triangle: .lower, alpha: 1, a: a11.readOnly.transposed, b: a12), threads: threads)
    backend.syrk(
      Syrk(alpha: -1, a: a12.readOnly.transposed, beta: 1, c: a22, triangle: .upper), threads: threads)
    factor(a22, &rule, first: first + a11.rows)
  }

  func invert(_ u: MutableMatrixPointer<S>) {
    if u.rows <= blocks.limit { return blocks.invert(u) }
    let (u11, u12, u22) = halves(u)
    invert(u11)
    invert(u22)
    backend.trmm(Trmm(triangle: .upper, alpha: -1, a: u11.readOnly, b: u12), threads: threads)
    backend.trmm(Trmm(side: .right, triangle: .upper, alpha: 1, a: u22.readOnly, b: u12), threads: threads)
  }

  func square(_ x: MutableMatrixPointer<S>) {
    if x.rows <= blocks.limit { return blocks.square(x) }
    let (x11, x12, x22) = halves(x)
    square(x11)
    backend.syrk(Syrk(alpha: 1, a: x12.readOnly, beta: 1, c: x11, triangle: .upper), threads: threads)
    backend.trmm(
      Trmm(side: .right, triangle: .lower, alpha: 1, a: x22.readOnly.transposed, b: x12), threads: threads)
    square(x22)
  }

  /// The diagonal halves and the block to the right of the first.
  private func halves(_ a: MutableMatrixPointer<S>) -> (
    MutableMatrixPointer<S>, MutableMatrixPointer<S>, MutableMatrixPointer<S>
  ) {
    // Multiples of 64 are whole panels for every instruction set.
    let h = (a.rows / 2 + 63) / 64 * 64
    let rest = a.rows - h
    return (
      a.block(0, 0, rows: h, columns: h), a.block(0, h, rows: h, columns: rest),
      a.block(h, h, rows: rest, columns: rest)
    )
  }
}
