import FisherLinearAlgebra
import FisherRuntime

/// Numbers that are normalised together, in double precision: a channel of a batch, or a row.
///
/// With s = 1/√(σ² + ε), x̂ = s·(x − μ), and w the gradient by x̂, the backward pass is dx = s·u, u = w − mean w − x̂·mean(w·x̂).
private struct NormalizedGroup {
  let count: Int
  let s: Double
  /// μ and σ² are those of the group; else they are constants.
  let usesBatch: Bool
  /// Else μ is 0, and so are the means of w.
  let isCentered: Bool
  /// x̂.
  let x: UnsafeMutablePointer<Double>
  /// ẋ, which becomes the tangent of x̂.
  let ẋ: UnsafeMutablePointer<Double>
  /// w and its tangent, which becomes that of dx.
  let w: UnsafeMutablePointer<Double>
  let ẇ: UnsafeMutablePointer<Double>

  static func with(
    _ count: Int, s: Double, usesBatch: Bool = true, isCentered: Bool = true,
    _ body: (NormalizedGroup) -> Void
  ) {
    Scratch.with(4 * count, of: Double.self) { p in
      body(
        NormalizedGroup(
          count: count, s: s, usesBatch: usesBatch, isCentered: isCentered, x: p, ẋ: p + count,
          w: p + 2 * count, ẇ: p + 3 * count))
    }
  }

  private func mean(_ term: (Int) -> Double) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += term(i) }
    return sum / Double(count)
  }

  /// ẋ ← s·(ẋ − mean ẋ − x̂·mean(x̂·ẋ)), the tangent of x̂.
  ///
  /// - Returns: ṡ = −s²·mean(x̂·ẋ).
  func pushForward() -> Double {
    if !usesBatch {
      for i in 0..<count { ẋ[i] *= s }
      return 0
    }
    let (shift, product) = (isCentered ? mean { ẋ[$0] } : 0, mean { x[$0] * ẋ[$0] })
    for i in 0..<count { ẋ[i] = s * (ẋ[i] - shift - x[i] * product) }
    return -s * s * product
  }

  /// ẇ ← ṡ·u + s·u̇, the tangent of dx; after ``pushForward()``.
  func pushBackward(ṡ: Double) {
    if !usesBatch {
      for i in 0..<count { ẇ[i] *= s }
      return
    }
    let (a, b) = (isCentered ? mean { w[$0] } : 0, mean { w[$0] * x[$0] })
    let (ȧ, ḃ) = (isCentered ? mean { ẇ[$0] } : 0, mean { ẇ[$0] * x[$0] + w[$0] * ẋ[$0] })
    for i in 0..<count {
      let u = w[i] - a - x[i] * b
      ẇ[i] = ṡ * u + s * (ẇ[i] - ȧ - ẋ[i] * b - x[i] * ḃ)
    }
  }
}

extension BatchNormOperation: TwiceDifferentiable {
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    Parallel.perform(channels, threads: Parallel.elementwise(call.count, threads: call.threads)) { c in
      pushBackward(channel: c, call, tangents)
    }
  }

  /// With w = γ·dy: dγ̇ = Σ dẏ·x̂ + dy·ẋ̂, dβ̇ = Σ dẏ.
  private func pushBackward(
    channel c: Int, _ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>
  ) {
    let (mean, s) = (Double(call.saved[c]), Double(call.saved[channels + c]))
    let (γ, γ̇) = (Double(call.parameters[0].base[c]), Double(call.parameterTangents[0].base[c]))
    func place(_ k: Int) -> Int { k / area * channels * area + c * area + k % area }
    NormalizedGroup.with(call.samples * area, s: s, usesBatch: call.mode.isTraining) { group in
      var (scale, shift) = (0.0, 0.0)
      for k in 0..<group.count {
        let i = place(k)
        let (dy, dẏ) = (Double(call.outputGradient.base[i]), Double(tangents.output.base[i]))
        group.x[k] = s * (Double(call.input.base[i]) - mean)
        group.ẋ[k] = call.inputTangent.map { Double($0.base[i]) } ?? 0
        group.w[k] = γ * dy
        group.ẇ[k] = γ̇ * dy + γ * dẏ
        scale += dẏ * group.x[k]
        shift += dẏ
      }
      let ṡ = group.pushForward()
      for k in 0..<group.count { scale += Double(call.outputGradient.base[place(k)]) * group.ẋ[k] }
      tangents.parameters[0].base[c] = Scalar(scale)
      tangents.parameters[1].base[c] = Scalar(shift)
      guard let target = tangents.input else { return }
      group.pushBackward(ṡ: ṡ)
      for k in 0..<group.count {
        let (i, term) = (place(k), Scalar(group.ẇ[k]))
        target.base[i] = call.addsInputGradient ? target.base[i] + term : term
      }
    }
  }
}

extension LayerNormOperation: TwiceDifferentiable {
  /// Rows of a task. A constant, so that sums do not depend on the threads.
  private static var rowsOfTask: Int { 32 }

  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    let (rows, n) = (call.samples * positions, features)
    let tasks = (rows + Self.rowsOfTask - 1) / Self.rowsOfTask
    Scratch.with(2 * n * tasks, of: Double.self) { sums in
      sums.update(repeating: 0, count: 2 * n * tasks)
      Parallel.perform(tasks, threads: Parallel.elementwise(rows * n, threads: call.threads)) { task in
        for row in task * Self.rowsOfTask..<min(rows, (task + 1) * Self.rowsOfTask) {
          pushBackward(row: row, call, tangents, sums: sums + 2 * n * task)
        }
      }
      for j in 0..<n {
        var (scale, shift) = (0.0, 0.0)
        for task in 0..<tasks {
          scale += sums[2 * n * task + j]
          shift += sums[2 * n * task + n + j]
        }
        tangents.parameters[0].base[j] = Scalar(scale)
        if isCentered { tangents.parameters[1].base[j] = Scalar(shift) }
      }
    }
  }

  /// With w = γ ⊙ dy: dγ̇ += dẏ ⊙ x̂ + dy ⊙ ẋ̂, dβ̇ += dẏ.
  private func pushBackward(
    row: Int, _ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>,
    sums: UnsafeMutablePointer<Double>
  ) {
    let (n, first) = (features, row * features)
    let (mean, s) = (Double(call.saved[2 * row]), Double(call.saved[2 * row + 1]))
    let (γ, γ̇) = (call.parameters[0].base, call.parameterTangents[0].base)
    let (dy, dẏ) = (call.outputGradient.base + first, tangents.output.base + first)
    NormalizedGroup.with(n, s: s, isCentered: isCentered) { group in
      for j in 0..<n {
        group.x[j] = s * (Double(call.input.base[first + j]) - mean)
        group.ẋ[j] = call.inputTangent.map { Double($0.base[first + j]) } ?? 0
        group.w[j] = Double(γ[j]) * Double(dy[j])
        group.ẇ[j] = Double(γ̇[j]) * Double(dy[j]) + Double(γ[j]) * Double(dẏ[j])
      }
      let ṡ = group.pushForward()
      for j in 0..<n {
        sums[j] += Double(dẏ[j]) * group.x[j] + Double(dy[j]) * group.ẋ[j]
        sums[n + j] += Double(dẏ[j])
      }
      guard let target = tangents.input else { return }
      group.pushBackward(ṡ: ṡ)
      for j in 0..<n {
        let term = Scalar(group.ẇ[j])
        target.base[first + j] = call.addsInputGradient ? target.base[first + j] + term : term
      }
    }
  }
}
