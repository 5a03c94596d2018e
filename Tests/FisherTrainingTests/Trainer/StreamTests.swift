import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherPluginFirstOrder
import FisherTestSupport
import FisherTraining
import Testing

@Suite struct StreamTests {
  private static let split = Clouds.split()

  /// The batches that a run over the data in memory would take, from a closure.
  private func stream(_ name: String = "clouds") -> DataSplit {
    let source = BatchSource(Self.split.train, batchSize: 8, normalization: nil, seed: 1)
    return DataSplit(streaming: name, batchesPerEpoch: source.batchCount, test: Self.split.test) {
      epoch, number in
      let places = source.order(epoch: epoch)[number * 8..<min(50, number * 8 + 8)]
      return Self.split.train.selecting(Array(places), name: name)
    }
  }

  private func trainer(_ data: DataSplit) throws -> Trainer<Float> {
    try Trainer(
      Clouds.normalized(Float.self), data, optimizer: Adam(),
      options: Clouds.options { $0.normalizes = false })
  }

  /// The same batches make the same bits, wherever they come from.
  @Test func aStreamIsARunLikeAnyOther() throws {
    let (streamed, plain) = (try trainer(stream()), try trainer(Self.split))
    let (a, b) = (try streamed.run(), try plain.run())
    #expect(a.parametersHash == b.parametersHash && a.bestTestLoss == b.bestTestLoss)
    #expect(streamed.stepsPerEpoch == 7)
  }

  @Test func aStreamResumesWithTheSameBits() throws {
    let folder = TemporaryFolder()
    let first = try trainer(stream())
    for _ in 0..<9 { try first.step() }
    try first.save(to: folder.path)
    let second = try trainer(stream())
    try second.resume(from: try Checkpoint(in: folder.path))
    #expect(try first.run().parametersHash == second.run().parametersHash)
    let other = try trainer(stream("others"))
    let error = #expect(throws: FileError.self) { try other.resume(from: try Checkpoint(in: folder.path)) }
    #expect(error?.reason.hasPrefix("its training data is stream clouds of 7 batches") == true)
  }
}

@Suite struct WeightTests {
  private func trainer<S: KernelScalar>(_: S.Type, seed: UInt64, width: Int = 9) throws -> Trainer<S> {
    let network = try Network<S>(input: [4], [.linear(width), .batchNorm, .relu, .linear(3)])
    return try Trainer(network, Clouds.split(), optimizer: Adam(), options: Clouds.options { $0.seed = seed })
  }

  /// What was trained is tested the same in a run that begins with its weights, averages of batch norms included.
  @Test func weightsAreThoseOfTheOtherRun() throws {
    let folder = TemporaryFolder()
    let first = try trainer(Float.self, seed: 1)
    try first.run()
    try first.save(to: folder.path)
    let second = try trainer(Float.self, seed: 2)
    let before = try second.evaluate()
    #expect(try second.loadWeights(from: folder.path).count == 8)
    #expect(try second.evaluate() == first.evaluate() && before != first.evaluate())
    #expect(second.values == first.values && second.statistics == first.statistics)
    // In Double the same numbers, converted.
    let wide = try trainer(Double.self, seed: 2)
    try wide.loadWeights(from: folder.path + "/weights.safetensors")
    #expect(wide.values.map { $0.array.map { Float($0) } } == first.values.map(\.array))
    try second.step()
  }

  @Test func onlyTheNamesThatFitAreLoaded() throws {
    let folder = TemporaryFolder()
    let first = try trainer(Float.self, seed: 1)
    try first.save(to: folder.path)
    let second = try trainer(Float.self, seed: 2)
    let own = second.values
    #expect(
      try second.loadWeights(from: folder.path, matching: "layers.0.*") == [
        "layers.0.weight", "layers.0.bias",
      ])
    #expect(second.values[0] == first.values[0] && second.values[4] == own[4])
  }

  @Test func whatDoesNotFitIsRefusedAndNothingChanges() throws {
    let folder = TemporaryFolder()
    try trainer(Float.self, seed: 1).save(to: folder.path)
    let other = try trainer(Float.self, seed: 2, width: 8)
    let before = other.values
    func reason(_ pattern: NamePattern) -> String {
      let error = #expect(throws: FileError.self) {
        try other.loadWeights(from: folder.path, matching: pattern)
      }
      return error?.reason ?? ""
    }
    #expect(reason("*") == "layers.0.weight is [9, 4], this network needs [8, 4]")
    #expect(reason("x*").hasPrefix("the pattern fits none of layers.0.weight, "))
    #expect(throws: FileError.self) { try other.loadWeights(from: folder.path + "/nothing") }
    #expect(other.values == before)
  }

  /// Any number of samples, batch by batch.
  @Test func predictionsDoNotDependOnTheBatch() throws {
    let network = try Clouds.network(Double.self)
    let values = network.initialValues(seed: 1)
    let inputs = Matrix<Double>(rows: 10, columns: 4) { i, j in Double(i) - Double(j) / 3 }
    let all = network.predict(inputs, with: values, threads: 1)
    #expect(all.rows == 10 && all.columns == 3)
    let parts = network.predict(inputs, with: values, batch: 3, threads: 2)
    #expect(zip(all.array, parts.array).allSatisfy { abs($0 - $1) <= 1e-14 * max(1, abs($0)) })
    #expect(network.predict(Matrix(rows: 0, columns: 4), with: values).rows == 0)
  }
}
