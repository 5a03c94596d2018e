import FisherLinearAlgebra
import FisherTraining
import Testing

@Suite struct BatchTests {
  private func data(_ count: Int) -> Dataset {
    Dataset(
      name: "rows", shape: ExampleShape(channels: 2), rows: (0..<count).map { [Float($0), Float(-$0)] },
      classes: (0..<count).map { $0 % 3 }, classCount: 3)
  }

  @Test func anEpochHasEveryExampleOnceInAnOrderOfItsOwn() throws {
    let source = BatchSource(data(23), batchSize: 5, normalization: nil, seed: 9)
    #expect(source.batchCount == 5)
    var orders: [[Int]] = []
    for epoch in 0..<4 {
      let order = source.order(epoch: epoch)
      let batches = try (0..<5).map { try source.batch($0, of: order, epoch: epoch, as: Double.self) }
      #expect(batches.map(\.inputs.rows) == [5, 5, 5, 5, 3])
      let seen = batches.flatMap { batch in (0..<batch.inputs.rows).map { Int(batch.inputs[$0, 0]) } }
      #expect(seen == order && seen.sorted() == Array(0..<23))
      #expect(batches.flatMap(\.classes) == seen.map { $0 % 3 })
      orders.append(order)
    }
    #expect(Set(orders).count == 4 && !orders.contains(Array(0..<23)))
    #expect(BatchSource(data(23), batchSize: 5, normalization: nil, seed: 9).order(epoch: 2) == orders[2])
    #expect(BatchSource(data(23), batchSize: 5, normalization: nil, seed: 8).order(epoch: 2) != orders[2])
  }

  @Test func testBatchesKeepTheOrder() throws {
    let source = BatchSource(data(7), batchSize: 4, normalization: nil)
    #expect(try source.batch(0, as: Float.self).inputs.column(0).array == [0, 1, 2, 3])
    #expect(try source.batch(1, as: Float.self).inputs.column(0).array == [4, 5, 6])
  }

  @Test func normalizedFeaturesHaveMeanZeroAndDeviationOne() throws {
    let rows = (0..<50).map { (i: Int) -> [Float] in [Float(3 * i + 100), Float(i * i), 7] }
    let data = Dataset(
      name: "t", shape: ExampleShape(channels: 3), rows: rows, classes: rows.map { _ in 0 }, classCount: 1)
    let source = BatchSource(data, batchSize: 50, normalization: Normalization(data))
    let x = try source.batch(0, as: Double.self).inputs
    for j in 0..<3 {
      let column = x.column(j).array
      let mean = column.reduce(0, +) / 50
      let square: Double = column.reduce(0) { $0 + $1 * $1 } / 50
      let variance = square - mean * mean
      #expect(abs(mean) < 1e-5)
      // The last feature is constant: shifted, not scaled.
      #expect(abs(variance - (j < 2 ? 1 : 0)) < 1e-5)
    }
  }

  /// The numbers that a network sees do not depend on the unit of a feature; powers of two leave even the bits.
  @Test func normalizationHasNoUnit() throws {
    var generator = KeyedGenerator(5)
    let rows = (0..<40).map { _ in (0..<3).map { _ in Float(generator.unit() * 2 - 1) } }
    func normalized(times scale: Float, plus offset: Float = 0) throws -> [Float] {
      let data = Dataset(
        name: "t", shape: ExampleShape(channels: 3), rows: rows.map { $0.map { $0 * scale + offset } },
        classes: rows.map { _ in 0 }, classCount: 1)
      return try BatchSource(data, batchSize: 40, normalization: Normalization(data)).batch(0, as: Float.self)
        .inputs.array
    }
    let plain = try normalized(times: 1)
    for exponent in [-120, -100, -40, -20, 20, 100, 127] {
      #expect(
        try normalized(times: Float(sign: .plus, exponent: exponent, significand: 1)) == plain,
        "2^\(exponent)")
    }
    for scale: Float in [1e-35, 1e-9, 1e-7, 1e-6, 1e30, 3e38] {
      // Each number is rounded once more, by ε/2 of at most 1, where the deviation is about 1/√3.
      let error = try zip(normalized(times: scale), plain).map { abs($0 - $1) }.max() ?? 1
      #expect(error < 8 * .ulpOfOne, "\(scale): \(error)")
    }
    // Far from zero the rounding of the data alone is left: ε/2 · 100 of a deviation of 1/√3.
    let far = try zip(normalized(times: 1, plus: 100), plain).map { abs($0 - $1) }.max() ?? 1
    #expect(far < 200 * .ulpOfOne, "\(far)")
    #expect(try normalized(times: 0, plus: 0.1).allSatisfy { $0 == 0 })
  }

  @Test func imagesAreNormalizedByChannel() {
    let image: [Float] = [1, 2, 3, 4, 10, 10, 30, 30]
    let data = Dataset(
      name: "t", shape: ExampleShape(channels: 2, height: 2, width: 2), rows: [image], classes: [0],
      classCount: 1)
    let normalization = Normalization(data)
    #expect(normalization.mean == [2.5, 20])
    #expect(normalization.scale == [1 / 1.25.squareRoot(), 0.1])
  }
}

@Suite struct AugmentationTests {
  private let shape = ExampleShape(channels: 2, height: 2, width: 3)
  private let image: [Float] = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]

  /// All outcomes over many generators.
  private func outcomes(_ augmentation: Augmentation) -> Set<[Float]> {
    Set(
      (0..<400).map { seed in
        var generator = KeyedGenerator(UInt64(seed))
        var copy = image
        copy.withUnsafeMutableBufferPointer { augmentation.apply(to: $0, shape, &generator) }
        return copy
      })
  }

  @Test func flipsHalfOfTheTime() {
    #expect(outcomes(.flip) == [image, [3, 2, 1, 6, 5, 4, 13, 12, 11, 16, 15, 14]])
  }

  @Test func shiftsLeaveZeros() {
    let all = outcomes(.shift(1))
    #expect(all.count == 9 && all.contains(image))
    #expect(all.contains([0, 1, 2, 0, 4, 5, 0, 11, 12, 0, 14, 15]))
    #expect(all.contains([4, 5, 6, 0, 0, 0, 14, 15, 16, 0, 0, 0]))
  }

  @Test func cropsMirror() {
    let all = outcomes(.crop(1))
    #expect(all.count == 9 && all.contains(image))
    #expect(all.contains([1, 1, 2, 4, 4, 5, 11, 11, 12, 14, 14, 15]))
  }

  @Test func followsFromSeedEpochAndExample() throws {
    let data = Dataset(
      name: "t", shape: shape, rows: (0..<20).map { _ in image }, classes: Array(repeating: 0, count: 20),
      classCount: 1)
    func epoch(_ epoch: Int, seed: UInt64, batchSize: Int) throws -> [[Float]] {
      let source = BatchSource(
        data, batchSize: batchSize, normalization: nil, augmentations: [.shift(1), .flip], seed: seed)
      let order = Array(0..<20)
      return try (0..<source.batchCount).flatMap { i in
        let x = try source.batch(i, of: order, epoch: epoch, as: Float.self).inputs
        return (0..<x.rows).map { x.row($0).array }
      }
    }
    let first = try epoch(3, seed: 1, batchSize: 20)
    #expect(Set(first).count > 3)
    #expect(try epoch(3, seed: 1, batchSize: 7) == first)
    #expect(try epoch(4, seed: 1, batchSize: 20) != first && epoch(3, seed: 2, batchSize: 20) != first)
    // Never in a test.
    let source = BatchSource(data, batchSize: 20, normalization: nil, augmentations: [.shift(1)])
    #expect(try source.batch(0, as: Float.self).inputs.row(13).array == image)
  }

  @Test func parses() throws {
    #expect(try Augmentation.parse("shift:1,flip,crop:4") == [.shift(1), .flip, .crop(4)])
    #expect(try Augmentation.parse("none") == [])
    for text in ["shift", "shift:0", "flip:1", "rotate:3", "crop:x", "shift:-1"] {
      #expect(throws: AugmentationError.self) { try Augmentation.parse(text) }
    }
  }
}

@Suite struct CurvesTests {
  @Test func drawingsFollowFromTheSeed() {
    let split = Curves.split(train: 40, test: 10)
    #expect(split.train.count == 40 && split.test.count == 10 && split.train.targets == .inputs)
    #expect(split.train.shape == ExampleShape(channels: 1, height: 28, width: 28))
    guard case .bytes(let a, _) = split.train.storage, case .bytes(let b, _) = split.test.storage,
      case .bytes(let again, _) = Curves.split(train: 40, test: 10).train.storage,
      case .bytes(let other, _) = Curves.split(train: 40, test: 10, seed: 2).train.storage
    else { return }
    #expect(a == again && a != other)
    let images = stride(from: 0, to: a.count, by: 784).map { Array(a[$0..<$0 + 784]) }
    #expect(Set(images).count == 40 && !images.contains(Array(b.prefix(784))))
    for image in images {
      let ink = image.filter { $0 > 0 }.count
      #expect(image.max()! > 200 && ink > 15 && ink < 400, "\(ink) pixels with ink")
    }
  }

  /// The stroke passes through its three points.
  @Test func curvesPassThroughTheirPoints() {
    let points = [(x: 5.0, y: 6.0), (x: 14.0, y: 20.0), (x: 22.0, y: 9.0)]
    let image = Curves.drawing(through: points)
    for point in points { #expect(image[Int(point.y) * 28 + Int(point.x)] > 0.95) }
    #expect(image[27 * 28] == 0)
    // A parabola may leave the picture: nothing is drawn there, and nothing breaks.
    _ = Curves.drawing(through: [(x: 3, y: 24), (x: 24, y: 3), (x: 3, y: 24)])
    _ = Curves.drawing(through: [(x: 24, y: 24), (x: 24, y: 24), (x: 3, y: 3)])
  }
}
