import FisherKit
import Testing

/// An optimizer that is written as the guide says, in a module of its own and without attributes, runs as fast as a
/// built-in one: its rule becomes one loop for each element type. As generic code it would take a hundred times as long.
@Suite(.serialized) struct OptimizerSpeedTests {
  @Test func aDocumentedOptimizerIsAsFastAsSGDInFloat() throws { try compare(Float.self) }
  @Test func aDocumentedOptimizerIsAsFastAsSGDInDouble() throws { try compare(Double.self) }

  private func compare<S: KernelScalar>(_: S.Type) throws {
    let (own, sgd) = (try Course<S>(HeavyBall()), try Course<S>(SGD()))
    // The best of many in turn: neither a busy machine nor a first step decides.
    var (ownBest, sgdBest) = (Duration.seconds(60), Duration.seconds(60))
    for _ in 0..<40 {
      ownBest = min(ownBest, try own.step())
      sgdBest = min(sgdBest, try sgd.step())
    }
    #expect(ownBest < sgdBest * 4, "\(S.self): \(ownBest) a step, SGD \(sgdBest)")
  }
}

/// Steps of one optimizer on some 400 000 weights.
private final class Course<S: KernelScalar> {
  private var driver: OptimizerDriver<S>
  private var values = [Matrix<S>(rows: 512, columns: 784) { S($0 % 7) - S($1 % 5) }]
  private var gradients: [Matrix<S>]

  init(_ optimizer: any Optimizer) throws {
    gradients = values
    driver = try OptimizerDriver(
      optimizer, parameters: [ParameterInfo(name: "w", shape: [512, 784], role: .plain)], threads: 1)
  }

  func step() throws -> Duration {
    try ContinuousClock().measure {
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<S>())
    }
  }
}
