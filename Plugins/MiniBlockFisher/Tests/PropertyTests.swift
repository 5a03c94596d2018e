import FisherLinearAlgebra
import FisherOptimizers
import FisherTestSupport
import Testing

/// What the equations say, whatever the numbers.
@Suite struct MiniBlockPropertyTests {
  let λ = 0.03

  @Test func largeDampingIsMomentum() throws {
    let parameters = [Run.convolution([2, 2, 3, 3])] + Run.dense(3, 4)
    var run = try Run(["lr": 1e11, "damping": 1e12, "momentum": 0.9], parameters)
    var (values, m) = (parameters.map { [Double](repeating: 0, count: $0.count) }, [[Double]]())
    m = values
    for t in 0..<20 {
      let g = parameters.enumerated().map { random($1.count, Seed.first &+ UInt64(10 * t + $0)) }
      try run.step(g)
      for p in g.indices {
        for i in g[p].indices {
          m[p][i] = 0.9 * m[p][i] + g[p][i]
          values[p][i] -= 0.1 * m[p][i]
        }
      }
    }
    for p in values.indices { #expect(error(run.values[p].array, values[p]) < 1e-6) }
  }

  /// (v·vᵀ + λ·I)⁻¹·v = v/(λ + v·v), however often the same gradient comes, with and without the shortcut.
  @Test(arguments: [0, 0.9])
  func oneProduct(β: Double) throws {
    let parameter = Run.convolution([2, 3, 3, 3])
    let g = random(parameter.count, Seed.first)
    var expected: [Double] = []
    for block in 0..<6 {
      let v = Array(g[block * 9..<block * 9 + 9])
      expected += v.map { $0 / (λ + dot(v, v)) }
    }
    var run = try Run(["beta": .number(β), "inversePeriod": 1], [parameter])
    for step in 1...4 {
      try run.step([g])
      #expect(error(run.values[0].array, expected.map { -Double(step) * $0 }) < 1e-10)
    }
    #expect((run.state("C", of: "c") == nil) == (β == 0))
    for block in 0..<6 {
      let P = expected[block * 9..<block * 9 + 9]
      #expect(dot(Array(P), Array(P)).squareRoot() <= 1 / (2 * λ.squareRoot()))
    }
  }

  /// D = R·S·Q with rotations R and Q: P = R·f(S)·Q with f(s) = s/(s²/I + λ).
  @Test func singularValuesOfASharedBlock() throws {
    let parameters = Run.dense(2, 3, bias: false)
    let (R, Q) = (rotation(2, 0, 1, 0.7), rotation(3, 0, 1, 0.4).multiplied(by: rotation(3, 1, 2, -1.1)))
    func product(_ f: (Double) -> Double) -> [Double] {
      let S: Matrix<Double> = [[f(2), 0, 0], [0, f(0.3), 0]]
      return R.multiplied(by: S).multiplied(by: Q).array
    }
    let P = try Run.direction([:], parameters, [product { $0 }])
    #expect(error(P[0], product { $0 / ($0 * $0 / 2 + λ) }) < 1e-10)
  }

  /// All blocks assembled in one matrix, and one system.
  @Test func oneLargeSystem() throws {
    let parameters = [Run.convolution([2, 1, 2, 2])] + Run.dense(2, 3)
    let g = parameters.enumerated().map { random($1.count, Seed.first &+ UInt64($0)) }
    // Kernels, then neurons with their biases.
    let rows = [Array(g[0][0..<4]), Array(g[0][4..<8]), g[1][0..<3] + [g[2][0]], g[1][3..<6] + [g[2][1]]]
    var F = [[Double]](repeating: [Double](repeating: 0, count: 16), count: 16)
    for b in 0..<4 {
      for r in 0..<4 {
        for c in 0..<4 {
          let shared = (rows[2][r] * rows[2][c] + rows[3][r] * rows[3][c]) / 2
          F[4 * b + r][4 * b + c] = (b < 2 ? rows[b][r] * rows[b][c] : shared) + (r == c ? λ : 0)
        }
      }
    }
    let x = eliminate(F, rows.flatMap { $0 })
    let P = try Run.direction([:], parameters, g)
    #expect(error(P[0], Array(x[0..<8])) < 1e-10)
    #expect(error(P[1], Array(x[8..<11] + x[12..<15])) < 1e-10)
    #expect(error(P[2], [x[11], x[15]]) < 1e-10)
  }

  @Test func singleElements() throws {
    let parameters = [
      Run.convolution([3, 2, 1, 1]), ParameterInfo(name: "b", shape: [3], role: .bias, layer: "c"),
      ParameterInfo(name: "γ", shape: [4], role: .normScale, layer: "n"),
    ]
    var run = try Run(["momentum": 0.5, "inversePeriod": 50], parameters)
    var expected = parameters.map { [Double](repeating: 0, count: $0.count) }
    var (M, G) = (expected, expected)
    for t in 1...5 {
      let g = parameters.enumerated().map { random($1.count, UInt64(7 * t + $0)) }
      try run.step(g)
      let kept = min(1 - 1 / Double(t), 0.9)
      for p in g.indices {
        for i in g[p].indices {
          M[p][i] = 0.5 * M[p][i] + g[p][i]
          G[p][i] = kept * G[p][i] + (1 - kept) * g[p][i] * g[p][i]
          expected[p][i] -= M[p][i] / (G[p][i] + λ)
        }
      }
    }
    for p in expected.indices { #expect(error(run.values[p].array, expected[p]) < 1e-12) }
  }

  @Test func oneNeuronIsItsOwnAverage() throws {
    let parameters = Run.dense(1, 5)
    let g = [random(5, 1), random(1, 2)]
    let shared = try Run.direction(["dense": "shared"], parameters, g)
    let own = try Run.direction(["dense": "perNeuron"], parameters, g)
    let shortcut = try Run.direction(["dense": "perNeuron", "beta": 0], parameters, g)
    for p in 0..<2 {
      #expect(error(shared[p], own[p]) < 1e-11)
      #expect(error(shortcut[p], own[p]) < 1e-11)
    }
  }

  /// Kernels whose gradients are turned have turned steps; so have dense layers, on either side.
  @Test func rotations() throws {
    let kernel = Run.convolution([1, 1, 1, 3])
    let Q = rotation(3, 0, 2, 0.9).multiplied(by: rotation(3, 1, 2, 0.3))
    let R = rotation(4, 0, 3, -0.8).multiplied(by: rotation(4, 1, 2, 1.7))
    func check(
      _ parameters: [ParameterInfo], _ rows: Int, _ turn: (Matrix<Double>) -> Matrix<Double>
    ) throws {
      var (plain, turned) = (
        try Run(["momentum": 0.9, "inversePeriod": 2], parameters),
        try Run(["momentum": 0.9, "inversePeriod": 2], parameters)
      )
      for t in 0..<6 {
        let D = Matrix(random(3 * rows, UInt64(t + 3)), rows: rows, columns: 3)
        try plain.step([D.array])
        try turned.step([turn(D).array])
      }
      #expect(error(turned.values[0].array, turn(plain.values[0]).array) < 1e-10)
    }
    try check([kernel], 1) { $0.multiplied(by: Q) }
    try check(Run.dense(4, 3, bias: false), 4) { $0.multiplied(by: Q) }
    try check(Run.dense(4, 3, bias: false), 4) { R.multiplied(by: $0) }
  }

  /// A kernel's step depends on its own gradients only, bit by bit, wherever it stands and whatever stands beside it.
  @Test func kernelsAreAlone() throws {
    let parameter = Run.convolution([5, 7, 3, 3])
    let single = Run.convolution([1, 1, 3, 3])
    let g = random(parameter.count, Seed.first)
    let P = try Run.direction([:], [parameter], [g])[0]
    func kernel(_ x: [Double], _ b: Int) -> [Double] { Array(x[9 * b..<9 * b + 9]) }
    for b in 0..<35 { #expect(try Run.direction([:], [single], [kernel(g, b)])[0] == kernel(P, b)) }
    let reversed = (0..<35).reversed().flatMap { kernel(g, $0) }
    #expect(
      try Run.direction([:], [parameter], [reversed])[0] == (0..<35).reversed().flatMap { kernel(P, $0) })
  }

  @Test func scaleOfTheLoss() throws {
    let parameters = [Run.convolution([2, 2, 2, 2])] + Run.dense(3, 4)
    let g = parameters.enumerated().map { random($1.count, UInt64($0)) }
    let plain = try Run.direction([:], parameters, g)
    let scaled = try Run.direction(["damping": .number(λ * 49)], parameters, g.map { $0.map { 7 * $0 } })
    for p in plain.indices { #expect(error(scaled[p], plain[p].map { $0 / 7 }) < 1e-10) }
  }

  /// ⟨P, D⟩ ≥ ‖D‖²/(λ + the largest trace), and ‖P‖ ≤ ‖D‖/λ.
  @Test func descends() throws {
    let parameters = [Run.convolution([3, 2, 3, 3])] + Run.dense(4, 6)
    for seed in Seed.cases(20) {
      let g = parameters.enumerated().map { random($1.count, seed &+ UInt64($0)) }
      let P = try Run.direction([:], parameters, g).flatMap { $0 }
      let D = g.flatMap { $0 }
      // No block's trace exceeds ‖D‖².
      #expect(dot(P, D) >= dot(D, D) / (λ + dot(D, D)))
      #expect(dot(P, P).squareRoot() <= dot(D, D).squareRoot() / λ)
    }
  }

  @Test func decayAlone() throws {
    let parameters = [Run.convolution([1, 2, 3, 3])] + Run.dense(2, 2)
    let start = parameters.enumerated().map { random($1.count, UInt64($0)) }
    var run = try Run(["lr": 0.1, "weightDecay": 0.5], parameters, values: start)
    for _ in 0..<10 { try run.step(parameters.map { [Double](repeating: 0, count: $0.count) }) }
    var factor = 1.0
    for _ in 0..<10 { factor *= 1 - 0.1 * 0.5 }
    for p in start.indices { #expect(error(run.values[p].array, start[p].map { factor * $0 }) < 1e-14) }
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// A rotation by `angle` in the plane of axes i and j.
func rotation(_ n: Int, _ i: Int, _ j: Int, _ angle: Double) -> Matrix<Double> {
  let t = angle / 2
  // Rational in tan: exact orthogonality up to rounding, without a library of functions.
  let (c, s) = ((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t))
  var Q = Matrix<Double>(identity: n)
  (Q[i, i], Q[j, j], Q[i, j], Q[j, i]) = (c, c, s, -s)
  return Q
}
