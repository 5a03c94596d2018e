import FisherRuntime

extension InterleavedBatch {
  /// Replaces each matrix by the inverse of (itself + damping), all being symmetric positive definite; only the lower
  /// triangles are read.
  ///
  /// See ``MatrixStack/invertPositiveDefinite(damping:reading:on:threads:)``, whose results are bit for bit the same.
  ///
  /// - Returns: which matrices are not positive definite. They stay as they were.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invertPositiveDefinite(
    damping: Damping<Scalar> = .none, threads: Int = Threads.available
  ) -> BatchOutcome {
    transform(.positiveDefiniteInverse, "invertPositiveDefinite", damping, nil, threads)
  }

  /// Replaces each matrix by the inverse of (itself + damping), by elimination with partial pivoting.
  ///
  /// See ``MatrixStack/invert(damping:on:threads:)``, whose results are bit for bit the same.
  ///
  /// - Returns: which matrices are singular. They stay as they were.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invert(
    damping: Damping<Scalar> = .none, threads: Int = Threads.available
  ) -> BatchOutcome {
    require(
      storage == .full, "invert: the matrices are kept as symmetric ones; invertPositiveDefinite is for them")
    return transform(.generalInverse, "invert", damping, nil, threads)
  }

  /// Sets each matrix to the inverse of the (matrix of `source` + damping) at its place, all being symmetric positive
  /// definite.
  ///
  /// - Returns: which matrices of `source` are not positive definite. What was in their places stays.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func assignInverses(
    of source: InterleavedBatch, damping: Damping<Scalar> = .none, threads: Int = Threads.available
  ) -> BatchOutcome {
    requireSameShape(source, "assignInverses")
    return source.withReadOnlyLanes {
      transform(.positiveDefiniteInverse, "assignInverses", damping, $0, threads)
    }
  }

  @inline(__always)
  func requireSameShape(_ other: InterleavedBatch, _ operation: StaticString) {
    require(
      other.count == count && other.rows == rows && other.columns == columns
        && other.instructionSet == instructionSet,
      """
      \(operation): there are \(other.count) matrices of \(other.rows)×\(other.columns) for \
      \(other.instructionSet) and \(count) of \(rows)×\(columns) for \(instructionSet); all must agree
      """)
  }

  /// From `source`, or from these matrices themselves. Nothing may hold a copy of `self` meanwhile: it would be a copy of
  /// all elements.
  @inline(__always)
  private mutating func transform(
    _ operation: LaneOperation, _ name: StaticString, _ damping: Damping<Scalar>,
    _ source: LaneMatrices<Scalar>?, _ threads: Int
  ) -> BatchOutcome {
    requireThreads(threads, name)
    let (absolute, relative) = damping.checkedParts(name)
    let (n, count, kernels) = (order, count, Scalar._kernels(instructionSet))
    if n == 0 || count == 0 { return .complete }
    return withLanes { target in
      ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
        LaneTransform(
          operation: operation, order: n, count: count, source: source ?? target, target: target,
          absolute: absolute, relative: relative, logDeterminants: nil, outcomes: outcomes
        ).perform(kernels, threads: threads)
        return BatchOutcome(UnsafeBufferPointer(start: outcomes, count: count))
      }
    }
  }
}

/// Sets every batch to the inverses of the (matrices of `sources` + damping), all being symmetric positive definite.
///
/// The orders may differ from batch to batch; all batches are for one instruction set. One call: the work of all batches
/// together is spread over the threads. See ``InterleavedBatch/assignInverses(of:damping:threads:)``.
///
/// - Returns: for each batch, which matrices are not positive definite. What was in their places stays.
@discardableResult
@specialized(where S == Float) @specialized(where S == Double)
public func assignInverses<S: KernelScalar>(
  to batches: inout [InterleavedBatch<S>], of sources: [InterleavedBatch<S>], damping: Damping<S> = .none,
  threads: Int = Threads.available
) -> [BatchOutcome] {
  requireThreads(threads, "assignInverses")
  require(
    batches.count == sources.count,
    "assignInverses: there are \(sources.count) batches for \(batches.count); the counts must agree")
  let (absolute, relative) = damping.checkedParts("assignInverses")
  guard let instructionSet = batches.first?.instructionSet else { return [] }
  let total = batches.reduce(0) { $0 + $1.count }
  return ThreadContext.current.withScratch(total, of: Int32.self) { outcomes in
    withUnsafeTemporaryAllocation(of: LaneTransform<S>.self, capacity: batches.count) { works in
      var start = 0
      for i in batches.indices {
        batches[i].requireSameShape(sources[i], "assignInverses")
        require(
          batches[i].instructionSet == instructionSet,
          "assignInverses: batches are for \(instructionSet) and \(batches[i].instructionSet)")
        let (n, count) = (batches[i].order, batches[i].count)
        // The storages belong to the arrays and stay where they are until the next mutation.
        let source = sources[i].withReadOnlyLanes { $0 }
        let target = batches[i].withLanes { $0 }
        works.initializeElement(
          at: i,
          to: LaneTransform(
            operation: .positiveDefiniteInverse, order: n, count: n == 0 ? 0 : count, source: source,
            target: target, absolute: absolute, relative: relative, logDeterminants: nil,
            outcomes: outcomes + start))
        if n == 0 { (outcomes + start).initialize(repeating: -1, count: count) }
        start += count
      }
      withExtendedLifetime((batches, sources)) {
        LaneTransform.perform(UnsafeBufferPointer(works), S._kernels(instructionSet), threads: threads)
      }
      return batches.indices.map { i in
        BatchOutcome(UnsafeBufferPointer(start: works[i].outcomes, count: batches[i].count))
      }
    }
  }
}
