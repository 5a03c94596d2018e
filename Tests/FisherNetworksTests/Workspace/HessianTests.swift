import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Testing

/// A network with a batch whose Hessian is looked at.
private struct Curved {
  let network: Network<Double>
  let workspace: Workspace<Double>
  let values: [Matrix<Double>]
  let inputs: Matrix<Double>
  let labels: Labels<Double>
  let mode: PassMode

  init(
    _ subject: NetworkCase, samples: Int, seed: UInt64, loss: Loss<MeanReduction> = .standard,
    labels: ((Network<Double>) -> Labels<Double>)? = nil
  ) throws {
    let problem = try Problem(subject, samples: max(samples, subject.leastSamples), seed: seed)
    network = try Network(input: subject.input, subject.layers, loss: loss)
    workspace = network.makeWorkspace(threads: 2)
    values = problem.values(network)
    inputs = problem.inputs(Double.self)
    self.labels = labels?(network) ?? .classes(problem.classes)
    mode = subject.mode
  }

  func direction(_ seed: UInt64) -> [Matrix<Double>] {
    var generator = Generator(seed: seed)
    return network.parameters.map { info in
      Matrix(rows: info.rows, columns: info.columns) { _, _ in generator.uniform() }
    }
  }

  /// H·v, of a forward pass of its own.
  func product(_ v: [Matrix<Double>]) -> [Double] {
    workspace.forward(values, inputs, labels, mode: mode)
    var products = network.zeros().map { Matrix<Double>(repeating: .nan, rows: $0.rows, columns: $0.columns) }
    workspace.hessianProduct(values, along: v, into: &products)
    return products.flatMap(\.array)
  }

  func gradient(_ values: [Matrix<Double>]) -> [Double] {
    workspace.forward(values, inputs, labels, mode: mode)
    var gradients = network.zeros()
    workspace.backward(values, into: &gradients)
    return gradients.flatMap(\.array)
  }

  /// (∇L(θ + h·v) − ∇L(θ − h·v))/2h, h so small that no pre-activation passes the kink of a rectifier.
  func difference(_ v: [Matrix<Double>], _ h: Double = 1e-6) -> [Double] {
    func moved(_ h: Double) -> [Matrix<Double>] {
      zip(values, v).map { value, v in
        var moved = value
        axpy(alpha: h, v, into: &moved)
        return moved
      }
    }
    return zip(gradient(moved(h)), gradient(moved(-h))).map { ($0 - $1) / (2 * h) }
  }
}

private func inner(_ a: [Double], _ b: [Matrix<Double>]) -> Double {
  zip(a, b.flatMap(\.array)).reduce(0) { $0 + $1.0 * $1.1 }
}

private func size(_ x: [Double]) -> Double { x.map(abs).max() ?? 0 }

@Suite struct HessianTests {
  /// The networks whose layers all have second derivatives.
  static let twice = NetworkCase.all.filter {
    (try? $0.network(Double.self).layersWithoutSecondDerivatives.isEmpty) == true
  }

  /// Attention alone has none, and is named.
  @Test func layersWithoutSecondDerivativesAreNamed() throws {
    for subject in NetworkCase.all {
      let network = try subject.network(Double.self)
      let hasAttention =
        network.description.contains("ttention") || network.description.contains("transformer")
      #expect(network.layersWithoutSecondDerivatives.isEmpty != hasAttention, "\(subject)")
    }
    let network = try Network<Double>(
      input: [5, 4], [.linear(18), .attention(heads: 3, causal: false), .linear(3)])
    #expect(network.layersWithoutSecondDerivatives == ["layers.1"])
  }

  /// Rows without a class do not count, the others as their class weighs.
  @Test func weightedRowsMatchDifferences() throws {
    let subject = NetworkCase(name: "loss", input: [5], layers: [.linear(6), .tanh, .linear(3)])
    for loss: Loss<MeanReduction> in [
      .softmaxCrossEntropy(), .weightedCrossEntropy(classWeights: [0.5, 2, 0]),
    ] {
      let curved = try Curved(subject, samples: 5, seed: 2, loss: loss) { _ in .classes([0, -1, 1, 1, 2]) }
      let v = curved.direction(3)
      let (product, expected) = (curved.product(v), curved.difference(v))
      for (p, e) in zip(product, expected) { #expect(abs(p - e) < 1e-7 * size(expected)) }
    }
  }
  /// Every layer, against central differences of exact gradients.
  @Test(arguments: twice, [1, 4])
  func productsMatchDifferences(subject: NetworkCase, samples: Int) throws {
    for seed in Seed.cases(2) {
      let curved = try Curved(subject, samples: samples, seed: seed)
      let v = curved.direction(seed &+ 1)
      // Twice: the second time the buffers hold what the first has left.
      _ = curved.product(v)
      let (product, expected) = (curved.product(v), curved.difference(v))
      #expect(size(expected) > 1e-4, "about zero, seed \(seed)")
      for (p, e) in zip(product, expected) {
        #expect(abs(p - e) < 1e-6 * max(size(expected), 0.01), "seed \(seed): \(p), difference \(e)")
      }
    }
  }

  private static let embedding = NetworkCase(
    name: "embedding", input: [4],
    layers: [.embedding(tokens: 5, width: 3), .layerNorm, .flatten, .linear(3)])

  @Test func productsOfEmbeddingsMatchDifferences() throws {
    let network = try Network<Double>(input: Self.embedding.input, Self.embedding.layers)
    let workspace = network.makeWorkspace(threads: 1)
    let values = network.initialValues(seed: 3)
    let tokens: Matrix<Double> = [[0, 1, 4, 1], [2, 2, 3, 0]]
    var generator = Generator(seed: 4)
    let v = network.parameters.map { p in
      Matrix<Double>(rows: p.rows, columns: p.columns) { _, _ in generator.uniform() }
    }
    func gradient(_ h: Double) -> [Double] {
      let moved = zip(values, v).map { value, v in
        Matrix<Double>(rows: v.rows, columns: v.columns) { value[$0, $1] + h * v[$0, $1] }
      }
      workspace.forward(moved, tokens, .classes([2, 0]), mode: .training(seed: 1))
      var gradients = network.zeros()
      workspace.backward(moved, into: &gradients)
      return gradients.flatMap(\.array)
    }
    let expected = zip(gradient(1e-5), gradient(-1e-5)).map { ($0 - $1) / 2e-5 }
    workspace.forward(values, tokens, .classes([2, 0]), mode: .training(seed: 1))
    var products = network.zeros()
    workspace.hessianProduct(values, along: v, into: &products)
    for (p, e) in zip(products.flatMap(\.array), expected) { #expect(abs(p - e) < 1e-7 * size(expected)) }
  }

  /// Every loss, with every form of its labels.
  @Test(arguments: [0, 1, 2, 3, 4])
  func productsOfLossesMatchDifferences(number: Int) throws {
    let losses: [Loss<MeanReduction>] = [
      .softmaxCrossEntropy(), .softmaxCrossEntropy(labelSmoothing: 0.2),
      .softmaxCrossEntropy(labelSmoothing: 0.2),
      .binaryCrossEntropy, .squaredError,
    ]
    var generator = Generator(seed: 8)
    // Distributions whose mass is not 1, and numbers between 0 and 1.
    let q = Matrix<Double>(rows: 4, columns: 3) { _, _ in 0.5 + 0.5 * (generator.uniform() as Double) }
    let subject = NetworkCase(name: "loss", input: [5], layers: [.linear(6), .tanh, .linear(3)])
    let curved = try Curved(subject, samples: 4, seed: 2, loss: losses[number]) { _ in
      number < 2 ? .classes([0, 2, 1, 1]) : .values(q)
    }
    let v = curved.direction(3)
    let (product, expected) = (curved.product(v), curved.difference(v))
    for (p, e) in zip(product, expected) { #expect(abs(p - e) < 1e-7 * size(expected)) }
  }

  /// uᵀ·H·v = vᵀ·H·u, and H·(a·u + b·v) = a·H·u + b·H·v.
  @Test(arguments: twice)
  func productsAreSymmetricAndLinear(subject: NetworkCase) throws {
    let curved = try Curved(subject, samples: 3, seed: Seed.first)
    let (u, v) = (curved.direction(1), curved.direction(2))
    let (Hu, Hv) = (curved.product(u), curved.product(v))
    let scale = max(size(Hu), size(Hv)) * Double(Hu.count)
    #expect(abs(inner(Hu, v) - inner(Hv, u)) < 1e-12 * scale)
    let w = zip(u, v).map { u, v in
      Matrix<Double>(rows: u.rows, columns: u.columns) { 2 * u[$0, $1] - 3 * v[$0, $1] }
    }
    for (got, (a, b)) in zip(curved.product(w), zip(Hu, Hv)) {
      #expect(abs(got - (2 * a - 3 * b)) < 1e-12 * scale)
    }
  }

  /// Gauss-Newton products where theory says so: outputs that are linear in the weights, and residuals of zero.
  @Test(arguments: [true, false])
  func gaussNewtonWhereItIsExact(isLinear: Bool) throws {
    let layers: [Layer] = isLinear ? [.linear(4)] : [.linear(6), .tanh, .linear(5), .gelu, .linear(4)]
    let subject = NetworkCase(name: "", input: [5], layers: layers)
    let curved = try Curved(subject, samples: 6, seed: 5, loss: .squaredError) { _ in
      .values(Matrix(rows: 6, columns: 4) { Double($0 - $1) })
    }
    let workspace = curved.workspace
    workspace.forward(curved.values, curved.inputs, mode: curved.mode)
    let labels: Labels<Double> = isLinear ? curved.labels : .values(workspace.outputs.compacted())
    for seed: UInt64 in [1, 2, 3] {
      let v = curved.direction(seed)
      workspace.forward(curved.values, curved.inputs, labels, mode: curved.mode)
      var products = curved.network.zeros()
      workspace.hessianProduct(curved.values, along: v, into: &products)
      // Of the sum over the samples; the loss is their mean.
      let exact = workspace.fisherQuadratic(curved.values, along: v).quadratic / 6
      #expect(abs(inner(products.flatMap(\.array), v) / exact - 1) < 1e-12)
      // Jᵀ·(J·v)/N.
      let tangent = workspace.outputTangent(curved.values, along: v).compacted()
      var expected = curved.network.zeros()
      workspace.backward(curved.values, from: tangent, into: &expected)
      let largest = size(expected.flatMap(\.array)) / 6
      for (p, e) in zip(products.flatMap(\.array), expected.flatMap(\.array)) {
        #expect(abs(p - e / 6) < 1e-13 * largest)
      }
    }
  }

  /// The captures of the backward pass before, and the gradient after, are as without a product.
  @Test func otherPassesStay() throws {
    let curved = try Curved(NetworkCase.all[7], samples: 4, seed: 3)
    let workspace = curved.workspace
    var (gradients, again) = (curved.network.zeros(), curved.network.zeros())
    workspace.forward(curved.values, curved.inputs, curved.labels, mode: curved.mode)
    workspace.backward(curved.values, into: &gradients, [.gradients, .captures])
    let former = workspace.captures!.layers.mapValues { $0.outputGradients.values.array }
    var products = curved.network.zeros()
    workspace.hessianProduct(curved.values, along: curved.direction(1), into: &products)
    #expect(workspace.captures!.layers.mapValues { $0.outputGradients.values.array } == former)
    workspace.backward(curved.values, into: &again)
    #expect(again == gradients)
  }

  /// `Float` is near `Double`, and threads change no bit.
  @Test(arguments: twice)
  func precisionAndThreads(subject: NetworkCase) throws {
    let problem = try Problem(subject, samples: 40, seed: Seed.first)
    func product<S: KernelScalar>(_: S.Type, threads: Int) throws -> [Double] {
      let network = try subject.network(S.self)
      let workspace = network.makeWorkspace(threads: threads)
      let values = problem.values(network)
      workspace.forward(values, problem.inputs(S.self), .classes(problem.classes), mode: subject.mode)
      var generator = Generator(seed: 6)
      let v = network.parameters.map { p in
        Matrix<S>(rows: p.rows, columns: p.columns) { _, _ in S(generator.uniform() as Float) }
      }
      var products = network.zeros()
      workspace.hessianProduct(values, along: v, into: &products)
      return products.flatMap { $0.array.map(Double.init) }
    }
    let exact = try product(Double.self, threads: 1)
    for threads in [2, 7] { #expect(try product(Double.self, threads: threads) == exact) }
    let error = zip(try product(Float.self, threads: 2), exact).map { abs($0 - $1) }.max()!
    #expect(error < 1e-4 * size(exact))
  }
}
