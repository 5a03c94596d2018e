import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// Both sets of weights of Schedule-Free AdamW, and the limits of its new relatives.
@Suite struct ScheduleFreeTests {
  private static let vector = FirstOrderGoldenTests.vector

  /// A run that gives each step the gradient that `gradient` finds at the weights that are trained.
  private func run(
    _ optimizer: any Optimizer, from start: [Double], steps: Int, gradient: ([Double]) -> [Double]
  ) throws -> (y: [Double], x: [Double], z: [Double]) {
    let parameter = ParameterInfo(name: "θ", shape: [start.count], role: .plain)
    var driver = try OptimizerDriver<Double>(optimizer, parameters: [parameter], threads: 1)
    var values = [Matrix(start, rows: 1, columns: start.count)]
    for _ in 0..<steps {
      var gradients = [Matrix(gradient(values[0].array), rows: 1, columns: start.count)]
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    }
    let z = driver.state.tensors[SlotKey("θ", "z")]?.array ?? []
    return (values[0].array, driver.tested(values)[0].array, z)
  }

  /// Numbers of the official code's form, which keeps y and z and finds x from them.
  @Test func testsXAndTrainsY() throws {
    var gradients = Self.vector.gradients.map { $0[0] }.makeIterator()
    let end = try run(
      ScheduleFreeAdamW(["lr": 0.1, "weightDecay": 0.01, "warmUp": 2]), from: [1, -2, 3], steps: 3
    ) { _ in gradients.next()! }
    for (found, expected) in [
      (end.y, [1.022553564, -2.0787470925, 2.8969489981]),
      (end.z, [0.98905693552, -2.1594493481, 2.9105199935]),
      (end.x, [1.0262754117, -2.0697801752, 2.8954411097]),
    ] { #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)") }
  }

  /// With β₁ = 0 it is AdamW with β₁ = 0, and x the plain mean of its weights.
  @Test func withoutMomentumItIsAveragedAdamW() throws {
    func gradient(_ θ: [Double]) -> [Double] { [2 * θ[0] - θ[1], θ[1], 0.3 * θ[2] + 0.1] }
    let start = [1.0, -2, 3]
    var path: [[Double]] = []
    _ = try run(AdamW(lr: 0.05, beta1: 0, weightDecay: 0), from: start, steps: 21) {
      path.append($0)
      return gradient($0)
    }
    let end = try run(ScheduleFreeAdamW(lr: 0.05, beta1: 0), from: start, steps: 20, gradient: gradient)
    let mean = (0..<3).map { i in path.dropFirst().reduce(0) { $0 + $1[i] } / 20 }
    #expect(zip(end.y, path[20]).allSatisfy { abs($0 - $1) < 1e-13 })
    #expect(zip(end.x, mean).allSatisfy { abs($0 - $1) < 1e-13 })
  }

  /// With noisy gradients of a quadratic, x comes nearer to the minimum than y.
  @Test func theAverageIsNearer() throws {
    var generator = Generator(seed: 7)
    let end = try run(ScheduleFreeAdamW(lr: 0.05), from: [3, -2, 1, 2], steps: 2000) { y in
      y.map { $0 + Double.random(in: -3...3, using: &generator) }
    }
    func norm(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    #expect(norm(end.x) < 0.5 && norm(end.x) < norm(end.z) / 2, "\(end)")
  }

  @Test func methodsWithoutATestedSlotTestTheirWeights() throws {
    let end = try run(AdamW(), from: [1, 2], steps: 2) { $0 }
    #expect(end.x == end.y)
  }

  /// A gradient that does not change has no differences: Adan is Adam then, and NAdam with ψ = 0 a step of −α·sign.
  @Test func constantGradients() throws {
    let (start, g) = ([1.0, -2, 3], [0.5, -0.25, 2])
    let adan = try run(Adan(lr: 0.1, beta1: 0.9, beta3: 0.99, eps: 0), from: start, steps: 5) { _ in g }
    let adam = try run(Adam(lr: 0.1, beta2: 0.99, eps: 0), from: start, steps: 5) { _ in g }
    #expect(zip(adan.y, adam.y).allSatisfy { abs($0 - $1) < 1e-13 })
    for (i, y) in adan.y.enumerated() { #expect(abs(y - (start[i] - 0.5 * (g[i] > 0 ? 1 : -1))) < 1e-13) }
    let nadam = try run(NAdam(lr: 0.1, beta1: 0, eps: 0), from: start, steps: 5) { _ in g }
    for (i, y) in nadam.y.enumerated() { #expect(abs(y - (start[i] - 0.5 * (g[i] > 0 ? 1 : -1))) < 1e-13) }
  }
}
