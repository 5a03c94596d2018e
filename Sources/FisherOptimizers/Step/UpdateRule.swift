public import FisherLinearAlgebra

/// What belongs to eight elements of a parameter in one update, beside their state.
@frozen
public struct Element<Scalar: KernelScalar> {
  /// θ: read and written.
  public var value: Lanes<Scalar>
  /// g.
  public var gradient: Lanes<Scalar>
  /// The entry of the row vector's factor for this row, in all lanes.
  public var row: Lanes<Scalar>
  /// The entries of the column vector's factor for these columns.
  public var column: Lanes<Scalar>

  @inlinable @inline(__always)
  init(row: Lanes<Scalar>) {
    value = .zero
    gradient = .zero
    self.row = row
    column = .zero
  }
}

/// The state of a rule that has none.
@frozen
public struct NoState {}

/// An elementwise update of a parameter and its state, written as the paper writes it.
///
///     struct Rule<S: KernelScalar>: UpdateRule {
///       struct State { var m: Lanes<S> }
///       let α, β: S
///
///       func update(_ x: inout Element<S>, _ state: inout State) {
///         state.m = β * state.m + x.gradient
///         x.value -= α * state.m
///       }
///     }
///
/// The rule runs in one pass over memory, on several threads. Use `*` and `+`, not the fused `addingProduct`: then the bits
/// are the same on every machine.
public protocol UpdateRule<Scalar>: Sendable {
  associatedtype Scalar: KernelScalar
  /// A struct of `Lanes` alone, one for each slot of state, whose name is the slot's. New slots start at zero.
  associatedtype State = NoState
  /// Slots that go unused with these hyper-parameters: zeros are read, and nothing is written or kept.
  var unused: [PartialKeyPath<State>] { get }
  /// The new θ and state from the old ones and g.
  func update(_ x: inout Element<Scalar>, _ state: inout State)
}

extension UpdateRule {
  public var unused: [PartialKeyPath<State>] { [] }
}

/// Where the operands of a staged update lie; absent factors are nil.
@frozen
public struct UpdateOperands<Scalar: KernelScalar> {
  @usableFromInline var value: UpdateTensor<Scalar>
  @usableFromInline var gradient: UnsafePointer<Scalar>
  /// In the order of the rule's state.
  @usableFromInline var slots: [UpdateTensor<Scalar>]
  @usableFromInline var row: UnsafePointer<Scalar>?
  @usableFromInline var column: UnsafePointer<Scalar>?
  @usableFromInline var columns: Int
  /// From one row of the gradient to the next.
  @usableFromInline var gradientStride: Int
  /// What is written goes past the caches, where it is aligned.
  @usableFromInline var streams: Bool

  package init(
    value: UpdateTensor<Scalar>, gradient: UnsafePointer<Scalar>, gradientStride: Int,
    slots: [UpdateTensor<Scalar>] = [], row: UnsafePointer<Scalar>? = nil,
    column: UnsafePointer<Scalar>? = nil, columns: Int, streams: Bool = false
  ) {
    self.value = value
    self.gradient = gradient
    self.gradientStride = gradientStride
    self.streams = streams
    self.slots = slots
    self.row = row
    self.column = column
    self.columns = columns
  }
}

extension UpdateOperands {
  /// Whether element `i` of everything that is written is aligned for streaming stores.
  @inlinable @inline(__always)
  func isAligned(_ i: Int) -> Bool {
    slots.reduce(value.isAligned(i)) { $0 && $1.isAligned(i) }
  }
}
