// Products with a symmetric result (syrk) or a symmetric operand (symm).

public import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int) {
    let (a, c) = (call.a, call.c)
    for i in 0..<c.rows {
      let row = call.triangle == .lower ? 0..<(i + 1) : i..<c.columns
      for j in row {
        c[i, j] = S(
          Self.combine(
            call.alpha, sum: a.columns, { p in Double(a[i, p]) * Double(a[j, p]) }, call.beta, c[i, j]))
        // The other triangle is never read, so it may be overwritten at once.
        if call.mirror { c[j, i] = c[i, j] }
      }
    }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  public func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int) {
    let (a, b, c) = (call.a, call.b, call.c)
    let lower = call.triangle == .lower
    for i in 0..<c.rows {
      for j in 0..<c.columns {
        let stored = { (p: Int) in (p <= i) == lower || p == i ? a[i, p] : a[p, i] }
        c[i, j] = S(
          Self.combine(
            call.alpha, sum: a.columns, { p in Double(stored(p)) * Double(b[p, j]) }, call.beta, c[i, j]))
      }
    }
  }
}
