import FisherKit

/// A network, a batch and an optimizer at work, as a trainer would have them, without the data.
package final class StepSubject<S: KernelScalar> {
  let name: String
  package let network: Network<S>
  private let workspace: Workspace<S>
  private let inputs: Matrix<S>
  private let labels: Labels<S>
  /// The steps after which the optimizer's periodic work has been done as often as its periods say; 1 without periods.
  let cycle: Int
  /// The first steps, in which the optimizer does more than later.
  let firstSteps: Int
  private var values: [Matrix<S>]
  private var gradients: [Matrix<S>]
  private var driver: OptimizerDriver<S>
  private var captures: Captures<S, Empirical>?
  private var sampled: Captures<S, Sampled>?
  private var outputGradients: OutputGradients<S>?

  init(
    _ optimizer: any Optimizer, called name: String, _ network: Network<S>, inputs: Matrix<S>,
    labels: Labels<S>, _ workspace: Workspace<S>
  ) {
    self.name = name
    self.network = network
    self.workspace = workspace
    self.inputs = inputs
    self.labels = labels
    // By convention, hyper-parameters of these names count steps.
    func longest(_ ending: String) -> Int {
      optimizer.settings.values.reduce(1) { longest, setting in
        guard setting.key.hasSuffix(ending), case .integer(let count) = setting.value else { return longest }
        return max(longest, count)
      }
    }
    cycle = longest("Period")
    firstSteps = longest("Steps")
    values = network.initialValues(seed: 1, .kaiming)
    gradients = network.zeros()
    do {
      driver = try OptimizerDriver(
        optimizer, parameters: network.parameters, registry: .installed, threads: workspace.threads)
    } catch {
      fatalError("StepSubject: \(error)")
    }
  }

  /// Forward and backward pass, with what the optimizer needs in its next step.
  func pass() {
    workspace.forward(values, inputs, labels, mode: .training(seed: 1))
    let needs = driver.needs
    outputGradients = needs.contains(.logitGradients) ? workspace.outputGradients : nil
    var parts: BackwardParts = needs.isDisjoint(with: .captures) ? [] : .captures
    if needs.contains(.gradients) { parts.insert(.gradients) }
    workspace.backward(values, into: &gradients, parts)
    captures = workspace.captures
    sampled = needs.contains(.sampledLabels) ? workspace.sampledCaptures(values, seed: 1) : nil
  }

  /// The optimizer's part of a step, on what the last pass left.
  func update() {
    let objective = StepObjective(
      workspace, values, captures: captures, sampled: sampled, outputGradients: outputGradients)
    (captures, sampled, outputGradients) = (nil, nil, nil)
    do throws(StepRefusal) {
      _ = try driver.step(values: &values, gradients: &gradients, objective: objective)
    } catch {
      fatalError("StepSubject: \(name): \(error)")
    }
  }

  /// The bytes that an update moves: θ and state in and out, g in twice, first to see that it is finite, and the
  /// captures of the last pass.
  var updateTraffic: Double {
    let captured = captures?.layers.values.reduce(0) {
      $0 + $1.inputs.count + $1.outputGradients.values.count
    }
    let elements = 4 * network.parameterCount + (captured ?? 0)
    return Double(elements * MemoryLayout<S>.stride + 2 * driver.state.byteCount)
  }

  /// The whole step.
  package func step() {
    pass()
    update()
  }

  /// `count` steps.
  func steps(_ count: Int) { for _ in 0..<count { step() } }
}
