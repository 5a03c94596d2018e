import FisherLinearAlgebra
import FisherTestSupport
import KernelTemplates
import Testing

/// copy moves bits: all sizes 0…70, from any layout to any other, which includes the transposition.
struct CopyClause: Clause {
  static let largest = 70

  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    var pair = 0
    let buffers = (0..<2).map { _ in GuardedBuffer<S>(capacity: 4 * (Self.largest + 8) * (Self.largest + 8)) }
    for m in 0...Self.largest {
      for n in 0...Self.largest {
        // The layouts take turns; their numbers have no common factor with the step, so all pairs occur.
        for _ in 0..<3 where !found.isFull {
          pair += 1
          let flush = Flush.allCases[pair % 2]
          let source = GuardedMatrix(
            m, n, Layout.inputs[pair % Layout.inputs.count], flush: flush, in: buffers[0])
          let target = GuardedMatrix(
            m, n, Layout.outputs[pair / 3 % Layout.outputs.count], flush: flush, in: buffers[1])
          fill(source.pointer)
          let text =
            "\(backend.name) \(S.self) copy \(m)×\(n) from \(source.layout) to \(target.layout) \(flush)"
          for buffer in buffers { buffer.label = text }
          backend.copy(source.readOnly, to: target.pointer)
          found.expect(source.elementBits() == target.elementBits(), "\(text): wrong elements")
          found.expect(target.firstDamage() == nil, "\(text): writes into the gaps")
        }
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func copy(_ subject: Subject) { expect(subject) }
}

/// Distinct values with some of those that arithmetic would not leave alone.
@specialized(where S == Float)
@specialized(where S == Double)
private func fill<S: KernelScalar>(_ matrix: MutableMatrixPointer<S>) {
  for i in 0..<matrix.rows {
    for j in 0..<matrix.columns {
      switch (i * 5 + j * 3) % 23 {
      case 0: matrix[i, j] = -0.0
      case 1: matrix[i, j] = -.sentinel
      case 2: matrix[i, j] = .leastNonzeroMagnitude
      case 3: matrix[i, j] = -.infinity
      default: matrix[i, j] = S(i * 128 + j)
      }
    }
  }
}
