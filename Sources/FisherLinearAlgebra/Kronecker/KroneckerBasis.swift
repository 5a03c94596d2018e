import FisherRuntime
import KernelTemplates

/// What the coordinates of a gradient in a Kronecker-factored eigenbasis are divided by.
public enum KroneckerSpectrum<Scalar: KernelScalar>: Sendable {
  /// sᵢ·tⱼ + λ with m eigenvalues s on the left and n eigenvalues t on the right, vectors both.
  case outer(left: Matrix<Scalar>, right: Matrix<Scalar>, damping: Scalar)
  /// Sᵢⱼ + λ with a second moment S for each coordinate, m×n.
  case elements(Matrix<Scalar>, damping: Scalar)

  /// Lends the spectrum to a product; traps unless it fits m×n.
  @inline(__always)
  func withDivisor<R>(_ m: Int, _ n: Int, _ operation: StaticString, _ body: (Divisor<Scalar>) -> R) -> R {
    switch self {
    case .outer(let s, let t, let damping):
      require(
        s.isVector && t.isVector && s.count == m && t.count == n,
        "\(operation): G is \(m)×\(n) and the spectrum is \(s.count) by \(t.count); they must agree")
      return s.withPointer { s in
        t.withPointer { t in body(.outer(s.vector, t.vector, damping: damping)) }
      }
    case .elements(let moments, let damping):
      require(
        moments.rows == m && moments.columns == n,
        "\(operation): G is \(m)×\(n) and the spectrum is \(moments.rows)×\(moments.columns); they must agree"
      )
      return moments.withPointer { body(.elements($0, damping: damping)) }
    }
  }
}

/// The eigenbasis of a Kronecker product: orthogonal matrices on both sides of a gradient.
///
///     let basis = KroneckerBasis(left: q, right: w)
///     basis.divide(gradient, by: .outer(left: s, right: t, damping: λ), into: &direction)
///
/// Source: T. George et al., Fast Approximate Natural Gradient Descent in a Kronecker-factored Eigenbasis (2018), 3.1.
public struct KroneckerBasis<Scalar: KernelScalar>: Sendable {
  /// Q, m×m, its columns the eigenvectors on the left.
  public var left: Matrix<Scalar>
  /// W, n×n, its columns the eigenvectors on the right.
  public var right: Matrix<Scalar>

  public init(left: Matrix<Scalar>, right: Matrix<Scalar>) {
    require(
      left.rows == left.columns && right.rows == right.columns,
      "KroneckerBasis: the sides are \(left.rows)×\(left.columns) and \(right.rows)×\(right.columns); they must be square"
    )
    self.left = left
    self.right = right
  }

  /// H ← Qᵀ·G·W, the coordinates of G in this basis. 2·m·n·(m + n) flops.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func rotate(
    _ gradient: Matrix<Scalar>, into coordinates: inout Matrix<Scalar>,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    turn(left.transposed, gradient, right, .none, into: &coordinates, "rotate", backend, threads)
  }

  /// G ← Q·H·Wᵀ: back from coordinates. 2·m·n·(m + n) flops.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func rotateBack(
    _ coordinates: Matrix<Scalar>, into gradient: inout Matrix<Scalar>,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    turn(left, coordinates, right.transposed, .none, into: &gradient, "rotateBack", backend, threads)
  }

  /// H ← (Qᵀ·G·W) ⊘ spectrum: divided while the second product is written.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func rotate(
    _ gradient: Matrix<Scalar>, dividingBy spectrum: KroneckerSpectrum<Scalar>,
    into coordinates: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    spectrum.withDivisor(gradient.rows, gradient.columns, "rotate") { divisor in
      turn(left.transposed, gradient, right, divisor, into: &coordinates, "rotate", backend, threads)
    }
  }

  /// G′ ← Q·((Qᵀ·G·W) ⊘ spectrum)·Wᵀ: the direction of a preconditioner with these eigenvectors and eigenvalues.
  ///
  /// 4·m·n·(m + n) flops; the coordinates exist for 1024 rows at a time.
  ///
  /// - Parameters:
  ///   - gradient: G, m×n.
  ///   - spectrum: what the coordinates are divided by.
  ///   - direction: G′, m×n.
  ///   - backend: what computes it.
  ///   - threads: the most threads to use, at least 1.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func divide(
    _ gradient: Matrix<Scalar>, by spectrum: KroneckerSpectrum<Scalar>,
    into direction: inout Matrix<Scalar>, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    requireFit(gradient, direction, "divide", threads)
    spectrum.withDivisor(gradient.rows, gradient.columns, "divide") { divisor in
      left.withPointer { q in
        right.withPointer { w in
          gradient.withPointer { g in
            direction.withMutablePointer(discarding: true) { c in
              divideInBasis(q, g, w, divisor, into: c, backend, threads)
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private func turn(
    _ a: Matrix<Scalar>, _ g: Matrix<Scalar>, _ b: Matrix<Scalar>, _ divisor: Divisor<Scalar>,
    into result: inout Matrix<Scalar>, _ operation: StaticString, _ backend: any Backend, _ threads: Int
  ) {
    requireFit(g, result, operation, threads)
    a.withPointer { a in
      b.withPointer { b in
        g.withPointer { g in
          result.withMutablePointer(discarding: true) { c in
            multiplyBothSides(a, g, b, divisor: divisor, into: c, backend, threads)
          }
        }
      }
    }
  }

  @inline(__always)
  private func requireFit(
    _ g: Matrix<Scalar>, _ result: borrowing Matrix<Scalar>, _ operation: StaticString, _ threads: Int
  ) {
    requireThreads(threads, operation)
    require(
      g.rows == left.rows && g.columns == right.rows,
      "\(operation): G is \(g.rows)×\(g.columns) and the basis is for \(left.rows)×\(right.rows)")
    requireShape(result, of: g, operation)
  }
}
