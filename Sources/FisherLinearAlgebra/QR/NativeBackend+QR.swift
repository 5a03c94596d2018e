import FisherRuntime
import KernelTemplates

extension NativeBackend {
  /// In panels; in place where rows of A are adjacent (column-major storage). See HouseholderQR.swift.
  @specialized(where S == Float) @specialized(where S == Double)
  public func factorQR<S: KernelScalar>(_ factors: QRFactors<S>, threads: Int) {
    factorColumns(factors, threads)
  }

  @specialized(where S == Float) @specialized(where S == Double)
  public func applyQ<S: KernelScalar>(
    _ factors: QRFactors<S>, transposed: Bool, to c: MutableMatrixPointer<S>, isIdentity: Bool, threads: Int
  ) {
    applyColumns(factors, transposed, c, isIdentity, threads)
  }

  /// In panels; see PivotedHouseholder.swift.
  @specialized(where S == Float) @specialized(where S == Double)
  public func factorPivotedQR<S: KernelScalar>(
    _ factors: QRFactors<S>, permutation: UnsafeMutablePointer<Int>, threads: Int
  ) { factorPivotedColumns(factors, permutation, threads) }

  @inline(never)
  private func factorPivotedColumns<S: KernelScalar>(
    _ factors: QRFactors<S>, _ permutation: UnsafeMutablePointer<Int>, _ threads: Int
  ) {
    withRows(of: factors.a, S._kernels(instructionSet), writesBack: true) { columns, kernels in
      PivotedHouseholder(
        columns: columns, tau: factors.tau, permutation: permutation, backend: self, kernels: kernels,
        threads: threads
      ).factor()
    }
  }

  @inline(never)
  private func factorColumns<S: KernelScalar>(_ factors: QRFactors<S>, _ threads: Int) {
    withRows(of: factors.a, S._kernels(instructionSet), writesBack: true) { columns, kernels in
      HouseholderQR(columns: columns, tau: factors.tau, kernels: kernels, threads: threads).factor()
    }
  }

  @inline(never)
  private func applyColumns<S: KernelScalar>(
    _ factors: QRFactors<S>, _ transposed: Bool, _ c: MutableMatrixPointer<S>, _ isIdentity: Bool,
    _ threads: Int
  ) {
    withRows(of: factors.a, S._kernels(instructionSet), writesBack: false) { columns, kernels in
      withRows(of: c, kernels, writesBack: true) { rows, kernels in
        HouseholderQR(columns: columns, tau: factors.tau, kernels: kernels, threads: threads)
          .apply(toRows: rows, reversed: !transposed, isIdentity: isIdentity)
      }
    }
  }

  /// Lends the columns of A as adjacent rows: A itself if it is column-major, otherwise a copy.
  private func withRows<S: KernelScalar>(
    of a: MutableMatrixPointer<S>, _ kernels: any KernelSet<S>.Type, writesBack: Bool,
    _ body: (MutableMatrixPointer<S>, any KernelSet<S>.Type) -> Void
  ) {
    let rows = a.transposed
    if rows.columnStride == 1 { return body(rows, kernels) }
    ThreadContext.current.withScratch(rows.rows * rows.columns, of: S.self) { scratch in
      let copied = MutableMatrixPointer(
        scratch, rows: rows.rows, columns: rows.columns, rowStride: rows.columns, columnStride: 1)
      kernels.copy(rows.readOnly, to: copied)
      body(copied, kernels)
      if writesBack { kernels.copy(copied.readOnly, to: rows) }
    }
  }
}
