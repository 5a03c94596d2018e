import FisherRuntime

/// B ← A, whatever the layouts.
///
/// - Parameters:
///   - a: m×n.
///   - b: m×n; written in place unless its storage is shared.
///   - backend: what carries it out.
@specialized(where S == Float) @specialized(where S == Double)
public func copy<S: KernelScalar>(
  _ a: Matrix<S>, into b: inout Matrix<S>, on backend: any Backend = NativeBackend()
) {
  require(
    a.rows == b.rows && a.columns == b.columns,
    "copy: A is \(a.rows)×\(a.columns) and B is \(b.rows)×\(b.columns); they must have the same shape")
  a.withPointer { a in
    b.withMutablePointer(discarding: true) { b in backend.copy(a, to: b) }
  }
}

/// B ← Aᵀ, moving the elements; ``Matrix/transposed`` is the view that moves nothing.
///
/// - Parameters:
///   - a: m×n.
///   - b: n×m; written in place unless its storage is shared.
///   - backend: what carries it out.
@specialized(where S == Float) @specialized(where S == Double)
public func transpose<S: KernelScalar>(
  _ a: Matrix<S>, into b: inout Matrix<S>, on backend: any Backend = NativeBackend()
) {
  require(
    a.rows == b.columns && a.columns == b.rows,
    "transpose: A is \(a.rows)×\(a.columns) and B is \(b.rows)×\(b.columns); B must be \(a.columns)×\(a.rows)"
  )
  a.withPointer { a in
    b.withMutablePointer(discarding: true) { b in backend.copy(a.transposed, to: b) }
  }
}
