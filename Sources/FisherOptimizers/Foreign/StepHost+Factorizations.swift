import FisherLinearAlgebra
import FisherPluginABI
import FisherRuntime

extension StepHost {
  func potrf(_ a: fisher_matrix) -> Int {
    square(a, "potrf") { a in
      a.withMutablePointer { a in
        let call = Potrf(source: a.readOnly, target: a, triangle: .lower)
        return backend.potrf(call, threads: threads).firstBadPivot.map { $0 + 1 } ?? 0
      }
    }
  }

  func potri(_ l: fisher_matrix) {
    square(l, "potri") { l in
      l.withMutablePointer { l in
        backend.potri(Potri(factor: l.readOnly, target: l, triangle: .lower, mirror: true), threads: threads)
      }
    }
  }

  func eigen(_ a: fisher_matrix, _ values: fisher_matrix) -> Bool {
    square(a, "eigen") { a in
      write(values, "eigen") { values in
        require(
          values.rows == 1 && values.columns == a.rows,
          "eigen: A is \(a.rows)×\(a.columns) and its values are \(values.rows)×\(values.columns)")
        guard let eigen = try? SymmetricEigen(a, on: backend, threads: threads) else { return false }
        copy(eigen.vectors, into: &a, on: backend)
        for (j, value) in eigen.values.enumerated() { values[0, j] = value }
        return true
      }
    }
  }

  func inverseRoot(_ a: fisher_matrix, order: Int, ε: Double) -> Bool {
    square(a, "inverse_root") { a in
      require(order >= 1, "inverse_root: the order is \(order); it must be at least 1")
      let floor = S.leastNormalMagnitude
      guard
        let root = try? InverseRoot(
          a, p: order, damping: .absolute(S(ε)), by: .eigen(floor: floor), on: backend, threads: threads)
      else { return false }
      copy(root.matrix, into: &a, on: backend)
      return true
    }
  }

  func invert(_ a: [fisher_matrix], dampings: [Double]) -> [Bool] {
    // Beside the matrices, which stay as they are where there is no inverse.
    var inverses: [Matrix<S>] = []
    var calls: [Potrf<S>] = []
    for (i, (a, damping)) in zip(a, dampings).enumerated() {
      square(a, "invert") { a in
        inverses.append(spare("inverse \(i)", a.rows, a.columns))
        // Lower triangles are upper ones of the transposed matrices.
        let source = a.withPointer { $0.transposed }
        calls.append(
          Potrf(
            source: source, target: inverses[i].withMutablePointer(discarding: true) { $0 }, triangle: .upper,
            absolute: S(damping)))
      }
    }
    var isBad = [Bool](repeating: false, count: calls.count)
    isBad.withUnsafeMutableBufferPointer { isBad in
      // Each task writes its own inverse and its own outcome.
      nonisolated(unsafe) let (isBad, calls) = (isBad, calls)
      let (backend, costs) = (backend, a.map { Double($0.rows) }.map { $0 * $0 * $0 })
      CostedTasks.perform(costs: costs, threads: threads) { i, threads in
        isBad[i] =
          backend.invertPositiveDefinite(calls[i], mirror: true, threads: threads).firstBadPivot != nil
      }
    }
    for (i, a) in a.enumerated() {
      if !isBad[i] { write(a, "invert") { copy(inverses[i], into: &$0, on: backend) } }
      keep(inverses[i], "inverse \(i)")
    }
    return isBad
  }

  func invertStack(_ count: Int, _ a: fisher_matrix, damping: Double) -> [Int] {
    let order = Int(a.columns)
    require(
      count >= 0 && Int(a.rows) == count * order,
      "invert_stack: \(count) matrices of order \(order) do not make \(a.rows)×\(a.columns)")
    var elements = a.elements(as: S.self, for: "invert_stack").mutableSpan
    let outcome = elements.withMutableMatrices(
      count: count, rows: order, columns: order, rowStride: Int(a.stride)
    ) { $0.invertPositiveDefinite(damping: .absolute(S(damping)), on: backend, threads: threads) }
    return outcome.failures.map(\.matrix)
  }
}
