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
    damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> BatchOutcome {
    transform("invertPositiveDefinite", damping, nil, threads) {
      backend.invertPositiveDefinite($0, threads: threads)
    }
  }

  /// Replaces each matrix by the inverse of (itself + damping), by elimination with partial pivoting.
  ///
  /// See ``MatrixStack/invert(damping:on:threads:)``, whose results are bit for bit the same.
  ///
  /// - Returns: which matrices are singular. They stay as they were.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func invert(
    damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> BatchOutcome {
    require(
      storage == .full, "invert: the matrices are kept as symmetric ones; invertPositiveDefinite is for them")
    return transform("invert", damping, nil, threads) { backend.invertGeneral($0, threads: threads) }
  }

  /// Sets each matrix to the inverse of the (matrix of `source` + damping) at its place, all being symmetric positive
  /// definite.
  ///
  /// - Returns: which matrices of `source` are not positive definite. What was in their places stays.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public mutating func assignInverses(
    of source: InterleavedBatch, damping: Damping<Scalar> = .none, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) -> BatchOutcome {
    requireSameShape(source, "assignInverses")
    return source.withReadOnlyOperand {
      transform("assignInverses", damping, $0, threads) {
        backend.invertPositiveDefinite($0, threads: threads)
      }
    }
  }

  @inline(__always)
  func requireSameShape(_ other: InterleavedBatch, _ operation: StaticString) {
    require(
      other.count == count && other.rows == rows && other.columns == columns,
      """
      \(operation): there are \(other.count) matrices of \(other.rows)×\(other.columns) for \(count) of \
      \(rows)×\(columns); all must agree
      """)
  }

  /// From `source`, or from these matrices themselves.
  @inline(__always)
  private mutating func transform(
    _ name: StaticString, _ damping: Damping<Scalar>, _ source: BatchOperand<Scalar>?, _ threads: Int,
    _ body: (BatchedMatrices<Scalar>) -> Void
  ) -> BatchOutcome {
    requireThreads(threads, name)
    let (absolute, relative) = damping.checkedParts(name)
    let (n, count) = (order, count)
    if n == 0 || count == 0 { return .complete }
    return withOperand { target in
      ThreadContext.current.withScratch(count, of: Int32.self) { outcomes in
        body(
          BatchedMatrices(
            source: source ?? target, target: target, count: count, absolute: absolute, relative: relative,
            outcomes: outcomes))
        return BatchOutcome(UnsafeBufferPointer(start: outcomes, count: count))
      }
    }
  }

  /// Sets every batch to the inverses of the (matrices of `sources` + damping), all being symmetric positive definite.
  ///
  /// The orders may differ from batch to batch. One call: the work of all batches together is spread over the threads. See
  /// ``assignInverses(of:damping:on:threads:)``.
  ///
  /// - Returns: for each batch, which matrices are not positive definite. What was in their places stays.
  @discardableResult
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public static func assignInverses(
    to batches: inout [InterleavedBatch], of sources: [InterleavedBatch], damping: Damping<Scalar> = .none,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> [BatchOutcome] {
    requireThreads(threads, "assignInverses")
    require(
      batches.count == sources.count,
      "assignInverses: there are \(sources.count) batches for \(batches.count); the counts must agree")
    let (absolute, relative) = damping.checkedParts("assignInverses")
    let total = batches.reduce(0) { $0 + $1.count }
    return ThreadContext.current.withScratch(total, of: Int32.self) { outcomes in
      withUnsafeTemporaryAllocation(of: BatchedMatrices<Scalar>.self, capacity: batches.count) { calls in
        var start = 0
        for i in batches.indices {
          batches[i].requireSameShape(sources[i], "assignInverses")
          require(batches[i].rows == batches[i].columns, "assignInverses: the matrices must be square")
          // The storages belong to the arrays and stay where they are until the next mutation.
          let source = sources[i].withReadOnlyOperand { $0 }
          let target = batches[i].withOperand { $0 }
          calls.initializeElement(
            at: i,
            to: BatchedMatrices(
              source: source, target: target, count: batches[i].count, absolute: absolute,
              relative: relative, outcomes: outcomes + start))
          start += batches[i].count
        }
        withExtendedLifetime((batches, sources)) {
          backend.invertPositiveDefinite(UnsafeBufferPointer(calls), threads: threads)
        }
        return calls.map { BatchOutcome(UnsafeBufferPointer(start: $0.outcomes, count: $0.count)) }
      }
    }
  }
}
