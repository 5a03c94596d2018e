import FisherCurvature
import FisherLinearAlgebra
import FisherPluginABI
import FisherRuntime

extension StepHost {
  func add(_ α: Double, _ x: fisher_matrix, _ β: Double, _ y: fisher_matrix) {
    read(x, "add") { x in
      write(y, "add") { y in
        if β == 0 { copy(x, into: &y, on: backend) }
        if β != 0 && β != 1 { scal(alpha: S(β), &y, on: backend) }
        if β != 0 {
          axpy(alpha: S(α), x, into: &y, on: backend)
        } else if α != 1 {
          scal(alpha: S(α), &y, on: backend)
        }
      }
    }
  }

  func dot(_ x: fisher_matrix, _ y: fisher_matrix) -> Double {
    read(x, "dot") { x in
      read(y, "dot") { y in
        require(
          x.rows == y.rows && x.columns == y.columns,
          "dot: X is \(x.rows)×\(x.columns) and Y is \(y.rows)×\(y.columns); they must have the same shape")
        return (0..<x.rows).reduce(0) {
          $0 + Double(FisherLinearAlgebra.dot(x.row($1), y.row($1), on: backend))
        }
      }
    }
  }

  func gemm(
    _ α: Double, _ a: fisher_matrix, _ transposeA: Bool, _ b: fisher_matrix, _ transposeB: Bool, _ β: Double,
    _ c: fisher_matrix
  ) {
    read(a, "gemm") { a in
      read(b, "gemm") { b in
        write(c, "gemm") { c in
          FisherLinearAlgebra.gemm(
            alpha: S(α), transposeA ? a.transposed : a, transposeB ? b.transposed : b, beta: S(β), into: &c,
            on: backend, threads: threads)
        }
      }
    }
  }

  func syrk(_ α: Double, _ a: fisher_matrix, _ transposeA: Bool, _ β: Double, _ c: fisher_matrix) {
    read(a, "syrk") { a in
      write(c, "syrk") { c in
        FisherLinearAlgebra.syrk(
          alpha: S(α), transposeA ? a.transposed : a, beta: S(β), into: &c, on: backend, threads: threads)
      }
    }
  }

  func kronecker(_ left: fisher_matrix, _ x: fisher_matrix, _ right: fisher_matrix, _ y: fisher_matrix) {
    read(left, "kronecker") { left in
      read(x, "kronecker") { x in
        read(right, "kronecker") { right in
          write(y, "kronecker") { y in
            applyKronecker(
              left: .explicit(left), x, right: .explicit(right), into: &y, on: backend, threads: threads)
          }
        }
      }
    }
  }

  func trsm(_ α: Double, _ l: fisher_matrix, transposed: Bool, right: Bool, _ b: fisher_matrix) {
    read(l, "trsm") { l in
      write(b, "trsm") { b in
        FisherLinearAlgebra.trsm(
          alpha: S(α), transposed ? l.transposed : l, triangle: transposed ? .upper : .lower,
          side: right ? .right : .left, into: &b, on: backend, threads: threads)
      }
    }
  }

  func read<R>(_ matrix: fisher_matrix, _ routine: String, _ body: (Matrix<S>) -> R) -> R {
    matrix.read(as: S.self, for: routine, body)
  }

  func write<R>(_ matrix: fisher_matrix, _ routine: String, _ body: (inout Matrix<S>) -> R) -> R {
    matrix.write(as: S.self, for: routine, body)
  }

  /// Lends a square matrix.
  func square<R>(_ matrix: fisher_matrix, _ routine: String, _ body: (inout Matrix<S>) -> R) -> R {
    require(
      matrix.rows == matrix.columns,
      "\(routine): a plugin's matrix is \(matrix.rows)×\(matrix.columns); it must be square")
    return write(matrix, routine, body)
  }
}
