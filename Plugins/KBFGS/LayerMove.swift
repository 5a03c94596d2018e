import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// What a step does to a layer, [W b]⁺ = shrink·[W b] − α·Δ, and what it did that with.
struct LayerMove<S: KernelScalar> {
  let layer: KroneckerLayer
  let Δ: Matrix<S>
  let Hg: InverseHessian<S>
  let Ha: Matrix<S>
  let α, shrink: Double

  /// θ⁺ by the names of the parameters.
  func newValues(in step: inout Step<S>) -> [String: Matrix<S>] {
    var values: [String: Matrix<S>] = [:]
    for (parameter, part) in layer.parts(of: Δ) {
      let (θ, threads) = (step.value(parameter), step.threads)
      values[parameter.name] = step.temporary(rows: parameter.rows, columns: parameter.columns) { new in
        new.assign(Combination(-α, shrink), of: part, θ, threads: threads)
      }
    }
    return values
  }

  /// ā⁺ − ā = [W b]·(shrink·h̄⁺ − h̄) − α·Δ·h̄⁺, without the difference of two nearly equal products.
  ///
  /// The products of a convolution's groups are with the means of their own inputs.
  func change(from old: LayerMeans, to new: LayerMeans, in step: borrowing Step<S>) -> [Double] {
    let width = layer.weight?.columns ?? 0
    var (W, b): (Matrix<S>?, [S]?)
    if let weight = layer.weight { W = step.value(weight) }
    if let bias = layer.bias { b = step.value(bias).array }
    let (backend, threads) = (step.backend, step.threads)
    let size = layer.outputs / old.inputs.count
    return old.inputs.indices.flatMap { group -> [Double] in
      let rows = group * size..<(group + 1) * size
      let h = zip(new.inputs[group], old.inputs[group]).map { shrink * $0 - $1 }
      var change = product(Δ[rows: rows, columns: 0...], new.inputs[group], backend, threads).map { -α * $0 }
      if let W {
        let moved = product(W[rows: rows, columns: 0...], Array(h[..<width]), backend, threads)
        for i in change.indices { change[i] += moved[i] }
      }
      if let b { for i in change.indices { change[i] += Double(b[rows.lowerBound + i]) * h[width] } }
      return change
    }
  }
}

/// A·x.
func product<S: KernelScalar>(
  _ A: Matrix<S>, _ x: [Double], _ backend: any Backend, _ threads: Int
) -> [Double] {
  let x = Matrix(x.map { S($0) }, rows: x.count, columns: 1)
  var y = Matrix<S>(rows: A.rows, columns: 1)
  gemv(A, x, into: &y, on: backend, threads: threads)
  return y.array.map { Double($0) }
}

/// xᵀ·y.
func product(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

/// α·x + β·y.
func combination(_ α: Double, _ x: [Double], _ β: Double, _ y: [Double]) -> [Double] {
  zip(x, y).map { α * $0 + β * $1 }
}

/// The means of what passed through a layer.
struct LayerMeans {
  /// h̄ of each group of a convolution, or of all; the 1 of the bias last.
  let inputs: [[Double]]
  /// d̄, in the scale of the sum of the losses.
  let gradients: [Double]

  /// h̄ over all groups.
  var input: [Double] {
    let count = Double(inputs.count)
    return inputs.dropFirst().reduce(inputs[0]) { combination(1, $0, 1, $1) }.map { $0 / count }
  }

  /// Nil for a layer without inputs and output gradients to multiply.
  init?<S: KernelScalar>(
    _ capture: LayerCapture<S>?, of layer: KroneckerLayer, _ sharing: WeightSharing,
    _ backend: any Backend, _ threads: Int
  ) {
    guard let capture, capture.hasFactors else { return nil }
    let groups = capture.groups
    let one: [Double] = layer.bias == nil ? [] : [1]
    if layer.weight == nil {
      inputs = Array(repeating: one, count: groups)
    } else {
      // Rows lie sample by sample, group by group, position by position.
      let rows = capture.factorInputs(sharing, on: backend, threads: threads).compacted()
      let (width, samples) = (rows.columns, capture.sampleCount)
      let sums = ColumnSums.plain(
        rows.reshaped(rows: samples, columns: rows.count / samples), threads: threads)
      let positions = rows.rows / samples / groups
      let count = Double(samples * positions)
      inputs = (0..<groups).map { group in
        (0..<width).map { j in
          (0..<positions).reduce(0) { $0 + sums[(group * positions + $1) * width + j] } / count
        } + one
      }
    }
    let rows = capture.factorOutputs(sharing)
    let scale = capture.outputGradients.scaleToSum / Double(rows.rows)
    gradients = ColumnSums.plain(rows, threads: threads).map { $0 * scale }
  }
}
