public import FisherLinearAlgebra

/// The method inside of a part, in one step.
public struct WrappedMethod<Scalar: KernelScalar> {
  /// Its learning rate, which ``Step/schedule`` multiplies.
  public let lr: Double
  private let slotPrefix: String
  private let body: (inout Step<Scalar>) throws(StepRefusal) -> Void

  /// - Parameters:
  ///   - optimizer: the method.
  ///   - slotPrefix: in front of the names of its slots.
  package init(_ optimizer: some Optimizer, lr: Double, slotPrefix: String) {
    self.lr = lr
    self.slotPrefix = slotPrefix
    body = { step throws(StepRefusal) in try optimizer.planSpecialized(&step) }
  }

  /// Lets the method stage its changes, which happen unless the part proposes others.
  ///
  /// - Throws: ``StepRefusal`` of the method.
  public func plan(_ step: inout Step<Scalar>) throws(StepRefusal) {
    let own = step.slotPrefix
    step.slotPrefix = slotPrefix
    try body(&step)
    step.slotPrefix = own
  }

  /// Where the method would bring the weights: its updates are run beside the old values and are no longer staged, its
  /// state is. The part then stages updates of its own, with the proposal in the place of the gradient.
  ///
  /// - Returns: shaped as θ, for each of ``Step/parameters``.
  /// - Throws: ``StepRefusal`` of the method, or if something that it proposes is not finite.
  public func propose(_ step: inout Step<Scalar>) throws(StepRefusal) -> [Matrix<Scalar>] {
    try plan(&step)
    return try step.resolve("proposal of " + slotPrefix)
  }
}

extension Step {
  /// Shows another gradient to the method that plans next: of a part that wraps it.
  ///
  /// - Parameters:
  ///   - gradient: shaped as θ, and finite.
  ///   - parameter: whose gradient it is.
  public mutating func show(_ gradient: Matrix<Scalar>, for parameter: ParameterInfo) {
    gradients[parameter.name] = gradient
  }

  /// Multiplies the schedule that the method sees which plans next.
  public mutating func scaleSchedule(by factor: Double) { schedule *= factor }

  /// Stages an update of every parameter by a rule that sees, in the place of the gradient, where the method would bring it.
  ///
  /// - Parameters:
  ///   - rule: what becomes of the proposal.
  ///   - method: what proposes, ``WrappedMethod/propose(_:)``.
  /// - Throws: ``StepRefusal`` of the method.
  @inlinable @inline(__always)
  public mutating func apply<Rule: UpdateRule<Scalar>>(
    _ rule: Rule, toProposalOf method: WrappedMethod<Scalar>
  ) throws(StepRefusal) {
    let proposed = try method.propose(&self)
    for (parameter, θ) in zip(parameters, proposed) { apply(rule, to: parameter, gradient: θ) }
  }

  /// Runs all staged updates: their slots become staged state.
  ///
  /// - Parameter name: of the memory for new values.
  /// - Returns: the new values, or the old ones, of all parameters.
  mutating func resolve(_ name: String) throws(StepRefusal) -> [Matrix<Scalar>] {
    var passes: [Outcome<Scalar>.Pass] = []
    for update in staged.updates {
      let (θ, parameter) = (value(update.parameter), update.parameter)
      var pass = Outcome<Scalar>.Pass(
        update, 0, θ, into: spares.take(key(name, of: parameter.name), rows: θ.rows, columns: θ.columns))
      for slot in update.slots {
        let former = slot.flatMap { staged.tensors[$0] ?? state.tensors[$0] }
        if let slot, let former, former.rows != pass.rows || former.columns != pass.columns {
          throw Outcome<Scalar>.Problem.shape(slot, parameter, rows: former.rows, columns: former.columns)
            .refusal { _ in owner }
        }
        pass.add(slot, former) { spares.take($0, rows: θ.rows, columns: θ.columns) }
      }
      passes.append(pass)
    }
    staged.updates = []
    let isFinite = Outcome<Scalar>.Pass.run(&passes, threads: threads)
    var proposed: [String: Matrix<Scalar>] = [:]
    for pass in passes {
      spares.keep(pass.value, key(name, of: pass.parameter.name))
      proposed[pass.parameter.name] = pass.value
      for (slot, tensor) in pass.slots { staged.tensors[slot] = tensor }
    }
    if let bad = isFinite.firstIndex(of: false) {
      throw Outcome<Scalar>.problem(in: passes[bad]).refusal { _ in owner }
    }
    return parameters.map { proposed[$0.name] ?? value($0) }
  }
}
