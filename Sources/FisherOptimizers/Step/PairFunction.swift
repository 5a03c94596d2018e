public import FisherLinearAlgebra
import FisherRuntime

/// A function of pairs of elements, x from one matrix and y from another.
///
/// A type and not a closure: the compiler would not inline that into the loop. Written with `*` and `+` like an
/// ``UpdateRule``, and `@inline(__always)`.
public protocol PairFunction<Scalar> {
  associatedtype Scalar: KernelScalar
  func value(_ x: Lanes<Scalar>, _ y: Lanes<Scalar>) -> Lanes<Scalar>
}

extension Matrix {
  /// zᵢⱼ ← f(xᵢⱼ, yᵢⱼ) in one pass, z being this matrix, m×n without gaps. The bits do not depend on the threads.
  ///
  /// - Parameters:
  ///   - f: the function.
  ///   - x: m×n.
  ///   - y: m×n; nil for zeros.
  ///   - threads: the most threads to use.
  @inlinable @inline(__always)
  public mutating func assign<F: PairFunction<Scalar>>(_ f: F, of x: Matrix, _ y: Matrix?, threads: Int) {
    perPiece(x, y, &self, threads: threads) { x, y, z, count in evaluate(f, x, y, z, count) }
  }

  /// zᵢⱼ ← f(zᵢⱼ, zᵢⱼ) in one pass, z being this matrix, m×n without gaps. The bits do not depend on the threads.
  ///
  /// - Parameters:
  ///   - f: the function.
  ///   - threads: the most threads to use.
  @inlinable @inline(__always)
  public mutating func replace<F: PairFunction<Scalar>>(by f: F, threads: Int) {
    perPiece(&self, "replace", threads: threads) { z, _, count in
      evaluate(f, UnsafePointer(z), UnsafePointer(z), z, count)
    }
  }

  /// zᵢⱼ ← f(xᵢⱼ, zᵢⱼ) for one sample x after the other, z being this matrix, m×n without gaps: sums over samples. The
  /// bits do not depend on the threads.
  ///
  /// - Parameters:
  ///   - f: the function.
  ///   - samples: matrices of m×n, one below the other.
  ///   - threads: the most threads to use.
  @inlinable @inline(__always)
  public mutating func fold<F: PairFunction<Scalar>>(_ f: F, over samples: Matrix, threads: Int) {
    perSamplePiece(samples, &self, threads: threads) { x, z, count in
      evaluate(f, x, UnsafePointer(z), z, count)
    }
  }
}

/// z ← f(x, y) for so many elements; x and y may be z.
@inlinable @inline(__always)
func evaluate<F: PairFunction>(
  _ f: F, _ x: UnsafePointer<F.Scalar>, _ y: UnsafePointer<F.Scalar>?, _ z: UnsafeMutablePointer<F.Scalar>,
  _ count: Int
) {
  var i = 0
  while i &+ 8 <= count {
    store(f.value(loadAhead(x + i), y.map { loadAhead($0 + i) } ?? .zero), to: z + i)
    i &+= 8
  }
  if i == count { return }
  let rest = f.value(load(x + i, count &- i), y.map { load($0 + i, count &- i) } ?? .zero)
  for lane in 0..<count &- i { z[i &+ lane] = rest[lane] }
}

/// The elements of x, y and z in pieces of the same places, where rows of x or y have gaps in pieces of rows.
@usableFromInline
@specialized(where S == Float) @specialized(where S == Double)
package func perPiece<S: KernelScalar>(
  _ x: Matrix<S>, _ y: Matrix<S>?, _ z: inout Matrix<S>, threads: Int,
  _ body: (UnsafePointer<S>, UnsafePointer<S>?, UnsafeMutablePointer<S>, Int) -> Void
) {
  require(
    z.rows == x.rows && z.columns == x.columns
      && (y.map { $0.rows == x.rows && $0.columns == x.columns } ?? true),
    "assign: X is \(x.rows)×\(x.columns), Y is \(y?.rows ?? x.rows)×\(y?.columns ?? x.columns) and Z is "
      + "\(z.rows)×\(z.columns); they must agree")
  let (x, y, columns) = (withLongRows(x), y.map(withLongRows), z.columns)
  x.withPointer { x in
    // The matrix outlives the tasks.
    let y = y?.withPointer { $0 }
    let isDense = x.rowStride == columns && (y?.rowStride ?? columns) == columns
    perPiece(&z, discarding: true, "assign", threads: threads) { z, first, count in
      var place = first
      while place < first + count {
        let (i, j) = isDense ? (0, place) : (place / columns, place % columns)
        let length = min(isDense ? count : columns - j, first + count - place)
        body(
          x.base + (i * x.rowStride + j), y.map { $0.base + (i * $0.rowStride + j) }, z + (place - first),
          length)
        place += length
      }
    }
  }
  withExtendedLifetime(y) {}
}

/// The matrix, copied if it has gaps and its rows are no long stretches of memory: a column would be read one by one.
private func withLongRows<S: KernelScalar>(_ x: Matrix<S>) -> Matrix<S> {
  x.columns >= 64 && x.withPointer { $0.columnStride == 1 } ? x : x.compacted()
}

/// The elements of z in pieces, one for a task, each with the place of its first element and their count.
@usableFromInline
@specialized(where S == Float) @specialized(where S == Double)
package func perPiece<S: KernelScalar>(
  _ z: inout Matrix<S>, discarding: Bool = false, _ verb: String, threads: Int,
  _ body: (UnsafeMutablePointer<S>, _ first: Int, _ count: Int) -> Void
) {
  let (count, size) = (z.count, Parallel.elementwisePiece)
  z.withMutablePointer(discarding: discarding) { z in
    require(z.columnStride == 1 && z.rowStride == z.columns, "\(verb): Z has gaps between its rows")
    let z = z.base
    Parallel.perform((count + size - 1) / size, threads: threads) { piece in
      let first = piece * size
      body(z + first, first, min(size, count - first))
    }
  }
}

/// The elements of z in pieces, each with those of one sample after the other at the same places.
@usableFromInline
@specialized(where S == Float) @specialized(where S == Double)
package func perSamplePiece<S: KernelScalar>(
  _ samples: Matrix<S>, _ z: inout Matrix<S>, threads: Int,
  _ body: (UnsafePointer<S>, UnsafeMutablePointer<S>, Int) -> Void
) {
  let (samples, size) = (samples.compacted(), z.count)
  let times = z.rows == 0 ? 0 : samples.rows / z.rows
  require(
    samples.rows == times * z.rows && samples.columns == z.columns,
    "fold: the samples are \(samples.rows)×\(samples.columns) and Z is \(z.rows)×\(z.columns); they must be "
      + "matrices of its shape, one below the other")
  samples.withPointer { x in
    let x = x.base
    perPiece(&z, "fold", threads: threads) { z, first, count in
      for s in 0..<times { body(x + (s * size + first), z, count) }
    }
  }
}

/// α·x + β·y
public struct Combination<Scalar: KernelScalar>: PairFunction {
  @usableFromInline let α, β: Scalar

  @inlinable
  public init(_ α: Double, _ β: Double) { (self.α, self.β) = (Scalar(α), Scalar(β)) }

  @inlinable @inline(__always)
  public func value(_ x: Lanes<Scalar>, _ y: Lanes<Scalar>) -> Lanes<Scalar> { α * x + β * y }
}

/// x·y
public struct Hadamard<Scalar: KernelScalar>: PairFunction {
  @inlinable
  public init() {}

  @inlinable @inline(__always)
  public func value(_ x: Lanes<Scalar>, _ y: Lanes<Scalar>) -> Lanes<Scalar> { x * y }
}

/// α·x² + β·y
public struct SquareCombination<Scalar: KernelScalar>: PairFunction {
  @usableFromInline let α, β: Scalar

  @inlinable
  public init(_ α: Double, _ β: Double) { (self.α, self.β) = (Scalar(α), Scalar(β)) }

  @inlinable @inline(__always)
  public func value(_ x: Lanes<Scalar>, _ y: Lanes<Scalar>) -> Lanes<Scalar> { α * x * x + β * y }
}

/// x/(c·√y + ε), Adam's direction from the averages of g and g².
public struct RootQuotient<Scalar: KernelScalar>: PairFunction {
  @usableFromInline let c, ε: Scalar

  @inlinable
  public init(_ c: Double, ε: Double) { (self.c, self.ε) = (Scalar(c), Scalar(ε)) }

  @inlinable @inline(__always)
  public func value(_ x: Lanes<Scalar>, _ y: Lanes<Scalar>) -> Lanes<Scalar> { x / (c * y.squareRoot() + ε) }
}

/// x/(y + ε), what a damped diagonal makes of a vector.
public struct DampedQuotient<Scalar: KernelScalar>: PairFunction {
  @usableFromInline let ε: Scalar

  @inlinable
  public init(ε: Double) { self.ε = Scalar(ε) }

  @inlinable @inline(__always)
  public func value(_ x: Lanes<Scalar>, _ y: Lanes<Scalar>) -> Lanes<Scalar> { x / (y + ε) }
}
