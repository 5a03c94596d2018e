import FisherLinearAlgebra

/// Looks for NaN and infinity before anything is changed.
enum FiniteCheck {
  /// Elements of a piece of work.
  private static var pieceCount: Int { 32768 }

  /// - Throws: ``StepRefusal/nonFiniteGradient(parameter:layer:index:)`` for the first parameter that has one.
  @specialized(where S == Float) @specialized(where S == Double)
  static func gradients<S: KernelScalar>(
    _ gradients: [Matrix<S>], _ parameters: [ParameterInfo], threads: Int
  ) throws(StepRefusal) {
    let gradients = gradients.map { $0.compacted() }
    var pieces: [(gradient: Int, range: Range<Int>)] = []
    for (i, gradient) in gradients.enumerated() {
      for start in stride(from: 0, to: gradient.count, by: pieceCount) {
        pieces.append((i, start..<min(gradient.count, start + pieceCount)))
      }
    }
    // Zero for pieces that are finite; each task writes its own.
    var bad = [Bool](repeating: false, count: pieces.count)
    bad.withUnsafeMutableBufferPointer { bad in
      nonisolated(unsafe) let bad = bad
      Parallel.perform(pieces.count, threads: threads) { i in
        let piece = pieces[i]
        bad[i] = gradients[piece.gradient].withPointer { !isFinite($0.base, piece.range) }
      }
    }
    guard let first = bad.firstIndex(of: true) else { return }
    let parameter = parameters[pieces[first].gradient]
    let index = firstNonFinite(gradients[pieces[first].gradient]) ?? pieces[first].range.lowerBound
    throw .nonFiniteGradient(parameter: parameter.name, layer: parameter.layer, index: index)
  }

  /// - Throws: ``StepRefusal/nonFiniteState(optimizer:slot:)`` for the first slot, by name, that has one.
  static func state<S: KernelScalar>(
    _ changes: StagedChanges<S>, optimizer: String
  ) throws(StepRefusal) {
    for (key, value) in changes.scalars.sorted(by: { $0.key < $1.key }) where !value.isFinite {
      throw .nonFiniteState(optimizer: optimizer, slot: key)
    }
    for (key, tensor) in changes.tensors.sorted(by: { $0.key < $1.key })
    where firstNonFinite(tensor) != nil {
      throw .nonFiniteState(optimizer: optimizer, slot: key)
    }
    for update in changes.updates {
      for factor in [update.row, update.column] {
        if let factor, firstNonFinite(factor) != nil {
          throw .nonFiniteState(optimizer: optimizer, slot: SlotKey(update.parameter.name, "factor"))
        }
      }
    }
  }

  /// The place of the first NaN or infinity in row-major order.
  @specialized(where S == Float) @specialized(where S == Double)
  static func firstNonFinite<S: KernelScalar>(_ matrix: Matrix<S>) -> Int? {
    let matrix = matrix.compacted()
    if matrix.withPointer({ isFinite($0.base, 0..<matrix.count) }) { return nil }
    return matrix.withSpan { elements in elements.indices.first { !elements[$0].isFinite } }
  }

  /// 0·x is NaN for NaN and infinity, and zero for all others: their sum tells, and cannot overflow.
  @specialized(where S == Float) @specialized(where S == Double)
  private static func isFinite<S: KernelScalar>(_ p: UnsafePointer<S>, _ range: Range<Int>) -> Bool {
    var sums = (Lanes<S>.zero, Lanes<S>.zero)
    var i = range.lowerBound
    while i + 16 <= range.upperBound {
      prefetchLine(p + (i + 2048))
      sums.0 += S.zero * load(p + i)
      sums.1 += S.zero * load(p + i + 8)
      i += 16
    }
    let sum = sums.0 + sums.1
    var isFinite = sum == .zero
    while i < range.upperBound {
      isFinite = isFinite && p[i].isFinite
      i += 1
    }
    return isFinite
  }
}
