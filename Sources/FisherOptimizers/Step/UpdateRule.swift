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

/// A tensor that an update reads, and where its successor goes.
@frozen
public struct UpdateTensor<Scalar: KernelScalar> {
  /// Nil for zeros.
  @usableFromInline let old: UnsafePointer<Scalar>?
  /// Nil if nothing is written. Never the memory of `old`.
  @usableFromInline let new: UnsafeMutablePointer<Scalar>?

  @usableFromInline
  init(old: UnsafePointer<Scalar>? = nil, new: UnsafeMutablePointer<Scalar>? = nil) {
    self.old = old
    self.new = new
  }
}

/// Where the operands of a staged update lie; absent factors are nil.
@frozen
public struct UpdateOperands<Scalar: KernelScalar> {
  @usableFromInline var value: UpdateTensor<Scalar>
  @usableFromInline var gradient: UnsafePointer<Scalar>
  @usableFromInline var first: UpdateTensor<Scalar>
  @usableFromInline var second: UpdateTensor<Scalar>
  @usableFromInline var third: UpdateTensor<Scalar>
  @usableFromInline var row: UnsafePointer<Scalar>?
  @usableFromInline var column: UnsafePointer<Scalar>?
  @usableFromInline var columns: Int
  /// From one row of the gradient to the next.
  @usableFromInline var gradientStride: Int

  init(
    value: UpdateTensor<Scalar>, gradient: UnsafePointer<Scalar>, gradientStride: Int,
    slots: [UpdateTensor<Scalar>] = [], row: UnsafePointer<Scalar>? = nil,
    column: UnsafePointer<Scalar>? = nil, columns: Int
  ) {
    self.value = value
    self.gradient = gradient
    self.gradientStride = gradientStride
    first = slots.count > 0 ? slots[0] : UpdateTensor()
    second = slots.count > 1 ? slots[1] : UpdateTensor()
    third = slots.count > 2 ? slots[2] : UpdateTensor()
    self.row = row
    self.column = column
    self.columns = columns
  }
}

extension UpdateRule {
  /// Runs the rule on the elements of `range`, which are numbered row by row.
  ///
  /// - Returns: whether all that was written is finite.
  @inlinable @inline(__always)
  func run(_ operands: UpdateOperands<Scalar>, _ range: Range<Int>) -> Bool {
    // 0·x is NaN for NaN and infinity, and zero for all others: the sum tells, and cannot overflow.
    var zeros = Lanes<Scalar>.zero
    if operands.row == nil && operands.column == nil && operands.gradientStride == operands.columns {
      runRow(
        operands, operands.gradient, range.lowerBound, range.upperBound, column: 0, row: .zero, &zeros)
      return zeros == .zero
    }
    var i = range.lowerBound
    while i < range.upperBound {
      let row = i / operands.columns
      let start = row &* operands.columns
      let end = min(range.upperBound, start &+ operands.columns)
      let factor = operands.row.map { Lanes<Scalar>(repeating: $0[row]) } ?? .zero
      // Elements are numbered without the gaps.
      let gradient = operands.gradient + row &* (operands.gradientStride &- operands.columns)
      runRow(operands, gradient, i, end, column: i &- start, row: factor, &zeros)
      i = end
    }
    return zeros == .zero
  }

  @inlinable @inline(__always)
  func runRow(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ start: Int, _ end: Int,
    column: Int, row: Lanes<Scalar>, _ zeros: inout Lanes<Scalar>
  ) {
    var x = Element<Scalar>()
    x.row = row
    var (i, j) = (start, column)
    while i &+ 8 <= end {
      x.value = read(operands.value, i)
      x.gradient = ahead(gradient + i)
      x.first = read(operands.first, i)
      x.second = read(operands.second, i)
      x.third = read(operands.third, i)
      if let p = operands.column { x.column = load(p + j) }
      update(&x)
      write(x.value, operands.value, i, &zeros)
      write(x.first, operands.first, i, &zeros)
      write(x.second, operands.second, i, &zeros)
      write(x.third, operands.third, i, &zeros)
      i &+= 8
      j &+= 8
    }
    if i < end { runRest(operands, gradient, i, end &- i, column: j, row: row, &zeros) }
  }

  /// The last elements of a row, fewer than eight. The lanes past the end hold zeros and are not stored.
  @inlinable @inline(never)
  func runRest(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ i: Int, _ rest: Int,
    column j: Int, row: Lanes<Scalar>, _ zeros: inout Lanes<Scalar>
  ) {
    var x = Element<Scalar>()
    x.row = row
    x.value = read(operands.value, i, rest)
    x.gradient = load(gradient + i, rest)
    x.first = read(operands.first, i, rest)
    x.second = read(operands.second, i, rest)
    x.third = read(operands.third, i, rest)
    if let p = operands.column { x.column = load(p + j, rest) }
    update(&x)
    write(x.value, operands.value, i, rest, &zeros)
    write(x.first, operands.first, i, rest, &zeros)
    write(x.second, operands.second, i, rest, &zeros)
    write(x.third, operands.third, i, rest, &zeros)
  }
}

@inlinable @inline(__always)
func read<S: KernelScalar>(_ tensor: UpdateTensor<S>, _ i: Int) -> Lanes<S> {
  tensor.old.map { ahead($0 + i) } ?? .zero
}

@inlinable @inline(__always)
func write<S: KernelScalar>(_ v: Lanes<S>, _ tensor: UpdateTensor<S>, _ i: Int, _ zeros: inout Lanes<S>) {
  guard let p = tensor.new else { return }
  store(v, to: p + i)
  mark(v, 8, &zeros)
}

/// Makes a lane NaN that is not finite. Other types than these two may count their operations, and this is none of the
/// rule's.
@inlinable @inline(__always)
func mark<S: KernelScalar>(_ v: Lanes<S>, _ count: Int, _ zeros: inout Lanes<S>) {
  if count == 8 && (S.self == Float.self || S.self == Double.self) {
    zeros += S.zero * v
    return
  }
  for lane in 0..<count where !v[lane].isFinite { zeros[lane] = .nan }
}

@inlinable @inline(__always)
func read<S: KernelScalar>(_ tensor: UpdateTensor<S>, _ i: Int, _ count: Int) -> Lanes<S> {
  tensor.old.map { load($0 + i, count) } ?? .zero
}

@inlinable @inline(__always)
func write<S: KernelScalar>(
  _ v: Lanes<S>, _ tensor: UpdateTensor<S>, _ i: Int, _ count: Int, _ zeros: inout Lanes<S>
) {
  guard let p = tensor.new else { return }
  for lane in 0..<count { p[i + lane] = v[lane] }
  mark(v, count, &zeros)
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
