// C ← activation(α·A·B + β·C + bias) ⊘ divisor, one product, a group of them, or a strided batch.

public import KernelTemplates

extension ReferenceBackend {
  @specialized(where S == Float)
  @specialized(where S == Double)
  public func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) {
    let (a, b, c) = (call.a, call.b, call.c)
    for i in 0..<c.rows {
      for j in 0..<c.columns {
        var value = Self.combine(
          call.alpha, sum: a.columns, { p in Double(a[i, p]) * Double(b[p, j]) }, call.beta, c[i, j])
        switch call.epilogue.bias {
        case .none: break
        case .row(let bias): value += Double(bias[j])
        case .column(let bias): value += Double(bias[i])
        }
        value = Self.apply(call.epilogue.activation, to: value)
        switch call.epilogue.divisor {
        case .none: break
        case .outer(let s, let t, let damping): value /= Double(s[i]) * Double(t[j]) + Double(damping)
        case .elements(let s, let damping): value /= Double(s[i, j]) + Double(damping)
        }
        c[i, j] = S(value)
      }
    }
  }

  public func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int) {
    for call in group { gemm(call, threads: threads) }
  }

  public func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int
  ) {
    for i in 0..<count {
      var call = first
      call.a.base += i * batchStrides.a
      call.b.base += i * batchStrides.b
      call.c.base += i * batchStrides.c
      gemm(call, threads: threads)
    }
  }

  /// The activation of one value; NaN stays NaN.
  @inline(__always)
  static func apply<S: KernelScalar>(_ activation: Activation<S>, to x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: x > 0 || x.isNaN ? x : 0
    case .leakyRelu(let slope): x > 0 ? x : Double(slope) * x
    }
  }
}
