extension Matrix: Equatable {
  /// Same shape and equal elements; as for numbers, NaN equals nothing and 0 equals −0.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public static func == (a: Matrix, b: Matrix) -> Bool {
    guard a.rows == b.rows && a.columns == b.columns else { return false }
    return a.withPointer { a in
      b.withPointer { b in
        for i in 0..<a.rows {
          for j in 0..<a.columns where a[i, j] != b[i, j] { return false }
        }
        return true
      }
    }
  }
}

extension Matrix: CustomStringConvertible {
  /// The elements in aligned columns; of more than 8 rows or columns, the first 4 and the last 3.
  public var description: String {
    let table = Self.shown(rows).map { i in
      Self.shown(columns).map { j in
        switch (i, j) {
        case (let i?, let j?): "\(self[i, j])"
        case (nil, nil): "⋱"
        case (nil, _): "⋮"
        case (_, nil): "…"
        }
      }
    }
    let widths = (table.first ?? []).indices.map { j in table.map { $0[j].count }.max() ?? 0 }
    let lines = table.map { row in
      zip(row, widths)
        .map { cell, width in String(repeating: " ", count: width - cell.count) + cell }
        .joined(separator: "  ")
    }
    return (["Matrix<\(Scalar.self)> \(rows)×\(columns)"] + lines).joined(separator: "\n")
  }

  /// The indices to show of `count`, with nil for those left out.
  private static func shown(_ count: Int) -> [Int?] {
    count <= 8 ? Array(0..<count) : [0, 1, 2, 3, nil] + ((count - 3)..<count).map { $0 }
  }
}
