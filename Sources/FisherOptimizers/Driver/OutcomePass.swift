import FisherLinearAlgebra
import FisherRuntime

extension Outcome {
  /// The pass over one parameter: what it reads, and the memory that it writes.
  struct Pass {
    let parameter: ParameterInfo
    let position: Int
    private let run: (UpdateOperands<Scalar>, Range<Int>) -> Bool
    let reason: () -> String?
    private let old: Matrix<Scalar>
    let gradient: Matrix<Scalar>
    private let row: Matrix<Scalar>?
    private let column: Matrix<Scalar>?
    private(set) var value: Matrix<Scalar>
    /// The rule's slots in their order; those without a name are missing from ``slots``.
    private var former: [Matrix<Scalar>?] = []
    private var places: [Int?] = []
    private(set) var slots: [(key: SlotKey, tensor: Matrix<Scalar>)] = []

    /// An update of an optimizer.
    ///
    /// - Parameter memory: shaped as θ, for the new one.
    init(
      _ update: StagedUpdate<Scalar>, _ position: Int, _ old: Matrix<Scalar>, into memory: Matrix<Scalar>
    ) {
      parameter = update.parameter
      self.position = position
      run = update.run
      reason = update.reason
      self.old = old.compacted()
      gradient = update.gradient
      row = update.row
      column = update.column
      value = memory
    }

    /// The running average, with the new value in the place of the gradient.
    init(
      averaging parameter: ParameterInfo, _ position: Int, _ old: Matrix<Scalar>, _ new: Matrix<Scalar>,
      _ rule: WeightAverage<Scalar>, into memory: Matrix<Scalar>
    ) {
      self.parameter = parameter
      self.position = position
      run = { rule.run($0, $1) }
      reason = { nil }
      self.old = old.compacted()
      gradient = new.compacted()
      row = nil
      column = nil
      value = memory
    }

    var rows: Int { value.rows }
    var columns: Int { value.columns }

    /// The rule's next slot; nil keys read zeros and write nothing, nil tensors are zeros that get a successor.
    ///
    /// - Parameter memory: gives the memory of a successor.
    mutating func add(
      _ key: SlotKey?, _ tensor: Matrix<Scalar>?, into memory: (SlotKey) -> Matrix<Scalar>
    ) {
      former.append(tensor?.compacted())
      places.append(key == nil ? nil : slots.count)
      if let key { slots.append((key, memory(key))) }
    }

    /// Where everything lies, as long as this pass lives and is not copied.
    private mutating func operands(streams: Bool) -> UpdateOperands<Scalar> {
      var tensors: [UpdateTensor<Scalar>] = []
      for (former, place) in zip(former, places) {
        tensors.append(
          UpdateTensor(
            old: former.map { $0.withPointer { $0.base } },
            new: place.map { slots[$0].tensor.withMutablePointer(discarding: true) { $0.base } }))
      }
      return UpdateOperands(
        value: UpdateTensor(
          old: old.withPointer { $0.base }, new: value.withMutablePointer(discarding: true) { $0.base }),
        gradient: gradient.withPointer { $0.base }, gradientStride: gradient.rowStride, slots: tensors,
        row: row.map { $0.withPointer { $0.base } }, column: column.map { $0.withPointer { $0.base } },
        columns: columns, streams: streams)
    }

    /// Bytes that the pass reads and writes.
    private var bytes: Int {
      let tensors = 3 + former.count { $0 != nil } + slots.count
      return tensors * value.count * MemoryLayout<Scalar>.stride
    }

    /// Runs all passes, on several threads. Elements are independent of one another, so their bits do not depend on the
    /// cut into pieces nor on the threads.
    ///
    /// - Returns: for each pass whether all that it wrote is finite.
    static func run(_ passes: inout [Pass], threads: Int) -> [Bool] {
      var operands: [UpdateOperands<Scalar>] = []
      // What fits a cache is found there by the next step; else it would only drive out what comes next.
      let streams = hasStreamingStores && passes.reduce(0) { $0 + $1.bytes } > CacheModel.machine.exceedsThird
      for i in passes.indices { operands.append(passes[i].operands(streams: streams)) }
      let pieces = Parallel.elementwisePieces(passes.map { $0.value.count })
      // Each task writes its own.
      var isFinite = [Bool](repeating: true, count: pieces.count)
      let runs = passes.map(\.run)
      isFinite.withUnsafeMutableBufferPointer { isFinite in
        nonisolated(unsafe) let isFinite = isFinite
        Parallel.perform(pieces, threads: threads) { piece, pass, range in
          isFinite[piece] = runs[pass](operands[pass], range)
        }
      }
      withExtendedLifetime(passes) {}
      var result = [Bool](repeating: true, count: passes.count)
      for (piece, isFinite) in zip(pieces, isFinite) where !isFinite { result[piece.pass] = false }
      return result
    }
  }
}
