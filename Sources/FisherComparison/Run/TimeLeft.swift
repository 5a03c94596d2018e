/// How long the runs that are left will take, from those that are done.
struct TimeLeft {
  let seconds: Double

  /// A run takes as long as those of the same workload and method did on average, or else as those of the workload, or as
  /// all. Runs that try settings end at their target, so the estimate is too low while there are no others.
  init(_ record: Record, _ left: [Cell]) {
    var sums: [String: (seconds: Double, count: Double)] = [:]
    for cell in record.cells {
      guard let seconds = record[cell]?.seconds else { continue }
      for group in Self.groups(of: cell) {
        sums[group, default: (0, 0)].seconds += seconds
        sums[group, default: (0, 0)].count += 1
      }
    }
    seconds = left.reduce(0) { total, cell in
      guard let sum = Self.groups(of: cell).lazy.compactMap({ sums[$0] }).first else { return total }
      return total + sum.seconds / sum.count
    }
  }

  /// From the narrowest.
  private static func groups(of cell: Cell) -> [String] {
    [
      "\(cell.workload)/\(cell.method)/\(cell.isTuning)", "\(cell.workload)/\(cell.method)",
      "\(cell.workload)", "",
    ]
  }

  /// `about 4 min`
  var text: String { "about " + Self.text(seconds) }

  static func text(_ seconds: Double) -> String {
    switch seconds {
    case ..<90: "\(Int(seconds.rounded(.up))) s"
    case ..<5400: "\(Int((seconds / 60).rounded())) min"
    default: "\((seconds / 360).rounded() / 10) h"
    }
  }
}
