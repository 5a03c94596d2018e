import FisherRuntime
import KernelTemplates

/// What is made of each matrix of a batch.
enum LaneOperation {
  case positiveDefiniteInverse, choleskyFactor, generalInverse
}

/// Targets ← inverses or factors of damped sources, in any forms.
struct LaneTransform<S: KernelScalar>: LaneWork {
  let operation: LaneOperation
  /// In place, where it stays until the work is done: copies of it for each group took as long as the work on 2 × 2 matrices.
  let call: UnsafePointer<BatchedMatrices<S>>

  var order: Int { call.pointee.order }
  /// Nothing is to be done if the matrices have no elements.
  var count: Int { order == 0 ? 0 : call.pointee.count }
  var cost: Int { (operation == .generalInverse ? 3 : 1) * order * order * order + 20 * order * order }

  /// A group, pivots, and what the kernels need.
  var scratch: Int { order * order + order + 4 * (order + 1) }

  func run(_ group: LaneGroup<S>, _ scratch: UnsafeMutablePointer<S>) {
    let pivots = scratch + order * order * group.lanes
    load(group, to: scratch)
    if call.pointee.absolute != 0 || call.pointee.relative != 0 {
      group.kernels.damp(scratch, n: order, absolute: call.pointee.absolute, relative: call.pointee.relative)
    }
    let isGood = transform(group, scratch, pivots)
    if isGood {
      store(group, from: scratch)
      (call.pointee.outcomes + group.first).update(repeating: -1, count: group.count)
      if call.pointee.logDeterminants == nil { return }
    }
    for lane in 0..<group.count {
      let bad = isGood ? nil : firstBadPivot(pivots, group.lanes, lane)
      call.pointee.outcomes[group.first + lane] = Int32(bad ?? -1)
      if !isGood && bad == nil {
        call.pointee.target.storeLane(lane, of: group, isSymmetric: isSymmetric, from: scratch)
      }
      call.pointee.logDeterminants?[group.first + lane] =
        bad == nil ? logarithm(UnsafePointer(pivots) + lane, stride: group.lanes) : .nan
    }
  }

  @inline(__always)
  private func load(_ group: LaneGroup<S>, to vectors: UnsafeMutablePointer<S>) {
    if operation == .generalInverse {
      call.pointee.source.load(group, to: vectors)
    } else {
      call.pointee.source.loadLower(group, to: vectors)
    }
  }

  /// What the group after this one will read and write.
  @inline(__always)
  private func lookahead(after group: LaneGroup<S>) -> Lookahead<S> {
    let next = group.next(of: count)
    let (from, to) = (call.pointee.source.memory(next), call.pointee.target.memory(next))
    return Lookahead(from.start, count: from.count, to.start, count: to.count)
  }

  /// Whether only the lower triangles of results are there, and the others like them.
  private var isSymmetric: Bool { operation == .positiveDefiniteInverse }

  @inline(__always)
  private func transform(
    _ group: LaneGroup<S>, _ vectors: UnsafeMutablePointer<S>, _ pivots: UnsafeMutablePointer<S>
  ) -> Bool {
    let (kernels, n, rest) = (group.kernels, order, pivots + order * group.lanes)
    let ahead = lookahead(after: group)
    return switch operation {
    case .positiveDefiniteInverse:
      kernels.invertSymmetric(vectors, n: n, pivots: pivots, rest, ahead: ahead)
    case .choleskyFactor: kernels.factorCholesky(vectors, n: n, pivots: pivots, rest, ahead: ahead)
    case .generalInverse: kernels.invertGeneral(vectors, n: n, pivots: pivots, rest, ahead: ahead)
    }
  }

  @inline(__always)
  private func store(_ group: LaneGroup<S>, from vectors: UnsafeMutablePointer<S>) {
    if isSymmetric {
      call.pointee.target.storeSymmetric(group, from: vectors)
    } else {
      call.pointee.target.store(group, from: vectors)
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
