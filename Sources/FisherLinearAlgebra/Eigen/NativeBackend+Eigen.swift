import FisherRuntime
import KernelTemplates

extension NativeBackend {
  /// Tridiagonalization, divide and conquer, and the reflectors applied to the vectors; see Tridiagonalization.swift and
  /// TridiagonalEigen.swift. The matrix is first multiplied by the power of two that brings its largest element near 1.
  @specialized(where S == Float) @specialized(where S == Double)
  public func symmetricEigen<S: KernelScalar>(_ call: SymmetricEigenCall<S>, threads: Int) -> EigenStatus {
    decompose(call, threads)
  }

  @inline(never)
  private func decompose<S: KernelScalar>(_ call: SymmetricEigenCall<S>, _ threads: Int) -> EigenStatus {
    let rows = call.vectors.transposed
    if rows.columnStride == 1 || call.order <= 1 { return SymmetricEigenRun(call, self, rows, threads).run() }
    let n = call.order
    return ThreadContext.current.withScratch(n * n, of: S.self) { scratch in
      let z = MutableMatrixPointer(scratch, rows: n, columns: n, rowStride: n, columnStride: 1)
      let status = SymmetricEigenRun(call, self, z, threads).run()
      if status == .converged { copy(z.readOnly, to: rows) }
      return status
    }
  }
}

/// One eigendecomposition, with the eigenvectors in the rows of `z`.
private struct SymmetricEigenRun<S: KernelScalar> {
  let call: SymmetricEigenCall<S>
  let z: MutableMatrixPointer<S>
  let threads: Int
  let kernels: any KernelSet<S>.Type
  let secularKernels: any KernelSet<Double>.Type

  init(
    _ call: SymmetricEigenCall<S>, _ backend: NativeBackend, _ z: MutableMatrixPointer<S>, _ threads: Int
  ) {
    (self.call, self.z, self.threads) = (call, z, threads)
    kernels = S._kernels(backend.instructionSet)
    secularKernels = Double._kernels(backend.instructionSet)
  }

  func run() -> EigenStatus {
    let n = call.order
    guard let largest = largestMagnitude() else {
      call.poison()
      return .notFinite
    }
    let unit = largest > 0 ? S(sign: .plus, exponent: largest.exponent, significand: 1) : 1
    // Rows of whole vectors, not a multiple of 4 KiB apart, which would meet in the same sets of the first-level cache.
    let lanes = kernels.shape.lanes
    var stride = (n + lanes - 1) / lanes * lanes
    if stride * MemoryLayout<S>.size % 4096 == 0 { stride += lanes }
    return ThreadContext.current.withScratch(n * stride + n, of: S.self) { scratch in
      ThreadContext.current.withScratch(2 * n, of: Double.self) { d in
        ThreadContext.current.withScratch(n, of: Int.self) { order in
          let a = MutableMatrixPointer(scratch, rows: n, columns: n, rowStride: stride, columnStride: 1)
          load(a, unit)
          let reduction = Tridiagonalization(
            a: a, tau: scratch + n * stride, d: d, e: d + n, kernels: kernels, threads: threads)
          reduction.run()
          let eigen = TridiagonalEigen(
            d: d, e: d + n, z: z, order: order, kernels: kernels, secularKernels: secularKernels,
            threads: threads)
          guard eigen.run() else {
            call.poison()
            return .notConverged
          }
          for i in 0..<n { call.values[i] = S(d[order[i]]) * unit }
          sortRows(order)
          reduction.applyToRows(z)
          return .converged
        }
      }
    }
  }

  /// The largest magnitude in the triangle; nil if an element is not finite.
  private func largestMagnitude() -> S? {
    let lower = call.lower
    var largest: S = 0
    for i in 0..<call.order {
      let row = VectorPointer(
        lower.base + i * lower.rowStride, count: i + 1, stride: lower.columnStride)
      let magnitude = abs(row[kernels.iamax(row)])
      if !magnitude.isFinite { return nil }
      largest = max(largest, magnitude)
    }
    return largest
  }

  /// The lower triangle divided by `unit`, a power of two.
  private func load(_ a: MutableMatrixPointer<S>, _ unit: S) {
    let lower = call.lower
    let factor = 1 / unit
    for i in 0..<call.order {
      let row = a.base + i * a.rowStride
      kernels.copy(
        lower.block(i, 0, rows: 1, columns: i + 1), to: a.block(i, 0, rows: 1, columns: i + 1))
      if factor.isFinite && factor.isNormal {
        kernels.scal(factor, MutableVectorPointer(row, count: i + 1))
      } else {
        for j in 0...i { row[j] /= unit }
      }
    }
  }

  /// Row `order[i]` becomes row i: along the cycles of the permutation.
  private func sortRows(_ order: UnsafeMutablePointer<Int>) {
    for start in 0..<call.order {
      var i = start
      while order[i] != start {
        let source = order[i]
        kernels.swapRows(
          z.base + i * z.rowStride, z.base + source * z.rowStride, count: call.order)
        order[i] = i
        i = source
      }
      order[i] = i
    }
  }
}
