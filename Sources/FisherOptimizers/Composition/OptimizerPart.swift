public import FisherLinearAlgebra

/// Something that goes around a method and makes another of it: clipping, momentum, an average, a trust ratio.
///
/// A part changes what the method sees, its gradients or its schedule, or what becomes of the weights that it proposes,
/// or both. Like an ``Optimizer`` it is a value of hyper-parameters without memory: what it remembers lies in slots of
/// its own. ``With`` is the method that comes out of both.
///
///     struct Decay: OptimizerPart {
///       @Setting("γ", .nonNegative, source: "ours") var rate = 0.01
///
///       func plan<S: KernelScalar>(
///         _ step: inout Step<S>, around method: WrappedMethod<S>
///       ) throws(StepRefusal) {
///         try step.apply(DecayRule(shrink: S(method.lr * step.schedule * rate)), toProposalOf: method)
///       }
///     }
public protocol OptimizerPart: Sendable {
  /// The facts about the part.
  static var record: PartRecord { get }
  /// The hyper-parameters, with their defaults; those declared as ``Setting``, unless the part says otherwise.
  static var hyperparameters: [Hyperparameter] { get }

  /// With the defaults of all hyper-parameters.
  init()
  /// - Parameter given: values inside their ranges, by name.
  init(given: [String: SettingValue])
  /// The hyper-parameters that are not the defaults.
  var given: [String: SettingValue] { get }

  /// What the part itself needs in a step, beside the method: asked before the forward pass.
  func needs(step number: Int) -> Needs

  /// Stages the changes of one step: lets the method plan its own, and replaces or completes them.
  ///
  /// - Throws: ``StepRefusal``; then nothing of what was staged happens.
  func plan<S: KernelScalar>(_ step: inout Step<S>, around method: WrappedMethod<S>) throws(StepRefusal)
  /// ``plan(_:around:)`` for `Float`. Leave it to the default, as ``Optimizer/planFloat(_:)``.
  func planFloat(_ step: inout Step<Float>, around method: WrappedMethod<Float>) throws(StepRefusal)
  /// ``plan(_:around:)`` for `Double`.
  func planDouble(_ step: inout Step<Double>, around method: WrappedMethod<Double>) throws(StepRefusal)

  /// The same part by plain loops in double precision, around the method's own naive form.
  ///
  /// - Parameters:
  ///   - method: the naive form of the method.
  ///   - lr: the method's learning rate.
  func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer

  /// Why the part cannot go around a method with these facts, beside what ``PartRecord`` says; nil if it can.
  static func obstacle(to method: OptimizerRecord) -> String?
  /// The part with another optimizer in it, for parts that take one: `graft(adam)`; nil for others.
  static func taking(_ optimizer: any Optimizer.Type) -> (any OptimizerPart.Type)?
}

extension OptimizerPart {
  public static var hyperparameters: [Hyperparameter] {
    declaredSettings(of: Self()).map { $0.setting.hyperparameter($0.name) }
  }

  public init(given: [String: SettingValue]) {
    self.init()
    for (name, setting) in declaredSettings(of: self) {
      if let value = given[name] { setting.initialize(to: value) }
    }
  }

  public var given: [String: SettingValue] {
    declaredSettings(of: self).reduce(into: [:]) { given, declared in
      if declared.setting.isGiven { given[declared.name] = declared.setting.value }
    }
  }

  public func needs(step number: Int) -> Needs { Self.record.needs }
  public static func obstacle(to method: OptimizerRecord) -> String? { nil }
  public static func taking(_ optimizer: any Optimizer.Type) -> (any OptimizerPart.Type)? { nil }

  @inlinable @inline(__always)
  public func planFloat(
    _ step: inout Step<Float>, around method: WrappedMethod<Float>
  ) throws(StepRefusal) { try plan(&step, around: method) }

  @inlinable @inline(__always)
  public func planDouble(
    _ step: inout Step<Double>, around method: WrappedMethod<Double>
  ) throws(StepRefusal) { try plan(&step, around: method) }
}
