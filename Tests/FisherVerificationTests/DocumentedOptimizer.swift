import FisherKit
import FisherRuntime
import FisherVerification
import Foundation
import Testing

// The optimizer of docs/plugins.md, word by word.

// θ ← θ − α·(m + γ·θ),  m ← β·m + g
struct HeavyBall: Optimizer {
  @Setting("learning rate α", .positive, source: "ours") var lr = 0.01
  @Setting("β of the momentum", .halfOpen(0, 1), source: "Polyak 1964") var beta = 0.9
  @Setting("γ", .nonNegative, source: "ours") var weightDecay = 0.0

  static let record = OptimizerRecord(
    name: "heavy-ball", title: "Heavy ball", summary: "Gradient descent with momentum.", paper: "Polyak 1964",
    hyperparameters: HeavyBall.hyperparameters, invariances: [.elementPermutation, .sign, .rotation],
    cost: Cost(flops: 6 * .P, elements: 5 * .P), stateSize: "P", weightDecay: .decoupled,
    constantResponse: .geometric("beta"))

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = HeavyBallRule<S>(α: S(lr * step.schedule), β: S(beta), γ: S(weightDecay))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { NaiveHeavyBall(method: self) }
}

struct HeavyBallRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  let α, β, γ: S

  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = β * state.m + x.gradient
    x.value -= α * (state.m + γ * x.value)
  }
}

struct NaiveHeavyBall: ReferenceOptimizer {
  let method: HeavyBall
  var m: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    if m.isEmpty { m = step.values.map { $0.map { _ in 0 } } }
    let α = method.lr * step.schedule
    for p in step.values.indices {
      for i in step.values[p].indices {
        m[p][i] = method.beta * m[p][i] + step.gradients[p][i]
        step.values[p][i] -= α * (m[p][i] + method.weightDecay * step.values[p][i])
      }
    }
  }
}

@Suite struct DocumentationTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func lines(_ path: String) throws -> [String] {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  @Test func theOptimizerOfTheGuidePasses() throws {
    for finding in Battery.verify(Subject(HeavyBall.self)) {
      #expect(finding.passed, "\(finding.check): \(finding.detail)")
    }
    for mutation in Mutation.allCases where mutation.applies(to: HeavyBall.record) {
      #expect(Battery.rejection(of: mutation, HeavyBall.self) != nil, "\(mutation)")
    }
    var registry = OptimizerRegistry.builtIn
    try registry.register(HeavyBall.self)
    #expect(registry.names.contains("heavy-ball"))
  }

  @Test func theGuideHasThisCode() throws {
    let guide = Set(try lines("docs/plugins.md"))
    let code = try lines("Tests/FisherVerificationTests/DocumentedOptimizer.swift")
    let start = try #require(code.firstIndex { $0.hasPrefix("// θ ←") })
    let end = try #require(code.firstIndex { $0.hasPrefix("@Suite") })
    for line in code[start..<end] { #expect(guide.contains(line), "docs/plugins.md lacks: \(line)") }
  }

  @Test func everyCheckAndMutantIsExplained() throws {
    let guide = try lines("docs/verification.md")
    for check in Battery.list {
      #expect(guide.contains { $0.hasPrefix("| `\(check.name)` |") }, "\(check.name)")
    }
    for mutation in Mutation.allCases {
      #expect(guide.contains { $0.hasPrefix("| \(mutation.rawValue) |") }, "\(mutation.rawValue)")
    }
  }
}
