// Cholesky factors and inverses, by the definition in double precision.

import KernelTemplates

extension ReferenceBackend {
  /// uᵢⱼ = (aᵢⱼ − Σ_{p<i} uₚᵢ·uₚⱼ) / uᵢᵢ, row by row.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func potrf<S: KernelScalar>(_ call: Potrf<S>, threads: Int) -> PivotOutcome {
    let (u, outcome) = Self.factor(call.canonical)
    if outcome.firstBadPivot == nil { Self.store(u, call.canonical.target) }
    return outcome
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func potri<S: KernelScalar>(_ call: Potri<S>, threads: Int) {
    let (mirror, call) = (call.mirror, call.canonical)
    let n = call.order
    let u = (0..<n).map { i in (0..<n).map { j in j < i ? 0 : Double(call.factor[i, j]) } }
    Self.store(Self.inverse(u), call.target)
    if mirror { mirrorUpper(call.target) }
  }

  /// Not rounded between the factor and the inverse.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func invertPositiveDefinite<S: KernelScalar>(
    _ call: Potrf<S>, mirror: Bool, threads: Int
  ) -> PivotOutcome {
    let (u, outcome) = Self.factor(call.canonical)
    if outcome.firstBadPivot == nil {
      Self.store(Self.inverse(u), call.canonical.target)
      if mirror { mirrorUpper(call.canonical.target) }
    }
    return outcome
  }

  private static func factor<S: KernelScalar>(_ call: Potrf<S>) -> ([[Double]], PivotOutcome) {
    let n = call.order
    var u = (0..<n).map { i in (0..<n).map { j in j < i ? 0 : Double(call.source[i, j]) } }
    let damping = Double(call.damping)
    var corrections = 0
    for i in 0..<n {
      var pivot = u[i][i] + damping
      for p in 0..<i { pivot -= u[p][i] * u[p][i] }
      if !(pivot > Double(call.correction?.threshold ?? 0)) {
        guard let correction = call.correction, !pivot.isNaN else {
          return (u, PivotOutcome(firstBadPivot: i, corrections: corrections))
        }
        pivot = Double(correction.replacement)
        corrections += 1
      }
      u[i][i] = pivot.squareRoot()
      for j in i + 1..<max(n, i + 1) {
        var sum = u[i][j]
        for p in 0..<i { sum -= u[p][i] * u[p][j] }
        u[i][j] = sum / u[i][i]
      }
    }
    return (u, PivotOutcome(corrections: corrections))
  }

  /// Column by column: Uᵀ·y = e, then U·x = y.
  private static func inverse(_ u: [[Double]]) -> [[Double]] {
    let n = u.count
    var inverse = u
    for c in 0..<n {
      var x = (0..<n).map { $0 == c ? 1.0 : 0 }
      for i in c..<n {
        for p in c..<i { x[i] -= u[p][i] * x[p] }
        x[i] /= u[i][i]
      }
      for i in (0..<n).reversed() {
        for p in i + 1..<max(n, i + 1) { x[i] -= u[i][p] * x[p] }
        x[i] /= u[i][i]
      }
      for r in 0...c { inverse[r][c] = x[r] }
    }
    return inverse
  }

  private static func store<S: KernelScalar>(_ a: [[Double]], _ target: MutableMatrixPointer<S>) {
    for i in 0..<a.count { for j in i..<a.count { target[i, j] = S(a[i][j]) } }
  }
}

extension ReferenceBackend {
  /// UᵀU ± X·Xᵀ, factored anew.
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func updateFactor<S: KernelScalar>(_ call: FactorUpdate<S>) -> Int? {
    let (target, x) = (call.upper, call.x)
    let n = target.rows
    var u = (0..<n).map { i in (0..<n).map { j in j < i ? 0 : Double(target[i, j]) } }
    var a = u
    for i in 0..<n {
      for j in i..<n {
        a[i][j] = (0...i).reduce(0) { $0 + u[$1][i] * u[$1][j] }
        for p in 0..<x.columns {
          a[i][j] += (call.sign == .plus ? 1 : -1) * Double(x[i, p]) * Double(x[j, p])
        }
      }
    }
    for i in 0..<n {
      for j in i..<n {
        var sum = a[i][j]
        for p in 0..<i { sum -= u[p][i] * u[p][j] }
        if i == j && !(sum > 0) { return i }
        u[i][j] = i == j ? sum.squareRoot() : sum / u[i][i]
      }
    }
    Self.store(u, target)
    return nil
  }
}
