import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// y = γ·(x − μ)/√(σ² + ε) + β, channel by channel (Ioffe and Szegedy 2015).
///
/// In training μ and σ² are the mean and the (biased) variance of the batch, in evaluation the running averages,
/// average ← (1 − m)·average + m·batch, of the unbiased variance.
struct BatchNormOperation<Scalar: KernelScalar>: Operation {
  let channels: Int
  let area: Int
  let ε: Double
  let momentum: Double

  var kind: LayerKind? { .batchNorm(channels: channels, area: area) }

  var parameters: [OperationParameter] {
    [
      OperationParameter(name: "weight", shape: [channels], role: .normScale, initial: .constant(1)),
      OperationParameter(name: "bias", shape: [channels], role: .normShift, initial: .constant(0)),
    ]
  }

  var statistics: [OperationStatistic] {
    [
      OperationStatistic(name: "runningMean", count: channels, initial: 0),
      OperationStatistic(name: "runningVariance", count: channels, initial: 1),
    ]
  }

  /// μ, 1/√(σ² + ε) and σ² of every channel.
  func savedCount(samples: Int) -> Int { 3 * channels }

  func forward(_ call: NodeCall<Scalar>) {
    forEachChannel(call) { c, elements in
      let moments =
        call.mode.isTraining
        ? Self.moments(call.input.base + c * area, elements)
        : Moments(
          mean: Double(call.statistics[0].base[c]), variance: Double(call.statistics[1].base[c]), scale: 1)
      normalize(call, c, elements, moments)
    }
  }

  func normalize(_ call: NodeCall<Scalar>, _ c: Int, _ elements: ChannelElements, _ moments: Moments) {
    let (mean, inverse) = (Scalar(moments.mean), Scalar(moments.inverse(ε: ε)))
    call.saved[c] = mean
    call.saved[channels + c] = inverse
    call.saved[2 * channels + c] = moments.variance(as: Scalar.self)
    Self.normalize(
      call.input.base + c * area, elements, mean: mean, factor: inverse * call.parameters[0].base[c],
      shift: call.parameters[1].base[c], to: call.output.base + c * area)
  }

  /// With n elements a channel and x̂ the normalised input: dβ = Σ dy, dγ = Σ dy·x̂,
  /// dx = γ/√(σ² + ε)·(dy − dβ/n − x̂·dγ/n), without the last two terms in evaluation.
  func backward(_ call: NodeCall<Scalar>) {
    forEachChannel(call) { c, elements in
      let sums = channel(c, call).sums(UnsafePointer(call.outputGradient.base) + c * area, elements)
      propagate(call, c, elements, own: sums, batch: sums)
    }
  }

  /// Gradients of one channel, given Σ dy and Σ dy·x̂ of these samples and of the whole batch.
  func propagate(
    _ call: NodeCall<Scalar>, _ c: Int, _ elements: ChannelElements, own: (plain: Double, product: Double),
    batch: (plain: Double, product: Double)
  ) {
    if let gradients = call.parameterGradients {
      gradients[0].base[c] = Scalar(own.product)
      gradients[1].base[c] = Scalar(own.plain)
    }
    guard let target = call.inputGradient else { return }
    let n = Double(call.batchSamples * area)
    channel(c, call).project(
      UnsafePointer(call.outputGradient.base) + c * area, elements,
      means: call.mode.isTraining ? (batch.plain / n, batch.product / n) : (0, 0),
      scale: call.parameters[0].base[c], adds: call.addsInputGradient, to: target.base + c * area)
  }

  /// ẏ = γ·∂x̂/∂x·ẋ + γ̇·x̂ + β̇, the Jacobian of x̂ being symmetric.
  func pushForward(_ call: NodeCall<Scalar>) {
    forEachChannel(call) { c, elements in
      let channel = self.channel(c, call)
      let target = call.outputTangent.base + c * area
      channel.combine(
        elements, factor: call.parameterTangents[0].base[c], shift: call.parameterTangents[1].base[c],
        to: target)
      guard let tangent = call.inputTangent else { return }
      let dx = tangent.base + c * area
      let (sum, product) = channel.sums(dx, elements)
      let n = Double(call.samples * area)
      channel.project(
        dx, elements, means: call.mode.isTraining ? (sum / n, product / n) : (0, 0),
        scale: call.parameters[0].base[c], adds: true, to: target)
    }
  }

  func updateStatistics(_ call: NodeCall<Scalar>) {
    let n = Double(call.batchSamples * area)
    let m = momentum
    for c in 0..<channels {
      let (mean, variance) = (Double(call.saved[c]), Double(call.saved[2 * channels + c]))
      let (runningMean, runningVariance) = (call.statistics[0].base + c, call.statistics[1].base + c)
      runningMean.pointee = Scalar((1 - m) * Double(runningMean.pointee) + m * mean)
      // One element has no variance.
      if n > 1 {
        runningVariance.pointee = Moments.saturated(
          (1 - m) * Double(runningVariance.pointee) + m * variance * n / (n - 1))
      }
    }
  }

  func channel(_ c: Int, _ call: NodeCall<Scalar>) -> NormalizedChannel<Scalar> {
    NormalizedChannel(x: call.input.base + c * area, mean: call.saved[c], inverse: call.saved[channels + c])
  }

  func forEachChannel(_ call: NodeCall<Scalar>, _ body: (Int, ChannelElements) -> Void) {
    let elements = ChannelElements(samples: call.samples, area: area, stride: channels * area)
    let isSmall = call.samples * channels * area < 16384
    Parallel.perform(channels, threads: isSmall ? 1 : call.threads) { c in body(c, elements) }
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  static func moments(_ x: UnsafePointer<Scalar>, _ elements: ChannelElements) -> Moments {
    elements.moments(x)
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func normalize(
    _ x: UnsafePointer<Scalar>, _ elements: ChannelElements, mean: Scalar, factor: Scalar, shift: Scalar,
    to y: UnsafeMutablePointer<Scalar>
  ) {
    let standard = Standardization(mean: mean, inverse: factor)
    elements.forEachRun { start in
      for i in start..<start + elements.area { y[i] = standard(x[i]) + shift }
    }
  }
}
