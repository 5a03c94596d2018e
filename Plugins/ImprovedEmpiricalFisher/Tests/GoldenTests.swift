import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginImprovedEmpiricalFisher
import Testing

/// Numbers of an independent program in double precision, printed to ten digits.
@Suite struct GoldenTests {
  let fixture = Fixture.golden

  private func expectClose(
    _ a: [Double], _ b: [Double], _ tolerance: Double = 1e-10, _ location: SourceLocation = #_sourceLocation
  ) {
    let isClose = a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    #expect(isClose, "\(a) and \(b)", sourceLocation: location)
  }

  @Test func network() {
    expectClose(fixture.losses, [1.2889123209, 1.5366870365, 0.6483654440, 1.5010244845])
    expectClose(fixture.probabilities.row(0).array, [0.2755703523, 0.5048780716, 0.2195515762])
    expectClose(fixture.probabilities.row(1).array, [0.2669441852, 0.5179632988, 0.2150925160])
    expectClose(fixture.probabilities.row(2).array, [0.2611855950, 0.5228997876, 0.2159146175])
    expectClose(fixture.probabilities.row(3).array, [0.2585724777, 0.5185258384, 0.2229016838])
  }

  @Test func gramMatrix() throws {
    let K = try fixture.batch.captures!.gram(of: ["1": .all, "2": .all])
    expectClose(
      K.array,
      [
        3.7076816942, 0.2579464767, -1.8681293137, 0.2335166967, 0.2579464767, 4.7411503016, -2.0523165297,
        4.3149797094, -1.8681293137, -2.0523165297, 1.8836010144, -2.0549073133, 0.2335166967, 4.3149797094,
        -2.0549073133, 4.5585976306,
      ])
    expectClose(
      fixture.batch.outputGradients!.squaredNorms(samples: 4),
      [0.8279030763, 0.9556249354, 0.3424616497, 0.9396105644])
  }

  @Test func weights() throws {
    let K = try fixture.batch.captures!.gram(of: ["1": .all, "2": .all])
    let s = fixture.batch.outputGradients!.squaredNorms(samples: 4)
    let ones = [Double](repeating: 1, count: 4)
    var system = DampedSystem(K: K, metric: ones, damping: 1e-3, isRelative: false)
    expectClose(system.solve(s), [5.3742210351, 1.5743091072, 10.8602459063, 3.3354537695])
    expectClose(system.solve(ones), [8.8606989486, 2.5418586306, 18.0956972654, 5.5153531350])
    let sampled = try fixture.batch.sampledCaptures()
    let Ĵ = fixture.rows(sampled)
    let g = sum(fixture.rows(fixture.batch.captures!))
    var other = DampedSystem(
      K: try sampled.gram(of: ["1": .all, "2": .all]), metric: ones, damping: 1e-3, isRelative: false)
    expectClose(
      other.solve(Ĵ.map { dot($0, g) }), [1.3302230181, 2.0566464561, 3.6378866548, -2.5402199591])
  }

  @Test func directions() throws {
    let A = try fixture.direction(ImprovedEmpiricalFisher.self, ["damping": 1e-3, "duplicates": 1])
    let B = try fixture.direction(
      ImprovedEmpiricalFisher.self, ["damping": 1e-3, "duplicates": 1, "variant": "B"])
    let EF = try fixture.direction(EmpiricalFisher.self, ["damping": 1e-3, "duplicates": 1])
    let SF = try fixture.direction(SampledFisher.self, ["damping": 1e-3])
    let g = sum(fixture.rows(fixture.batch.captures!))
    expectClose(
      [A, B, EF, g].map(length), [3.5562055060, 3.5794892875, 5.8796906014, 3.5430509583])
    expectClose([length(SF)], [563.9522470678])
    expectClose(
      Array(A.prefix(6)), [0.48353995, -0.39407931, -0.15555023, 2.03097074, -1.40393186, -0.86248714], 1e-8)
    expectClose(Array(A.suffix(3)), [0.22600394, 0.07685402, -0.30285797], 1e-8)
    expectClose(fixture.reductions(A), [0.8225288552, 0.9540506263, 0.3316014038, 0.9362751106])
    expectClose(fixture.reductions(EF), [0.9911393011, 0.9974581414, 0.9819043027, 0.9944846469])
    expectClose(
      [try fixture.γ(A), try fixture.γ(EF), try fixture.γ(SF), try fixture.γ(g)],
      [0.6693699307, 0.8703344474, 0.6039415896, 0.7363381669])
  }

  @Test func naturalGradient() throws {
    let Δ = try fixture.direction(NaturalGradient.self, ["damping": 0])
    // Undamped, the Gram matrix's condition number of about 10⁷ costs some digits.
    expectClose(fixture.reductions(Δ), [2.6288373978, 3.6491622243, 0.9124123279, 3.4862828439], 1e-9)
    expectClose([try fixture.γ(Δ)], [0.3060423908])
  }

  @Test(
    arguments: [
      (1e-9, [1.1869, 0.8123, 0.9135, 0.9135]), (1e-3, [1.1820, 0.8202, 0.9091, 0.9125]),
      (1e-1, [0.8840, 0.7879, 0.7455, 0.8393]), (1, [0.8404, 0.8446, 0.9380, 0.7978]),
      (10.0, [0.9830, 0.9560, 1.0226, 0.9479]), (1e3, [0.9999, 0.9993, 1.0231, 0.9993]),
    ] as [(Double, [Double])])
  func qualityOverDamping(λ: Double, expected: [Double]) throws {
    let settings: [String: SettingValue] = ["damping": .number(λ)]
    let all = settings.merging(["duplicates": 1]) { $1 }
    let quality = try fixture.γ(sum(fixture.rows(fixture.batch.captures!)))
    expectClose(
      [
        try fixture.γ(fixture.direction(EmpiricalFisher.self, all)) / quality,
        try fixture.γ(fixture.direction(SampledFisher.self, settings)) / quality,
        try fixture.γ(fixture.direction(ImprovedEmpiricalFisher.self, all)) / quality,
        try fixture.γ(fixture.direction(ImprovedEmpiricalFisher.self, all.merging(["variant": "B"]) { $1 }))
          / quality,
      ], expected, 6e-5)
  }

  @Test func improvedOutputFactor() {
    let layer = fixture.batch.captures!.improved(by: fixture.batch.outputGradients!).layers["1"]!
    let g = layer.outputGradients.ofSum
    let factor = g.transposed.multiplied(by: g)
    let expected = [
      0.3172804412, 0.2043430082, -0.1660279094, -0.3667602592, 0.2717227322, 0.0446478958, -0.2289375218,
      0.2532871868, 0.2033676357, 0.4299856363,
    ]
    expectClose((0..<4).flatMap { i in (i..<4).map { factor[i, $0] / 4 } }, expected)
  }

  @Test func descentRun() {
    var (network, found) = (fixture, [Double]())
    for t in 0...50 {
      if [0, 1, 2, 5, 10, 20, 50].contains(t) { found.append(network.losses.reduce(0, +)) }
      let g = sum(network.rows(network.batch.captures!))
      var offset = 0
      network.values = network.values.map { value in
        defer { offset += value.count }
        let part = g[offset..<offset + value.count]
        return Matrix(zip(value.array, part).map { $0 - 0.1 * $1 }, rows: value.rows, columns: value.columns)
      }
    }
    expectClose(found, [4.975, 4.167, 4.081, 3.983, 3.802, 3.311, 2.468], 1e-3)
  }

  /// Whole training runs of the network, full batch.
  @Test(
    arguments: [
      ("ief", 1.0, [4.975, 3.134, 4.387, 9.191, 6.387, 0.295, 0.099]),
      ("ief", 0.5, [4.975, 3.835, 3.131, 6.516, 1.646, 0.271, 0.086]),
      ("ef", 0.1, [4.975, 4.624, 4.202, 2.902, 1.507, 1181, 1175]),
    ] as [(String, Double, [Double])])
  func runs(name: String, α: Double, expected: [Double]) throws {
    let settings: [String: SettingValue] = [
      "lr": .number(α), "damping": 1e-9, "duplicates": 1, "normalize": false,
    ]
    let optimizer: any Optimizer =
      name == "ief" ? try ImprovedEmpiricalFisher(settings) : try EmpiricalFisher(settings)
    var driver = try OptimizerDriver<Double>(optimizer, parameters: Fixture.parameters)
    var (network, values) = (fixture, fixture.values)
    var found: [Double] = []
    for t in 0...50 where found.count < expected.count {
      if [0, 1, 2, 5, 10, 20, 50].contains(t) { found.append(network.losses.reduce(0, +)) }
      var gradients = values.map { Matrix<Double>(rows: $0.rows, columns: $0.columns) }
      _ = try driver.step(values: &values, gradients: &gradients, objective: network.batch)
      network.values = values
    }
    expectClose(found, expected, 1e-3)
  }
}
