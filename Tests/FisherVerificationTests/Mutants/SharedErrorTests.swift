import FisherKit
import FisherLinearAlgebra
import FisherVerification
import Testing

/// An author who has misunderstood the paper writes an error into the method, and perhaps the same into its reference.
@Suite struct SharedErrorTests {
  @Test func theRightFormPasses() {
    for finding in Battery.verify(Subject(Adan2<None, None>.self)) {
      #expect(finding.passed, "\(finding.check): \(finding.detail)")
    }
  }

  @Test(
    arguments: [
      (Adan2<NoCorrection, NoCorrection>.self, "constant-gradients"),
      (Adan2<TwoMomenta, TwoMomenta>.self, "constant-gradients"),
      (Adan2<GrowingWeights, GrowingWeights>.self, "decay-as-declared"),
      (Adan2<DoubleDecay, DoubleDecay>.self, "decay-as-declared"),
      (Adan2<CoupledDecayInstead, CoupledDecayInstead>.self, "decay-as-declared"),
    ] as [(any Optimizer.Type, String)])
  func errorsInBothAreSeen(type: any Optimizer.Type, check: String) {
    let failed = Battery.verify(Subject(type)).filter { !$0.passed }.map(\.check)
    #expect(failed.contains(check) && BatteryTests.references.isDisjoint(with: failed), "\(type): \(failed)")
  }
}

extension SharedErrorTests {
  /// With an honest reference the comparison sees them as well, and so do the checks that need none.
  @Test(
    arguments: [
      (Adan2<NoCorrection, None>.self, "constant-gradients"),
      (Adan2<TwoMomenta, None>.self, "constant-gradients"),
      (Adan2<GrowingWeights, None>.self, "decay-as-declared"),
      (Adan2<DoubleDecay, None>.self, "decay-as-declared"),
      (Adan2<CoupledDecayInstead, None>.self, "decay-as-declared"),
    ] as [(any Optimizer.Type, String)])
  func errorsBesideAnHonestReferenceAreSeen(type: any Optimizer.Type, check: String) {
    let failed = Set(Battery.verify(Subject(type)).filter { !$0.passed }.map(\.check))
    #expect(failed.isSuperset(of: [check, "matches-reference"]), "\(type): \(failed)")
  }
}

/// A misunderstanding of Adan.
private protocol Misunderstanding: Sendable { static var error: AdanError? { get } }
private enum AdanError { case noCorrection, twoMomenta, growingWeights, doubleDecay, coupledDecay }
private enum None: Misunderstanding { static var error: AdanError? { nil } }
private enum NoCorrection: Misunderstanding { static var error: AdanError? { .noCorrection } }
private enum TwoMomenta: Misunderstanding { static var error: AdanError? { .twoMomenta } }
private enum GrowingWeights: Misunderstanding { static var error: AdanError? { .growingWeights } }
private enum DoubleDecay: Misunderstanding { static var error: AdanError? { .doubleDecay } }
private enum CoupledDecayInstead: Misunderstanding { static var error: AdanError? { .coupledDecay } }

/// Adan (Xie et al. 2022), right or wrong, with a reference that is right or wrong.
private struct Adan2<Form: Misunderstanding, Reference: Misunderstanding>: Optimizer {
  static var record: OptimizerRecord {
    OptimizerRecord(
      name: "adan2", title: "Adan", summary: "Adan once more.", paper: "Xie et al. 2022",
      hyperparameters: hyperparameters, invariances: [.elementPermutation, .sign],
      cost: Cost(flops: (Form.error == .twoMomenta ? 27 : 24) * .P, elements: 13 * .P),
      stateSize: "5·P", dependsOnStepNumber: true, weightDecay: .implicit, constantResponse: .equal)
  }

  @Setting("α", .positive, source: "paper") var lr = 1e-3
  @Setting("β₁", .halfOpen(0, 1), source: "paper") var beta1 = 0.98
  @Setting("β₂", .halfOpen(0, 1), source: "paper") var beta2 = 0.92
  @Setting("β₃", .halfOpen(0, 1), source: "paper") var beta3 = 0.99
  @Setting("ε", .nonNegative, source: "paper") var eps = 1e-8
  @Setting("γ", .nonNegative, source: "paper") var weightDecay = 0.02

  init() {}

  func factors(_ t: Int, _ α: Double, _ error: AdanError?) -> Factors<Double> {
    func corrected(_ β: Double) -> Double {
      error == .noCorrection ? 1 : 1 - β.raised(to: t)
    }
    let decay: Double
    switch error {
    case .growingWeights: decay = -weightDecay
    case .doubleDecay: decay = 2 * weightDecay
    case .coupledDecay: decay = 0
    default: decay = weightDecay
    }
    return Factors(
      αm: α / corrected(beta1), αv: α * beta2 / corrected(beta2), shrink: 1 / (1 + α * decay),
      correction: 1 / corrected(beta3).squareRoot(), β: [beta1, beta2, beta3], ε: eps, isFirst: t == 1,
      coupled: error == .coupledDecay ? weightDecay : 0, hasTwoMomenta: error == .twoMomenta)
  }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = Adan2Rule<S>(factors: Factors(factors(step.number, lr * step.schedule, Form.error)))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { NaiveAdan2 { factors($0, lr, Reference.error) } }
}

private struct Factors<S: KernelScalar> {
  var αm, αv, shrink, correction: S
  var β: [S]
  var ε: S
  var isFirst: Bool
  var coupled: S
  var hasTwoMomenta: Bool
}

extension Factors {
  init(_ f: Factors<Double>) {
    self.init(
      αm: S(f.αm), αv: S(f.αv), shrink: S(f.shrink), correction: S(f.correction), β: f.β.map { S($0) },
      ε: S(f.ε), isFirst: f.isFirst, coupled: S(f.coupled), hasTwoMomenta: f.hasTwoMomenta)
  }
}

private struct Adan2Rule<S: KernelScalar>: UpdateRule {
  struct State { var m, v, n, g, h: Lanes<S> }

  let factors: Factors<S>

  func update(_ x: inout Element<S>, _ state: inout State) {
    let f = factors
    var g = x.gradient + f.coupled * x.value
    if f.hasTwoMomenta { g = f.β[0] * state.h + (1 - f.β[0]) * g }
    state.h = g
    let d = f.isFirst ? .zero : g - state.g
    let ahead = g + f.β[1] * d
    state.m = f.β[0] * state.m + (1 - f.β[0]) * g
    state.v = f.β[1] * state.v + (1 - f.β[1]) * d
    state.n = f.β[2] * state.n + (1 - f.β[2]) * ahead * ahead
    state.g = g
    x.value =
      f.shrink
      * (x.value - (f.αm * state.m + f.αv * state.v) / (state.n.squareRoot() * f.correction + f.ε))
  }
}

/// The same, element by element.
private struct NaiveAdan2: ReferenceOptimizer {
  let factors: @Sendable (Int) -> Factors<Double>
  var t = 0
  var state: [[[Double]]] = []

  init(factors: @escaping @Sendable (Int) -> Factors<Double>) { self.factors = factors }

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    let f = factors(t)
    if state.isEmpty { state = step.values.map { $0.map { _ in [Double](repeating: 0, count: 5) } } }
    for p in step.values.indices {
      for i in step.values[p].indices {
        var s = state[p][i]
        var g = step.gradients[p][i] + f.coupled * step.values[p][i]
        if f.hasTwoMomenta { g = f.β[0] * s[4] + (1 - f.β[0]) * g }
        let d = t == 1 ? 0 : g - s[3]
        s[0] = f.β[0] * s[0] + (1 - f.β[0]) * g
        s[1] = f.β[1] * s[1] + (1 - f.β[1]) * d
        s[2] = f.β[2] * s[2] + (1 - f.β[2]) * (g + f.β[1] * d) * (g + f.β[1] * d)
        (s[3], s[4]) = (g, g)
        let direction = (f.αm * s[0] + f.αv * s[1]) / (s[2].squareRoot() * f.correction + f.ε)
        step.values[p][i] = f.shrink * (step.values[p][i] - direction)
        state[p][i] = s
      }
    }
  }
}
