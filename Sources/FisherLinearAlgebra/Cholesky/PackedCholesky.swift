import FisherRuntime
import KernelTemplates

/// Blocks that are factored and inverted in packed panels: see CholeskyPanels.swift of the kernels.
struct PackedBlocks<S: KernelScalar> {
  let kernels: any KernelSet<S>.Type

  /// All rows of a panel meet another panel while it is near, so that the panels may outgrow the second-level cache.
  var limit: Int { 512 }

  func factor(_ a: MutableMatrixPointer<S>, _ rule: inout PivotRule<S>, first: Int) {
    factor(a.readOnly, to: a, damping: 0, &rule, first: first)
  }

  /// Target ← U with source + λI = Uᵀ·U; the target stays as it was if there is a bad pivot.
  func factor(
    _ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>, damping: S, _ rule: inout PivotRule<S>,
    first: Int = 0
  ) {
    withPanels(source.rows, withInverse: false) { panels, place in
      load(source, to: panels.u, place, damping)
      var local = rule
      withUnsafeMutablePointer(to: &local) { kernels.factorPanels(panels.call(place, $0)) }
      if local.firstBad < 0 {
        store(panels, place, to: target)
      } else {
        local.firstBad += first
      }
      rule = local
    }
  }

  /// The upper triangle of the target ← (source + λI)⁻¹, in one sweep.
  func inverse(
    of source: MatrixPointer<S>, to target: MutableMatrixPointer<S>, damping: S, _ rule: inout PivotRule<S>
  ) {
    withPanels(source.rows, withInverse: true) { panels, place in
      load(source, to: panels.u, place, damping)
      var local = rule
      withUnsafeMutablePointer(to: &local) { kernels.factorPanels(panels.call(place, $0)) }
      if local.firstBad < 0 { multiply(panels, place, to: target) }
      rule = local
    }
  }

  /// The upper triangle of the target ← (Uᵀ·U)⁻¹.
  func inverse(ofFactor u: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
    withPanels(u.rows, withInverse: true) { panels, place in
      invert(u, panels, place)
      multiply(panels, place, to: target)
    }
  }

  func invert(_ u: MutableMatrixPointer<S>) {
    withPanels(u.rows, withInverse: true) { panels, place in
      invert(u.readOnly, panels, place)
      storeInverse(panels, place, to: u.transposed)
    }
  }

  func square(_ x: MutableMatrixPointer<S>) {
    withPanels(x.rows, withInverse: true) { panels, place in
      for j in 0..<place.panels { loadPanel(x.readOnly.transposed, to: panels.v! + place.lower(j), place, j) }
      multiply(panels, place, to: x)
    }
  }
}

/// The memory of one call.
struct PackedMemory<S> {
  var u: UnsafeMutablePointer<S>
  var v: UnsafeMutablePointer<S>?
  var roots: UnsafeMutablePointer<S>
  var scratch: UnsafeMutablePointer<S>

  func call(
    _ place: PackedTriangle<S>, _ rule: UnsafeMutablePointer<PivotRule<S>>, isFactored: Bool = false
  ) -> CholeskyCall<S> {
    CholeskyCall(
      place: place, u: u, v: v, isFactored: isFactored, roots: roots, scratch: scratch, rule: rule)
  }
}

extension PackedBlocks {
  /// Lends memory for the panels of a matrix of order n.
  private func withPanels(
    _ n: Int, withInverse: Bool, _ body: (PackedMemory<S>, PackedTriangle<S>) -> Void
  ) {
    let shape = kernels.shape
    let place = PackedTriangle<S>(order: n, width: shape.tileColumns)
    let tile = shape.tileScratch
    let square = shape.tileColumns * shape.tileColumns
    let roots = place.panels * shape.tileColumns
    ThreadContext.current.withScratch(
      place.count * (withInverse ? 2 : 1) + roots + max(tile, square), of: S.self
    ) { memory in
      let v = memory + place.count
      let rest = withInverse ? v + place.count : v
      body(
        PackedMemory(u: memory, v: withInverse ? v : nil, roots: rest, scratch: rest + roots), place)
    }
  }

  /// V ← U⁻ᵀ
  private func invert(_ u: MatrixPointer<S>, _ panels: PackedMemory<S>, _ place: PackedTriangle<S>) {
    load(u, to: panels.u, place, 0)
    for i in 0..<place.order { panels.roots[i] = -1 / u[i, i] }
    var rule = PivotRule<S>(floor: 0, replaces: false, replacement: 1)
    withUnsafeMutablePointer(to: &rule) { kernels.factorPanels(panels.call(place, $0, isFactored: true)) }
  }

  /// The upper triangle of the target ← Vᵀ·V.
  private func multiply(
    _ panels: PackedMemory<S>, _ place: PackedTriangle<S>, to target: MutableMatrixPointer<S>
  ) {
    kernels.multiplyPanels(
      InverseCall(
        place: place, v: UnsafePointer(panels.v!), c: target.transposed,
        residentBytes: CacheModel.machine.fitsFirst, scratch: panels.scratch))
  }

  /// Packs the upper triangle of a + λI.
  private func load(
    _ a: MatrixPointer<S>, to u: UnsafeMutablePointer<S>, _ place: PackedTriangle<S>, _ damping: S
  ) {
    let width = place.width
    for j in 0..<place.panels {
      let (panel, columns) = (u + place.upper(j), place.columns(j))
      let rows = j * width + columns
      // Lanes that nobody uses must not hold subnormal numbers.
      if columns % kernels.shape.lanes != 0 { panel.update(repeating: 0, count: rows * width) }
      kernels.packB(
        a.base + j * width * a.columnStride, columns: columns, columnStride: a.columnStride,
        depthStride: a.rowStride, depth: rows, to: panel)
      if damping != 0 { for i in j * width..<rows { panel[i * width + i - j * width] += damping } }
    }
  }

  /// Packs columns of a lower triangle, with zeros above the diagonal.
  private func loadPanel(
    _ a: MatrixPointer<S>, to panel: UnsafeMutablePointer<S>, _ place: PackedTriangle<S>, _ j: Int
  ) {
    let (width, columns, first) = (place.width, place.columns(j), j * place.width)
    let rows = panel + first * width
    if columns < width { rows.update(repeating: 0, count: (place.order - first) * width) }
    kernels.packB(
      a.base + first * (a.rowStride + a.columnStride), columns: columns, columnStride: a.columnStride,
      depthStride: a.rowStride, depth: place.order - first, to: rows)
    for i in 0..<columns {
      for c in i + 1..<max(width, i + 1) { rows[i * width + c] = 0 }
    }
  }

  /// Writes the upper triangle.
  private func store(
    _ panels: PackedMemory<S>, _ place: PackedTriangle<S>, to a: MutableMatrixPointer<S>
  ) {
    let width = place.width
    for j in 0..<place.panels {
      let (above, columns) = (j * width, place.columns(j))
      let panel = MatrixPointer(
        UnsafePointer(panels.u) + place.upper(j), rows: above + columns, columns: columns, rowStride: width,
        columnStride: 1)
      if above > 0 {
        kernels.copy(
          panel.block(0, 0, rows: above, columns: columns),
          to: a.block(0, above, rows: above, columns: columns))
      }
      kernels.copy(
        panel.block(above, 0, rows: columns, columns: columns), .upper(diagonal: 0),
        to: a.block(above, above, rows: columns, columns: columns), panels.scratch)
    }
  }

  /// Writes V as a lower triangle.
  private func storeInverse(
    _ panels: PackedMemory<S>, _ place: PackedTriangle<S>, to a: MutableMatrixPointer<S>
  ) {
    for j in 0..<place.panels {
      let (columns, first) = (place.columns(j), j * place.width)
      let matrix = MatrixPointer(
        UnsafePointer(panels.v!) + place.lower(j), rows: place.order, columns: columns,
        rowStride: place.width, columnStride: 1)
      kernels.copy(
        matrix.block(first, 0, rows: columns, columns: columns), .lower(diagonal: 0),
        to: a.block(first, first, rows: columns, columns: columns), panels.scratch)
      let below = place.order - first - columns
      kernels.copy(
        matrix.block(first + columns, 0, rows: below, columns: columns),
        to: a.block(first + columns, first, rows: below, columns: columns))
    }
  }
}
