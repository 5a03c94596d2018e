import FisherRuntime
import KernelTemplates

/// What is made of each matrix of a batch.
enum LaneOperation {
  case positiveDefiniteInverse, choleskyFactor, generalInverse
}

/// Targets ← inverses or factors of damped sources, in any forms.
struct LaneTransform<S: KernelScalar>: LaneWork {
  var operation: LaneOperation
  var call: BatchedMatrices<S>

  var order: Int { call.order }
  /// Nothing is to be done if the matrices have no elements.
  var count: Int { order == 0 ? 0 : call.count }
  var cost: Int { (operation == .generalInverse ? 3 : 1) * order * order * order + 20 * order * order }

  /// A group, pivots, and what the kernels need.
  var scratch: Int { order * order + order + 4 * (order + 1) }

  func run(_ g: Int, count: Int, _ kernels: any KernelSet<S>.Type, _ scratch: UnsafeMutablePointer<S>) {
    let (n, lanes) = (order, kernels.shape.lanes)
    let pivots = scratch + n * n * lanes
    load(g, count, kernels, to: scratch)
    if call.absolute != 0 || call.relative != 0 {
      kernels.damp(scratch, n: n, absolute: call.absolute, relative: call.relative)
    }
    let isGood = transform(kernels, scratch, pivots, ahead: next(after: g, lanes))
    if isGood {
      store(g, count, kernels, from: scratch)
      (call.outcomes + g * lanes).update(repeating: -1, count: count)
      if call.logDeterminants == nil { return }
    }
    for lane in 0..<count {
      let bad = isGood ? nil : firstBadPivot(pivots, lanes, lane)
      call.outcomes[g * lanes + lane] = Int32(bad ?? -1)
      if !isGood && bad == nil {
        call.target.storeLane(g, lane, isSymmetric: isSymmetric, kernels, from: scratch)
      }
      call.logDeterminants?[g * lanes + lane] =
        bad == nil ? logarithm(UnsafePointer(pivots) + lane, stride: lanes) : .nan
    }
  }

  @inline(__always)
  private func load(
    _ g: Int, _ count: Int, _ kernels: any KernelSet<S>.Type, to group: UnsafeMutablePointer<S>
  ) {
    if operation == .generalInverse {
      call.source.load(g, count: count, kernels, to: group)
    } else {
      call.source.loadLower(g, count: count, kernels, to: group)
    }
  }

  /// What the group after `g` will read and write.
  @inline(__always)
  private func next(after g: Int, _ lanes: Int) -> Lookahead<S> {
    let count = max(0, min(lanes, self.count - (g + 1) * lanes))
    let (from, to) = (
      call.source.memory(g + 1, count: count, lanes: lanes),
      call.target.memory(g + 1, count: count, lanes: lanes)
    )
    return Lookahead(from.start, count: from.count, to.start, count: to.count)
  }

  /// Whether only the lower triangles of results are there, and the others like them.
  private var isSymmetric: Bool { operation == .positiveDefiniteInverse }

  @inline(__always)
  private func transform(
    _ kernels: any KernelSet<S>.Type, _ group: UnsafeMutablePointer<S>, _ pivots: UnsafeMutablePointer<S>,
    ahead: Lookahead<S>
  ) -> Bool {
    let rest = pivots + order * kernels.shape.lanes
    switch operation {
    case .positiveDefiniteInverse:
      return kernels.invertSymmetric(group, n: order, pivots: pivots, rest, ahead: ahead)
    case .choleskyFactor:
      return kernels.factorCholesky(group, n: order, pivots: pivots, rest, ahead: ahead)
    case .generalInverse: return kernels.invertGeneral(group, n: order, pivots: pivots, rest, ahead: ahead)
    }
  }

  @inline(__always)
  private func store(
    _ g: Int, _ count: Int, _ kernels: any KernelSet<S>.Type, from group: UnsafeMutablePointer<S>
  ) {
    if isSymmetric {
      call.target.storeSymmetric(g, count: count, kernels, from: group)
    } else {
      call.target.store(g, count: count, kernels, from: group)
    }
  }

  /// The first pivot of one lane that is not above 0, nil if there is none.
  private func firstBadPivot(_ pivots: UnsafeMutablePointer<S>, _ lanes: Int, _ lane: Int) -> Int? {
    (0..<order).first { !(pivots[$0 * lanes + lane] > 0) }
  }

  /// log of the product of the pivots.
  private func logarithm(_ pivots: UnsafePointer<S>, stride: Int) -> S {
    var product = ScaledProduct()
    for i in 0..<order { product.multiply(by: Double(pivots[i * stride])) }
    return S(product.logarithm)
  }
}

/// A product of positive numbers that neither overflows nor underflows: one logarithm for all of them.
struct ScaledProduct {
  private var significand = 1.0
  private var exponent = 0

  mutating func multiply(by x: Double) {
    guard x.isFinite, x > 0 else {
      significand *= x
      return
    }
    exponent += Int(x.exponent)
    significand *= x.significand
    if significand >= 0x1p500 {
      significand *= 0x1p-500
      exponent += 500
    }
  }

  var logarithm: Double { log(significand) + Double(exponent) * log(2.0) }
}
