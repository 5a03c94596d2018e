import FisherRuntime
public import KernelTemplates

/// C ← activation(α·A·B + β·C + bias).
///
/// A transposed operand is `a.transposed`, which costs nothing. With β = 0, C is not read, so it may hold anything.
///
///     gemm(x, weights.transposed, into: &y, bias: bias, activation: .relu)
///
/// - Parameters:
///   - alpha: α; with 0, A and B are not read.
///   - a: m×k.
///   - b: k×n.
///   - beta: β; with 0, C is not read.
///   - c: m×n; written in place unless its storage is shared.
///   - bias: one row of n elements, added to every row of C, or one column of m elements, added to every column.
///   - activation: applied to each element at the end.
///   - backend: what computes it.
///   - threads: the most threads to use, at least 1.
@specialized(where S == Float) @specialized(where S == Double)
public func gemm<S: KernelScalar>(
  alpha: S = 1, _ a: Matrix<S>, _ b: Matrix<S>, beta: S = 0, into c: inout Matrix<S>,
  bias: Matrix<S>? = nil, activation: Activation<S> = .identity,
  on backend: any Backend = NativeBackend(), threads: Int = Threads.available
) {
  requireThreads(threads, "gemm")
  a.withPointer { a in
    b.withPointer { b in
      c.withMutablePointer(discarding: beta == 0) { c in
        let call = Gemm(
          alpha: alpha, a: a, b: b, beta: beta, c: c,
          epilogue: Epilogue(bias: broadcast(bias, over: c), activation: activation))
        call.requireShapes()
        withExtendedLifetime(bias) { backend.gemm(call, threads: threads) }
      }
    }
  }
}

extension Matrix {
  /// The product of this m×k matrix and the k×n matrix `other`.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func multiplied(
    by other: Matrix, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix {
    var product = Matrix(uninitialized: rows, other.columns)
    gemm(self, other, into: &product, on: backend, threads: threads)
    return product
  }
}

/// C ← activation(α·A·B + β·C + bias) on bare pointers; see ``Gemm``.
///
/// Traps on shapes that do not agree, and when C shares memory with an operand or has elements that share an address.
@specialized(where S == Float) @specialized(where S == Double)
package func gemm<S: KernelScalar>(_ call: Gemm<S>, on backend: any Backend, threads: Int) {
  requireThreads(threads, "gemm")
  call.requireShapes()
  call.requireSeparateOutput()
  backend.gemm(call, threads: threads)
}

/// The bias that `matrix` stands for, by its shape: a row for every row, or a column for every column.
@inline(__always)
func broadcast<S>(_ matrix: Matrix<S>?, over c: MutableMatrixPointer<S>) -> Epilogue<S>.Bias {
  guard let matrix else { return .none }
  if matrix.rows == 1 && matrix.columns == c.columns { return .row(matrix.pointer.vector) }
  require(
    matrix.columns == 1 && matrix.rows == c.rows,
    "gemm: bias is \(matrix.rows)×\(matrix.columns) and C is \(c.shape); bias must be a row or a column of C's size"
  )
  return .column(matrix.pointer.vector)
}

extension Gemm {
  /// Traps unless A is m×k, B is k×n and C is m×n.
  @inline(__always)
  func requireShapes() {
    require(
      a.columns == b.rows, "gemm: A is \(a.shape) and B is \(b.shape); A.columns must equal B.rows")
    require(
      c.rows == a.rows && c.columns == b.columns,
      "gemm: A is \(a.shape), B is \(b.shape) and C is \(c.shape); C must be \(a.rows)×\(b.columns)")
    switch epilogue.bias {
    case .none: break
    case .row(let values):
      require(
        values.count == c.columns, "gemm: bias is a row of \(values.count) and C is \(c.shape)")
    case .column(let values):
      require(
        values.count == c.rows, "gemm: bias is a column of \(values.count) and C is \(c.shape)")
    }
  }

  /// Traps if C shares memory with an operand, or two of its elements share an address.
  func requireSeparateOutput() {
    requireDistinctElements(c, "C", "gemm")
    requireDisjoint(c, "C", a, "A", "gemm")
    requireDisjoint(c, "C", b, "B", "gemm")
    switch epilogue.bias {
    case .none: break
    case .row(let values), .column(let values): requireDisjoint(c, "C", values.column, "bias", "gemm")
    }
  }
}
