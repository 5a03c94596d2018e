package import FisherLinearAlgebra
import FisherRuntime

/// Looks for NaN and infinity before anything is changed.
enum FiniteCheck {
  /// - Throws: ``StepRefusal/nonFiniteGradient(parameter:layer:index:)`` for the first parameter that has one.
  static func gradients<S: KernelScalar>(
    _ gradients: [Matrix<S>], _ parameters: [ParameterInfo], threads: Int
  ) throws(StepRefusal) {
    guard let first = firstNonFinite(among: gradients, threads: threads) else { return }
    let index = firstNonFinite(gradients[first]) ?? 0
    throw .nonFiniteGradient(
      parameter: parameters[first].name, layer: parameters[first].layer, index: index)
  }

  /// - Parameter known: slots that were finite before; of these, what is staged as finite is not looked through.
  /// - Throws: ``StepRefusal/nonFiniteState(optimizer:slot:)`` for the first slot, by name, that has one.
  static func state<S: KernelScalar>(
    _ changes: StagedChanges<S>, known: Set<SlotKey>, optimizer: String, threads: Int
  ) throws(StepRefusal) {
    for (key, value) in changes.scalars.sorted(by: { $0.key < $1.key }) where !value.isFinite {
      throw .nonFiniteState(optimizer: optimizer, slot: key)
    }
    let isFinite = changes.finite.intersection(known)
    let tensors = changes.tensors.filter { !isFinite.contains($0.key) }.sorted { $0.key < $1.key }
    if let first = firstNonFinite(among: tensors.map(\.value), threads: threads) {
      throw .nonFiniteState(optimizer: optimizer, slot: tensors[first].key)
    }
    for update in changes.updates {
      for factor in [update.row, update.column] {
        if let factor, firstNonFinite(factor) != nil {
          throw .nonFiniteState(optimizer: optimizer, slot: SlotKey(update.parameter.name, "factor"))
        }
      }
    }
  }

  /// The first matrix that holds NaN or infinity.
  @specialized(where S == Float) @specialized(where S == Double)
  fileprivate static func firstNonFinite<S: KernelScalar>(among matrices: [Matrix<S>], threads: Int) -> Int? {
    let matrices = matrices.map { $0.compacted() }
    let pieces = Parallel.elementwisePieces(matrices.map { $0.count })
    // Each task writes its own.
    var isBad = [Bool](repeating: false, count: pieces.count)
    isBad.withUnsafeMutableBufferPointer { isBad in
      nonisolated(unsafe) let isBad = isBad
      Parallel.perform(pieces, threads: threads) { piece, pass, range in
        isBad[piece] = matrices[pass].withPointer { !isFinite($0.base, range) }
      }
    }
    return isBad.firstIndex(of: true).map { pieces[$0].pass }
  }

  /// The place of the first NaN or infinity in row-major order.
  @specialized(where S == Float) @specialized(where S == Double)
  static func firstNonFinite<S: KernelScalar>(_ matrix: Matrix<S>) -> Int? {
    let matrix = matrix.compacted()
    if matrix.withPointer({ isFinite($0.base, 0..<matrix.count) }) { return nil }
    return matrix.withSpan { elements in elements.indices.first { !elements[$0].isFinite } }
  }

  @specialized(where S == Float) @specialized(where S == Double)
  static func isFinite<S: KernelScalar>(_ p: UnsafePointer<S>, _ range: Range<Int>) -> Bool {
    var zeros = (Lanes<S>.zero, Lanes<S>.zero)
    var i = range.lowerBound
    while i + 16 <= range.upperBound {
      prefetchLine(p + (i + 2048))
      mark(load(p + i), in: &zeros.0)
      mark(load(p + i + 8), in: &zeros.1)
      i += 16
    }
    var isFinite = zeros.0 == .zero && zeros.1 == .zero
    while i < range.upperBound {
      isFinite = isFinite && p[i].isFinite
      i += 1
    }
    return isFinite
  }
}

extension Matrix {
  /// Whether no element is NaN or infinite, as ``isFinite`` but on several threads.
  package func isFinite(threads: Int) -> Bool {
    FiniteCheck.firstNonFinite(among: [self], threads: threads) == nil
  }
}
