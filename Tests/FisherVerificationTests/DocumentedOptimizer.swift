import FisherKit
import FisherRuntime
import FisherVerification
import Foundation
import Testing

// The optimizer of docs/plugins.md, word by word.

// θ ← θ − α·(m + γ·θ),  m ← β·m + g
struct HeavyBall: Optimizer {
  static let record = OptimizerRecord(
    name: "heavy-ball", title: "Heavy ball", summary: "Gradient descent with momentum.", paper: "Polyak 1964",
    hyperparameters: [
      Hyperparameter("lr", "learning rate α", 0.01, .positive, source: "ours"),
      Hyperparameter("beta", "β of the momentum", 0.9, .halfOpen(0, 1), source: "Polyak 1964"),
      Hyperparameter("weightDecay", "γ", 0.0, .nonNegative, source: "ours"),
    ],
    invariances: [.elementPermutation, .sign, .rotation], cost: Cost(flops: 6 * .P, elements: 5 * .P),
    stateSize: "P")

  let settings: Settings

  init(settings: Settings) { self.settings = settings }

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = HeavyBallRule<S>(
      α: S(settings.number("lr") * step.schedule), β: S(settings.number("beta")),
      γ: S(settings.number("weightDecay")))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { NaiveHeavyBall(settings) }
}

struct HeavyBallRule<S: KernelScalar>: UpdateRule {
  let α, β, γ: S

  var slots: [String?] { ["m"] }

  @inline(__always)
  func update(_ x: inout Element<S>) {
    x.first = β * x.first + x.gradient
    x.value -= α * (x.first + γ * x.value)
  }
}

struct NaiveHeavyBall: ReferenceOptimizer {
  let settings: Settings
  var m: [[Double]] = []

  init(_ settings: Settings) { self.settings = settings }

  mutating func step(_ step: inout ReferenceStep) {
    if m.isEmpty { m = step.values.map { $0.map { _ in 0 } } }
    let α = settings.number("lr") * step.schedule
    for p in step.values.indices {
      for i in step.values[p].indices {
        m[p][i] = settings.number("beta") * m[p][i] + step.gradients[p][i]
        step.values[p][i] -= α * (m[p][i] + settings.number("weightDecay") * step.values[p][i])
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
