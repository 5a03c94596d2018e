import FisherLinearAlgebra

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
  func apply<S: KernelScalar>(to gradients: inout [Matrix<S>], on backend: any Backend) -> Double? {
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
      // Norms of single tensors do not overflow, and their squares are added in double precision in a fixed order.
      let squares = gradients.map { gradient in
        let norm = Double(nrm2(gradient, on: backend))
        return norm * norm
      }
      let norm = squares.reduce(0, +).squareRoot()
      if norm > limit {
        for i in gradients.indices { scal(alpha: S(limit / norm), &gradients[i], on: backend) }
      }
      return norm
    }
  }
}
