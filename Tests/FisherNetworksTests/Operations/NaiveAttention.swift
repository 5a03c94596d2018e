import Foundation

extension NaiveNetwork {
  /// Every output position by its own sums, straight from the definition; each weight times its element of `mask`.
  func attention(
    _ x: Flow, _ heads: Int, _ causal: Bool, _ rotary: Bool,
    mask: (_ sample: Int, _ head: Int, _ t: Int, _ seen: Int) -> Double = { _, _, _, _ in 1 }
  ) -> Flow {
    let (positions, width) = (x.shape[0], x.shape[1] / 3)
    let size = width / heads
    let samples = x.samples.enumerated().map { sample, s -> [Double] in
      /// Third 0, 1, 2 is q, k, v; turned by the position where that is wanted.
      func vector(_ third: Int, _ t: Int, _ head: Int) -> [Double] {
        let start = t * 3 * width + third * width + head * size
        let v = Array(s[start..<start + size])
        if !rotary || third == 2 { return v }
        return (0..<size).map { i in
          let pair = i % (size / 2)
          let angle = Double(t) * pow(10000, -Double(pair) / Double(size / 2))
          let (a, b) = (v[pair], v[pair + size / 2])
          return i < size / 2 ? a * cos(angle) - b * sin(angle) : b * cos(angle) + a * sin(angle)
        }
      }
      var y = [Double](repeating: 0, count: positions * width)
      for head in 0..<heads {
        for t in 0..<positions {
          let seen = causal ? 0...t : 0...positions - 1
          let scores = seen.map { u in
            exp(
              zip(vector(0, t, head), vector(1, u, head)).reduce(0) { $0 + $1.0 * $1.1 }
                / Double(size).squareRoot())
          }
          let sum = scores.reduce(0, +)
          for u in seen {
            let v = vector(2, u, head)
            let weight = mask(sample, head, t, u) * scores[u] / sum
            for i in 0..<size { y[t * width + head * size + i] += weight * v[i] }
          }
        }
      }
      return y
    }
    return Flow(samples: samples, shape: [positions, width])
  }
}
