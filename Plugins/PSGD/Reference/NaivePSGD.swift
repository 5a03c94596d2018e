import FisherOptimizers
import FisherRuntime

/// PSGD from its definition: dense factors, plain products, systems by elimination.
struct NaivePSGD: ReferenceOptimizer {
  typealias Dense = [[Double]]

  let method: PSGD
  var t = 0
  var m: [Dense] = []
  /// For each parameter Q_l and Q_r, all of them dense; none before its first gradient.
  var factors: [[Dense]] = []

  mutating func step(_ step: inout ReferenceStep) {
    t += 1
    if m.isEmpty {
      m = step.parameters.map { Dense(repeating: [Double](repeating: 0, count: $0.columns), count: $0.rows) }
      factors = m.map { _ in [] }
    }
    for (p, parameter) in step.parameters.enumerated() where parameter.count > 0 {
      let columns = parameter.columns
      for i in m[p].indices {
        for j in 0..<columns {
          let g = step.gradients[p][i * columns + j]
          m[p][i][j] = method.beta * m[p][i][j] + (1 - method.beta) * g
        }
      }
      let unbiased = 1 - (0..<t).reduce(1.0) { product, _ in product * method.beta }
      let M = m[p].map { $0.map { $0 / unbiased } }
      start(p, parameter, rootMeanSquare(M))
      let turn = Double(p) / Double(step.parameters.count)
      if passes(1, turn) { fit(p, parameter, M) }
      if passes(100, turn) { balance(p, parameter) }
      var D = M
      if let Q = factors[p].first, let R = factors[p].last {
        D = product(product(product(transposed(Q), product(Q, M)), transposed(R)), R)
      }
      let (size, α) = (rootMeanSquare(D), method.lr * step.schedule)
      let scale = size > method.bound ? method.bound / size : 1
      for i in D.indices {
        for j in 0..<columns {
          let e = i * columns + j
          step.values[p][e] = (1 - α * method.weightDecay) * step.values[p][e] - α * scale * D[i][j]
        }
      }
    }
  }

  /// Sides of one element keep a factor of 1, and so does one of two.
  private func moves(_ parameter: ParameterInfo) -> [Bool] {
    let sides = [parameter.rows > 1, parameter.columns > 1]
    return sides == [false, false] ? [false, true] : sides
  }

  private mutating func start(_ p: Int, _ parameter: ParameterInfo, _ s: Double) {
    if s == 0 || !factors[p].isEmpty { return }
    let moves = moves(parameter)
    let q = 1 / naiveRoot(s, 2 * moves.count { $0 })
    factors[p] = zip([parameter.rows, parameter.columns], moves).map { n, moves in
      (0..<n).map { i in (0..<n).map { $0 == i ? (moves ? q : 1) : 0 } }
    }
  }

  /// How many updates there were until the step, a sum over its share: steps in which the share is whole, the integral of an
  /// exponential function, and the rest.
  private func updates(until step: Int) -> Double {
    let late = Double(max(0, step - method.flatSteps))
    if method.shareDecay == 0 || late == 0 { return Double(step) }
    let bend = -log(method.leastShare) / method.shareDecay
    let falling = min(late, bend)
    return Double(method.flatSteps) + (1 - exp(-method.shareDecay * falling)) / method.shareDecay
      + method.leastShare * (late - falling)
  }

  private func passes(_ period: Double, _ turn: Double) -> Bool {
    let counts = [t - 1, t].map { (updates(until: $0) / period + turn).rounded(.down) }
    return counts[1] > counts[0]
  }

  private mutating func fit(_ p: Int, _ parameter: ParameterInfo, _ M: Dense) {
    guard let Q = factors[p].first, let R = factors[p].last else { return }
    let probe = RandomProbe(.normal, seed: method.seed, step: t, parameter: parameter.name)
    let columns = parameter.columns
    let V = M.indices.map { i in (0..<columns).map { probe[i * columns + $0] } }
    let noisy = M.indices.map { i in (0..<columns).map { M[i][$0] + method.damping * V[i][$0] } }
    let X = product(product(Q, noisy), transposed(R))
    // Qᵀ·Z = V, then Y·R = Z.
    let Z = transposed(transposed(V).map { eliminate(transposed(Q), $0) })
    let Y = Z.map { eliminate(transposed(R), $0) }
    let moves = moves(parameter)
    if moves[0] { factors[p][0] = moved(Q, X, Y, isFull(parameter, parameter.rows)) }
    if moves[1] {
      factors[p][1] = moved(R, transposed(X), transposed(Y), isFull(parameter, parameter.columns))
    }
  }

  private func isFull(_ parameter: ParameterInfo, _ n: Int) -> Bool {
    parameter.shape.count > 1 && n <= method.maxDimension
  }

  private func moved(_ Q: Dense, _ X: Dense, _ Y: Dense, _ isFull: Bool) -> Dense {
    let n = Q.count
    let (A, B) = (product(X, transposed(X)), product(Y, transposed(Y)))
    let sum = A.indices.map { i in A.indices.map { A[i][$0] + B[i][$0] } }
    var norm = sum.indices.map { sum[$0][$0] }.max()!
    if isFull {
      let place = sum.indices.max { sum[$0][$0] < sum[$1][$1] }!
      var x = sum.indices.map { $0 == place ? 1.0 : 0 }
      for _ in 0..<3 {
        let y = sum.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
        norm = y.reduce(0) { $0 + $1 * $1 }.squareRoot()
        x = y.map { $0 / norm }
      }
    }
    // The part of A − B on and above the diagonal, or on it.
    var T = Dense(repeating: [Double](repeating: 0, count: n), count: n)
    for i in 0..<n { for j in i..<(isFull ? n : i + 1) { T[i][j] = A[i][j] - B[i][j] } }
    let (change, rate) = (product(T, Q), method.factorRate / norm)
    return Q.indices.map { i in Q.indices.map { Q[i][$0] - rate * change[i][$0] } }
  }

  private mutating func balance(_ p: Int, _ parameter: ParameterInfo) {
    if factors[p].isEmpty || moves(parameter) != [true, true] { return }
    let sizes = factors[p].map { $0.joined().map(abs).max()! }
    for side in 0..<2 {
      let scale = (sizes[0] * sizes[1]).squareRoot() / sizes[side]
      factors[p][side] = factors[p][side].map { $0.map { $0 * scale } }
    }
  }

  private func rootMeanSquare(_ X: Dense) -> Double {
    let all = X.joined()
    return (all.reduce(0) { $0 + $1 * $1 } / Double(all.count)).squareRoot()
  }

  private func transposed(_ A: Dense) -> Dense { A[0].indices.map { j in A.map { $0[j] } } }

  private func product(_ A: Dense, _ B: Dense) -> Dense {
    A.map { row in B[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * B[$1][j] } } }
  }

  /// The root of order 2 or 4.
  private func naiveRoot(_ x: Double, _ order: Int) -> Double {
    order == 2 ? x.squareRoot() : x.squareRoot().squareRoot()
  }
}
