import FisherOptimizers
import FisherRuntime

/// Shampoo from its definition: every contraction element by element, roots by Jacobi's rotations.
struct NaiveShampoo: ReferenceOptimizer {
  typealias Dense = [[Double]]

  /// A tensor that is preconditioned by itself: the places of its elements in the parameter, and its axes.
  struct Part {
    let p: Int
    let places: [Int]
    let axes: [Int]
    let modes: [Int]
    var H: [Dense]
    var P: [Dense]
    /// A gradient was seen.
    var hasStarted = false
  }

  let method: Shampoo
  var t = 0
  var parts: [Part] = []
  var m: [[Double]] = []
  var v: [[Double]] = []

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    if m.isEmpty {
      m = step.values.map { $0.map { _ in 0 } }
      v = m
      parts = step.parameters.enumerated().flatMap { parts(of: $1, at: $0) }
    }
    if (t - 1) % method.statisticsPeriod == 0 {
      for i in parts.indices { gather(&parts[i], step.gradients[parts[i].p]) }
    }
    if t >= method.startStep { refresh() }
    for p in step.parameters.indices { move(&step, p) }
  }

  private func parts(of parameter: ParameterInfo, at p: Int) -> [Part] {
    let taps = parameter.shape.dropFirst(2).reduce(1, *)
    let channels = parameter.columns / taps
    func pieces(_ n: Int) -> [Range<Int>] {
      let count = Int((Double(n) / Double(method.blockSize)).rounded(.up))
      return (0..<count).map { $0 * n / count..<($0 + 1) * n / count }
    }
    var parts: [Part] = []
    for rows in pieces(parameter.rows) {
      for columns in pieces(channels) {
        var places: [Int] = []
        for r in rows {
          for c in columns { for k in 0..<taps { places.append((r * channels + c) * taps + k) } }
        }
        var axes = [rows.count, columns.count, taps].filter { $0 != 1 }
        if axes.isEmpty { axes = [1] }
        let modes = method.sides == .all ? Array(axes.indices) : [axes.firstIndex(of: axes.min()!)!]
        let zeros = axes.map { n in Dense(repeating: [Double](repeating: 0, count: n), count: n) }
        parts.append(Part(p: p, places: places, axes: axes, modes: modes, H: zeros, P: []))
      }
    }
    return parts
  }

  /// Hᵢ[a, b] gains Σ x[…, a, …]·x[…, b, …].
  private func gather(_ part: inout Part, _ gradient: [Double]) {
    let x = part.places.map { gradient[$0] }
    let updates = (t - 1) / method.statisticsPeriod + 1
    let isSum = method.beta2 == 1
    let isKL = method.factors == .kl
    let kept = isSum ? 1 : isKL ? method.beta2 : min(1 - 1 / Double(updates), method.beta2)
    if isKL { start(&part, x) }
    let (former, all) = (part, x)
    for i in part.modes {
      let (n, stride) = (part.axes[i], part.axes[(i + 1)...].reduce(1, *))
      let rest = isKL ? Double(all.count / n) : 1
      let x = isKL ? turned(all, former, on: part.modes.filter { $0 != i }) : all
      var new = Dense(repeating: [Double](repeating: 0, count: n), count: n)
      for e in x.indices {
        let a = e / stride % n
        for b in 0..<n { new[a][b] += x[e] * x[e + (b - a) * stride] }
      }
      for a in 0..<n {
        for b in 0..<n {
          part.H[i][a][b] = kept * part.H[i][a][b] + (isSum ? 1 : 1 - kept) * new[a][b] / rest
        }
      }
    }
  }

  /// The factors of KL-Shampoo before the first gradient: a multiple of the identity on its scale.
  private func start(_ part: inout Part, _ x: [Double]) {
    if part.hasStarted { return }
    let c = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
    if part.P.isEmpty { part.P = part.H }
    part.hasStarted = c > 0
    let scale = c > 0 ? exp(log(c) / Double(part.modes.count)) : 0
    for i in part.modes {
      for a in 0..<part.axes[i] {
        part.H[i][a][a] = scale
        part.P[i][a][a] = 1
      }
    }
  }

  private mutating func refresh() {
    let count = parts.reduce(0) { $0 + $1.modes.count }
    var j = 0
    for index in parts.indices {
      let isFirst = t == method.startStep
      if parts[index].P.isEmpty { parts[index].P = parts[index].H }
      for i in parts[index].modes {
        if isFirst || (t - 1) % method.rootPeriod == j * method.rootPeriod / count {
          parts[index].P[i] = root(
            parts[index].H[i], method.factors == .kl ? 2 : 2 * parts[index].modes.count)
        }
        j += 1
      }
    }
  }

  private func mean(_ H: Dense) -> Double { H.indices.reduce(0) { $0 + H[$1][$1] } / Double(H.count) }

  /// Those of KL-Shampoo are for a factor divided by its mean diagonal.
  private func root(_ H: Dense, _ p: Int) -> Dense {
    let divisor = method.factors == .kl && mean(H) > 0 ? mean(H) : 1
    let H = H.map { $0.map { $0 / divisor } }
    let mean = mean(H)
    let λ = method.dampingForm == .absolute ? method.damping / divisor : method.damping * mean
    return naiveFunction(of: H) { naiveInverseRoot($0 + λ, p) }
  }

  private mutating func move(_ step: inout ReferenceStep, _ p: Int) {
    let (β1, α) = (method.beta1, method.lr * step.schedule)
    let graft = method.factors == .kl && !method.$graft.isGiven ? Shampoo.Graft.none : method.graft
    let corrected = 1 - (0..<t).reduce(1.0) { product, _ in product * β1 }
    var length: [Double] = []
    for i in m[p].indices {
      let g = step.gradients[p][i]
      m[p][i] = β1 * m[p][i] + (1 - β1) * g
      length.append(m[p][i])
      if graft == .adagrad {
        v[p][i] += g * g
        length[i] /= v[p][i].squareRoot() + method.graftEps
      }
      if graft == .adam {
        v[p][i] = method.graftBeta * v[p][i] + (1 - method.graftBeta) * g * g
        let unbiased = 1 - (0..<t).reduce(1.0) { product, _ in product * method.graftBeta }
        length[i] /= (v[p][i] / unbiased).squareRoot() + method.graftEps
      }
    }
    var D = length
    if t >= method.startStep {
      for part in parts where part.p == p {
        for (place, x) in zip(part.places, turned(part.places.map { m[p][$0] }, part, on: part.modes)) {
          D[place] = x
        }
      }
      if graft != .none {
        let scale = norm(length) / (norm(D) + 1e-16)
        D = D.map { $0 * scale }
      }
    }
    for i in D.indices {
      step.values[p][i] = (1 - α * method.weightDecay) * step.values[p][i] - α * D[i] / corrected
    }
  }

  /// x ×ᵢ Pᵢ on these axes.
  private func turned(_ x: [Double], _ part: Part, on modes: [Int]) -> [Double] {
    var x = x
    for i in modes {
      let (n, stride) = (part.axes[i], part.axes[(i + 1)...].reduce(1, *))
      x = x.indices.map { e in
        let a = e / stride % n
        let scale = method.factors == .kl && mean(part.H[i]) > 0 ? mean(part.H[i]).squareRoot() : 1
        return (0..<n).reduce(0) { $0 + part.P[i][a][$1] * x[e + ($1 - a) * stride] } / scale
      }
    }
    return x
  }

  private func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
