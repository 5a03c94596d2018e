import FisherLinearAlgebra
public import FisherRuntime

// Everything here is compiled where the rule is, for its element type.

extension UpdateRule {
  /// Runs the rule on the elements of `range`, which are numbered row by row.
  ///
  /// - Returns: whether all that was written is finite.
  @inlinable @inline(__always)
  func run(_ operands: UpdateOperands<Scalar>, _ range: Range<Int>) -> Bool {
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
      runRow(operands, gradient, i, end, column: i &- start, row: factor, &zeros)
      i = end
    }
    if operands.streams { streamingFence() }
    return zeros == .zero
  }

  @inlinable @inline(__always)
  func runRow(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ start: Int, _ end: Int,
    column: Int, row: Lanes<Scalar>, _ zeros: inout Lanes<Scalar>
  ) {
    var (x, state) = (Element(row: row), Self.noState)
    var (i, j) = (start, column)
    let streams = operands.streams && operands.isAligned(start)
    while i &+ 8 <= end {
      x.value = read(operands.value, i)
      x.gradient = loadAhead(gradient + i)
      if let p = operands.column { x.column = load(p + j) }
      Self.withLanes(&state) { lanes in
        for k in 0..<Self.slotCount { lanes[k] = read(operands.slots[k], i) }
      }
      update(&x, &state)
      write(x.value, operands.value, i, streams: streams, &zeros)
      Self.withLanes(&state) { lanes in
        for k in 0..<Self.slotCount { write(lanes[k], operands.slots[k], i, streams: streams, &zeros) }
      }
      i &+= 8
      j &+= 8
    }
    if i < end { runRest(operands, gradient, i, end &- i, column: j, row: row, &zeros) }
  }

  /// The last elements of a row, fewer than eight. The lanes past the end hold zeros and are not stored.
  @inlinable @inline(never)
  func runRest(
    _ operands: UpdateOperands<Scalar>, _ gradient: UnsafePointer<Scalar>, _ i: Int, _ rest: Int,
    column j: Int, row: Lanes<Scalar>, _ zeros: inout Lanes<Scalar>
  ) {
    var (x, state) = (Element(row: row), Self.noState)
    x.value = read(operands.value, i, rest)
    x.gradient = load(gradient + i, rest)
    if let p = operands.column { x.column = load(p + j, rest) }
    Self.withLanes(&state) { lanes in
      for k in 0..<Self.slotCount { lanes[k] = read(operands.slots[k], i, rest) }
    }
    update(&x, &state)
    write(x.value, operands.value, i, rest, &zeros)
    Self.withLanes(&state) { lanes in
      for k in 0..<Self.slotCount { write(lanes[k], operands.slots[k], i, rest, &zeros) }
    }
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
