public import FisherLinearAlgebra
import FisherRuntime

/// A method with a part around it, which is a method again: `adam + caution`.
///
/// Its hyper-parameters are those of the method and, with the part's name before them, those of the part:
/// `trust-ratio.min`. So are its slots of state.
public struct With<Part: OptimizerPart, Method: Optimizer>: Optimizer {
  public static var record: OptimizerRecord { Part.record(around: Method.record) }

  public let part: Part
  public let method: Method
  /// The method's learning rate.
  private let lr: Double

  /// - Precondition: the part can go around the method.
  public init(_ part: Part, around method: Method) {
    if let reason = Part.reason(against: Method.record) {
      fatalError("With: \(Part.record.name) around \(Method.record.name): \(reason)")
    }
    self.part = part
    self.method = method
    if case .number(let lr)? = method.settings.values["lr"] { self.lr = lr } else { lr = 1 }
  }

  public init() { self.init(Part(), around: Method()) }

  public init(settings: Settings) {
    let prefix = Part.record.prefix + "."
    var (own, others) = ([String: SettingValue](), [String: SettingValue]())
    for (name, value) in settings.given {
      if name.hasPrefix(prefix) {
        own[String(name.dropFirst(prefix.count))] = value
      } else {
        others[name] = value
      }
    }
    self.init(
      Part(given: own), around: Method(settings: Self.settings(Method.record, others)))
  }

  public var settings: Settings {
    Self.settings(
      Self.record,
      part.given.reduce(into: method.settings.given) { $0[Part.record.named($1.key)] = $1.value })
  }

  /// Values that were admitted before.
  private static func settings(_ record: OptimizerRecord, _ given: [String: SettingValue]) -> Settings {
    do { return try Settings(record, given) } catch { fatalError("With: \(error)") }
  }

  public func needs(step number: Int) -> Needs {
    method.needs(step: number).union(part.needs(step: number))
  }

  public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let outer = step.slotPrefix
    let wrapped = WrappedMethod<S>(method, lr: lr, slotPrefix: outer)
    step.slotPrefix = outer + Part.record.prefix + "."
    try part.planSpecialized(&step, around: wrapped)
    step.slotPrefix = outer
  }

  public func reference() -> any ReferenceOptimizer { part.reference(around: method.reference(), lr: lr) }
}

extension OptimizerPart {
  /// Plans a step by the text for its element type, if there is one.
  fileprivate func planSpecialized<S: KernelScalar>(
    _ step: inout Step<S>, around method: WrappedMethod<S>
  ) throws(StepRefusal) {
    if step.isSpecialized, let method = method as? WrappedMethod<Float> {
      try step.recast(to: Float.self) { step throws(StepRefusal) in try planFloat(&step, around: method) }
    } else if step.isSpecialized, let method = method as? WrappedMethod<Double> {
      try step.recast(to: Double.self) { step throws(StepRefusal) in try planDouble(&step, around: method) }
    } else {
      try plan(&step, around: method)
    }
  }

  /// The type of an optimizer with the part around it.
  ///
  /// - Throws: ``RegistryError`` if the part cannot go around it.
  public static func around(_ method: any Optimizer.Type) throws(RegistryError) -> any Optimizer.Type {
    if let reason = reason(against: method.record) {
      throw RegistryError(description: "'\(method.record.name) + \(record.name)': \(reason)")
    }
    func with<Method: Optimizer>(_: Method.Type) -> any Optimizer.Type { With<Self, Method>.self }
    return with(method)
  }
}
