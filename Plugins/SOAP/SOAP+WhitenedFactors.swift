import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

// KL-SOAP: each factor averages the gradient that the other one has whitened. In the bases as they are a factor's inverse is
// Q·diag(λ)⁻¹·Qᵀ, λ being the diagonal of Qᵀ·L·Q; that is averaged as L is, and computed anew with a new basis.

extension Side {
  /// λ, a row.
  var diagonalSlot: String { isLeft ? "dL" : "dR" }
}

extension SOAP {
  /// Q_L and Q_R, Q_Lᵀ·G, and G̃ = Q_Lᵀ·G·Q_R.
  typealias Coordinates<S: KernelScalar> = (bases: Bases<S>, half: Matrix<S>, full: Matrix<S>)

  /// L ← β·L + (1 − β)/n·G·R⁻¹·Gᵀ and R ← β·R + (1 − β)/m·Gᵀ·L⁻¹·G with the former factors on the right-hand sides, and
  /// their diagonals in the bases. Without a factor on a side the identity stands for it.
  ///
  /// - Parameters:
  ///   - G: m×n.
  ///   - coordinates: of G; in the first step the identity stands for the bases.
  func updateWhitenedFactors<S: KernelScalar>(
    _ sides: [Side], _ G: Matrix<S>, _ coordinates: Coordinates<S>, _ step: inout Step<S>
  ) {
    if sides.isEmpty { return }
    let start = startingScale(sides, G, step)
    var diagonals = [[Double]?](repeating: nil, count: 2)
    for side in sides {
      let former = step.tensor(side.diagonalSlot, of: side.owner)?.array.map(Double.init)
      diagonals[side.isLeft ? 0 : 1] = start.map { [Double](repeating: $0, count: side.size) } ?? former
    }
    let inverses = diagonals.map { $0.map(dampedInverses) }
    let sums = weightedSquares(of: coordinates.full, inverses[0], inverses[1], &step)
    for side in sides {
      let (place, other) = side.isLeft ? (0, 1) : (1, 0)
      let added = (1 - factorBeta) / Double(G.count / side.size)
      let X = whitened(G, side, coordinates, inverses[other], &step)
      updateFactor(side, keeping: factorBeta, adding: added, of: X, from: start, &step)
      let new = zip(diagonals[place] ?? [], sums[place]).map { S(factorBeta * $0 + added * $1) }
      step.set(side.diagonalSlot, of: side.owner, to: Matrix(new, rows: 1, columns: side.size))
    }
  }

  /// λ = diag(Qᵀ·L·Q) of the factor and the basis as this step has them.
  func setDiagonal<S: KernelScalar>(_ side: Side, _ step: inout Step<S>) {
    guard let factor = step.latest(side.factorSlot, of: side.owner),
      let Q = step.latest(side.basisSlot, of: side.owner)
    else { return }
    let (n, backend, threads) = (side.size, step.backend, step.threads)
    let image = step.temporary(rows: n, columns: n) {
      symm(factor, Q, into: &$0, on: backend, threads: threads)
    }
    let sums = columnProducts(Q, image, threads: threads)
    step.set(side.diagonalSlot, of: side.owner, to: Matrix(sums.map { S($0) }, rows: 1, columns: n))
  }

  /// Before the first gradient of a parameter: c^(1/k), c being the mean of its squares and k the number of factors. They start
  /// from that multiple of the identity, so that their product is on the scale of the gradient. 0 for a gradient of zeros; nil
  /// if there was another before.
  private func startingScale<S: KernelScalar>(
    _ sides: [Side], _ G: Matrix<S>, _ step: borrowing Step<S>
  ) -> Double? {
    if let former = step.tensor(sides[0].diagonalSlot, of: sides[0].owner),
      former.array.contains(where: { $0 > 0 })
    {
      return nil
    }
    let root = Double(nrm2(G, on: step.backend)) / Double(G.count).squareRoot()
    return sides.count == 1 ? root * root : root
  }

  /// 1/(λⱼ + η·mean λ); ones for zeros, which belong to no gradient.
  private func dampedInverses(_ λ: [Double]) -> [Double] {
    let mean = λ.reduce(0, +) / Double(λ.count)
    return mean > 0 ? λ.map { 1 / ($0 + damping * mean) } : λ.map { _ in 1 }
  }

  /// The gradient on a side, the other one whitened: G·Q_R·diag(w)^(1/2) or diag(w)^(1/2)·Q_Lᵀ·G; without w it is G.
  private func whitened<S: KernelScalar>(
    _ G: Matrix<S>, _ side: Side, _ coordinates: Coordinates<S>, _ w: [Double]?, _ step: inout Step<S>
  ) -> Matrix<S> {
    guard let w else { return G }
    let X = side.isLeft ? turned(G, into: (nil, coordinates.bases.right), &step) : coordinates.half
    let (roots, threads) = (w.map { S($0.squareRoot()) }, step.threads)
    return step.temporary(rows: G.rows, columns: G.columns) {
      $0.assign(X, scaling: side.isLeft ? .columns : .rows, by: roots, threads: threads)
    }
  }

  /// Σⱼ xᵢⱼ²·rⱼ for every row i, and Σᵢ xᵢⱼ²·lᵢ for every column j; missing weights are ones.
  private func weightedSquares<S: KernelScalar>(
    of X: Matrix<S>, _ l: [Double]?, _ r: [Double]?, _ step: inout Step<S>
  ) -> [[Double]] {
    let (backend, threads) = (step.backend, step.threads)
    let squares = step.temporary(rows: X.rows, columns: X.columns) {
      $0.assign(Hadamard(), of: X, X, threads: threads)
    }
    return [(squares, r), (squares.transposed, l)].map { squares, weights in
      let weights = weights?.map { S($0) } ?? [S](repeating: 1, count: squares.columns)
      var sums = Matrix<S>(rows: squares.rows, columns: 1)
      gemv(
        squares, Matrix(weights, rows: weights.count, columns: 1), into: &sums, on: backend, threads: threads)
      return sums.array.map { Double($0) }
    }
  }
}
