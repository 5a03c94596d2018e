public import FisherLinearAlgebra

/// A method that updates parameters: a value of hyper-parameters, without memory of its own.
///
/// Its hyper-parameters are properties, declared with ``Setting``. What it remembers between steps lies in named slots of
/// the ``OptimizerState`` that a run owns. In a step it reads gradients, values, captures and state, and stages what
/// shall change.
public protocol Optimizer: Sendable {
  /// The facts about the method.
  static var record: OptimizerRecord { get }

  /// With the defaults of all hyper-parameters.
  init()

  /// The hyper-parameters by name; those declared as ``Setting``, unless the method says otherwise.
  var settings: Settings { get }
  /// - Parameter settings: made from ``record``.
  init(settings: Settings)

  /// What step `number` (1 in the first) needs: asked before the forward pass.
  func needs(step number: Int) -> Needs

  /// Stages the changes of one step.
  ///
  /// - Throws: ``StepRefusal``; then nothing of what was staged happens.
  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal)

  /// ``plan(_:)`` for `Float`. Leave it to the default: it is compiled where the method is, so that the method's text is
  /// made into one for the element type there.
  func planFloat(_ step: inout Step<Float>) throws(StepRefusal)
  /// ``plan(_:)`` for `Double`, as ``planFloat(_:)``.
  func planDouble(_ step: inout Step<Double>) throws(StepRefusal)

  /// The same method by plain loops in double precision, from the definition: the oracle of the tests.
  func reference() -> any ReferenceOptimizer
}

extension Optimizer {
  /// With the defaults of the record, replaced by the given hyper-parameters.
  ///
  /// - Throws: ``SettingsError``.
  public init(_ values: [String: SettingValue]) throws(SettingsError) {
    self.init(settings: try Settings(Self.record, values))
  }

  public var settings: Settings { Settings(of: self) }

  public init(settings: Settings) {
    self.init()
    for (name, setting) in declaredSettings(of: self) {
      if let value = settings.given[name] { setting.initialize(to: value) }
    }
  }

  /// The hyper-parameters that the method declares, with their defaults: for its record.
  public static var hyperparameters: [Hyperparameter] {
    declaredSettings(of: Self()).map { $0.setting.hyperparameter($0.name) }
  }

  public func needs(step number: Int) -> Needs { Self.record.needs }

  @inlinable @inline(__always)
  public func planFloat(_ step: inout Step<Float>) throws(StepRefusal) { try plan(&step) }

  @inlinable @inline(__always)
  public func planDouble(_ step: inout Step<Double>) throws(StepRefusal) { try plan(&step) }

  /// Plans a step by the text for its element type, if there is one.
  func planSpecialized<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    if S.self == Float.self && step.isSpecialized {
      try step.recast(to: Float.self) { step throws(StepRefusal) in try planFloat(&step) }
    } else if S.self == Double.self && step.isSpecialized {
      try step.recast(to: Double.self) { step throws(StepRefusal) in try planDouble(&step) }
    } else {
      try plan(&step)
    }
  }
}

extension Step {
  /// Lends the step under the name of its own type where that is known to be `Step<T>`.
  mutating func recast<T>(
    to _: T.Type, _ body: (inout Step<T>) throws(StepRefusal) -> Void
  ) throws(StepRefusal) {
    try withUnsafeMutablePointer(to: &self) { step throws(StepRefusal) in
      try body(&UnsafeMutableRawPointer(step).assumingMemoryBound(to: Step<T>.self).pointee)
    }
  }
}
