extension OptimizerTemplate {
  static let layerwiseMethod = """
    // AUTHORS: TITLE, YEAR.
    //
    //   h   rows of the inputs of a linear layer
    //   A ← ρ·A + (1 − ρ)·mean of h·hᵀ      ρ = min(1 − 1/t, β)
    //   Aᵢ = (A + λ·I)⁻¹                     every T steps
    //   θ ← θ − α·∇·Aᵢ

    __IMPORTS__

    /// Gradient descent on the outputs of linear layers.
    public struct __TYPE__: Optimizer {
      @Setting("learning rate α", .positive, source: "ours") public var lr = 0.05
      @Setting("λ, added to the factor", .positive, source: "ours") public var damping = 0.3
      @Setting("β: the most that a step keeps of the factor", .halfOpen(0, 1), source: "ours")
      public var beta = 0.95
      @Setting("T: steps from one inverse to the next", .atLeast(1), source: "ours") public var period = 5

      /// The facts. `fisher verify` holds the method to each of them; docs/plugins.md says how.
      public static let record = OptimizerRecord(
        name: "__NAME__", title: "__TYPE__", summary: "Gradient descent on the outputs of linear layers.",
        paper: "AUTHORS: TITLE, YEAR", needs: [.gradients, .inputs], hyperparameters: __TYPE__.hyperparameters,
        invariances: [.unitPermutation, .sign, .rotation],
        cost: Cost([
          Cost.Part(.parameter, flops: 2 * .P, elements: 3 * .P),
          Cost.Part(
            .dense, flops: .N * .J * .J + 2 * .I * .J * .J + .J * .J * .J / .period("T", "period"),
            elements: 3 * .J * .J),
        ]), stateSize: "2·J² for a layer of J inputs", roles: [.linearWeight],
        probes: [["lr": 0.02, "damping": 0.5, "beta": 0.5, "period": 3]],
        promises: [.gradientInTheLimit: ["damping": 1e9]], derivedSlots: ["Ai"], dependsOnStepNumber: true)

      public init() {}

      public func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
        guard let captures = step.objective.captures else {
          throw .unavailable(optimizer: Self.record.name, what: Needs.inputs.description)
        }
        let (backend, threads) = (step.backend, step.threads)
        let kept = min(1 - 1 / Double(step.number), beta)
        let rule = __TYPE__Rule<S>(α: S(lr * step.schedule))
        for weight in step.parameters {
          let (name, inputs) = (weight.name, weight.columns)
          let capture = weight.layer.flatMap { captures.layers[$0] }
          step.average("A", of: name, order: inputs) { A in
            capture?.averageInputFactor(&A, keeping: kept, of: .weight, on: backend, threads: threads)
          }
          if let A = step.latest("A", of: name), (step.number - 1) % period == 0 {
            try step.invert([DampedFactor(A, damping: damping, as: "Ai", of: name)])
          }
          guard let Ai = step.latest("Ai", of: name), Ai.rows == inputs, Ai.columns == inputs else {
            throw .failed(
              optimizer: Self.record.name, place: name, reason: "its state has no Ai of \\(inputs)×\\(inputs)")
          }
          let gradient = step.gradient(weight)
          let Δ = step.temporary(rows: weight.rows, columns: inputs) { Δ in
            gemm(gradient, Ai, into: &Δ, on: backend, threads: threads)
          }
          step.apply(rule, to: weight, gradient: Δ)
        }
      }

      public func reference() -> any ReferenceOptimizer { Naive__TYPE__(method: self) }
    }

    /// θ ← θ − α·Δ
    struct __TYPE__Rule<S: KernelScalar>: UpdateRule {
      let α: S

      @inline(__always)
      func update(_ x: inout Element<S>, _: inout NoState) { x.value -= α * x.gradient }
    }

    """

  static let layerwiseReference = """
    __NAIVE__

    /// The method from its definition, in plain loops: every step solves a system with the damped factor as it was when it
    /// was last inverted.
    struct Naive__TYPE__: ReferenceOptimizer {
      let method: __TYPE__
      var number = 0
      var A: [String: [[Double]]] = [:]
      var damped: [String: [[Double]]] = [:]

      init(method: __TYPE__) { self.method = method }

      mutating func step(_ step: inout ReferenceStep) {
        number += 1
        for (p, weight) in step.parameters.enumerated() {
          let n = weight.columns
          average(weight, step)
          if (number - 1) % method.period == 0 {
            damped[weight.name] = A[weight.name]!
            for i in 0..<n { damped[weight.name]![i][i] += method.damping }
          }
          for row in 0..<weight.rows {
            let places = row * n..<(row + 1) * n
            let Δ = Self.solve(damped[weight.name]!, Array(step.gradients[p][places]))
            for (place, Δ) in zip(places, Δ) { step.values[p][place] -= method.lr * step.schedule * Δ }
          }
        }
      }

      /// A ← ρ·A + (1 − ρ)·mean of h·hᵀ
      private mutating func average(_ weight: ParameterInfo, _ step: ReferenceStep) {
        let n = weight.columns
        let kept = min(1 - 1 / Double(number), method.beta)
        var A = self.A[weight.name] ?? [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
        if let capture = weight.layer.flatMap({ step.captures?.layers[$0] }) {
          let (h, gradients) = (capture.inputs, capture.outputGradients)
          let terms = gradients.scaleToSum / gradients.scaleToMean
          for i in 0..<n {
            for j in 0..<n {
              let sum = (0..<h.rows).reduce(0) { $0 + h[$1, i] * h[$1, j] }
              A[i][j] = kept * A[i][j] + (1 - kept) * sum / terms
            }
          }
        }
        self.A[weight.name] = A
      }

      /// M⁻¹·b by elimination.
      private static func solve(_ M: [[Double]], _ b: [Double]) -> [Double] {
        var (M, b) = (M, b)
        for p in b.indices {
          for i in b.indices where i != p {
            let factor = M[i][p] / M[p][p]
            for j in p..<b.count { M[i][j] -= factor * M[p][j] }
            b[i] -= factor * b[p]
          }
        }
        return b.indices.map { b[$0] / M[$0][$0] }
      }
    }

    """
}
