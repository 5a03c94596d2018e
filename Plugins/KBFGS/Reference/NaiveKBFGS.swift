import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

/// K-BFGS from its definition: both matrices are there, are updated by products of whole matrices, and are rebuilt from the
/// pairs where only these are kept; every pre-activation of both passes is computed.
struct NaiveKBFGS: ReferenceOptimizer {
  typealias Dense = [[Double]]

  let method: KBFGS
  var factors: NaiveFactors
  var steps = 0
  var M: [[Double]] = []
  var blocks: [Block] = []

  /// What is remembered of a layer.
  struct Block {
    var Ha: Dense
    var Hg: Dense
    var s, y: [Double]
    var pairs: [(s: [Double], y: [Double])] = []
  }

  init(method: KBFGS) {
    self.method = method
    factors = NaiveFactors(method.averages)
  }

  mutating func step(_ step: inout ReferenceStep) {
    if step.parameters.isEmpty { return }
    steps += 1
    let places = NaiveFactors.blocks(step.parameters)
    let first = step.captures!.layers
    factors.begin(step, places, first)
    if M.isEmpty { M = step.gradients.map { $0.map { _ in 0 } } }
    for p in M.indices {
      for i in M[p].indices {
        M[p][i] = method.momentum * M[p][i] + (1 - method.momentum) * step.gradients[p][i]
      }
    }
    let old = step.values
    for (b, place) in places.enumerated() { move(b, place, &step) }
    let changed = zip(step.parameters, step.values).map {
      ($0.name, Matrix($1, rows: $0.rows, columns: $0.columns))
    }
    let second = (try? step.objective.captures(at: Dictionary(uniqueKeysWithValues: changed)))!.layers
    for (b, place) in places.enumerated() {
      let before = means(place, old, first, step.parameters)
      let after = means(place, step.values, second, step.parameters)
      learn(b, before, after)
    }
  }

  private mutating func move(_ b: Int, _ place: NaiveFactors.Block, _ step: inout ReferenceStep) {
    let V = NaiveFactors.matrix(place, M, step.parameters)
    if blocks.count == b {
      let zeros = [Double](repeating: 0, count: V.count)
      blocks.append(Block(Ha: [], Hg: identity(V.count), s: zeros, y: zeros))
    }
    if steps <= method.exactSteps {
      let A = damped(factors.A[b])
      blocks[b].Ha = transposed(A.indices.map { j in eliminate(A, A.indices.map { $0 == j ? 1 : 0 }) })
    }
    let Δ = times(times(blocks[b].Hg, V), blocks[b].Ha)
    let α = method.lr * step.schedule
    let θ = NaiveFactors.matrix(place, step.values, step.parameters)
    let new = zip(θ, Δ).map { zip($0, $1).map { $0 - α * method.weightDecay * $0 - α * $1 } }
    NaiveFactors.put(new, place, into: &step.values)
  }

  /// Means of the inputs, of all pre-activations, and of their gradients.
  private func means(
    _ place: NaiveFactors.Block, _ values: [[Double]], _ captures: [String: LayerCapture<Double>],
    _ parameters: [ParameterInfo]
  ) -> (h: [Double], a: [Double], d: [Double]) {
    let W = NaiveFactors.matrix(place, values, parameters)
    let (h, d) = factors.rows(place, parameters, captures)
    let a = h.map { h in W.map { dot($0, h) } }
    func mean(_ rows: Dense) -> [Double] { NaiveFactors.sum(rows).map { $0 / Double(rows.count) } }
    return (mean(h), mean(a), mean(d))
  }

  private mutating func learn(
    _ b: Int, _ old: (h: [Double], a: [Double], d: [Double]), _ new: (h: [Double], a: [Double], d: [Double])
  ) {
    let β = method.pairBeta
    for i in old.a.indices {
      blocks[b].s[i] = β * blocks[b].s[i] + (1 - β) * (new.a[i] - old.a[i])
      blocks[b].y[i] = β * blocks[b].y[i] + (1 - β) * (new.d[i] - old.d[i])
    }
    let (s, y) = damped(blocks[b].s, blocks[b].y, blocks[b].Hg)
    if dot(s, y) > 1e-4 * dot(s, s) * dot(old.d, old.d).squareRoot() {
      if method.memory > 0 {
        blocks[b].pairs = (blocks[b].pairs + [(s, y)]).suffix(method.memory)
        blocks[b].Hg = blocks[b].pairs.reduce(identity(s.count)) { updated($0, $1.s, $1.y) }
      } else {
        blocks[b].Hg = updated(blocks[b].Hg, s, y)
      }
    }
    if steps > method.exactSteps {
      let s = times(blocks[b].Ha, old.h)
      if dot(s, s) > 0 { blocks[b].Ha = updated(blocks[b].Ha, s, times(damped(factors.A[b]), s)) }
    }
  }

  /// Double damping, as in the paper.
  private func damped(_ s: [Double], _ y: [Double], _ H: Dense) -> (s: [Double], y: [Double]) {
    var (s, y) = (s, y)
    let (μ1, μ2) = (method.inverseDamping, min(1, method.damping.squareRoot()))
    let Hy = times(H, y)
    let q = dot(y, Hy)
    if dot(s, y) < μ1 * q {
      let θ = (1 - μ1) * q / (q - dot(s, y))
      s = s.indices.map { θ * s[$0] + (1 - θ) * Hy[$0] }
    }
    if dot(s, y) < μ2 * dot(s, s) {
      let θ = (1 - μ2) * dot(s, s) / (dot(s, s) - dot(s, y))
      y = y.indices.map { θ * y[$0] + (1 - θ) * s[$0] }
    }
    return (s, y)
  }

  /// (I − r·s·yᵀ)·H·(I − r·y·sᵀ) + r·s·sᵀ.
  private func updated(_ H: Dense, _ s: [Double], _ y: [Double]) -> Dense {
    let r = 1 / dot(s, y)
    let left = s.indices.map { i in y.indices.map { j in (i == j ? 1 : 0) - r * s[i] * y[j] } }
    let product = times(times(left, H), transposed(left))
    return s.indices.map { i in s.indices.map { j in product[i][j] + r * s[i] * s[j] } }
  }

  /// A + √λ·I.
  private func damped(_ A: Dense) -> Dense {
    let λ = method.damping.squareRoot()
    return A.indices.map { i in A.indices.map { j in A[i][j] + (i == j ? λ : 0) } }
  }
}

private func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

private func identity(_ n: Int) -> [[Double]] { (0..<n).map { i in (0..<n).map { $0 == i ? 1 : 0 } } }

private func transposed(_ A: [[Double]]) -> [[Double]] {
  A.isEmpty ? [] : A[0].indices.map { j in A.map { $0[j] } }
}

private func times(_ A: [[Double]], _ x: [Double]) -> [Double] { A.map { dot($0, x) } }

private func times(_ A: [[Double]], _ B: [[Double]]) -> [[Double]] {
  let columns = transposed(B)
  return A.map { row in columns.map { dot(row, $0) } }
}
