import FisherLinearAlgebra

/// The mean of some numbers and their mean square about it: μ = `mean`, σ² = `variance`·`scale`².
///
/// `scale` is 1 unless squares leave the range of the element type; then it is a power of two near the largest number.
struct Moments {
  var mean: Double
  var variance: Double
  var scale: Double

  init(mean: Double, variance: Double, scale: Double) {
    (self.mean, self.variance, self.scale) = (mean, variance, scale)
  }

  /// Those of all numbers together, given those of parts of them with their shares of the count: μ = Σ wᵢ·μᵢ and
  /// σ² = Σ wᵢ·(σᵢ² + (μᵢ − μ)²).
  init(_ parts: [(moments: Moments, share: Double)]) {
    let scale = parts.reduce(0) { max($0, $1.moments.scale) }
    let mean = parts.reduce(0) { $0 + $1.share * $1.moments.mean }
    let variance = parts.reduce(0) { sum, part in
      let (ratio, distance) = (part.moments.scale / scale, (part.moments.mean - mean) / scale)
      return sum + part.share * (part.moments.variance * ratio * ratio + distance * distance)
    }
    self.init(mean: mean, variance: variance, scale: scale)
  }

  /// 1/√(σ² + ε)
  func inverse(ε: Double) -> Double { 1 / (variance + ε / scale / scale).squareRoot() / scale }

  /// The mean square about zero in the place of that about the mean.
  var aboutZero: Moments {
    let mean = mean / scale
    return Moments(mean: 0, variance: variance + mean * mean, scale: scale)
  }

  /// σ² as an element of a tensor: the largest number if it is larger.
  func variance<S: KernelScalar>(as _: S.Type) -> S { Self.saturated(variance * scale * scale) }

  /// `value`, or the largest number if it is larger: a running average that became infinite would stay so.
  static func saturated<S: KernelScalar>(_ value: Double) -> S {
    value > Double(S.greatestFiniteMagnitude) ? S.greatestFiniteMagnitude : S(value)
  }
}

extension ChannelElements {
  /// μ and σ² of the elements: two passes, and two more if sums leave the range of the element type.
  @inline(__always)
  func moments<S: KernelScalar>(_ x: UnsafePointer<S>) -> Moments {
    let plain = moments(x, times: 1)
    if plain.mean.isFinite && plain.variance.isFinite { return plain }
    var largest: S = 0
    forEachRun { start in
      for i in start..<start + area { largest = max(largest, abs(x[i])) }
    }
    let scale = largest.binade
    // Infinity and NaN are what the definition makes of them.
    guard largest.isFinite && scale > 0 else { return plain }
    let scaled = moments(x, times: 1 / scale)
    return Moments(mean: scaled.mean * Double(scale), variance: scaled.variance, scale: Double(scale))
  }

  /// Those of the elements times a power of two.
  @inline(__always)
  private func moments<S: KernelScalar>(_ x: UnsafePointer<S>, times factor: S) -> Moments {
    let n = Double(samples * area)
    let mean =
      sum(S.self) { i in
        load(x + i) * factor
      } _: { i in
        x[i] * factor
      } / n
    let center = S(mean)
    let squares = sum(S.self) { i in
      let d = load(x + i) * factor - center
      return d * d
    } _: { i in
      let d = x[i] * factor - center
      return d * d
    }
    // Rounding the mean to the element type adds the square of its error.
    let error = mean - Double(center)
    return Moments(mean: mean, variance: max(0, squares / n - error * error), scale: 1)
  }
}

/// x̂ = (x − μ)/√(σ² + ε).
///
/// Formed as (x/2 − μ/2)·2/√(σ² + ε), with the same bits: the difference of two large numbers would overflow.
struct Standardization<Scalar: KernelScalar> {
  private let half: Scalar
  private let double: Scalar

  /// - Parameter inverse: 1/√(σ² + ε).
  @inline(__always)
  init(mean: Scalar, inverse: Scalar) {
    half = mean / 2
    double = 2 * inverse
  }

  @inline(__always)
  func callAsFunction(_ x: Scalar) -> Scalar { (x * 0.5 - half) * double }

  @inline(__always)
  func callAsFunction(_ x: Lanes<Scalar>) -> Lanes<Scalar> { (x * 0.5 - half) * double }
}
