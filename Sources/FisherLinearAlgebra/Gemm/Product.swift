import KernelTemplates

/// A product restricted to a region of C: what gemm and syrk have in common.
struct Product<S: KernelScalar> {
  var gemm: Gemm<S>
  var region: Region

  init(_ gemm: Gemm<S>, region: Region = .all) {
    self.gemm = gemm
    self.region = region
  }

  /// One triangle of α·A·Aᵀ + β·C.
  init(_ syrk: Syrk<S>) {
    gemm = Gemm(alpha: syrk.alpha, a: syrk.a, b: syrk.a.transposed, beta: syrk.beta, c: syrk.c)
    region = Region(syrk.triangle)
  }

  /// All of C is asked for.
  var isWhole: Bool { if case .all = region { true } else { false } }
  var rows: Int { gemm.c.rows }
  var columns: Int { gemm.c.columns }
  var depth: Int { gemm.a.columns }

  /// Cᵀ ← α·Bᵀ·Aᵀ + β·Cᵀ: the same sums, with the roles of rows and columns exchanged.
  var transposed: Product { Product(gemm.transposed, region: region.transposed) }

  /// The part of the product that makes the block of C at (i, j).
  func block(_ i: Int, _ j: Int, rows: Int, columns: Int) -> Product {
    var part = gemm
    part.a = gemm.a.block(i, 0, rows: rows, columns: depth)
    part.b = gemm.b.block(0, j, rows: depth, columns: columns)
    part.c = gemm.c.block(i, j, rows: rows, columns: columns)
    part.epilogue = gemm.epilogue.block(i, j)
    return Product(part, region: region.block(i, j))
  }

  /// What the product takes one fast core, about.
  var microseconds: Double { productMicroseconds(S.self, flops) }

  /// The flops that the region asks for, about: half of all, and what tiles at the diagonal compute in vain.
  var flops: Double {
    let all = 2 * Double(rows) * Double(columns) * Double(max(depth, 1))
    if case .all = region { return all }
    return all / 2 * (1 + 32 / Double(max(32, rows)))
  }
}

extension Gemm {
  /// Cᵀ ← α·Bᵀ·Aᵀ + β·Cᵀ
  var transposed: Gemm<Scalar> {
    Gemm(
      alpha: alpha, a: b.transposed, b: a.transposed, beta: beta, c: c.transposed,
      epilogue: epilogue.transposed)
  }
}

extension Region {
  /// A triangle with the diagonal.
  init(_ triangle: Triangle) { self = triangle == .lower ? .lower(diagonal: 0) : .upper(diagonal: 0) }

  /// The same region seen from the block at (i, j).
  func block(_ i: Int, _ j: Int) -> Region {
    switch self {
    case .all: return .all
    case .lower(let diagonal): return .lower(diagonal: diagonal + i - j)
    case .upper(let diagonal): return .upper(diagonal: diagonal + i - j)
    }
  }
}

extension Partition {
  /// What part i holds.
  func range(_ i: Int) -> Range<Int> { start(i)..<start(i) + size(i) }
}

extension KernelTemplates.Epilogue {
  /// The epilogue of the block of C at (i, j).
  @inline(__always)
  func block(_ i: Int, _ j: Int) -> KernelTemplates.Epilogue<Scalar> {
    var result = self
    result.divisor = divisor.block(i, j)
    switch bias {
    case .none: break
    case .row(let v):
      result.bias = .row(VectorPointer(v.base + j * v.stride, count: v.count - j, stride: v.stride))
    case .column(let v):
      result.bias = .column(VectorPointer(v.base + i * v.stride, count: v.count - i, stride: v.stride))
    }
    return result
  }
}

/// What so many flops of products take one fast core, about.
package func productMicroseconds<S: KernelScalar>(_: S.Type, _ flops: Double) -> Double {
  flops * Double(MemoryLayout<S>.size) * 1e-6
}
