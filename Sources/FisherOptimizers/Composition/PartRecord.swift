/// The facts about a part: from them and those of a method follow the facts of both together.
public struct PartRecord: Sendable {
  /// What a part does to a method.
  public enum Place: Sendable {
    /// It changes what the method sees.
    case before
    /// It changes what becomes of the weights that the method proposes.
    case after
    /// It looks on: the weights that are trained are the method's.
    case beside
  }

  /// What becomes of the method's ``OptimizerRecord/constantResponse``.
  public enum Response: Sendable {
    case kept, lost
    /// Steps that were equal are summed up, with the factor of this hyper-parameter of the part.
    case summed(String)
  }

  /// Which facts of a method stay true.
  public struct Kept: Sendable {
    public var invariances: Set<Invariance>
    /// The forms of weight decay that stay what they are.
    public var decay: Set<WeightDecay>
    public var response: Response
    /// ``OptimizerRecord/degree``.
    public var degree: Bool
    /// ``OptimizerRecord/treatsParametersApart``.
    public var groups: Bool

    /// All of them, but for those that are said.
    public init(
      invariances: Set<Invariance> = Set(Invariance.allCases),
      decay: Set<WeightDecay> = Set(WeightDecay.allCases), response: Response = .kept, degree: Bool = true,
      groups: Bool = true
    ) {
      self.invariances = invariances
      self.decay = decay
      self.response = response
      self.degree = degree
      self.groups = groups
    }
  }

  /// The name on the command line, lower case: `trust-ratio`; with an optimizer in it `graft(adam)`.
  public let name: String
  /// In front of the hyper-parameters' names and of those of slots, with a dot between: `trust-ratio.min`.
  public let prefix: String
  /// The name in prose.
  public let title: String
  /// What it does, in one sentence.
  public let summary: String
  /// Authors, title, year.
  public let paper: String
  public let place: Place
  /// What the part itself needs in each step.
  public let needs: Needs
  /// What the method must see for the part to have an effect.
  public let concerns: Needs
  /// What the part adds to the method's cost.
  public let cost: Cost
  /// What the part adds to the method's state; `nothing` for nothing.
  public let stateSize: String
  /// Hyper-parameters that reach every term, as ``OptimizerRecord/probes``; the checks beside the comparison with the
  /// reference take the first.
  public let probes: [[String: SettingValue]]
  /// Which facts of the method stay true.
  public let keeps: Kept
  /// The slot of weights that are to be tested, as ``OptimizerRecord/testedSlot``.
  public let testedSlot: String?
  /// What the part does depends on the step's number.
  public let dependsOnStepNumber: Bool
  /// The hyper-parameter γ with which the part decays weights beside the step: θ ← (1 − α·γ)·θ − u.
  public let decaySetting: String?

  public init(
    name: String, prefix: String? = nil, title: String, summary: String, paper: String, place: Place,
    needs: Needs = [], concerns: Needs = [], cost: Cost, stateSize: String = "nothing",
    probes: [[String: SettingValue]] = [[:]], keeps: Kept = Kept(), testedSlot: String? = nil,
    dependsOnStepNumber: Bool = false, decaySetting: String? = nil
  ) {
    self.name = name
    self.prefix = prefix ?? name
    self.title = title
    self.summary = summary
    self.paper = paper
    self.place = place
    self.needs = needs
    self.concerns = concerns
    self.cost = cost
    self.stateSize = stateSize
    self.probes = probes
    self.keeps = keeps
    self.testedSlot = testedSlot
    self.dependsOnStepNumber = dependsOnStepNumber
    self.decaySetting = decaySetting
  }

  /// The name that a hyper-parameter or a slot of the part has in a composition.
  func named(_ name: String) -> String { prefix + "." + name }
}
