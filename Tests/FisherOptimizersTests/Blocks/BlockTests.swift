import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime
import FisherTestSupport
import OptimizerTestSupport
import Testing

/// Symmetric blocks: their inverses in a step, their memory, and the ones of rank one.
@Suite struct BlockTests {
  private func random(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Matrix<Double> {
    var generator = Generator(seed: Seed.first &+ seed)
    return Matrix(rows: rows, columns: columns) { _, _ in generator.uniform() }
  }

  /// Side by side up to order 64, one after the other above.
  @Test(arguments: [(1, 9), (5, 1), (11, 9), (3, 64), (2, 65)])
  func inversesAreInverses(count: Int, order: Int) throws {
    let samples = MatrixStack(splitting: random(3 * count, order, 1), count: 3)
    var blocks = InterleavedBatch<Double>(count: count, order: order, storage: .symmetric)
    blocks.addOuterProducts(ofSamples: samples, alpha: 1, beta: 0)
    let A = random(order, order, 2)
    let factor = A.multiplied(by: A.transposed)
    for threads in [1, 2] {
      var run = try OptimizerRun<Double>(
        Inverting(blocks: blocks, factor: factor, λ: 0.3), [Inverting.parameter], threads: threads)
      #expect(try run.step([[0]]).isEmpty)
      let C = InterleavedBatch(
        elements: try #require(run.state("C", of: "w")), count: count, order: order
      ).stack()
      let F = try #require(run.state("F", of: "w"))
      for (inverse, block) in zip((0..<count).map { C[$0] } + [F], (0..<count).map { blocks[$0] } + [factor])
      {
        let damped = Matrix(rows: order, columns: order) { block[$0, $1] + ($0 == $1 ? 0.3 : 0) }
        let product = damped.multiplied(by: inverse)
        let worst = (0..<order).flatMap { i in (0..<order).map { abs(product[i, $0] - (i == $0 ? 1 : 0)) } }
          .max()!
        #expect(worst < 1e-11)
      }
    }
  }

  /// A block that has no inverse keeps its former one, at first I/λ; a factor so many times the identity. The others of
  /// the batch are as they would be without it.
  @Test(arguments: [3, 70])
  func failedInversesAreKept(order: Int) throws {
    let identity = Matrix<Double>(identity: order)
    func blocks(_ scales: [Double]) -> InterleavedBatch<Double> {
      var blocks = InterleavedBatch<Double>(count: scales.count, order: order, storage: .symmetric)
      for (i, scale) in scales.enumerated() {
        blocks[i] = Matrix(rows: order, columns: order) { $0 == $1 ? scale : 0 }
      }
      return blocks
    }
    func check(_ run: OptimizerRun<Double>, _ expected: [Double]) throws {
      let C = InterleavedBatch(elements: try #require(run.state("C", of: "w")), count: 3, order: order)
      let found = (0..<3).map { C[$0][order - 1, order - 1] } + [run.state("F", of: "w")![0, 0]]
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-14 }, "\(found)")
    }
    let indefinite = Matrix<Double>(rows: order, columns: order) { $0 == $1 ? -4 : 0 }
    var first = try OptimizerRun<Double>(
      Inverting(blocks: blocks([1, -4, 3]), factor: indefinite, λ: 1), [Inverting.parameter])
    #expect(try first.step([[0]]) == ["inverses kept": 2])
    try check(first, [0.5, 1, 0.25, 7])
    var second = try OptimizerRun<Double>(
      Inverting(blocks: blocks([1, 7, -4]), factor: identity, λ: 1, then: (blocks([3, -4, 3]), indefinite)),
      [Inverting.parameter])
    #expect(try second.step([[0]]) == ["inverses kept": 1])
    try check(second, [0.5, 0.125, 1, 0.5])
    #expect(try second.step([[0]]) == ["inverses kept": 2])
    try check(second, [0.25, 0.125, 0.25, 0.5])
  }

  /// Lent elements are changed in place: what is in them stays, and no memory is taken unless they are shared.
  @Test func blocksAreLentInPlace() {
    var blocks = InterleavedBatch<Double>(count: 5, order: 3, storage: .symmetric)
    for i in 0..<5 { blocks[i] = Matrix(rows: 3, columns: 3) { Double(i + 1) * Double($0 + $1) } }
    let source = blocks.elements
    var elements = Matrix<Double>(rows: source.rows, columns: source.columns)
    copy(source, into: &elements)
    func place(_ x: Matrix<Double>) -> Int {
      x.withSpan { $0.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) } }
    }
    let before = place(elements)
    let entry = elements.withMutableBlocks(count: 5, order: 3) { lent in
      lent[4] = Matrix(identity: 3)
      return lent[3][2, 1]
    }
    #expect(entry == 12 && place(elements) == before)
    let kept = elements
    elements.withMutableBlocks(count: 5, order: 3) { $0[0] = Matrix(identity: 3) }
    let (old, new) = (
      InterleavedBatch(elements: kept, count: 5, order: 3),
      InterleavedBatch(elements: elements, count: 5, order: 3)
    )
    #expect(new[0] == Matrix(identity: 3) && new[4] == Matrix(identity: 3) && new[1][2, 2] == 8)
    #expect(old[0] == blocks[0] && old[4] == new[4])
  }

  /// Of undefined memory what lies behind the last block becomes zeros.
  @Test func undefinedMemoryIsClearedBehindTheLastBlock() {
    let shape = InterleavedBatch<Double>.shape(count: 5, order: 2)
    var elements = Matrix<Double>(repeating: .nan, rows: shape.rows, columns: shape.columns)
    elements.withMutableBlocks(count: 5, order: 2, isUndefined: true) { lent in
      for i in 0..<5 { lent[i] = Matrix(identity: 2) }
    }
    #expect(elements.array.reduce(0, +) == 10)
  }

  /// p solves (v·vᵀ + λ·I)·p = m, row by row, with the same bits on any number of threads.
  @Test(arguments: [(1, 1), (3, 7), (40, 9), (300, 200), (0, 3), (3, 0)])
  func rankOneSolutions(rows: Int, columns: Int) {
    let (m, v) = (random(rows, columns, 3), random(rows, columns, 4))
    var p = Matrix<Double>(rows: rows, columns: columns)
    p.assignRankOneSolutions(of: m, v, damping: 0.2, threads: 1)
    for i in 0..<rows {
      let vp = (0..<columns).reduce(0) { $0 + v[i, $1] * p[i, $1] }
      let worst = (0..<columns).map { abs(v[i, $0] * vp + 0.2 * p[i, $0] - m[i, $0]) }.max() ?? 0
      #expect(worst < 1e-12 * Double(columns + 1))
    }
    for threads in [2, 7] {
      var other = Matrix<Double>(rows: rows, columns: columns)
      other.assignRankOneSolutions(of: m, v, damping: 0.2, threads: threads)
      #expect(other == p)
    }
  }

  @Test(.ownThread) func wrongShapesStop() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var p = Matrix<Float>(rows: 2, columns: 3)
        p.assignRankOneSolutions(
          of: Matrix(rows: 2, columns: 3), Matrix(rows: 3, columns: 2), damping: 1, threads: 1)
      }, "M is 2×3", "V is 3×2", "P is 2×3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var elements = Matrix<Float>(rows: 2, columns: 3)
        elements.withMutableBlocks(count: 2, order: 3) { _ in }
      }, "2×3 elements", "2 symmetric matrices of order 3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = DampedBlocks(InterleavedBatch<Float>(count: 2, order: 3), damping: 1, as: "C", of: "w")
      }, "w has blocks that are kept in full")
  }
}

/// Inverts blocks as `C` and a factor as `F`; others after the first step.
private struct Inverting: Optimizer {
  static let parameter = ParameterInfo(name: "w", shape: [1], role: .plain)
  static let record = OptimizerRecord(
    name: "inverting", title: "Inverting", summary: "Inverts.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "P", probes: [[:]])

  var blocks = InterleavedBatch<Double>(count: 0, order: 1, storage: .symmetric)
  var factor = Matrix<Double>(rows: 0, columns: 0)
  var λ = 1.0
  var then: (InterleavedBatch<Double>, Matrix<Double>)?

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let (blocks, factor) = step.number > 1 ? then ?? (self.blocks, self.factor) : (self.blocks, self.factor)
    guard let blocks = blocks as? InterleavedBatch<S>, let factor = factor as? Matrix<S> else { return }
    try step.invert(
      [DampedFactor(factor, damping: λ, fallback: 7, as: "F", of: "w")],
      [DampedBlocks(blocks, damping: λ, as: "C", of: "w")])
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}
