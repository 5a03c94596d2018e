import FisherOptimizers

/// SOAP from its definition: plain products, bases by Jacobi's rotations and by Gram and Schmidt, and the momentum kept as it
/// is outside of every basis.
struct NaiveSOAP: ReferenceOptimizer {
  typealias Dense = [[Double]]

  let method: SOAP
  var n = -1
  var M: [Dense] = []
  var v: [Dense] = []
  /// For each parameter L and R, and their bases with a vector in every row; none for the identity.
  var factors: [[Dense?]] = []
  var bases: [[Dense?]] = []

  mutating func step(_ step: inout ReferenceStep) {
    n += 1
    for (p, parameter) in step.parameters.enumerated() {
      let (rows, columns) = (parameter.rows, parameter.columns)
      let G = (0..<rows).map { r in (0..<columns).map { step.gradients[p][r * columns + $0] } }
      if n == 0 {
        let zeros = G.map { $0.map { _ in 0.0 } }
        M.append(zeros)
        v.append(zeros)
        let isVector = parameter.shape.count == 1
        factors.append(
          [rows, columns].map { size in
            isVector || size > method.maxDimension
              ? nil : Dense(repeating: [Double](repeating: 0, count: size), count: size)
          })
      } else {
        move(&step.values[p], G, p, method.lr * step.schedule)
      }
      if method.factors == .kl { gatherWhitened(G, p) } else { gather(G, p) }
      if n == 0 {
        bases.append(factors[p].map { $0.map { naiveFirstBasis($0, method) } })
      } else if n % method.basisPeriod == turn(of: p) {
        follow(p)
      }
    }
  }

  private mutating func move(_ values: inout [Double], _ G: Dense, _ p: Int, _ α: Double) {
    let (β1, β2) = (method.beta1, method.beta2)
    let (left, right) = (bases[p][0] ?? naiveIdentity(G.count), bases[p][1] ?? naiveIdentity(G[0].count))
    let turned = naiveProduct(naiveProduct(left, G), naiveTransposed(right))
    for i in G.indices {
      for j in G[i].indices {
        M[p][i][j] = β1 * M[p][i][j] + (1 - β1) * G[i][j]
        v[p][i][j] = β2 * v[p][i][j] + (1 - β2) * turned[i][j] * turned[i][j]
      }
    }
    var N = naiveProduct(naiveProduct(left, M[p]), naiveTransposed(right))
    for i in N.indices { for j in N[i].indices { N[i][j] /= v[p][i][j].squareRoot() + method.eps } }
    let D = naiveProduct(naiveProduct(naiveTransposed(left), N), right)
    func corrected(_ β: Double) -> Double { 1 - (0..<n).reduce(1.0) { product, _ in product * β } }
    let η = α * corrected(β2).squareRoot() / corrected(β1)
    for i in D.indices {
      for j in D[i].indices {
        let e = i * D[i].count + j
        values[e] -= η * D[i][j]
        values[e] -= α * method.weightDecay * values[e]
      }
    }
  }

  /// Parameters with a basis take turns.
  private func turn(of p: Int) -> Int {
    func hasBasis(_ q: Int) -> Bool { factors[q].contains { $0 != nil } }
    let all = factors.indices.filter(hasBasis)
    return all.isEmpty ? -1 : all.count { $0 < p } * method.basisPeriod / all.count
  }

  /// Of KL-SOAP, from the former factors.
  private mutating func gatherWhitened(_ G: Dense, _ p: Int) {
    let sizes = [G.count, G[0].count]
    let mean = G.joined().reduce(0) { $0 + $1 * $1 } / Double(G.count * G[0].count)
    let sides = (0..<2).filter { factors[p][$0] != nil }
    for side in sides where factors[p][side]!.joined().allSatisfy({ $0 == 0 }) {
      let start = sides.count == 1 ? mean : mean.squareRoot()
      for i in 0..<sizes[side] { factors[p][side]![i][i] = start }
    }
    let inverses = (0..<2).map { side in inverse(p, side, sizes[side]) }
    for side in sides {
      let X = side == 0 ? G : naiveTransposed(G)
      let new = naiveProduct(naiveProduct(X, inverses[1 - side]), naiveTransposed(X))
      for i in new.indices {
        for j in new.indices {
          factors[p][side]![i][j] =
            method.factorBeta * factors[p][side]![i][j] + (1 - method.factorBeta) * new[i][j]
            / Double(sizes[1 - side])
        }
      }
    }
  }

  /// Σ q·qᵀ/(qᵀ·L·q + η·mean) over the vectors of the basis; the identity without a factor.
  private func inverse(_ p: Int, _ side: Int, _ size: Int) -> Dense {
    guard let factor = factors[p][side] else { return naiveIdentity(size) }
    let mean = factor.indices.reduce(0) { $0 + factor[$1][$1] } / Double(size)
    if mean == 0 { return naiveIdentity(size) }
    var inverse = Dense(repeating: [Double](repeating: 0, count: size), count: size)
    for q in (p < bases.count ? bases[p][side] : nil) ?? naiveIdentity(size) {
      let image = factor.map { row in zip(row, q).reduce(0) { $0 + $1.0 * $1.1 } }
      let quotient = zip(q, image).reduce(0) { $0 + $1.0 * $1.1 } + method.damping * mean
      for i in 0..<size { for j in 0..<size { inverse[i][j] += q[i] * q[j] / quotient } }
    }
    return inverse
  }

  private mutating func gather(_ G: Dense, _ p: Int) {
    for side in 0..<2 {
      guard var factor = factors[p][side] else { continue }
      let X = side == 0 ? G : naiveTransposed(G)
      let new = naiveProduct(X, naiveTransposed(X))
      for i in factor.indices {
        for j in factor.indices {
          factor[i][j] = method.factorBeta * factor[i][j] + (1 - method.factorBeta) * new[i][j]
        }
      }
      factors[p][side] = factor
    }
  }

  private mutating func follow(_ p: Int) {
    for side in 0..<2 {
      guard let factor = factors[p][side], let basis = bases[p][side] else { continue }
      let (new, order) = naiveIteration(factor, basis, shift: method.shift)
      bases[p][side] = new
      let old = v[p]
      for i in old.indices {
        for j in old[i].indices { v[p][i][j] = side == 0 ? old[order[i]][j] : old[i][order[j]] }
      }
    }
  }
}
