import FisherLinearAlgebra
import FisherRuntime

/// How gradients are bounded before an optimizer sees them.
public enum Clipping: Sendable, Hashable {
  case none
  /// Every element is moved into [−limit, limit].
  case value(Double)
  /// If the norm of all gradients together exceeds the limit, all are scaled to it (Pascanu et al. 2013).
  case norm(Double)
}

extension Clipping {
  /// Clips in place.
  ///
  /// - Returns: the norm of all gradients before clipping, if it was needed.
  package func apply<S: KernelScalar>(to gradients: inout [Matrix<S>], on backend: any Backend) -> Double? {
    if self == .none { return nil }
    // Gradients of any size are brought to the limit, those below the normal numbers too.
    let underflow = Underflow.set(.gradual)
    defer { Underflow.set(underflow) }
    switch self {
    case .none: return nil
    case .value(let limit):
      let limit = S(limit)
      for i in gradients.indices {
        gradients[i].withMutableSpan { elements in
          for j in elements.indices { elements[j] = min(limit, max(-limit, elements[j])) }
        }
      }
      return nil
    case .norm(let limit):
      let norm = GradientNorm(gradients, on: backend)
      if norm.value > limit / norm.unit { norm.bring(&gradients, to: limit, on: backend) }
      return norm.value * norm.unit
    }
  }
}

/// ‖g‖ over several tensors as value·unit: neither part overflows or vanishes, whatever the gradients.
private struct GradientNorm {
  /// From 1 to a few times the root of the number of tensors, or 0.
  let value: Double
  /// A power of two, or 1.
  let unit: Double

  init<S: KernelScalar>(_ gradients: [Matrix<S>], on backend: any Backend) {
    var norms = gradients.map { Double(nrm2($0, on: backend)) }
    var scale = 1.0
    if norms.contains(where: { !$0.isFinite }) {
      // Finite elements, whose norm is beyond the element type.
      norms = gradients.map { Self.norm($0, times: 0x1p-60, on: backend) }
      scale = 0x1p60
    }
    let binade = min(norms.max().map(\.binade) ?? 0, 0x1p1023 / scale)
    // Squares of numbers near 1, added in double precision in a fixed order.
    let largest = binade > 0 ? binade : 1
    value = norms.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
    unit = largest * scale
  }

  private static func norm<S: KernelScalar>(
    _ gradient: Matrix<S>, times factor: S, on backend: any Backend
  ) -> Double {
    var scaled = gradient
    scal(alpha: factor, &scaled, on: backend)
    return Double(nrm2(scaled, on: backend))
  }

  /// g ← g·limit/‖g‖: by one factor, unless that is no normal number.
  func bring<S: KernelScalar>(_ gradients: inout [Matrix<S>], to limit: Double, on backend: any Backend) {
    let factor = S(limit / unit / value)
    let factors = factor.isNormal ? [factor] : [S(1 / unit), S(limit / value)]
    for factor in factors {
      for i in gradients.indices { scal(alpha: factor, &gradients[i], on: backend) }
    }
  }
}
