import FisherLinearAlgebra

/// x̂ = (x − μ)/√(σ² + ε) of one channel, and the Jacobian of it.
struct NormalizedChannel<Scalar: KernelScalar> {
  let x: UnsafePointer<Scalar>
  let mean: Scalar
  let inverse: Scalar

  /// Σ v and Σ v·x̂.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func sums(_ v: UnsafePointer<Scalar>, _ elements: ChannelElements) -> (plain: Double, product: Double) {
    let (x, standard) = (x, Standardization(mean: mean, inverse: inverse))
    let plain = elements.sum(Scalar.self) { i in
      load(v + i)
    } _: { i in
      v[i]
    }
    let product = elements.sum(Scalar.self) { i in
      load(v + i) * standard(load(x + i))
    } _: { i in
      v[i] * standard(x[i])
    }
    return (plain, product)
  }

  /// target ← scale/√(σ² + ε)·(v − a − x̂·b), added if `adds`, with the means a of v and b of v·x̂ over the batch; 0 for those
  /// of a batch that does not count.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func project(
    _ v: UnsafePointer<Scalar>, _ elements: ChannelElements, means: (plain: Double, product: Double),
    scale: Scalar, adds: Bool, to target: UnsafeMutablePointer<Scalar>
  ) {
    let (x, factor) = (x, scale * inverse)
    let standard = Standardization(mean: mean, inverse: inverse)
    let (a, b) = (Scalar(means.plain), Scalar(means.product))
    elements.forEachRun { start in
      if adds {
        for i in start..<start + elements.area {
          target[i] += factor * (v[i] - a - standard(x[i]) * b)
        }
      } else {
        for i in start..<start + elements.area {
          target[i] = factor * (v[i] - a - standard(x[i]) * b)
        }
      }
    }
  }

  /// target ← factor·x̂ + shift
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  func combine(
    _ elements: ChannelElements, factor: Scalar, shift: Scalar, to target: UnsafeMutablePointer<Scalar>
  ) {
    let (x, standard) = (x, Standardization(mean: mean, inverse: inverse))
    elements.forEachRun { start in
      for i in start..<start + elements.area { target[i] = factor * standard(x[i]) + shift }
    }
  }
}
