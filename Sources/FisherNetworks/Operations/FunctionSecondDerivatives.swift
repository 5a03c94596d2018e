import FisherLinearAlgebra
import FisherRuntime

extension FunctionOperation: TwiceDifferentiable {
  var hasSecondDerivatives: Bool { function.secondDerivative(x: 0, y: 0) != nil }

  /// dẋ = dẏ·f′(x) + dy·f″(x)·ẋ
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    pushGradient(call, tangents)
    guard let inputTangent = call.inputTangent, let target = tangents.input else { return }
    Stretches.perform(call.count, threads: call.threads) { range in
      Self.addCurvature(
        function, call.input.base, call.output.readOnly.base, UnsafePointer(call.outputGradient.base),
        inputTangent.base, to: target.base, range)
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func addCurvature(
    _ function: ElementwiseFunction, _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>,
    _ dy: UnsafePointer<Scalar>, _ ẋ: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Scalar>,
    _ range: Range<Int>
  ) {
    for i in range {
      let second = function.secondDerivative(x: Double(x[i]), y: Double(y[i])) ?? .nan
      target[i] += Scalar(second * Double(dy[i]) * Double(ẋ[i]))
    }
  }
}

extension ElementwiseFunction {
  /// f″(x) of the activations, given y = f(x); nil for the other functions.
  @inline(__always)
  func secondDerivative(x: Double, y: Double) -> Double? {
    switch self {
    case .tanh: return -2 * y * (1 - y * y)
    case .sigmoid: return y * (1 - y) * (1 - 2 * y)
    // (x·Φ)″ = 2·φ + x·φ′ = (2 − x²)·φ
    case .gelu: return (2 - x * x) * exponential(-0.5 * x * x) / (2 * Double.pi).squareRoot()
    // With s = σ(x): (x·s)″ = s·(1 − s)·(2 + x·(1 − 2·s)).
    case .silu:
      let t = exponential(-abs(x))
      let slope = t / ((1 + t) * (1 + t))
      // 1 − 2·s = −sign(x)·(1 − t)/(1 + t)
      return slope * (2 - abs(x) * (1 - t) / (1 + t))
    default: return nil
    }
  }
}

/// Under a name of its own: a function of the same name is a case of the enumeration.
private func exponential(_ x: Double) -> Double { exp(x) }

extension GeluTanhOperation: TwiceDifferentiable {
  /// With v = √(8/π)·(x + 0.044715·x³) and s = σ(v), of which y = x·s:
  /// y″ = 2·s′·v′ + x·(s′·(1 − 2·s)·v′² + s′·v″), s′ = s·(1 − s).
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    pushGradient(call, tangents)
    guard let inputTangent = call.inputTangent, let target = tangents.input else { return }
    Stretches.perform(call.count, threads: call.threads) { range in
      for i in range {
        let second = Self.secondDerivative(Double(call.input.base[i]))
        target.base[i] += Scalar(
          second * Double(call.outputGradient.base[i]) * Double(inputTangent.base[i]))
      }
    }
  }

  private static func secondDerivative(_ x: Double) -> Double {
    let (c, a) = ((8 / Double.pi).squareRoot(), 0.044715)
    let v = c * (x + a * x * x * x)
    let t = exponential(-abs(v))
    let slope = t / ((1 + t) * (1 + t))
    if slope == 0 { return 0 }
    let odd = (v > 0 ? -1 : 1) * (1 - t) / (1 + t)
    let first = c * (1 + 3 * a * x * x)
    return slope * (2 * first + x * (odd * first * first + 6 * c * a * x))
  }
}

extension FourierOperation: TwiceDifferentiable {
  /// dẋ = Σ 2πk·(c·dṡ − s·dċ + ċ·ds − ṡ·dc), c and s being the cosines and sines.
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    pushGradient(call, tangents)
    guard call.inputTangent != nil, let target = tangents.input else { return }
    let (ẏ, dy) = (call.outputTangent.readOnly.base, UnsafePointer(call.outputGradient.base))
    for i in 0..<call.count / (2 * frequencies) {
      for k in 0..<frequencies {
        let (c, s) = (2 * i * frequencies + k, (2 * i + 1) * frequencies + k)
        let change: Scalar = ẏ[c] * dy[s] - ẏ[s] * dy[c]
        target.base[i] += Scalar(2 * .pi * Double(k + 1)) * change
      }
    }
  }
}

extension SoftmaxOperation: TwiceDifferentiable {
  /// dẋ = y ⊙ (dẏ − ⟨y, dẏ⟩) + ẏ ⊙ (dy − ⟨y, dy⟩) − y·⟨ẏ, dy⟩
  func pushBackward(_ call: NodeCall<Scalar>, _ tangents: GradientTangents<Scalar>) {
    pushGradient(call, tangents)
    guard call.inputTangent != nil, let target = tangents.input else { return }
    for row in 0..<call.count / features {
      let at = row * features
      Self.addCurvature(
        call.output.readOnly.base + at, call.outputTangent.readOnly.base + at,
        UnsafePointer(call.outputGradient.base) + at, to: target.base + at, features)
    }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func addCurvature(
    _ y: UnsafePointer<Scalar>, _ ẏ: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>,
    to target: UnsafeMutablePointer<Scalar>, _ n: Int
  ) {
    var (mean, change) = (0.0, 0.0)
    for j in 0..<n {
      mean += Double(y[j]) * Double(dy[j])
      change += Double(ẏ[j]) * Double(dy[j])
    }
    for j in 0..<n {
      target[j] += Scalar(Double(ẏ[j]) * (Double(dy[j]) - mean) - Double(y[j]) * change)
    }
  }
}
