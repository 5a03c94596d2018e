import FisherLinearAlgebra
public import FisherRuntime

// Everything here is compiled where the rule is, for its element type.

extension UpdateRule {
  /// Runs the rule on the elements of `range`, which are numbered row by row.
  ///
  /// Not inlined: it is passed on as a closure, and in what the compiler takes for a thunk it inlines no streaming store.
  ///
  /// - Returns: whether the direction and all that was written is finite.
  @inlinable @inline(never)
  package func run(_ operands: UpdateOperands<Scalar>, _ range: Range<Int>) -> Bool {
    var zeros = Lanes<Scalar>.zero
    // Without factors and gaps all rows are one.
    let isOneRow =
      operands.row == nil && operands.column == nil && operands.gradientStride == operands.columns
    var i = range.lowerBound
    while i < range.upperBound {
      let row = isOneRow ? 0 : i / operands.columns
      let start = row &* operands.columns
      let end = isOneRow ? range.upperBound : min(range.upperBound, start &+ operands.columns)
      let factor = operands.row.map { Lanes<Scalar>(repeating: $0[row]) } ?? .zero
      // Elements are numbered without the gaps.
      let gradient = operands.gradient + row &* (operands.gradientStride &- operands.columns)
      let streams = operands.streams && operands.isAligned(i)
      while i &+ 8 <= end {
        mark(run(operands, gradient, i, 8, column: i &- start, row: factor, streams: streams), in: &zeros)
        i &+= 8
      }
      if i < end {
        mark(runRest(operands, gradient, i, end &- i, column: i &- start, row: factor), in: &zeros)
      }
      i = end
    }
    if operands.streams { streamingFence() }
    return zeros == .zero
  }

  /// `count` ≤ 8 elements of a row. The lanes past them hold zeros and are not stored.
  ///
  /// - Returns: zeros where all is finite. A sum of its own: one that went on through all elements would have to be waited
  ///   for several times in each call.
  @inlinable @inline(__always)
  func run(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ i: Int, _ count: Int,
    column: Int, row: Lanes<Scalar>, streams: Bool
  ) -> Lanes<Scalar> {
    var zeros = Lanes<Scalar>.zero
    var (x, state) = (Element(row: row), Self.noState)
    x.value = read(operands.value, i, count)
    x.gradient = read(UpdateTensor(old: gradient), i, count)
    mark(x.gradient, in: &zeros, count: count)
    if let p = operands.column { x.column = load(p + column, count) }
    Self.withLanes(&state) { lanes in
      for k in 0..<Self.slotCount { lanes[k] = read(operands.slots[k], i, count) }
    }
    update(&x, &state)
    write(x.value, operands.value, i, count, streams: streams, &zeros)
    Self.withLanes(&state) { lanes in
      for k in 0..<Self.slotCount { write(lanes[k], operands.slots[k], i, count, streams: streams, &zeros) }
    }
    return zeros
  }

  /// The last elements of a row: not inlined into the loop of the others.
  @inlinable @inline(never)
  func runRest(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ i: Int, _ count: Int,
    column: Int, row: Lanes<Scalar>
  ) -> Lanes<Scalar> {
    run(operands, gradient, i, count, column: column, row: row, streams: false)
  }

  /// How many lanes the state consists of.
  @inlinable @inline(__always)
  static var slotCount: Int { MemoryLayout<State>.size / MemoryLayout<Lanes<Scalar>>.stride }

  /// Zeros. A state consists of lanes alone (``slotNames``), and zeros are one of their values.
  @inlinable @inline(__always)
  static var noState: State {
    withUnsafeTemporaryAllocation(
      byteCount: max(1, MemoryLayout<State>.size), alignment: MemoryLayout<State>.alignment
    ) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      return bytes.baseAddress!.assumingMemoryBound(to: State.self).pointee
    }
  }

  /// Lends the state as its lanes, of which there are ``slotCount``.
  @inlinable @inline(__always)
  static func withLanes(_ state: inout State, _ body: (UnsafeMutablePointer<Lanes<Scalar>>) -> Void) {
    withUnsafeMutablePointer(to: &state) {
      body(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Lanes<Scalar>.self))
    }
  }
}
