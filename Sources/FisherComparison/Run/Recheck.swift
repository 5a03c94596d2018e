import FisherCommandLine
import FisherKit
import FisherRuntime

/// Takes recorded runs again.
package enum Recheck {
  /// What came of it.
  package struct Verdict: Sendable {
    package let cell: Cell
    /// The first difference; nil if every loss has the bits that are recorded.
    package let difference: String?

    /// `holds    digits-mlp/kfac/defaults/1`
    package var text: String {
      difference.map { "refuted  \(cell.key): \($0)" } ?? "holds    \(cell.key)"
    }
  }

  /// The recorded cells whose names contain one of the patterns; all without any.
  ///
  /// - Throws: ``UsageError`` if a pattern fits none.
  package static func cells(_ record: Record, containing patterns: [String]) throws(UsageError) -> [Cell] {
    if record.cells.isEmpty { throw UsageError("--check: the report holds no runs") }
    if patterns.isEmpty { return record.cells }
    for pattern in patterns where !record.cells.contains(where: { $0.key.contains(pattern) }) {
      throw UsageError(
        "--cell: \(quoted(pattern)) fits none of \(record.cells.count) runs; the last is \(record.cells.last?.key ?? "")"
      )
    }
    return record.cells.filter { cell in patterns.contains { cell.key.contains($0) } }
  }

  /// - Throws: ``UsageError`` if the workload is another one by now, or an optimizer is gone.
  package static func verdict(
    _ cell: Cell, _ record: Record, threads: Int, check: () throws -> Void
  ) throws -> Verdict {
    guard let recorded = record[cell] else { preconditionFailure("Recheck: no \(cell.key)") }
    try record.requireSame(try Workload.named(cell.workload))
    let now = try cell.run(threads: threads, check: check)
    return Verdict(cell: cell, difference: recorded.difference(from: now))
  }
}
