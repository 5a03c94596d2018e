import FisherLinearAlgebra

/// One product of the map: the seconds of a call, the least of some rounds.
package struct MapEntry {
  let type: String
  package let shape: Shape
  let ours: Double
  /// The faster of two orders of naive loops.
  let loops: Double
  /// In the order of the libraries; none of them may be there.
  let peers: [Double]

  package init(type: String, shape: Shape, ours: Double, loops: Double, peers: [Double]) {
    self.type = type
    self.shape = shape
    self.ours = ours
    self.loops = loops
    self.peers = peers
  }

  /// The time of the loops over ours: below 1, we are slower than they are.
  package var overLoops: Double { loops / ours }
  /// The time of the fastest library over ours.
  package var overBest: Double? { peers.min().map { $0 / ours } }
  /// Against the fastest library, or the loops if there is none.
  package var ratio: Double { overBest ?? overLoops }
  /// Nothing is left to be wished for: as fast as the loops, and as the fastest library to a tenth.
  package var isGood: Bool { ratio >= 0.9 && overLoops >= 1 }

  /// The least of two measurements of the same shape.
  package func least(_ other: MapEntry) -> MapEntry {
    MapEntry(
      type: type, shape: shape, ours: min(ours, other.ours), loops: min(loops, other.loops),
      peers: zip(peers, other.peers).map { min($0, $1) })
  }

  package var name: String { "\(shape.m)x\(shape.n)x\(shape.k)" }
}

extension MapEntry {
  /// Measures ours, loops and libraries in turn on one thread. The operands stay in the first-level cache.
  ///
  /// - Parameters:
  ///   - sample: the seconds that one sample should last: a call is repeated until it does.
  ///   - rounds: how many samples each has.
  /// - Throws: ``LibraryError`` if a library computes something else.
  @specialized(where S == Float) @specialized(where S == Double)
  static func measure<S: KernelScalar>(
    _: S.Type, _ shape: Shape, _ peers: Peers, sample: Double, rounds: Int
  ) throws(LibraryError) -> MapEntry {
    let memory = Memory()
    let (m, n, k) = (shape.m, shape.n, shape.k)
    let (a, b, c) = (
      memory.operand(S.self, m * k, seed: 1), memory.operand(S.self, k * n, seed: 2),
      memory.operand(S.self, m * n, seed: 3)
    )
    defer { withExtendedLifetime(memory) {} }
    let product = Gemm(
      alpha: 1, a: a.matrix(m, k).readOnly, b: b.matrix(k, n).readOnly, beta: 0, c: c.matrix(m, n))
    func call(_ backend: some Backend) -> () -> Void { { backend.gemm(product, threads: 1) } }
    var calls = [call(NativeBackend())]
    calls += [{ NaiveLoops.byRows(shape, a, b, c) }, { NaiveLoops.byDots(shape, a, b, c) }]
    calls += peers.cblas.map { call($0.backend) }
    if let library = peers.xsmm?.library { calls.append { library.multiply(shape, a, b, c) } }

    let result = UnsafeBufferPointer(start: c.base, count: m * n)
    calls[2]()
    let wanted = Array(result)
    for (call, line) in zip(calls.dropFirst(3), peers.lines) {
      for i in result.indices { c.base[i] = .nan }
      call()
      // Entries of A and B are at most 1.
      let isRight = zip(result, wanted).allSatisfy { abs($0 - $1) <= S(4 * k) * S.ulpOfOne }
      if !isRight { throw LibraryError("\(line.path) computes something else than A·B for \(m)x\(n)x\(k)") }
    }
    let least = leastSeconds(calls, sample: sample, rounds: rounds)
    return MapEntry(
      type: S.self == Float.self ? "f32" : "f64", shape: shape, ours: least[0],
      loops: min(least[1], least[2]),
      peers: Array(least.dropFirst(3)))
  }
}

/// The seconds of each call, the least of some rounds in which they take turns, as often in each as fills a sample.
private func leastSeconds(_ calls: [() -> Void], sample: Double, rounds: Int) -> [Double] {
  let repeats = calls.map { Measurement.repeats(sample, $0) }
  var least = [Double](repeating: .infinity, count: calls.count)
  for _ in 0..<rounds {
    for (i, call) in calls.enumerated() {
      let start = seconds()
      for _ in 0..<repeats[i] { call() }
      least[i] = min(least[i], (seconds() - start) / Double(repeats[i]))
    }
  }
  return least
}
