import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import KernelTemplates
import Testing

/// One decomposition between guard pages; the triangle that must not be read holds the sentinel.
struct EigenCase<S: KernelScalar> {
  let matrix: Matrix<S>
  let triangle: Triangle
  let a, vectors, values: GuardedMatrix<S>
  let name: String

  /// Layouts are drawn from the seed, and so is the triangle unless it is given.
  init(seed: UInt64, _ n: Int, _ kind: SymmetricKind, _ triangle: Triangle? = nil) {
    var generator = Generator(seed: seed)
    let drawn = generator.pick(Triangle.allCases)
    let triangle = triangle ?? drawn
    let matrix = kind.matrix(n, S.self, &generator)
    let flush = generator.pick(Flush.allCases)
    let inputs = Layout.inputs.filter { !$0.repeatsRows }
    a = GuardedMatrix<S>(n, n, generator.pick(inputs), flush: flush).filled(with: matrix, only: triangle)
    vectors = GuardedMatrix<S>(n, n, generator.pick(Layout.outputs), flush: flush)
    values = GuardedMatrix<S>(n, 1, .columnMajor, flush: flush)
    (self.matrix, self.triangle) = (matrix, triangle)
    name = "FISHER_SEED=\(seed) \(S.self) \(kind) n \(n) \(triangle) A \(a.layout) V \(vectors.layout)"
    for guarded in [a, vectors, values] { guarded.buffer.label = name }
  }

  var call: SymmetricEigenCall<S> {
    SymmetricEigenCall(
      a: a.readOnly, triangle: triangle, vectors: vectors.pointer, values: values.pointer.base)
  }

  /// The outputs as they are asked for, or why they are wrong.
  func problem(_ status: EigenStatus) -> String? {
    if status != .converged { return "\(status)" }
    let n = matrix.rows
    let (v, values) = (Matrix(vectors.elements(), rows: n, columns: n), values.elements())
    if zip(values, values.dropFirst()).contains(where: { !($0 <= $1) }) { return "values do not ascend" }
    let residual = Ratio.eigen(matrix, v, values)
    if !(residual < 30) { return "‖A·V − V·Λ‖ ratio \(residual)" }
    let orthogonality = Ratio.orthogonality(v)
    if !(orthogonality < 30) { return "‖VᵀV − I‖ ratio \(orthogonality)" }
    return vectors.firstDamage() == nil ? nil : "writes into the gaps of V"
  }
}

/// The shapes of all cases: every n up to 70 with every kind, the triangles in turn, and orders around leaves and panels.
struct EigenShape {
  let n: Int
  let kind: SymmetricKind
  let triangle: Triangle

  static let blocks = [95, 96, 97, 127, 128, 129]
  static let large = [191, 192, 193, 255, 256, 257, 319, 320, 321, 383, 511, 512, 513, 600]

  static func all(for backend: any Backend) -> [(shape: EigenShape, seed: UInt64)] {
    // Every rotation of the naive method costs n operations, and there are some n² in each of about eight sweeps.
    let isNaive = backend is ReferenceBackend
    var shapes: [EigenShape] = []
    for n in Array(0...70) + (isNaive ? [] : blocks + large) {
      for (k, kind) in SymmetricKind.allCases.enumerated() {
        // The largest take the kinds in turn: all of them occur in every five orders.
        let isTried = n > 130 ? (k + n) % 5 == 0 : isNaive && n > 24 ? (k + n) % 3 == 0 : true
        if isTried {
          shapes.append(EigenShape(n: n, kind: kind, triangle: (n + k) % 2 == 0 ? .lower : .upper))
        }
      }
    }
    return Array(zip(shapes, Seed.cases(shapes.count)))
  }
}

/// ‖A·V − V·Λ‖/(n·‖A‖·ε) and ‖VᵀV − I‖/(n·ε) are below 30, values ascend, and nothing outside is touched.
struct EigenResiduals: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for (shape, seed) in EigenShape.all(for: backend) where !found.isFull {
      let test = EigenCase<S>(seed: seed, shape.n, shape.kind, shape.triangle)
      let before = test.a.snapshot()
      let problem = test.problem(backend.symmetricEigen(test.call, threads: 2))
      found.expect(problem == nil, "\(backend.name) \(test.name): \(problem!)")
      found.expect(test.a.snapshot() == before, "\(backend.name) \(test.name): writes into A")
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func residuals(_ subject: Subject) { expect(subject) }
}

/// The values are those of the naive reference, to n·ε·‖A‖.
struct EigenDefinition: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    let cases = [1, 2, 3, 5, 8, 16, 33, 40].flatMap { n in SymmetricKind.allCases.map { (n, $0) } }
    for ((n, kind), seed) in zip(cases, Seed.cases(cases.count)) where !found.isFull {
      let test = EigenCase<S>(seed: seed, n, kind)
      _ = backend.symmetricEigen(test.call, threads: 1)
      let got = test.values.elements()
      guard
        let expected = try? SymmetricEigen(test.matrix, on: ReferenceBackend(), threads: 1).values
      else {
        found.add("\(test.name): the reference has no values")
        continue
      }
      let unit = Ratio.unit(test.matrix)
      let scale = Ratio.norm(Ratio.double(test.matrix, unit: unit))
      for (i, (x, y)) in zip(got, expected).enumerated() {
        let ratio = Ratio.quotient((Double(x) / unit - Double(y) / unit).magnitude, got.count, scale, S.self)
        found.expect(ratio < 30, "\(backend.name) \(test.name): value \(i) is \(x), not \(y)")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func agreesWithTheReference(_ subject: Subject) { expect(subject) }
}

/// The same bits for any number of threads.
struct EigenBits: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for n in [40, 340] where !found.isFull && !(n > 100 && backend is ReferenceBackend) {
      let test = EigenCase<S>(seed: Seed.first, n, .random)
      let bits = [1, 2, 3, 7].map { threads in
        _ = backend.symmetricEigen(test.call, threads: threads)
        return test.vectors.elementBits() + test.values.elementBits()
      }
      found.expect(Set(bits).count == 1, "\(backend.name) \(test.name): threads change the bits")
    }
    return found
  }

  @Test(arguments: Subject.keepingBits)
  static func bits(_ subject: Subject) { expect(subject) }
}

/// NaN and infinity in the triangle that is read are reported, and every output is NaN.
struct EigenSpecialValues: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for n in [1, 2, 7, 40] {
      // On the diagonal, and where rows are longest.
      for (k, bad) in [S.nan, .infinity, .nan, -.infinity].enumerated() {
        let test = EigenCase<S>(seed: Seed.first &+ UInt64(k), n, .random)
        let (row, column) = k < 2 ? (n / 2, n / 2) : test.triangle == .lower ? (n - 1, 0) : (0, n - 1)
        test.a.pointer[row, column] = bad
        let status = backend.symmetricEigen(test.call, threads: 1)
        found.expect(status == .notFinite, "\(backend.name) \(test.name) with \(bad): \(status)")
        let outputs = test.vectors.elements() + test.values.elements()
        found.expect(
          outputs.allSatisfy(\.isNaN), "\(backend.name) \(test.name) with \(bad): outputs are not NaN")
      }
    }
    return found
  }

  @Test(arguments: Subject.all)
  static func specialValues(_ subject: Subject) { expect(subject) }
}

/// The public type.
struct SymmetricEigenTests {
  @Test func decomposesByHand() throws {
    let eigen = try SymmetricEigen<Double>([[2, 9], [1, 2]])
    #expect(zip(eigen.values, [1, 3]).allSatisfy { ($0 - $1).magnitude < 1e-14 })
    #expect((eigen.vectors[0, 1] - eigen.vectors[1, 1]).magnitude < 1e-14)
    let square = eigen.function { $0 * $0 }
    for (i, x) in [5.0, 4, 4, 5].enumerated() { #expect((square[i / 2, i % 2] - x).magnitude < 1e-13) }
  }

  @Test func acceptsEmptyMatrices() throws {
    #expect(try SymmetricEigen(Matrix<Float>(rows: 0, columns: 0)).values.isEmpty)
  }

  @Test func knowsTheSpectrumOfSecondDifferences() throws {
    var generator = Generator(seed: Seed.first)
    let n = 200
    let eigen = try SymmetricEigen(SymmetricKind.differences.matrix(n, Double.self, &generator))
    for k in 1...n {
      let half = (Double.pi * Double(k) / Double(2 * (n + 1)))
      let exact = 4 * sin(half) * sin(half)
      #expect((eigen.values[k - 1] - exact).magnitude < 30 * Double(n) * Double.ulpOfOne * 4)
    }
  }
}
