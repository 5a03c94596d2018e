public import FisherCurvature
import FisherRuntime

/// A symmetry that an optimizer promises; the tests verify it as an equation.
public enum Invariance: String, Sendable, CaseIterable {
  /// Multiplying the loss by a constant changes no update, up to ε.
  case lossScale = "scale of the loss"
  /// Permuting the elements of a parameter permutes its update.
  case elementPermutation = "permutation of elements"
  /// Permuting a layer's inputs and outputs permutes its update.
  case unitPermutation = "permutation of units"
  /// Changing the sign of a parameter and its gradient changes the sign of the update.
  case sign = "sign of the parameters"
  /// Rotating a layer's inputs and outputs rotates its update: an orthogonal reparametrisation.
  case rotation = "rotation of units"
}

/// An exact statement about a method with certain hyper-parameters; the tests verify it as an equation.
public enum Promise: String, Sendable, CaseIterable {
  /// With large damping the step has the direction of the gradient.
  case gradientInTheLimit = "large damping gives the gradient's direction"
  /// With one sample and one output the step has the direction of its gradient.
  case gradientOfOneSample = "one sample gives the gradient's direction"
  /// One step solves linear least squares with one output and at most as many samples as parameters.
  case solvesLeastSquares = "one step solves linear least squares"
  /// Where every parameter belongs to a sample of its own, each steps as if it were alone.
  case separatesDiagonalProblems = "diagonal problems fall apart"
  /// What a step does to the outputs of a linear layer does not change with an invertible map of its inputs.
  case affineInvariance = "affine maps of the inputs leave the step of the outputs"
  /// On a quadratic it is gradient descent or, with the factor of ``ConstantResponse/geometric(_:)``, the heavy ball.
  case heavyBall = "on quadratics it is the heavy ball"
  /// It moves each element by α along the sign of its gradient.
  case signDescent = "on quadratics it is descent along signs"
}

/// The facts about an optimizer: documentation, command line, tests and verification are driven by them.
public struct OptimizerRecord: Sendable {
  /// The name on the command line, lower case: `adamw`.
  public let name: String
  /// The name in prose: `AdamW`.
  public let title: String
  /// What it does, in one sentence.
  public let summary: String
  /// Authors, title, year.
  public let paper: String
  /// Everything that a step may need; a single step may need less.
  public let needs: Needs
  public let hyperparameters: [Hyperparameter]
  public package(set) var invariances: [Invariance]
  /// What holds exactly, and the hyper-parameters with which it does.
  public package(set) var promises: [Promise: [String: SettingValue]]
  /// Floating-point operations and elements of a step, with the hyper-parameters of the first probe.
  public package(set) var cost: Cost
  /// The state, as a formula.
  public let stateSize: String
  /// The roles that the method treats; parameters of other roles go to the fallback.
  public let roles: Set<ParameterRole>
  /// The optimizer for parameters that the method does not treat.
  public let fallback: String
  /// Hyper-parameters with which the method is compared with its reference: they reach every term of the update, and do
  /// not amplify rounding. Without any, the defaults and every flag and choice are tried.
  public let probes: [[String: SettingValue]]
  /// The slots of state that are computed from other state now and then: inverses, roots, bases.
  public let derivedSlots: [String]
  /// Those slots of which one rank computes each tensor and gives it to the others: ``Step/fill(_:costs:_:)``.
  public let sharedSlots: [String]
  /// What lies in a basis of eigenvectors; nil if nothing does.
  public let eigenbasis: Eigenbasis?
  /// The slot that holds the weights to be tested and exported, where those are others than the ones that are trained; nil
  /// otherwise.
  public let testedSlot: String?
  /// The bound on the gradients that the defaults are made for; a run keeps it unless it sets another. A method whose step
  /// grows with the gradient has one: its learning rate means something only for gradients of some size.
  public let clipping: Clipping
  /// The update depends on the step's number, through a correction of running averages for instance.
  public let dependsOnStepNumber: Bool
  /// What `weightDecay` does; nil if there is none, or nothing so simple can be said.
  public let weightDecay: WeightDecay?
  /// The hyper-parameter that ``weightDecay`` speaks of.
  public package(set) var decaySetting = "weightDecay"
  /// Hyper-parameters of a method that a part around it has replaced, at rest: the facts speak of the others.
  package var replaced: [String: SettingValue] = [:]
  /// What steps under a gradient that stays do, with the hyper-parameters of the first probe; nil if nothing so simple can
  /// be said.
  public let constantResponse: ConstantResponse?
  /// Parameters have nothing to do with one another: two groups with equal settings are one.
  public package(set) var treatsParametersApart: Bool
  /// p, if a step from gradients c·g is cᵖ times that from g, with γ = 0 and up to an ε: 1 for gradient descent, 0 for
  /// methods that divide by the size of the gradient. Then α·c^(−p) takes the same steps for the loss c·ℓ, and
  /// α·c^(1 + p) c times the steps for weights c·θ. Nil if nothing so simple can be said.
  public package(set) var degree: Int?
  /// What is done to a parameter depends on its place among the others: the last dense layer is a head, say.
  public let dependsOnOrder: Bool

  public init(
    name: String, title: String, summary: String, paper: String, needs: Needs = .gradients,
    hyperparameters: [Hyperparameter], invariances: [Invariance], cost: Cost, stateSize: String,
    roles: Set<ParameterRole> = Set(ParameterRole.allCases), fallback: String = "adamw",
    probes: [[String: SettingValue]] = [], promises: [Promise: [String: SettingValue]] = [:],
    derivedSlots: [String] = [], sharedSlots: [String] = [], eigenbasis: Eigenbasis? = nil,
    testedSlot: String? = nil,
    clipping: Clipping = .none,
    dependsOnStepNumber: Bool = false, weightDecay: WeightDecay? = nil,
    constantResponse: ConstantResponse? = nil, treatsParametersApart: Bool = false, degree: Int? = nil,
    dependsOnOrder: Bool = false
  ) {
    self.name = name
    self.title = title
    self.summary = summary
    self.paper = paper
    self.needs = needs
    self.hyperparameters = hyperparameters
    self.invariances = invariances
    self.promises = promises
    self.derivedSlots = derivedSlots
    self.sharedSlots = sharedSlots
    self.eigenbasis = eigenbasis
    self.testedSlot = testedSlot
    self.cost = cost
    self.stateSize = stateSize
    self.roles = roles
    self.fallback = fallback
    self.probes = probes
    self.clipping = clipping
    self.dependsOnStepNumber = dependsOnStepNumber
    self.weightDecay = weightDecay
    self.constantResponse = constantResponse
    self.treatsParametersApart = treatsParametersApart
    self.degree = degree
    self.dependsOnOrder = dependsOnOrder
  }

  /// The hyper-parameter of this name.
  ///
  /// - Throws: ``SettingsError`` with the nearest names if there is none.
  func hyperparameter(_ name: String) throws(SettingsError) -> Hyperparameter {
    if let found = hyperparameters.first(where: { $0.name == name }) { return found }
    let known = hyperparameters.map(\.name)
    throw SettingsError(
      description:
        "\(self.name) has no hyper-parameter \(quoted(name))\(Spelling.hint(for: name, among: known))")
  }
}
