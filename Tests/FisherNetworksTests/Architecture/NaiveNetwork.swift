import FisherLinearAlgebra
import FisherNetworks
import Foundation

/// The forward pass by plain loops in double precision, straight from the definitions of the layers.
struct NaiveNetwork {
  /// The parameters that are still to be used, in order.
  var values: [[Double]]
  let mode: PassMode

  /// What flows: the samples, and their shape.
  struct Flow {
    var samples: [[Double]]
    var shape: [Int]
  }

  mutating func take() -> [Double] { values.removeFirst() }

  mutating func run(_ layers: [Layer], _ x: Flow) -> Flow { layers.reduce(into: x) { $0 = run($1, $0) } }

  mutating func run(_ layer: Layer, _ x: Flow) -> Flow {
    switch layer {
    case .linear(let outputs, let bias): return linear(x, outputs, bias)
    case .convolution(let outputs, let size, let stride, let padding, let dilation, let groups, let bias):
      return convolution(
        x, outputs, Extent(height: size, width: size), Extent(height: stride, width: stride),
        Extent(height: padding, width: padding), dilation, groups, bias)
    case .rectangularConvolution(
      let outputs, let size, let stride, let padding, let dilation, let groups, let bias):
      return convolution(x, outputs, size, stride, padding, dilation, groups, bias)
    case .maxPool(let size, let stride, let padding):
      return pool(x, size, stride ?? size, padding) { $0.compactMap(\.self).max()! }
    case .averagePool(let size, let stride, let padding):
      return pool(x, size, stride ?? size, padding) { $0.reduce(0) { $0 + ($1 ?? 0) } / Double($0.count) }
    case .globalAveragePool:
      let area = x.shape[1] * x.shape[2]
      let samples = x.samples.map { s in
        (0..<x.shape[0]).map { c in (0..<area).reduce(0) { $0 + s[c * area + $1] } / Double(area) }
      }
      return Flow(samples: samples, shape: [x.shape[0]])
    case .batchNorm: return batchNorm(x, 1e-5)
    case .batchNormalization(let ε, _): return batchNorm(x, ε)
    case .layerNorm: return layerNorm(x, 1e-5)
    case .layerNormalization(let ε): return layerNorm(x, ε)
    case .rmsNorm(let ε):
      let γ = take()
      return rows(x) { row in
        let square = row.reduce(0) { $0 + $1 * $1 } / Double(row.count)
        return row.indices.map { γ[$0] * row[$0] / (square + ε).squareRoot() }
      }
    case .positionEmbedding:
      let table = take()
      return Flow(samples: x.samples.map { zip($0, table).map(+) }, shape: x.shape)
    case .fourierFeatures(let count):
      let samples = x.samples.map { s in
        s.flatMap { x -> [Double] in
          let angles = (1...count).map { 2 * Double.pi * Double($0) * x }
          return angles.map { cos($0) } + angles.map { sin($0) }
        }
      }
      return Flow(samples: samples, shape: [x.shape[0], 2 * count])
    case .stencil(let weights):
      let n = x.shape[1]
      let samples = x.samples.map { s in
        (0..<n).map { j -> Double in
          var sum = 0.0
          for (t, weight) in weights.enumerated() { sum += weight * s[t * n + j] }
          return sum
        }
      }
      return Flow(samples: samples, shape: [n])
    case .unembedding: fatalError("every parameter is taken once here")
    case .attention(let heads, let causal, let rotary): return attention(x, heads, causal, rotary)
    case .flatten: return Flow(samples: x.samples, shape: [x.shape.reduce(1, *)])
    case .relu: return map(x) { max($0, 0) }
    case .leakyRelu(let slope): return map(x) { $0 > 0 ? $0 : slope * $0 }
    case .tanh: return map(x, Foundation.tanh)
    case .sigmoid: return map(x) { 1 / (1 + exp(-$0)) }
    case .gelu: return map(x) { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
    case .geluTanh:
      return map(x) { x in
        0.5 * x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      }
    case .silu: return map(x) { $0 / (1 + exp(-$0)) }
    case .softmax:
      return rows(x) { row in
        let e = row.map { exp($0) }
        return e.map { $0 / e.reduce(0, +) }
      }
    case .sequential(let layers): return run(layers, x)
    case .residual(let body, let shortcut):
      let (a, b) = (run(body, x), run(shortcut, x))
      return Flow(samples: zip(a.samples, b.samples).map { zip($0, $1).map(+) }, shape: a.shape)
    case .embedding(_, let width):
      let table = take()
      let samples = x.samples.map { $0.flatMap { t in table[Int(t) * width..<(Int(t) + 1) * width] } }
      return Flow(samples: samples, shape: [x.shape[0], width])
    case .dropout, .attentionWithDropout: fatalError("what dropout drops is not defined, only how often")
    }
  }

  private func map(_ x: Flow, _ f: (Double) -> Double) -> Flow {
    Flow(samples: x.samples.map { $0.map(f) }, shape: x.shape)
  }

  /// A function of each row of the last axis.
  private func rows(_ x: Flow, _ f: ([Double]) -> [Double]) -> Flow {
    let n = x.shape.last!
    let samples = x.samples.map { s in
      stride(from: 0, to: s.count, by: n).flatMap { f(Array(s[$0..<$0 + n])) }
    }
    return Flow(samples: samples, shape: x.shape)
  }

  private mutating func linear(_ x: Flow, _ outputs: Int, _ hasBias: Bool) -> Flow {
    let (w, n) = (take(), x.shape.last!)
    let b = hasBias ? take() : [Double](repeating: 0, count: outputs)
    let y = rows(x) { row in
      (0..<outputs).map { (o: Int) -> Double in
        var sum = b[o]
        for i in 0..<n { sum += w[o * n + i] * row[i] }
        return sum
      }
    }
    return Flow(samples: y.samples, shape: x.shape.dropLast() + [outputs])
  }

  private mutating func convolution(
    _ x: Flow, _ outputs: Int, _ size: Extent, _ stride: Extent, _ padding: Extent, _ dilation: Int,
    _ groups: Int, _ hasBias: Bool
  ) -> Flow {
    let w = take()
    let b = hasBias ? take() : [Double](repeating: 0, count: outputs)
    let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
    let (perGroup, perOutput) = (channels / groups, outputs / groups)
    let oh = (height + 2 * padding.height - dilation * (size.height - 1) - 1) / stride.height + 1
    let ow = (width + 2 * padding.width - dilation * (size.width - 1) - 1) / stride.width + 1
    let samples = x.samples.map { s in
      var y: [Double] = []
      for o in 0..<outputs {
        for i in 0..<oh {
          for j in 0..<ow {
            var sum = b[o]
            for c in 0..<perGroup {
              for u in 0..<size.height {
                for v in 0..<size.width {
                  let r = i * stride.height + u * dilation - padding.height
                  let q = j * stride.width + v * dilation - padding.width
                  if r < 0 || r >= height || q < 0 || q >= width { continue }
                  sum +=
                    w[((o * perGroup + c) * size.height + u) * size.width + v]
                    * s[((o / perOutput * perGroup + c) * height + r) * width + q]
                }
              }
            }
            y.append(sum)
          }
        }
      }
      return y
    }
    return Flow(samples: samples, shape: [outputs, oh, ow])
  }

  /// A function of every window, nil where it leaves the image.
  private func pool(
    _ x: Flow, _ size: Int, _ stride: Int, _ padding: Int, _ f: ([Double?]) -> Double
  ) -> Flow {
    let (channels, height, width) = (x.shape[0], x.shape[1], x.shape[2])
    let (oh, ow) = ((height + 2 * padding - size) / stride + 1, (width + 2 * padding - size) / stride + 1)
    let samples = x.samples.map { s in
      var y: [Double] = []
      for c in 0..<channels {
        for i in 0..<oh {
          for j in 0..<ow {
            var window: [Double?] = []
            for r in i * stride - padding..<i * stride - padding + size {
              for q in j * stride - padding..<j * stride - padding + size {
                window.append(
                  r < 0 || r >= height || q < 0 || q >= width ? nil : s[(c * height + r) * width + q])
              }
            }
            y.append(f(window))
          }
        }
      }
      return y
    }
    return Flow(samples: samples, shape: [channels, oh, ow])
  }

  private mutating func batchNorm(_ x: Flow, _ ε: Double) -> Flow {
    let (γ, β) = (take(), take())
    let channels = x.shape[0]
    let area = x.shape.dropFirst().reduce(1, *)
    var y = x
    for c in 0..<channels {
      let all = x.samples.flatMap { $0[c * area..<(c + 1) * area] }
      var (mean, variance) = (0.0, 1.0)
      if mode != .evaluation {
        mean = all.reduce(0, +) / Double(all.count)
        variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
      }
      for s in y.samples.indices {
        for i in c * area..<(c + 1) * area {
          y.samples[s][i] = γ[c] * (x.samples[s][i] - mean) / (variance + ε).squareRoot() + β[c]
        }
      }
    }
    return y
  }

  private mutating func layerNorm(_ x: Flow, _ ε: Double) -> Flow {
    let (γ, β) = (take(), take())
    return rows(x) { row in
      let n = Double(row.count)
      let mean = row.reduce(0, +) / n
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
      return row.indices.map { γ[$0] * (row[$0] - mean) / (variance + ε).squareRoot() + β[$0] }
    }
  }
}
