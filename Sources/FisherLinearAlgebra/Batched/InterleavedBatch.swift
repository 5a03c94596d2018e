public import FisherRuntime
import KernelTemplates

/// Many matrices of one shape, element by element side by side in the lanes of vectors: the form that batched operations
/// work on. Matrices that are updated and inverted again and again are best kept in it, because taking them apart and
/// together costs as much as inverting them.
///
/// Value semantics, storage is shared until a mutation. Rows and columns are those of the matrices; the order in memory
/// belongs to an instruction set and is nobody else's business. Memory: rows·columns·count elements, n·(n + 1)/2·count
/// if only lower triangles are kept, rounded up to whole vectors.
public struct InterleavedBatch<Scalar: KernelScalar>: Sendable {
  /// Which elements are kept.
  public enum Storage: Sendable {
    case full
    /// The lower triangles of symmetric matrices: half the memory, and half the time where memory is the limit.
    case symmetric
  }

  /// The number of matrices.
  public let count: Int
  /// The rows of each.
  public let rows: Int
  /// The columns of each.
  public let columns: Int
  /// Which elements are kept.
  public let storage: Storage
  /// Whose vectors the matrices lie in.
  public let instructionSet: InstructionSet
  /// A row for each group of as many matrices as a vector has lanes.
  private var groups: Matrix<Scalar>

  /// `count` identity matrices of order `order`.
  public init(
    count: Int, order: Int, storage: Storage = .full, instructionSet: InstructionSet = .best
  ) {
    self.init(count, order, order, storage, instructionSet)
    let (lanes, shape) = (lanes, (order, columns))
    groups.withMutablePointer { groups in
      for g in 0..<groups.rows {
        for i in 0..<shape.0 {
          let place = storage == .full ? i * (shape.1 + 1) : Packed.index(i, i)
          (groups.base + g * groups.rowStride + place * lanes).update(repeating: 1, count: lanes)
        }
      }
    }
  }

  /// `count` matrices of zeros.
  public init(count: Int, rows: Int, columns: Int, instructionSet: InstructionSet = .best) {
    self.init(count, rows, columns, .full, instructionSet)
  }

  /// The matrices of a stack. Of symmetric ones only the lower triangles are read.
  public init(
    _ stack: MatrixStack<Scalar>, storage: Storage = .full, instructionSet: InstructionSet = .best,
    threads: Int = Threads.available
  ) {
    self.init(stack.count, stack.rows, stack.columns, storage, instructionSet)
    requireThreads(threads, "InterleavedBatch")
    if stack.count == 0 || stack.rows == 0 || stack.columns == 0 { return }
    let stride = stack.stride
    stack.withFirst { first in
      withLanes { lanes in
        LaneCopy(
          rows: stack.rows, columns: stack.columns, isLower: storage == .symmetric, count: stack.count,
          source: LaneMatrices(reading: first, stride: stride), target: lanes
        ).perform(Scalar._kernels(instructionSet), threads: threads)
      }
    }
  }

  private init(
    _ count: Int, _ rows: Int, _ columns: Int, _ storage: Storage, _ instructionSet: InstructionSet
  ) {
    require(
      count >= 0 && rows >= 0 && columns >= 0,
      "InterleavedBatch: \(count) matrices of \(rows)×\(columns) are not a shape")
    require(
      storage == .full || rows == columns,
      "InterleavedBatch: the matrices are \(rows)×\(columns); symmetric ones must be square")
    let lanes = Scalar._kernels(instructionSet).shape.lanes
    (self.count, self.rows, self.columns) = (count, rows, columns)
    (self.storage, self.instructionSet) = (storage, instructionSet)
    groups = Matrix(
      rows: (count + lanes - 1) / lanes,
      columns: (storage == .full ? rows * columns : Packed.count(rows)) * lanes)
  }

  /// n, the rows and columns of each; traps unless they are square.
  public var order: Int {
    require(rows == columns, "InterleavedBatch: the matrices are \(rows)×\(columns); they must be square")
    return rows
  }

  /// Matrix `i`, from 0: a copy. Of a new symmetric matrix only the lower triangle is read.
  public subscript(i: Int) -> Matrix<Scalar> {
    get {
      let (group, lane) = place(of: i)
      return groups.withPointer { groups in
        let elements = groups.base + group * groups.rowStride + lane
        return Matrix(rows: rows, columns: columns) { r, c in
          elements[Self.place(r, c, storage, columns) * lanes]
        }
      }
    }
    set {
      require(
        newValue.rows == rows && newValue.columns == columns,
        "InterleavedBatch: the matrix is \(newValue.rows)×\(newValue.columns) and the others are \(rows)×\(columns)"
      )
      let (group, lane) = place(of: i)
      // No copy of `self`: it would be a copy of all elements.
      let (storage, columns, lanes) = (storage, columns, lanes)
      newValue.withPointer { matrix in
        groups.withMutablePointer { groups in
          let elements = groups.base + group * groups.rowStride + lane
          for r in 0..<matrix.rows {
            for c in 0..<matrix.columns where storage == .full || c <= r {
              elements[Self.place(r, c, storage, columns) * lanes] = matrix[r, c]
            }
          }
        }
      }
    }
  }

  /// The matrices as a stack in row-major order.
  public func stack(threads: Int = Threads.available) -> MatrixStack<Scalar> {
    requireThreads(threads, "InterleavedBatch")
    var stack = MatrixStack<Scalar>(count: count, rows: rows, columns: columns)
    for i in 0..<count { stack[i] = self[i] }
    return stack
  }

  private var lanes: Int { Scalar._kernels(instructionSet).shape.lanes }

  /// Which vector of a group holds element (r, c).
  private static func place(_ r: Int, _ c: Int, _ storage: Storage, _ columns: Int) -> Int {
    storage == .full ? r * columns + c : Packed.index(max(r, c), min(r, c))
  }

  private func place(of i: Int) -> (group: Int, lane: Int) {
    require(
      i >= 0 && i < count, "InterleavedBatch: there is no matrix \(i) among \(count) of \(rows)×\(columns)")
    return (i / lanes, i % lanes)
  }

  /// Lends the groups to be written.
  @inline(__always)
  mutating func withLanes<R>(_ body: (LaneMatrices<Scalar>) -> R) -> R {
    let isPacked = storage == .symmetric
    return groups.withMutablePointer {
      body(LaneMatrices($0.base, stride: $0.rowStride, isPacked ? .packedLanes : .lanes))
    }
  }

  /// Lends the groups to be read.
  @inline(__always)
  func withReadOnlyLanes<R>(_ body: (LaneMatrices<Scalar>) -> R) -> R {
    groups.withPointer {
      body(
        LaneMatrices(
          UnsafeMutablePointer(mutating: $0.base), stride: $0.rowStride,
          storage == .symmetric ? .packedLanes : .lanes))
    }
  }
}
