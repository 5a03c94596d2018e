public import FisherLinearAlgebra
import FisherRuntime

/// A step as an optimizer sees it: gradients, values and state to read, and a list of changes that it fills.
///
/// Nothing changes while the optimizer plans. When it returns, the updates are computed in one pass beside the old values
/// and state, and take their place if all is finite; when it throws, or something is not, nothing has happened.
public struct Step<Scalar: KernelScalar> {
  /// t: 1 in the first step.
  public let number: Int
  /// What the schedule multiplies the learning rate with in this step.
  public internal(set) var schedule: Double
  /// The parameters that this optimizer updates.
  public let parameters: [ParameterInfo]
  /// The batch, which can be asked again.
  public let objective: any Objective<Scalar>
  /// For everything that the optimizer computes itself.
  public let backend: any Backend
  public let threads: Int
  /// The owner of state that belongs to no parameter and no layer.
  public let owner: String

  let values: [String: Matrix<Scalar>]
  var gradients: [String: Matrix<Scalar>]
  let state: OptimizerState<Scalar>
  let gradientCheck: GradientCheck<Scalar>
  let audit: StepAudit?
  var staged = StagedChanges<Scalar>()
  var spares = SpareMatrices<SlotKey, Scalar>()
  /// In front of the names of slots: those of a part that wraps a method are others than the method's.
  var slotPrefix = ""
  /// Methods and parts plan by the text for the element type. Verification shows what they would cost without.
  package var isSpecialized = true

  /// The address of a slot of this optimizer.
  func key(_ slot: String, of owner: String?) -> SlotKey {
    SlotKey(owner ?? self.owner, slotPrefix + slot)
  }

  /// θ: a matrix of `rows` × `columns` of its description.
  public func value(_ parameter: ParameterInfo) -> Matrix<Scalar> {
    guard let value = values[parameter.name] else { unknown(parameter) }
    return value
  }

  /// g, the gradient of the mean loss, clipped if the run clips; shaped as θ. It is finite: of one that is not zeros are
  /// shown, and the step is refused.
  public func gradient(_ parameter: ParameterInfo) -> Matrix<Scalar> {
    gradientCheck.checked(unchecked(parameter), of: parameter)
  }

  private func unchecked(_ parameter: ParameterInfo) -> Matrix<Scalar> {
    guard let gradient = gradients[parameter.name] else { unknown(parameter) }
    return gradient
  }

  /// A state tensor; nil before it was first staged.
  public func tensor(_ slot: String, of owner: String? = nil) -> Matrix<Scalar>? {
    let tensor = state.tensors[key(slot, of: owner)]
    audit?.touched(tensor?.count ?? 0)
    return tensor
  }

  /// A state number; nil before it was first staged.
  public func scalar(_ slot: String, of owner: String? = nil) -> Double? {
    state.scalars[key(slot, of: owner)]
  }

  /// The state tensor as this step has staged it, else as it was.
  public func latest(_ slot: String, of owner: String? = nil) -> Matrix<Scalar>? {
    staged.tensors[key(slot, of: owner)] ?? tensor(slot, of: owner)
  }

  /// The same, where an optimizer cannot go on without it.
  ///
  /// - Parameters:
  ///   - slot: the name of the tensor.
  ///   - owner: whose state it is.
  ///   - rows: that it must have.
  ///   - columns: that it must have.
  ///   - optimizer: the optimizer's name, for the refusal.
  /// - Throws: ``StepRefusal`` if it is missing or of another shape, as after a resume from the state of another run.
  public func latest(
    _ slot: String, of owner: String, rows: Int, columns: Int, for optimizer: String
  ) throws(StepRefusal) -> Matrix<Scalar> {
    guard let tensor = latest(slot, of: owner) else {
      throw .failed(optimizer: optimizer, place: owner, reason: "its state has no \(slot)")
    }
    if tensor.rows == rows && tensor.columns == columns { return tensor }
    throw .failed(
      optimizer: optimizer, place: owner,
      reason: "\(slot) of its state is \(tensor.rows)×\(tensor.columns) instead of \(rows)×\(columns)")
  }

  /// Stages a new value of a state tensor, of any shape.
  public mutating func set(_ slot: String, of owner: String? = nil, to tensor: Matrix<Scalar>) {
    audit?.touched(tensor.count)
    let key = key(slot, of: owner)
    staged.tensors[key] = tensor
    staged.finite.remove(key)
  }

  /// Undefined elements for a new state tensor of this name: memory that an earlier step has left, so that large ones are
  /// not taken anew in every step.
  public mutating func memory(
    for slot: String, of owner: String? = nil, rows: Int, columns: Int
  ) -> Matrix<Scalar> {
    spares.take(key(slot, of: owner), rows: rows, columns: columns)
  }

  /// Stages a new value of a state tensor that `write` fills, in memory that an earlier step has left.
  ///
  /// - Parameters:
  ///   - slot: the name of the tensor.
  ///   - owner: whose state it is.
  ///   - rows: of the tensor.
  ///   - columns: of the tensor.
  ///   - write: writes all elements, which are undefined before.
  /// - Returns: the new value.
  @discardableResult
  public mutating func set(
    _ slot: String, of owner: String? = nil, rows: Int, columns: Int, _ write: (inout Matrix<Scalar>) -> Void
  ) -> Matrix<Scalar> {
    var tensor = memory(for: slot, of: owner, rows: rows, columns: columns)
    write(&tensor)
    set(slot, of: owner, to: tensor)
    return tensor
  }

  /// A matrix that `write` fills, for use within this step: a direction, say. Its memory comes from others of this step and of
  /// earlier ones that nobody holds any more.
  ///
  /// - Parameters:
  ///   - rows: of the matrix.
  ///   - columns: of the matrix.
  ///   - write: writes all elements, which are undefined before.
  public mutating func temporary(
    rows: Int, columns: Int, _ write: (inout Matrix<Scalar>) -> Void
  ) -> Matrix<Scalar> {
    var matrix = spares.takeIntermediate(rows: rows, columns: columns)
    write(&matrix)
    spares.keepIntermediate(matrix)
    return matrix
  }

  /// Keeps what ``memory(for:of:rows:columns:)`` gave for later steps, if it does not become state.
  package mutating func keep(_ matrix: Matrix<Scalar>, for slot: String, of owner: String) {
    spares.keep(matrix, key(slot, of: owner))
  }

  /// Stages a change of a state tensor that is made in place when the step is carried out: for large tensors that this
  /// step does not read. ``latest(_:of:)`` does not show it.
  ///
  /// - Precondition: the tensor is part of the state, and nothing else is staged for it. The change leaves it finite, for
  ///   by then the step can no longer be refused.
  public mutating func change(
    _ slot: String, of owner: String? = nil, _ change: @escaping (inout Matrix<Scalar>) -> Void
  ) {
    let key = key(slot, of: owner)
    require(
      state.tensors[key] != nil && staged.tensors[key] == nil && staged.changes[key] == nil,
      "Step: \(key) is changed in place, but it is new or staged already")
    staged.changes[key] = change
  }

  /// Stages a new value of a state number.
  public mutating func set(_ slot: String, of owner: String? = nil, to value: Double) {
    staged.scalars[key(slot, of: owner)] = value
  }

  /// Counts something that the numerics decided: `damping raised`.
  public mutating func count(_ event: String, _ times: Int = 1) { staged.events[event, default: 0] += times }

  /// Stages the update of a parameter by an elementwise rule.
  ///
  /// - Parameters:
  ///   - rule: what is done with each element.
  ///   - parameter: what is updated.
  ///   - gradient: what the rule sees as the gradient, instead of g; shaped as θ. Rows may have gaps between them.
  ///   - row: a factor for each row of θ, ``Element/row``; as many elements as θ has rows.
  ///   - column: a factor for each column of θ, ``Element/column``; as many elements as θ has columns.
  @inlinable @inline(__always)
  public mutating func apply<Rule: UpdateRule<Scalar>>(
    _ rule: Rule, to parameter: ParameterInfo, gradient: Matrix<Scalar>? = nil, row: Matrix<Scalar>? = nil,
    column: Matrix<Scalar>? = nil
  ) {
    stage(parameter, rule.slots, gradient, row, column) { operands, range in rule.run(operands, range) }
  }

  @usableFromInline
  mutating func stage(
    _ parameter: ParameterInfo, _ slots: [String?], _ gradient: Matrix<Scalar>?, _ row: Matrix<Scalar>?,
    _ column: Matrix<Scalar>?, _ run: @escaping (UpdateOperands<Scalar>, Range<Int>) -> Bool
  ) {
    if gradient == nil { gradientCheck.isUpdated(parameter) }
    let gradient = gradient ?? unchecked(parameter)
    require(
      gradient.rows == parameter.rows && gradient.columns == parameter.columns,
      "Step: a direction of \(gradient.rows)×\(gradient.columns) for \(parameter.summary)")
    require(
      row.map { $0.count == parameter.rows } ?? true,
      "Step: \(row?.count ?? 0) row factors for \(parameter.summary)")
    require(
      column.map { $0.count == parameter.columns } ?? true,
      "Step: \(column?.count ?? 0) column factors for \(parameter.summary)")
    // θ is read and written, and so is what stands in slots; the direction is read.
    audit?.touched((3 + 2 * slots.count { $0 != nil }) * parameter.count)
    staged.updates.append(
      StagedUpdate(
        parameter: parameter, slots: slots.map { slot in slot.map { key($0, of: parameter.name) } },
        gradient: gradient.columnStride == 1 ? gradient : gradient.compacted(), row: row?.compacted(),
        column: column?.compacted(), run: run))
  }

  /// Stages a new value of a parameter, computed beside the old one.
  ///
  /// - Parameters:
  ///   - parameter: θ.
  ///   - value: shaped as θ.
  public mutating func replace(_ parameter: ParameterInfo, by value: Matrix<Scalar>) {
    apply(Replacement<Scalar>(), to: parameter, gradient: value)
  }

  /// The update staged last may fail for a reason of its own.
  ///
  /// - Parameter reason: why its run was not finite; nil if it just was not.
  mutating func complain(_ reason: @escaping () -> String?) {
    staged.updates[staged.updates.count - 1].reason = reason
  }

  private func unknown(_ parameter: ParameterInfo) -> Never {
    fatalError("Step: \(parameter.name) does not belong to this optimizer")
  }
}

/// θ ← what stands in the place of the gradient.
private struct Replacement<S: KernelScalar>: UpdateRule {
  @inline(__always)
  func update(_ x: inout Element<S>, _: inout NoState) { x.value = x.gradient }
}

/// The update of one parameter, ready to run.
struct StagedUpdate<Scalar: KernelScalar> {
  let parameter: ParameterInfo
  let slots: [SlotKey?]
  let gradient: Matrix<Scalar>
  let row: Matrix<Scalar>?
  let column: Matrix<Scalar>?
  /// Whether all that was written is finite.
  let run: (UpdateOperands<Scalar>, Range<Int>) -> Bool
  /// Why ``run`` has failed, if not by a number.
  var reason: () -> String? = { nil }
}

/// All that the optimizers of a step want changed.
struct StagedChanges<Scalar: KernelScalar> {
  var updates: [StagedUpdate<Scalar>] = []
  var tensors: [SlotKey: Matrix<Scalar>] = [:]
  /// Those of them that are finite if the state before was.
  var finite: Set<SlotKey> = []
  /// What is done to tensors in place.
  var changes: [SlotKey: (inout Matrix<Scalar>) -> Void] = [:]
  var scalars: [SlotKey: Double] = [:]
  var events: [String: Int] = [:]
}
