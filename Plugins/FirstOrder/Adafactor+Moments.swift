import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// R and C of a matrix, or V of a vector, after this step's gradient.
struct SecondMoments<S: KernelScalar> {
  private var rows: Matrix<S>?
  private var columns: Matrix<S>

  init(_ g: Matrix<S>, keep: Double, _ parameter: ParameterInfo, _ step: borrowing Step<S>) {
    let (height, width) = (Double(max(1, g.rows)), Double(max(1, g.columns)))
    let rowMeans = rowSums(g, threads: step.threads, of: Square()).map { $0 / width }
    let columnMeans = ColumnSums.squares(g, threads: step.threads).map { $0 / height }
    let isVector = parameter.shape.count == 1
    rows = isVector ? nil : Self.mixed(step.tensor("R", of: parameter.name), rowMeans, keep)
    columns = Self.mixed(step.tensor(isVector ? "V" : "C", of: parameter.name), columnMeans, keep)
  }

  /// keep·old + (1 − keep)·new.
  private static func mixed(_ old: Matrix<S>?, _ new: [Double], _ keep: Double) -> Matrix<S> {
    let old = old?.array ?? [S](repeating: 0, count: new.count)
    let mixed = zip(old, new).map { S(keep * Double($0) + (1 - keep) * $1) }
    return Matrix(mixed, rows: 1, columns: new.count)
  }

  /// V as the product of a factor for each row and one for each column.
  func factors(floor: Double) -> (row: Matrix<S>, column: Matrix<S>) {
    guard let rows else { return ([[1]], columns) }
    let values = rows.array.map(Double.init)
    let mean = max(values.reduce(0, +) / Double(max(1, values.count)), floor)
    return (Matrix(values.map { S($0 / mean) }, rows: 1, columns: values.count), columns)
  }

  func stage(_ parameter: ParameterInfo, _ step: inout Step<S>) {
    if let rows {
      step.set("R", of: parameter.name, to: rows)
      step.set("C", of: parameter.name, to: columns)
    } else {
      step.set("V", of: parameter.name, to: columns)
    }
  }
}

/// x²
private struct Square<Scalar: KernelScalar>: RowTerm {
  func value(_ x: Lanes<Scalar>, row: Lanes<Scalar>, column: Lanes<Scalar>) -> Lanes<Scalar> { x * x }
}

/// U² = g²/max(V, ε₁²)
private struct DirectionSquare<Scalar: KernelScalar>: RowTerm {
  let floor: Scalar

  func value(_ x: Lanes<Scalar>, row: Lanes<Scalar>, column: Lanes<Scalar>) -> Lanes<Scalar> {
    x * x / Lanes.maximum(row * column, Lanes(repeating: floor))
  }
}

/// RMS(U) with U = g/√max(V, ε₁²).
func directionScale<S: KernelScalar>(
  _ g: Matrix<S>, row: Matrix<S>, column: Matrix<S>, floor: S, threads: Int
) -> Double {
  let sums = rowSums(g, row: row, column: column, threads: threads, of: DirectionSquare(floor: floor * floor))
  return (sums.reduce(0, +) / Double(max(1, g.count))).squareRoot()
}

/// √ of the mean of the squares.
func rootMeanSquare<S: KernelScalar>(_ x: Matrix<S>, threads: Int) -> Double {
  let sums = rowSums(x, threads: threads, of: Square())
  return (sums.reduce(0, +) / Double(max(1, x.count))).squareRoot()
}

/// xʸ for positive x.
func realPower(_ x: Double, _ y: Double) -> Double { pow(x, y) }
