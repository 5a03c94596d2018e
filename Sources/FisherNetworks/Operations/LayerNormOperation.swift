import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// y = γ ⊙ x̂ + β with x̂ = (x − μ)/√(σ² + ε) over the last axis of each row (Ba et al. 2016).
///
/// Without centring, y = γ ⊙ x̂ with x̂ = x/√(mean of x² + ε) (Zhang & Sennrich 2019): μ = 0, no β, and nothing else changes.
struct LayerNormOperation<Scalar: KernelScalar>: Operation {
  let features: Int
  let positions: Int
  let ε: Double
  let isCentered: Bool
  private static var taskRows: Int { 32 }
  private static var stretch: Int { 64 }

  var kind: LayerKind? { .layerNorm }

  var parameters: [OperationParameter] {
    let scale = OperationParameter(
      name: "weight", shape: [features], role: .normScale, initial: .constant(1))
    let shift = OperationParameter(
      name: "bias", shape: [features], role: .normShift, initial: .constant(0))
    return isCentered ? [scale, shift] : [scale]
  }

  /// μ and 1/√(σ² + ε) of every row.
  func savedCount(samples: Int) -> Int { 2 * samples * positions }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func forward(_ call: NodeCall<Scalar>) {
    forEachRow(call) { row in
      let x = call.input.base + row * features
      let (mean, inverse) = Self.moments(x, features, ε, isCentered)
      call.saved[2 * row] = mean
      call.saved[2 * row + 1] = inverse
      Self.normalize(
        x, features, mean, inverse, call.parameters[0].base, isCentered ? call.parameters[1].base : nil,
        to: call.output.base + row * features)
    }
  }

  /// With v = γ ⊙ dy: dx = (v − Σv/n − x̂·Σ(v·x̂)/n)/√(σ² + ε), dγ = Σ dy ⊙ x̂, dβ = Σ dy over the rows. Without centring
  /// there is no Σv/n.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func backward(_ call: NodeCall<Scalar>) {
    let dy = UnsafePointer(call.outputGradient.base)
    if let gradients = call.parameterGradients {
      Self.columnSums(
        call.input.base, dy, call.saved, rows: call.samples * positions, features, gradients[0].base,
        isCentered ? gradients[1].base : nil, threads: call.threads)
    }
    guard let target = call.inputGradient else { return }
    forEachRow(call) { row in
      Self.project(
        call.input.base + row * features, dy + row * features, before: call.parameters[0].base, after: nil,
        features,
        call.saved[2 * row], call.saved[2 * row + 1], isCentered, adds: call.addsInputGradient,
        to: target.base + row * features)
    }
  }

  /// ẏ = γ ⊙ ∂x̂/∂x·ẋ + γ̇ ⊙ x̂ + β̇, the Jacobian of x̂ being symmetric.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func pushForward(_ call: NodeCall<Scalar>) {
    forEachRow(call) { row in
      let (x, target) = (call.input.base + row * features, call.outputTangent.base + row * features)
      let (mean, inverse) = (call.saved[2 * row], call.saved[2 * row + 1])
      Self.normalize(
        x, features, mean, inverse, call.parameterTangents[0].base,
        isCentered ? call.parameterTangents[1].base : nil, to: target)
      guard let tangent = call.inputTangent else { return }
      Self.project(
        x, tangent.base + row * features, before: nil, after: call.parameters[0].base, features, mean,
        inverse, isCentered, adds: true, to: target)
    }
  }

  private func forEachRow(_ call: NodeCall<Scalar>, _ body: (Int) -> Void) {
    let rows = call.samples * positions
    let tasks = (rows + Self.taskRows - 1) / Self.taskRows
    Parallel.perform(tasks, threads: rows * features < 16384 ? 1 : call.threads) { task in
      for row in task * Self.taskRows..<min(rows, (task + 1) * Self.taskRows) { body(row) }
    }
  }

  private static func moments(
    _ x: UnsafePointer<Scalar>, _ n: Int, _ ε: Double, _ isCentered: Bool
  ) -> (mean: Scalar, inverse: Scalar) {
    var moments = ChannelElements(samples: 1, area: n, stride: n).moments(x)
    if !isCentered { moments = moments.aboutZero }
    return (Scalar(moments.mean), Scalar(moments.inverse(ε: ε)))
  }

  private static func normalize(
    _ x: UnsafePointer<Scalar>, _ n: Int, _ mean: Scalar, _ inverse: Scalar, _ γ: UnsafePointer<Scalar>,
    _ β: UnsafePointer<Scalar>?, to y: UnsafeMutablePointer<Scalar>
  ) {
    let standard = Standardization(mean: mean, inverse: inverse)
    guard let β else {
      for j in 0..<n { y[j] = standard(x[j]) * γ[j] }
      return
    }
    for j in 0..<n { y[j] = standard(x[j]) * γ[j] + β[j] }
  }

  /// target ← after ⊙ (w − Σw/n − x̂·Σ(w·x̂)/n)/√(σ² + ε) with w = before ⊙ v; no factor is 1.
  private static func project(
    _ x: UnsafePointer<Scalar>, _ v: UnsafePointer<Scalar>, before: UnsafePointer<Scalar>?,
    after: UnsafePointer<Scalar>?, _ n: Int, _ mean: Scalar, _ inverse: Scalar,
    _ isCentered: Bool, adds: Bool, to target: UnsafeMutablePointer<Scalar>
  ) {
    let standard = Standardization(mean: mean, inverse: inverse)
    var (sum, product) = (0.0, 0.0)
    for j in 0..<n {
      let w = Double(before.map { $0[j] * v[j] } ?? v[j])
      sum += w
      product += w * Double(standard(x[j]))
    }
    let (a, b) = (isCentered ? Scalar(sum / Double(n)) : 0, Scalar(product / Double(n)))
    for j in 0..<n {
      let w = before.map { $0[j] * v[j] } ?? v[j]
      var term = inverse * (w - a - standard(x[j]) * b)
      if let after { term *= after[j] }
      target[j] = adds ? target[j] + term : term
    }
  }

  /// dγ = Σ dy ⊙ x̂ and dβ = Σ dy, eight columns at a time, stretches of rows before the whole.
  private static func columnSums(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ saved: UnsafePointer<Scalar>, rows: Int,
    _ n: Int,
    _ dγ: UnsafeMutablePointer<Scalar>, _ dβ: UnsafeMutablePointer<Scalar>?, threads: Int
  ) {
    Parallel.perform((n + 7) / 8, threads: Parallel.elementwise(rows * n, threads: threads)) { task in
      let (j, width) = (task * 8, min(8, n - task * 8))
      var (scale, shift) = (Lanes<Scalar>.zero, Lanes<Scalar>.zero)
      for first in Swift.stride(from: 0, to: rows, by: stretch) {
        var (scalePart, shiftPart) = (Lanes<Scalar>.zero, Lanes<Scalar>.zero)
        for i in first..<min(rows, first + stretch) {
          let (d, v) = (load(dy + (i * n + j), width), load(x + (i * n + j), width))
          shiftPart += d
          scalePart += d * Standardization(mean: saved[2 * i], inverse: saved[2 * i + 1])(v)
        }
        scale += scalePart
        shift += shiftPart
      }
      for lane in 0..<width {
        dγ[j + lane] = scale[lane]
        dβ?[j + lane] = shift[lane]
      }
    }
  }
}
