public import FisherLinearAlgebra

/// A method that updates parameters: a value of hyper-parameters, without memory of its own.
///
/// What it remembers between steps lies in named slots of the ``OptimizerState`` that a run owns. In a step it reads
/// gradients, values, captures and state, and stages what shall change.
public protocol Optimizer: Sendable {
  /// The facts about the method.
  static var record: OptimizerRecord { get }
  var settings: Settings { get }
  /// - Parameter settings: made from ``record``.
  init(settings: Settings)

  /// What step `number` (1 in the first) needs: asked before the forward pass.
  func needs(step number: Int) -> Needs

  /// Stages the changes of one step.
  ///
  /// - Throws: ``StepRefusal``; then nothing of what was staged happens.
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal)

  /// The same method by plain loops in double precision, from the definition: the oracle of the tests.
  func reference() -> any ReferenceOptimizer
}

extension Optimizer {
  /// With the defaults of the record, replaced by the given hyper-parameters.
  ///
  /// - Throws: ``SettingsError``.
  public init(_ values: [String: SettingValue] = [:]) throws(SettingsError) {
    self.init(settings: try Settings(Self.record, values))
  }

  public func needs(step number: Int) -> Needs { Self.record.needs }
}
