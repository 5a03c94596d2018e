import FisherRuntime

extension Parallel {
  /// Runs `task` for the rows of a pass over memory, as many at a time as make a piece.
  static func performRows(_ rows: Int, columns: Int, threads: Int, _ task: (Range<Int>) -> Void) {
    let height = max(1, elementwisePiece / max(1, columns))
    perform((rows + height - 1) / height, threads: threads) { i in
      task(i * height..<min(rows, (i + 1) * height))
    }
  }
}
