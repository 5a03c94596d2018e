import KernelTemplates

// Large matrices by halves, on any backend:
//
//     factor:   U₁₁;  U₁₂ = U₁₁⁻ᵀ·A₁₂  (trsm);  A₂₂ ← A₂₂ − U₁₂ᵀ·U₁₂  (syrk);  U₂₂
//     invert:   X = U⁻¹:      X₁₂ = −X₁₁·U₁₂·X₂₂                        (trmm twice)
//     square:   X·Xᵀ:         C₁₁ = X₁₁·X₁₁ᵀ + X₁₂·X₁₂ᵀ  (syrk),  C₁₂ = X₁₂·X₂₂ᵀ  (trmm)
//
// The halves depend on n alone, so that the bits are the same for any number of threads.

/// What is done to a block that is not cut any further, an upper triangle in place.
protocol DefiniteBlocks<S> {
  associatedtype S: KernelScalar
  /// The order from which on blocks are halved.
  var limit: Int { get }
  /// A → U; the first row has the index `first` in the whole matrix.
  func factor(_ a: MutableMatrixPointer<S>, _ rule: inout PivotRule<S>, first: Int)
  /// U → U⁻¹
  func invert(_ u: MutableMatrixPointer<S>)
  /// X → X·Xᵀ
  func square(_ x: MutableMatrixPointer<S>)
}

/// The recursion on one backend.
struct BlockedCholesky<B: DefiniteBlocks> {
  typealias S = B.S
  let blocks: B
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

/// Plain loops.
struct PlainBlocks<S: KernelScalar>: DefiniteBlocks {
  var limit: Int { 64 }

  @specialized(where S == Float) @specialized(where S == Double)
  func factor(_ a: MutableMatrixPointer<S>, _ rule: inout PivotRule<S>, first: Int) {
    let n = a.rows
    for i in 0..<n {
      var d = a[i, i]
      if !(d > rule.floor) {
        if rule.replaces && !d.isNaN {
          d = rule.replacement
          rule.replaced += 1
        } else {
          rule.firstBad = first + i
          return
        }
      }
      let root = d.squareRoot()
      a[i, i] = root
      for j in i + 1..<max(n, i + 1) { a[i, j] /= root }
      for r in i + 1..<max(n, i + 1) {
        for c in r..<n { a[r, c] -= a[i, r] * a[i, c] }
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  func invert(_ u: MutableMatrixPointer<S>) {
    let n = u.rows
    for j in 0..<n {
      u[j, j] = 1 / u[j, j]
      // Column j of U·X = I above the diagonal, with X of the columns before at hand.
      for i in 0..<j {
        var sum: S = 0
        for p in i..<j { sum += u[i, p] * u[p, j] }
        u[i, j] = -sum * u[j, j]
      }
    }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  func square(_ x: MutableMatrixPointer<S>) {
    let n = x.rows
    for i in 0..<n {
      for j in i..<n {
        var sum: S = 0
        for p in j..<n { sum += x[i, p] * x[j, p] }
        x[i, j] = sum
      }
    }
  }
}

extension CholeskyOperations where Self: Backend {
  public func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome {
    let call = call.canonical
    call.loadTarget()
    var rule = call.rule
    BlockedCholesky(blocks: PlainBlocks<S>(), backend: self, threads: threads).factor(call.target, &rule)
    return PivotOutcome(rule)
  }

  public func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int) {
    let call = call.canonical
    copyTriangle(of: call.factor, to: call.target)
    let blocked = BlockedCholesky(blocks: PlainBlocks<S>(), backend: self, threads: threads)
    blocked.invert(call.target)
    blocked.square(call.target)
    if call.mirror { mirrorUpper(call.target) }
  }

  public func invertPositiveDefinite<S: KernelScalar>(
    _ call: Potrf<S>, mirror: Bool, threads: Int
  ) -> PivotOutcome {
    let outcome = potrf(call, threads: threads)
    if outcome.firstBadPivot == nil {
      potri(
        Potri(factor: call.target.readOnly, target: call.target, triangle: call.triangle, mirror: mirror),
        threads: threads)
    }
    return outcome
  }
}

extension Potrf {
  /// Target ← the damped upper triangle of the source.
  @inline(__always)
  func loadTarget() {
    let damping = damping
    copyTriangle(of: source, to: target)
    if damping != 0 { for i in 0..<order { target[i, i] += damping } }
  }
}

/// Copies the upper triangle, unless both are one.
@specialized(where S == Float) @specialized(where S == Double)
func copyTriangle<S: KernelScalar>(of source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
  let n = source.rows
  if source.base == UnsafePointer(target.base) { return }
  if source.columnStride == 1 && target.columnStride == 1 {
    for i in 0..<n {
      (target.base + i * (target.rowStride + 1)).update(
        from: source.base + i * (source.rowStride + 1), count: n - i)
    }
  } else if source.rowStride == 1 && target.rowStride == 1 {
    for j in 0..<n {
      (target.base + j * target.columnStride).update(
        from: source.base + j * source.columnStride, count: j + 1)
    }
  } else {
    for i in 0..<n { for j in i..<n { target[i, j] = source[i, j] } }
  }
}

/// Copies the upper triangle onto the lower one.
@specialized(where S == Float) @specialized(where S == Double)
func mirrorUpper<S: KernelScalar>(_ a: MutableMatrixPointer<S>) {
  for i in 0..<a.rows {
    for j in 0..<i { a[i, j] = a[j, i] }
  }
}
