public import FisherLinearAlgebra

/// Everything that belongs to eight elements of a parameter in one update.
@frozen
public struct Element<Scalar: KernelScalar> {
  /// θ: read and written.
  public var value: Lanes<Scalar>
  /// g.
  public var gradient: Lanes<Scalar>
  /// The state in the rule's slots, in their order: read and written.
  public var first: Lanes<Scalar>
  public var second: Lanes<Scalar>
  public var third: Lanes<Scalar>
  /// The entry of the row vector's factor for this row, in all lanes.
  public var row: Lanes<Scalar>
  /// The entries of the column vector's factor for these columns.
  public var column: Lanes<Scalar>

  @inlinable @inline(__always)
  init() {
    value = .zero
    gradient = .zero
    first = .zero
    second = .zero
    third = .zero
    row = .zero
    column = .zero
  }
}

/// An elementwise update of a parameter and its state, written as the paper writes it.
///
/// The rule runs in one pass over memory, on several threads. Mark `update` `@inline(__always)` and use `*` and `+`,
/// not the fused `addingProduct`: then the bits are the same on every machine.
public protocol UpdateRule<Scalar>: Sendable {
  associatedtype Scalar: KernelScalar
  /// The names of the state tensors behind ``Element/first`` … ``Element/third``. New ones start at zero; where the
  /// name is nil or missing there is no state, zeros are read and nothing is written.
  var slots: [String?] { get }
  /// The new θ and state from the old ones and g.
  func update(_ x: inout Element<Scalar>)
}

/// Where the operands of a staged update lie; absent state and factors are nil.
@frozen
public struct UpdateOperands<Scalar: KernelScalar> {
  @usableFromInline var value: UnsafeMutablePointer<Scalar>
  @usableFromInline var gradient: UnsafePointer<Scalar>
  @usableFromInline var first: UnsafeMutablePointer<Scalar>?
  @usableFromInline var second: UnsafeMutablePointer<Scalar>?
  @usableFromInline var third: UnsafeMutablePointer<Scalar>?
  @usableFromInline var row: UnsafePointer<Scalar>?
  @usableFromInline var column: UnsafePointer<Scalar>?
  @usableFromInline var columns: Int
  /// From one row of the gradient to the next.
  @usableFromInline var gradientStride: Int

  @usableFromInline
  init(
    value: UnsafeMutablePointer<Scalar>, gradient: UnsafePointer<Scalar>, gradientStride: Int,
    states: [UnsafeMutablePointer<Scalar>?], row: UnsafePointer<Scalar>?, column: UnsafePointer<Scalar>?,
    columns: Int
  ) {
    self.value = value
    self.gradient = gradient
    self.gradientStride = gradientStride
    first = states.count > 0 ? states[0] : nil
    second = states.count > 1 ? states[1] : nil
    third = states.count > 2 ? states[2] : nil
    self.row = row
    self.column = column
    self.columns = columns
  }
}

extension UpdateRule {
  /// Runs the rule on the elements of `range`, which are numbered row by row.
  @inlinable @inline(__always)
  func run(_ operands: UpdateOperands<Scalar>, _ range: Range<Int>) {
    if operands.row == nil && operands.column == nil && operands.gradientStride == operands.columns {
      runRow(
        operands, operands.gradient, range.lowerBound, range.upperBound, column: 0, row: .zero)
      return
    }
    var i = range.lowerBound
    while i < range.upperBound {
      let row = i / operands.columns
      let start = row &* operands.columns
      let end = min(range.upperBound, start &+ operands.columns)
      let factor = operands.row.map { Lanes<Scalar>(repeating: $0[row]) } ?? .zero
      // Elements are numbered without the gaps.
      let gradient = operands.gradient + row &* (operands.gradientStride &- operands.columns)
      runRow(operands, gradient, i, end, column: i &- start, row: factor)
      i = end
    }
  }

  @inlinable @inline(__always)
  func runRow(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ start: Int, _ end: Int,
    column: Int, row: Lanes<Scalar>
  ) {
    var x = Element<Scalar>()
    x.row = row
    var (i, j) = (start, column)
    while i &+ 8 <= end {
      x.value = ahead(operands.value + i)
      x.gradient = ahead(gradient + i)
      x.first = operands.first.map { ahead($0 + i) } ?? .zero
      x.second = operands.second.map { ahead($0 + i) } ?? .zero
      x.third = operands.third.map { ahead($0 + i) } ?? .zero
      if let p = operands.column { x.column = load(p + j) }
      update(&x)
      store(x.value, to: operands.value + i)
      if let p = operands.first { store(x.first, to: p + i) }
      if let p = operands.second { store(x.second, to: p + i) }
      if let p = operands.third { store(x.third, to: p + i) }
      i &+= 8
      j &+= 8
    }
    if i < end { runRest(operands, gradient, i, end &- i, column: j, row: row) }
  }

  /// The last elements of a row, fewer than eight. The lanes past the end hold zeros and are not stored.
  @inlinable @inline(never)
  func runRest(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ i: Int, _ rest: Int,
    column j: Int, row: Lanes<Scalar>
  ) {
    var x = Element<Scalar>()
    x.row = row
    x.value = load(UnsafePointer(operands.value + i), rest)
    x.gradient = load(gradient + i, rest)
    x.first = operands.first.map { load(UnsafePointer($0 + i), rest) } ?? .zero
    x.second = operands.second.map { load(UnsafePointer($0 + i), rest) } ?? .zero
    x.third = operands.third.map { load(UnsafePointer($0 + i), rest) } ?? .zero
    if let p = operands.column { x.column = load(p + j, rest) }
    update(&x)
    store(x.value, to: operands.value + i, rest)
    if let p = operands.first { store(x.first, to: p + i, rest) }
    if let p = operands.second { store(x.second, to: p + i, rest) }
    if let p = operands.third { store(x.third, to: p + i, rest) }
  }
}

/// Loads, and asks for what comes 1024 elements later: several streams are too many for the prefetchers of the hardware.
@inlinable @inline(__always)
func ahead<S: KernelScalar>(_ p: UnsafePointer<S>) -> Lanes<S> {
  prefetchLine(p + 1024)
  return load(p)
}

@inlinable @inline(__always)
func load<S: KernelScalar>(_ p: UnsafePointer<S>) -> Lanes<S> {
  Lanes(UnsafeRawPointer(p).loadUnaligned(as: SIMD8<S>.self))
}

@inlinable @inline(__always)
func store<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v.vector, as: SIMD8<S>.self)
}

@inlinable @inline(__always)
func load<S: KernelScalar>(_ p: UnsafePointer<S>, _ count: Int) -> Lanes<S> {
  var v = Lanes<S>.zero
  for lane in 0..<count { v[lane] = p[lane] }
  return v
}

@inlinable @inline(__always)
func store<S: KernelScalar>(_ v: Lanes<S>, to p: UnsafeMutablePointer<S>, _ count: Int) {
  for lane in 0..<count { p[lane] = v[lane] }
}
