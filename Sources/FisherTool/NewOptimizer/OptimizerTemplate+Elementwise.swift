extension OptimizerTemplate {
  static let elementwiseMethod = """
    // AUTHORS: TITLE, YEAR.
    //
    //   m ← β·m + g
    //   θ ← (1 − α·γ)·θ − α·m

    __IMPORTS__

    /// Gradient descent with momentum and decoupled weight decay.
    public struct __TYPE__: Optimizer {
      @Setting("learning rate α", .positive, source: "ours") public var lr = 0.01
      @Setting("β of the momentum", .halfOpen(0, 1), source: "Polyak 1964") public var beta = 0.9
      @Setting("γ of the decoupled weight decay", .nonNegative, source: "ours") public var weightDecay = 0.0

      /// The facts. `fisher verify` holds the method to each of them; docs/plugins.md says how.
      public static let record = OptimizerRecord(
        name: "__NAME__", title: "__TYPE__", summary: "Gradient descent with momentum.",
        paper: "AUTHORS: TITLE, YEAR", hyperparameters: __TYPE__.hyperparameters,
        invariances: [.elementPermutation, .sign, .rotation], cost: Cost(flops: 6 * .P, elements: 5 * .P),
        stateSize: "P", probes: [["beta": 0.5, "weightDecay": 0.25, "lr": 0.05]],
        weightDecay: .decoupled, constantResponse: .geometric("beta"))

      public init() {}

      public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
        let α = lr * step.schedule
        let rule = __TYPE__Rule<S>(α: S(α), β: S(beta), decay: S(α * weightDecay))
        for parameter in step.parameters { step.apply(rule, to: parameter) }
      }

      public func reference() -> any ReferenceOptimizer { Naive__TYPE__(method: self) }
    }

    /// What happens to each element; eight at a time.
    struct __TYPE__Rule<S: KernelScalar>: UpdateRule {
      struct State { var m: Lanes<S> }

      let α, β, decay: S

      @inline(__always)
      func update(_ x: inout Element<S>, _ state: inout State) {
        state.m = β * state.m + x.gradient
        x.value -= α * state.m + decay * x.value
      }
    }

    """

  static let elementwiseReference = """
    __NAIVE__

    /// The method from its definition, in plain loops: shares nothing with the fast form but the settings.
    struct Naive__TYPE__: ReferenceOptimizer {
      let method: __TYPE__
      var m: [[Double]] = []

      mutating func step(_ step: inout ReferenceStep) {
        if m.isEmpty { m = step.values.map { $0.map { _ in 0 } } }
        let α = method.lr * step.schedule
        for p in step.values.indices {
          for i in step.values[p].indices {
            m[p][i] = method.beta * m[p][i] + step.gradients[p][i]
            step.values[p][i] = (1 - α * method.weightDecay) * step.values[p][i] - α * m[p][i]
          }
        }
      }
    }

    """
}
