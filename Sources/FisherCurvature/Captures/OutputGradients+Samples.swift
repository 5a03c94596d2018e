public import FisherLinearAlgebra
import FisherRuntime

extension OutputGradients {
  /// Micro-batches one after the other, as gradients of the sum of all losses.
  public init(concatenating parts: [OutputGradients]) {
    require(!parts.isEmpty, "OutputGradients: there is nothing to concatenate")
    if parts.count == 1 {
      self = parts[0]
      return
    }
    let terms = parts.reduce(0.0) { $0 + $1.scaleToSum / $1.scaleToMean }
    let rows = parts.reduce(0) { $0 + $1.values.rows }
    let all = Matrix(parts.flatMap(\.ofSum.array), rows: rows, columns: parts[0].values.columns)
    self = .ofSum(all, terms: Int(terms.rounded()))
  }

  /// The gradients of the sum of the losses.
  public var ofSum: Matrix<Scalar> { scaled(by: scaleToSum) }

  private func scaled(by factor: Double) -> Matrix<Scalar> {
    if factor == 1 { return values }
    return Matrix(
      values.array.map { Scalar(Double($0) * factor) }, rows: values.rows, columns: values.columns)
  }

  /// ‖∂ℓₙ‖², over all positions, of every one of `samples` samples, in the scale of the sum of the losses.
  public func squaredNorms(samples: Int) -> [Double] {
    require(
      samples > 0 && values.rows % samples == 0, "OutputGradients: \(values.rows) rows for \(samples) samples"
    )
    let length = values.count / samples
    return values.withSpan { values in
      (0..<samples).map { n in
        var sum = 0.0
        for i in n * length..<(n + 1) * length { sum += Double(values[i]) * Double(values[i]) }
        return sum * scaleToSum * scaleToSum
      }
    }
  }

  /// Every sample's rows times its factor.
  public func scaled(samplesBy factors: [Double]) -> OutputGradients {
    require(
      !factors.isEmpty && values.rows % factors.count == 0,
      "OutputGradients: \(factors.count) factors for \(values.rows) rows")
    let length = values.count / factors.count
    var values = values.compacted()
    values.withMutableSpan { values in
      for i in values.indices { values[i] *= Scalar(factors[i / max(1, length)]) }
    }
    return OutputGradients(values: values, scaleToSum: scaleToSum, scaleToMean: scaleToMean)
  }
}
