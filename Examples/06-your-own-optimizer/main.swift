// An optimizer of your own: written down twice, proven by the property battery, then trained.
//
//     swift run -c release 06-your-own-optimizer

import FisherKit
import FisherVerification

// Nesterov's momentum:  m ← β·m + g,  θ ← θ − α·(β·m + g)
struct Nesterov: Optimizer {
  @Setting("learning rate α", .positive, source: "ours") var lr = 0.01
  @Setting("β of the momentum", .halfOpen(0, 1), source: "Nesterov 1983") var beta = 0.9

  static let record = OptimizerRecord(
    name: "nesterov", title: "Nesterov", summary: "Momentum that looks ahead.", paper: "Nesterov 1983",
    hyperparameters: Nesterov.hyperparameters, invariances: [.elementPermutation, .sign, .rotation],
    cost: Cost(flops: 6 * .P, elements: 5 * .P), stateSize: "P")

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let rule = NesterovRule<S>(α: S(lr * step.schedule), β: S(beta))
    for parameter in step.parameters { step.apply(rule, to: parameter) }
  }

  func reference() -> any ReferenceOptimizer { NaiveNesterov(method: self) }
}

struct NesterovRule<S: KernelScalar>: UpdateRule {
  struct State { var m: Lanes<S> }

  let α, β: S

  func update(_ x: inout Element<S>, _ state: inout State) {
    state.m = β * state.m + x.gradient
    x.value -= α * (β * state.m + x.gradient)
  }
}

struct NaiveNesterov: ReferenceOptimizer {
  let method: Nesterov
  var m: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    if m.isEmpty { m = step.values.map { $0.map { _ in 0 } } }
    for p in step.values.indices {
      for (i, g) in step.gradients[p].enumerated() {
        m[p][i] = method.beta * m[p][i] + g
        step.values[p][i] -= method.lr * step.schedule * (method.beta * m[p][i] + g)
      }
    }
  }
}

let findings = Battery.verify(Subject(Nesterov.self))
for finding in findings { print(finding.passed ? "passed" : "FAILED", finding.check, finding.detail) }
precondition(findings.allSatisfy(\.passed))

let network = try Network<Float>(input: [1, 8, 8], [.flatten, .linear(32), .relu, .linear(10)])
let result = try Trainer(network, try DataSplit.named("digits"), optimizer: Nesterov()).run()
print("best test accuracy", result.bestTestAccuracy ?? 0)
