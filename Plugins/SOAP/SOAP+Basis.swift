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

  /// L ← β·L + α·X·Xᵀ or R ← β·R + α·Xᵀ·X: lower triangles, from zero, or from a multiple of the identity.
  func updateFactor<S: KernelScalar>(
    _ side: Side, keeping β: Double, adding α: Double, of X: Matrix<S>, from start: Double? = nil,
    _ step: inout Step<S>
  ) {
    let (backend, threads) = (step.backend, step.threads)
    step.average(side.factorSlot, of: side.owner, order: side.size) { factor in
      if let start { for j in 0..<side.size { factor[j, j] = S(start) } }
      syrk(
        alpha: S(α), side.isLeft ? X : X.transposed, beta: S(β), into: &factor, on: backend, threads: threads)
    }
  }

  func findFirstBasis<S: KernelScalar>(_ side: Side, _ step: inout Step<S>) throws(StepRefusal) {
    guard let factor = step.latest(side.factorSlot, of: side.owner) else { return }
    switch firstBasis {
    case .iteration:
      let (Q, _) = orthogonalIteration(
        factor, from: Matrix(identity: side.size), shift: shift, on: step.backend, threads: step.threads)
      step.set(side.basisSlot, of: side.owner, to: Q)
    case .eigenvectors:
      do {
        let V = try SymmetricEigen(factor, on: step.backend, threads: step.threads).vectors
        let last = side.size - 1
        step.set(
          side.basisSlot, of: side.owner,
          to: Matrix(rows: side.size, columns: side.size) { V[$0, last - $1] })
      } catch {
        throw .failed(optimizer: Self.record.name, place: side.owner, reason: "\(side.factorSlot): \(error)")
      }
    }
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

  /// Each basis follows its factor.
  ///
  /// - Returns: the bases before and after, and the old columns in the order in which they became the new ones; nil for the
  ///   identity.
  func moveBases<S: KernelScalar>(
    _ sides: [Side], _ step: inout Step<S>
  ) throws(StepRefusal) -> (old: Bases<S>, new: Bases<S>, orders: (left: [Int]?, right: [Int]?)) {
    let old = try bases(sides, step)
    var (new, orders): (Bases<S>, (left: [Int]?, right: [Int]?)) = (old, (nil, nil))
    for side in sides {
      guard let factor = step.latest(side.factorSlot, of: side.owner),
        let Q = side.isLeft ? old.left : old.right
      else { continue }
      let (basis, order) = orthogonalIteration(
        factor, from: Q, shift: shift, on: step.backend, threads: step.threads)
      step.set(side.basisSlot, of: side.owner, to: basis)
      if side.isLeft {
        (new.left, orders.left) = (basis, order)
      } else {
        (new.right, orders.right) = (basis, order)
      }
    }
    return (old, new, orders)
  }

  /// Q_Lᵀ·X·Q_R
  func turned<S: KernelScalar>(
    _ x: Matrix<S>, into bases: Bases<S>, _ label: String, _ owner: String, _ step: inout Step<S>
  ) -> Matrix<S> {
    product(bases.left?.transposed, x, bases.right, label, owner, &step)
  }

  /// Q_L·X·Q_Rᵀ
  func turned<S: KernelScalar>(
    _ x: Matrix<S>, outOf bases: Bases<S>, _ label: String, _ owner: String, _ step: inout Step<S>
  ) -> Matrix<S> {
    product(bases.left, x, bases.right?.transposed, label, owner, &step)
  }

  /// A·X·B, where nil stands for the identity.
  private func product<S: KernelScalar>(
    _ A: Matrix<S>?, _ X: Matrix<S>, _ B: Matrix<S>?, _ label: String, _ owner: String, _ step: inout Step<S>
  ) -> Matrix<S> {
    let (backend, threads) = (step.backend, step.threads)
    var Y = X
    if let A {
      let X = Y
      Y = step.temporary(label + " left", of: owner, rows: X.rows, columns: X.columns) {
        gemm(A, X, into: &$0, on: backend, threads: threads)
      }
    }
    if let B {
      let X = Y
      Y = step.temporary(label + " right", of: owner, rows: X.rows, columns: X.columns) {
        gemm(X, B, into: &$0, on: backend, threads: threads)
      }
    }
    return Y
  }
}
