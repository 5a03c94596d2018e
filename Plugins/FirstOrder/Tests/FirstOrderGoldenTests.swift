import FisherOptimizers
import FisherPluginFirstOrder
import OptimizerTestSupport
import Testing

/// Ten digits from an independent script in double precision: numpy, the definitions written out.
@Suite struct FirstOrderGoldenTests {
  static let vector = Trace(
    parameters: [ParameterInfo(name: "θ", shape: [3], role: .plain)], values: [[1, -2, 3]],
    gradients: [[[0.1, -0.2, 0.3]], [[-0.3, 0.1, 0.2]], [[0.2, 0.4, -0.1]]])

  static let matrix = Trace(
    parameters: [ParameterInfo(name: "W", shape: [2, 3], role: .linearWeight)],
    values: [[1, 2, -1, 0.5, -0.5, 2]],
    gradients: [
      [[0.1, -0.2, 0.3, 0.4, 0.5, -0.6]], [[-0.3, 0.1, 0.2, 0.2, -0.1, 0.4]],
      [[0.2, 0.3, -0.1, -0.4, 0.1, 0.2]],
    ])

  private func check(_ optimizer: any Optimizer, _ trace: Trace, _ expected: [Double]) throws {
    let values = try trace.run(optimizer, Double.self)
    let reference = trace.runReference(optimizer.reference())
    let worst = zip(values[0], expected).map { abs($0 - $1) }.max() ?? .infinity
    let worstReference = zip(reference[0], expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-10, "\(type(of: optimizer).record.name): \(values[0])")
    #expect(worstReference < 1e-10, "\(type(of: optimizer).record.name), reference: \(reference[0])")
  }

  @Test func momentum() throws {
    let settings: [String: SettingValue] = ["lr": 0.1, "momentum": 0.9, "weightDecay": 0.01]
    try check(SGD(settings), Self.vector, [1.004302789, -1.993655578, 2.874018367])
    try check(
      SGD(settings.merging(["nesterov": true]) { $1 }), Self.vector,
      [1.0008695126, -2.0184195251, 2.8379056377])
  }

  @Test func adam() throws {
    let settings: [String: SettingValue] = ["lr": 0.1, "weightDecay": 0.01]
    try check(Adam(settings), Self.vector, [0.939682225, -1.9022514259, 2.7396284868])
    try check(AdamW(settings), Self.vector, [0.9446937018, -1.9133320117, 2.7390815394])
  }

  @Test func nesterov() throws {
    let settings: [String: SettingValue] = ["lr": 0.1, "weightDecay": 0.01]
    try check(NAdam(settings), Self.vector, [0.93048756669, -2.0187917409, 2.8399991519])
    try check(
      NAdam(settings.merging(["decoupled": true]) { $1 }), Self.vector,
      [0.93237723153, -2.0268970246, 2.8433951261])
    try check(
      Adan(["lr": 0.1, "weightDecay": 0.02]), Self.vector, [0.94757775946, -1.983853512, 2.7933503933])
  }

  @Test func scheduleFree() throws {
    try check(
      ScheduleFreeAdamW(["lr": 0.1, "weightDecay": 0.01, "warmUp": 2]), Self.vector,
      [1.022553564, -2.0787470925, 2.8969489981])
  }

  @Test func adaGrad() throws {
    try check(
      AdaGrad(["lr": 0.1, "lrDecay": 0.05, "weightDecay": 0.01]), Self.vector,
      [0.9382411801, -2.0103127636, 2.8616444199])
  }

  @Test func rmsprop() throws {
    let settings: [String: SettingValue] = ["lr": 0.1, "weightDecay": 0.01]
    try check(RMSprop(settings), Self.vector, [0.3891676693, -2.2340569882, 1.655980595])
    try check(
      RMSprop(settings.merging(["momentum": 0.9, "centered": true]) { $1 }), Self.vector,
      [-0.4687351621, -0.860804875, -0.5557355835])
  }

  @Test func lion() throws {
    try check(Lion(["lr": 0.1, "weightDecay": 0.01]), Self.vector, [0.897102899, -2.094105898, 2.891308897])
  }

  @Test func adafactor() throws {
    try check(
      Adafactor(["eps1": 1.1920929e-7]), Self.matrix,
      [1.0010695923, 1.9836261888, -1.0193796383, 0.4934003994, -0.5137359234, 1.9948185675])
  }
}
