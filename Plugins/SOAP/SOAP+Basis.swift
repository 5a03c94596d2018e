import FisherCurvature
import FisherLinearAlgebra
public import FisherOptimizers

/// A side of a matrix whose factor is kept: the rows, with L, or the columns, with R.
struct Side {
  let owner: String
  let isLeft: Bool
  let size: Int

  var factorSlot: String { isLeft ? "L" : "R" }
  var basisSlot: String { isLeft ? "QL" : "QR" }

  /// The sides of a parameter that are turned: none of a vector, none that is too long.
  static func sides(of parameter: ParameterInfo, longest: Int) -> [Side] {
    if parameter.shape.count == 1 || parameter.count == 0 { return [] }
    return [
      Side(owner: parameter.name, isLeft: true, size: parameter.rows),
      Side(owner: parameter.name, isLeft: false, size: parameter.columns),
    ].filter { $0.size <= longest }
  }
}

/// A method that works in eigenbases of two factors.
protocol EigenbasisMethod: Optimizer {
  var factorBeta: Double { get }
  var firstBasis: FirstBasis { get }
  var shift: Double { get }
}

/// How the first basis is found.
public enum FirstBasis: String, SettingChoice {
  /// The eigenvectors of the first factors.
  case eigenvectors
  /// One step of orthogonal iteration from the identity.
  case iteration
}

extension EigenbasisMethod {
  typealias Bases<S: KernelScalar> = (left: Matrix<S>?, right: Matrix<S>?)
  /// The bases before and after, and the old columns in the order in which they became the new ones; nil for the identity.
  typealias BasisChange<S: KernelScalar> = (
    old: Bases<S>, new: Bases<S>, orders: (left: [Int]?, right: [Int]?)
  )

  /// L ← β·L + α·X·Xᵀ or R ← β·R + α·Xᵀ·X: lower triangles, from zero, or from a multiple of the identity.
  func updateFactor<S: KernelScalar>(
    _ side: Side, keeping β: Double, adding α: Double, of X: Matrix<S>, from start: Double? = nil,
    _ step: inout Step<S>
  ) {
    let (backend, threads) = (step.backend, step.threads)
    step.average(side.factorSlot, of: side.owner, order: side.size, addsSquares: true) { factor in
      if let start { for j in 0..<side.size { factor[j, j] = S(start) } }
      syrk(
        alpha: S(α), side.isLeft ? X : X.transposed, beta: S(β), into: &factor, on: backend, threads: threads)
    }
  }

  /// The first basis of every side, each by one rank.
  func findFirstBases<S: KernelScalar>(_ sides: [Side], _ step: inout Step<S>) throws(StepRefusal) {
    let known = sides.compactMap { side in step.latest(side.factorSlot, of: side.owner).map { (side, $0) } }
    let factors = known.map(\.1)
    var bases = factors.map { [Matrix<S>(rows: $0.rows, columns: $0.rows)] }
    let backend = step.backend
    let outcomes = try step.fill(&bases, costs: factors.map(Self.cost)) { i, basis, threads in
      if firstBasis == .iteration {
        basis[0] =
          orthogonalIteration(
            factors[i], from: Matrix(identity: factors[i].rows), shift: shift, on: backend, threads: threads
          ).basis
        return 0
      }
      do throws(FactorizationError) {
        let V = try SymmetricEigen(factors[i], on: backend, threads: threads).vectors
        let last = V.rows - 1
        basis[0] = Matrix(rows: V.rows, columns: V.rows) { V[$0, last - $1] }
        return 0
      } catch { return error == .notFinite ? 1 : 2 }
    }
    for (i, (side, _)) in known.enumerated() {
      if outcomes[i] != 0 {
        let error = outcomes[i] == 1 ? FactorizationError.notFinite : .notConverged
        throw .failed(optimizer: Self.record.name, place: side.owner, reason: "\(side.factorSlot): \(error)")
      }
      step.set(side.basisSlot, of: side.owner, to: bases[i][0])
    }
  }

  private static func cost<S: KernelScalar>(of factor: Matrix<S>) -> Double {
    let n = Double(factor.rows)
    return n * n * n
  }

  /// Q_L and Q_R as they are; nil for the identity.
  func bases<S: KernelScalar>(_ sides: [Side], _ step: borrowing Step<S>) throws(StepRefusal) -> Bases<S> {
    var bases: Bases<S> = (nil, nil)
    for side in sides {
      guard let Q = step.tensor(side.basisSlot, of: side.owner) else {
        throw .failed(
          optimizer: Self.record.name, place: side.owner, reason: "its state has no \(side.basisSlot)")
      }
      if side.isLeft { bases.left = Q } else { bases.right = Q }
    }
    return bases
  }

  /// Each basis of each parameter follows its factor, all in one go and each by one rank.
  func moveBases<S: KernelScalar>(
    _ parameters: [[Side]], _ step: inout Step<S>
  ) throws(StepRefusal) -> [BasisChange<S>] {
    var changes: [BasisChange<S>] = []
    var moved: [(place: Int, side: Side, factor: Matrix<S>, Q: Matrix<S>)] = []
    for (place, sides) in parameters.enumerated() {
      let old = try bases(sides, step)
      changes.append((old, old, (nil, nil)))
      for side in sides {
        if let factor = step.latest(side.factorSlot, of: side.owner),
          let Q = side.isLeft ? old.left : old.right
        {
          moved.append((place, side, factor, Q))
        }
      }
    }
    // The order of the old columns is a row of numbers.
    var results = moved.map { [$0.Q, Matrix<S>(rows: 1, columns: $0.Q.rows)] }
    let backend = step.backend
    _ = try step.fill(&results, costs: moved.map { Self.cost(of: $0.factor) }) { i, result, threads in
      let (basis, order) = orthogonalIteration(
        moved[i].factor, from: moved[i].Q, shift: shift, on: backend, threads: threads)
      result = [basis, Matrix(order.map { S($0) }, rows: 1, columns: order.count)]
      return 0
    }
    for (i, (place, side, _, _)) in moved.enumerated() {
      let (basis, order) = (results[i][0], results[i][1].array.map { Int(Double($0)) })
      step.set(side.basisSlot, of: side.owner, to: basis)
      if side.isLeft {
        (changes[place].new.left, changes[place].orders.left) = (basis, order)
      } else {
        (changes[place].new.right, changes[place].orders.right) = (basis, order)
      }
    }
    return changes
  }

  /// Q_Lᵀ·X·Q_R
  func turned<S: KernelScalar>(
    _ x: Matrix<S>, into bases: Bases<S>, _ step: inout Step<S>
  ) -> Matrix<S> {
    product(bases.left?.transposed, x, bases.right, &step)
  }

  /// Q_L·X·Q_Rᵀ
  func turned<S: KernelScalar>(
    _ x: Matrix<S>, outOf bases: Bases<S>, _ step: inout Step<S>
  ) -> Matrix<S> {
    product(bases.left, x, bases.right?.transposed, &step)
  }

  /// A·X·B, where nil stands for the identity.
  private func product<S: KernelScalar>(
    _ A: Matrix<S>?, _ X: Matrix<S>, _ B: Matrix<S>?, _ step: inout Step<S>
  ) -> Matrix<S> {
    let (backend, threads) = (step.backend, step.threads)
    var Y = X
    if let A {
      let X = Y
      Y = step.temporary(rows: X.rows, columns: X.columns) {
        gemm(A, X, into: &$0, on: backend, threads: threads)
      }
    }
    if let B {
      let X = Y
      Y = step.temporary(rows: X.rows, columns: X.columns) {
        gemm(X, B, into: &$0, on: backend, threads: threads)
      }
    }
    return Y
  }
}
