import FisherLinearAlgebra

/// l = ½·Σⱼ (z − t)²;  dl/dz = z − t. A drawn label is normal around z with variance 1.
enum SquaredError {
  @specialized(where S == Float) @specialized(where S == Double)
  static func evaluate<S: KernelScalar>(_ rows: LossRows<S>, _ labels: LabelSource<S>) {
    let (n, scale) = (rows.columns, S(rows.call.scale))
    for r in 0..<rows.count {
      let place = rows.first + r
      let (z, target) = (rows.outputs.base + r * n, rows.target.base + r * n)
      switch labels {
      case .given(.values(let t)):
        t.withPointer { t in
          let t = t.base + place * n
          for j in 0..<n { target[j] = z[j] - t[j] }
        }
      case .drawn(let stream):
        stream.writeNormals(place * n..<(place + 1) * n, times: -1, to: target)
      case .given(.classes): break
      }
      rows.call.losses?[place] =
        0.5 * ChannelElements(samples: 1, area: n, stride: n).squares(UnsafePointer(target))
      for j in 0..<n { target[j] *= scale }
    }
  }
}
