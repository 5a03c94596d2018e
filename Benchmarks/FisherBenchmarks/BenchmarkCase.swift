import FisherCommandLine
import FisherLinearAlgebra
import FisherRuntime

/// One line of a benchmark: a routine, a shape and an element type.
package struct BenchmarkCase {
  let suite: String
  let name: String
  let type: String
  /// The sizes of the routine: `m`, `n`, `k`.
  let sizes: [(String, Int)]
  /// The textbook flops of one call.
  package let flops: Double
  /// The number of matrices in one call, if there are many.
  let batch: Int?
  /// What the libraries do instead, if they have no such routine.
  let peersDo: String?
  /// Makes the operands and gives a closure that carries out one call on a backend with so many threads.
  let prepare: (Memory) -> (any Backend, Int) -> Void
  /// The FMA peak of the element type with so many threads, in GFLOP/s.
  let peak: (Int) -> Double

  init<S: KernelScalar>(
    _ suite: String, _ name: String, _: S.Type, sizes: [(String, Int)], flops: Double,
    batch: Int? = nil,
    peersDo: String? = nil, prepare: @escaping (Memory) -> (any Backend, Int) -> Void
  ) {
    self.suite = suite
    self.name = name
    type = S.self == Float.self ? "f32" : "f64"
    self.sizes = sizes
    self.flops = flops
    self.batch = batch
    self.peersDo = peersDo
    self.prepare = prepare
    peak = { threads in Peak.gflops(S.self, threads: threads, samples: 2) }
  }
}

/// The memory of a case's operands, which lives as long as this object: if each call held its operands, counting the
/// references would take longer than a product of 8 × 8 matrices.
final class Memory {
  private var blocks: [UnsafeMutableRawPointer] = []
  private var bytes = 0.0

  /// An operand filled with numbers in [−1, 1]. More of them than the machine can hold end the process with one line
  /// and exit status 2.
  func operand<S: KernelScalar>(_: S.Type, _ count: Int, seed: UInt64) -> Operand<S> {
    bytes += Double(count) * Double(MemoryLayout<S>.stride)
    MachineError.exiting { () throws(MachineError) in
      if let shortage = MachineMemory.shortage(bytes) { throw MachineError("--sizes: a case \(shortage)") }
    }
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<S>.stride, alignment: 64)
    blocks.append(block)
    let base = block.bindMemory(to: S.self, capacity: count)
    var state = seed
    for i in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      base[i] = S(Double(Int64(bitPattern: state) >> 11) / Double(1 << 52))
    }
    return Operand(base: base)
  }

  deinit { for block in blocks { block.deallocate() } }
}

/// A dense operand in a ``Memory``.
struct Operand<S: KernelScalar> {
  let base: UnsafeMutablePointer<S>

  /// A row-major matrix over the operand; if `transposed`, its rows are the columns in memory.
  func matrix(_ rows: Int, _ columns: Int, transposed: Bool = false) -> MutableMatrixPointer<S> {
    let (stored, width) = transposed ? (columns, rows) : (rows, columns)
    let matrix = MutableMatrixPointer(base, rows: stored, columns: width, rowStride: width, columnStride: 1)
    return transposed ? matrix.transposed : matrix
  }
}

/// A group of cases: a routine with its default grid, and with given sizes.
package struct Suite: Sendable {
  let name: String
  /// The functions that a library needs to be compared, with `?` for the letter of the element type.
  let symbols: [String]
  /// The cases for the types `f32` and `f64`; `sizes` replaces the grid.
  package let cases: @Sendable (_ types: [String], _ sizes: [Shape]?) -> [BenchmarkCase]

  static let all = [gemm, syrk, trsm, cholesky, inverse, lu, qr, eigen, batched, kronecker, elementwise]
}

/// Sizes from the command line: `64` or `64x32x1000`.
package struct Shape: Equatable {
  /// Products of three sizes are integers.
  static let most = 1_000_000

  package var m: Int
  package var n: Int
  package var k: Int

  package init(_ m: Int, _ n: Int, _ k: Int) {
    self.m = m
    self.n = n
    self.k = k
  }

  /// - Throws: ``UsageError`` if the text is neither `n` nor `m x n x k`.
  package init(parsing text: String, option: String = "sizes") throws(UsageError) {
    let texts = text.split(separator: "x", omittingEmptySubsequences: false)
    guard texts.count == 1 || texts.count == 3 else {
      throw UsageError(
        "--\(option): \(quoted(text)) is neither a size such as 64 nor m x n x k such as 64x32x1000")
    }
    var numbers: [Int] = []
    for text in texts {
      do { numbers.append(try NumberText.integer(text, to: Self.most)) } catch {
        throw UsageError("--\(option): \(error)")
      }
    }
    self.init(numbers[0], numbers.count == 3 ? numbers[1] : numbers[0], numbers.last!)
  }
}
