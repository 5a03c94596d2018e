import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginMuon
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

@Suite struct MuonTests {
  /// One step without memory: α·NS(g).
  private let plain = Muon(lr: 1, momentum: 0, nesterov: false)

  /// Ten digits from an independent script in double precision.
  @Test func golden() throws {
    let muon = Muon(lr: 0.02, weightDecay: 0.01)
    let expected = [0.9865764021, 1.9937651473, -1.0270237856, 0.4875888201, -0.5221783377, 1.9995316168]
    for found in [
      try goldenMatrixTrace.run(muon, Double.self)[0], goldenMatrixTrace.runReference(muon.reference())[0],
    ] {
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-10 }, "\(found)")
    }
    let first = try steps(plain, weight(2, 3), [[[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]])[0].array
    let orthogonal = [0.5150209421, -0.2184708432, 0.4213490773, 0.4681559573, 0.3823021864, -0.4213054987]
    #expect(zip(first, orthogonal).allSatisfy { abs($0 - $1) < 1e-10 }, "\(first)")
  }

  /// Singular values from 0.003 of the norm on come to [0.68, 1.21].
  @Test(arguments: [(5, 9), (9, 5), (8, 8), (1, 6), (6, 1), (33, 70)])
  func singularValuesComeNearOne(m: Int, n: Int) throws {
    let r = min(m, n)
    let (U, V) = (rotation(m, 3), rotation(n, 4))
    // A generic spectrum: from the norm itself down to 0.005 of it.
    let spectrum: [Double] = (0..<r).map { i in
      let part = 0.005 + 0.3 * Double(i) / Double(r * r)
      return i == 0 ? 7 : 7 * part
    }
    let D = Matrix<Double>(rows: m, columns: n) { $0 == $1 ? spectrum[$0] : 0 }
    let G = U.multiplied(by: D).multiplied(by: V.transposed)
    let O = try steps(plain, weight(m, n), [G])[0]
    let scale = max(1, Double(m) / Double(n)).squareRoot()
    for σ in try singularValues(O) { #expect(σ / scale > 0.68 && σ / scale < 1.21, "\(σ / scale)") }
    // Singular vectors stay: Uᵀ·O·V is diagonal.
    let inner = U.transposed.multiplied(by: O).multiplied(by: V)
    for i in 0..<m { for j in 0..<n where i != j { #expect(abs(inner[i, j]) < 1e-12) } }
  }

  @Test(arguments: [(5, 9), (9, 5), (6, 6)])
  func isEquivariant(m: Int, n: Int) throws {
    let (Q, Z) = (rotation(m, 11), rotation(n, 12))
    let gradients = (0..<4).map { random(m, n, UInt64(20 + $0)) }
    let turned = gradients.map { Q.multiplied(by: $0).multiplied(by: Z) }
    let muon = Muon(lr: 1)
    for (a, b) in zip(try steps(muon, weight(m, n), gradients), try steps(muon, weight(m, n), turned)) {
      #expect(distance(Q.multiplied(by: a).multiplied(by: Z), b) < 1e-12)
    }
    // A diagonal method is not.
    let adam = Muon(lr: 1, adamLr: 1)
    let vector = ParameterInfo(name: "e", shape: [m, n], role: .embedding)
    let (a, b) = (try steps(adam, vector, gradients)[3], try steps(adam, vector, turned)[3])
    #expect(distance(Q.multiplied(by: a).multiplied(by: Z), b) > 0.01)
  }

  @Test func doesNotDependOnTheSizeOfTheGradient() throws {
    let G = random(7, 4, 5)
    let scaled = Matrix<Double>(rows: 7, columns: 4) { 1e6 * G[$0, $1] }
    #expect(
      distance(try steps(plain, weight(7, 4), [G])[0], try steps(plain, weight(7, 4), [scaled])[0]) < 1e-6)
  }

  /// Ranks 0 and 1, and a spike: finite steps no longer than any other.
  @Test func degenerateGradients() throws {
    let zero = Matrix<Float>(rows: 6, columns: 4)
    let rankOne = Matrix<Float>(rows: 6, columns: 4) { Float($0 + 1) * Float($1 - 2) }
    let spike = Matrix<Float>(rows: 6, columns: 4) { i, j in 1e6 * Float((i * 5 + j * 3) % 7 - 3) }
    let muon = Muon(lr: 1)
    let taken = try steps(muon, weight(6, 4), [zero, rankOne, spike, zero, rankOne])
    #expect(taken[0].array.allSatisfy { $0 == 0 })
    for step in taken { #expect(step.array.allSatisfy { $0.isFinite && abs($0) < 2 }) }
  }

  /// Whose norm leaves the range is refused, and nothing happens.
  @Test func refusesWhatHasNoNorm() throws {
    let huge = Matrix<Float>(repeating: 3e38, rows: 4, columns: 4)
    #expect(throws: StepRefusal.self) { try steps(Muon(momentum: 0), weight(4, 4), [huge]) }
  }

  /// Vectors, embeddings and the last dense layer are AdamW's, with a learning rate of their own.
  @Test func theHeadIsAdamWs() throws {
    let parameters = [
      weight(5, 4, "a"), ParameterInfo(name: "b", shape: [5], role: .bias),
      ParameterInfo(name: "e", shape: [6, 3], role: .embedding), weight(3, 5, "head"),
    ]
    let trace = Trace(seed: Seed.first, steps: 5, parameters: parameters)
    func values(_ lr: Double, _ adamLr: Double, _ head: Muon.Head = .adamw) throws -> [[Double]] {
      try trace.run(Muon(lr: lr, head: head, adamLr: adamLr), Double.self)
    }
    let (usual, other, slow) = (try values(0.1, 0.01), try values(0.2, 0.01), try values(0.1, 0.02))
    #expect(usual[0] != other[0] && usual[1...] == other[1...])
    #expect(usual[0] == slow[0] && (1...3).allSatisfy { usual[$0] != slow[$0] })
    #expect(try values(0.1, 0.01, .muon)[3] != usual[3])
    // A convolution at the end, or a matrix alone, is no head.
    #expect(try steps(Muon(lr: 1), weight(3, 3), [random(3, 3, 1)])[0].array.map(abs).max()! > 0.1)
  }

  @Test(arguments: [(8, 2, 2.0), (2, 8, 1.0)])
  func lengthsFollowTheShape(m: Int, n: Int, spectral: Double) throws {
    let G = random(m, n, 9)
    let first = try steps(plain, weight(m, n), [G])[0]
    let second = try steps(
      Muon(lr: 1, momentum: 0, nesterov: false, scale: .rootMeanSquare), weight(m, n), [G])[0]
    let ratio = 0.2 * 8.0.squareRoot() / spectral
    #expect(zip(first.array, second.array).allSatisfy { abs($0 * ratio - $1) < 1e-14 })
  }

  /// A convolution is the matrix outputs × (channels · taps).
  @Test func convolutionsAreMatrices() throws {
    let kernel = ParameterInfo(name: "c", shape: [4, 3, 2, 2], role: .convolutionWeight)
    let G = random(4, 12, 6)
    #expect(try steps(plain, kernel, [G])[0] == steps(plain, weight(4, 12), [G])[0])
  }
}
