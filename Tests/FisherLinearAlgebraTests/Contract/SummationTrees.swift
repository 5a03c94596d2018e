import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// The products behind an element are added in the order of the contract, whatever the shape, the layouts, the path
/// taken and the number of threads: seen from outside, through the sums that survive two masks.
struct SummationTrees: Clause {
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations {
    var found = Violations()
    for seed in Seed.cases(600) where !found.isFull {
      var generator = Generator(seed: seed)
      let sizes = Array(1...40) + [63, 64, 65, 129, 200]
      let (m, n) = (generator.pick(sizes), generator.pick(sizes))
      let depths = [
        2, 3, 7, 8, 9, 17, 40, 65, 255, 256, 257, 511, 512, 513, 600, 1023, 1024, 1025, 1537, 2049,
      ]
      let k = generator.pick(depths.filter { m * n * $0 < 2_000_000 })
      let masked = Masked<S>(m, n, k, &generator)
      let threads = generator.pick(1...3)
      let c = masked.product(backend, threads: threads)
      let length = SummationTree.blockLength(k, S.self == Float.self ? .float : .double)
      for i in 0..<m {
        for j in 0..<n {
          let (first, second) = masked.pair(i, j)
          // In one block: those of the block up to the second. In two: all blocks up to that of the second.
          let start = second / length * length
          let lost = first >= start ? second - start + 1 : min(k, start + length)
          found.expect(
            c[i, j] == S(k - lost),
            "FISHER_SEED=\(seed) \(backend.name) \(S.self) \(m)×\(n)×\(k), \(threads) threads, C[\(i), \(j)]: "
              + "steps \(first) and \(second) meet after \(S(k) - c[i, j]), not \(lost)")
        }
      }
    }
    return found
  }

  /// The reference follows the definition: one chain, whatever k.
  private static let native = Subject.keepingBits.filter { $0.backend is NativeBackend }

  @Test(arguments: native)
  static func ordersAreThoseOfTheContract(_ subject: Subject) { expect(subject) }

  /// The tree itself, without a guess about it.
  @Test(arguments: native, [1, 2, 9, 257, 513, 1030])
  static func treesAreRevealed(_ subject: Subject, k: Int) {
    let tree = SummationTree.revealed(k, of: subject.backend, subject.kind)
    #expect(tree == .contract(k, subject.kind), "\(subject), k = \(k): \(tree)")
  }
}

/// Other people's trees: whatever they are, every product is added once, and the two of a sum in either order.
@Suite(.enabled(if: InstalledOpenBLAS.isAvailable, InstalledOpenBLAS.hint))
struct ForeignSummationTrees {
  @Test(arguments: ScalarKind.allCases, [9, 1030])
  func everyProductIsAddedOnce(_ kind: ScalarKind, k: Int) throws {
    #if arch(x86_64)
      let blas = try CBLASBackend(library: "openblas@Haswell")
    #else
      let blas = try CBLASBackend(library: "openblas")
    #endif
    let tree = SummationTree.revealed(k, of: blas, kind)
    print("\(blas.name) \(blas.core ?? "") \(kind.rawValue), k = \(k): \(tree)")
    #expect(tree.leaves.sorted() == Array(0..<k))
  }
}

/// A product of ones but for a mask in every row of A, or in every column of B.
private struct Masked<S: KernelScalar> {
  let a, b: GuardedMatrix<S>
  private let c: GuardedMatrix<S>
  private let pairs: [(Int, Int)]
  private let isInA: Bool

  init(_ m: Int, _ n: Int, _ k: Int, _ generator: inout Generator) {
    let inA = generator.pick([true, false])
    pairs = (0..<(inA ? m : n)).map { _ in
      let first = Int.random(in: 0..<k - 1, using: &generator)
      // Neighbours, and any two.
      let most = generator.pick([first + 1, k - 1])
      return (first, Int.random(in: first + 1...most, using: &generator))
    }
    isInA = inA
    a = GuardedMatrix(m, k, generator.pick(Layout.inputs.filter { !$0.repeatsRows })).filled { _, _ in 1 }
    b = GuardedMatrix(k, n, generator.pick(Layout.inputs.filter { !$0.repeatsRows })).filled { _, _ in 1 }
    c = GuardedMatrix(m, n, generator.pick(Layout.outputs))
    for (line, pair) in pairs.enumerated() {
      // Which of both comes first must not matter.
      let mask: S = generator.pick([.mask, -.mask])
      for (step, value) in [(pair.0, mask), (pair.1, -mask)] {
        if inA { a.pointer[line, step] = value } else { b.pointer[step, line] = value }
      }
    }
  }

  func pair(_ i: Int, _ j: Int) -> (Int, Int) { pairs[isInA ? i : j] }

  func product(_ backend: any Backend, threads: Int) -> MutableMatrixPointer<S> {
    backend.gemm(
      Gemm(alpha: 1, a: a.readOnly, b: b.readOnly, beta: 0, c: c.pointer), threads: threads)
    return c.pointer
  }
}

extension SummationTree {
  /// The tree of an element of a 1 × n product, n as large as it takes to ask for all pairs with one leaf at once.
  static func revealed(_ k: Int, of backend: any Backend, _ kind: ScalarKind) -> SummationTree {
    switch kind {
    case .float: revealed(k, of: backend, Float.self)
    case .double: revealed(k, of: backend, Double.self)
    }
  }

  private static func revealed<S: KernelScalar>(_ k: Int, of backend: any Backend, _: S.Type) -> SummationTree
  {
    var known: [Int: [Int]] = [:]
    return revealed(k) { first, second in
      if known[first] == nil {
        // Column j of B holds M at `first` and −M at j.
        let ones = Matrix<S>(rows: 1, columns: k) { _, _ in 1 }
        let masks = Matrix<S>(rows: k, columns: k) { step, j in
          step == first ? (j == first ? 1 : .mask) : step == j ? -.mask : 1
        }
        var sums = Matrix<S>(rows: 1, columns: k)
        gemm(ones, masks, into: &sums, on: backend)
        known[first] = (0..<k).map { k - Int(sums[0, $0]) }
      }
      return known[first]![second]
    }
  }
}

extension KernelScalar {
  /// Any sum of ones added to it is lost.
  fileprivate static var mask: Self { Self(sign: .plus, exponent: 100, significand: 1) }
}
