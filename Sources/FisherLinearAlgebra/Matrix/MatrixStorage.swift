import FisherRuntime

/// The memory of matrices: either its owner, or a loan of another storage's memory.
///
/// A loan lets one block of a matrix be mutated in place: the block holds the loan alone, so it finds its storage
/// unique although the parent keeps the owner. When the loan ends while someone still holds a copy of the block,
/// that copy may no longer write (`isWritable`), and it keeps the owner shared, so the parent copies before it
/// writes. Neither sees the other's changes.
///
/// Sendable, though it holds a pointer: memory is written only through a matrix that found its storage unique and
/// writable, so by the only thread that can reach it; while shared it is immutable. `isWritable` is written once, by
/// the lender while it still holds the block, hence before any other holder can find the storage unique and read it.
@usableFromInline
final class MatrixStorage: @unchecked Sendable {
  /// The alignment in bytes: a cache line, and the widest vector.
  static let alignment = 64

  @usableFromInline let bytes: UnsafeMutableRawPointer
  /// The storage whose memory this is, if it is a loan.
  let lender: MatrixStorage?
  /// False for a loan that has ended.
  @usableFromInline var isWritable = true

  /// Fresh memory of undefined content. Never empty, so that every matrix has a valid address.
  init(byteCount: Int) {
    AllocationCount.increment()
    bytes = .allocate(byteCount: max(byteCount, 1), alignment: Self.alignment)
    lender = nil
  }

  @usableFromInline
  init(lentBy lender: MatrixStorage) {
    bytes = lender.bytes
    self.lender = lender
  }

  deinit {
    if lender == nil { bytes.deallocate() }
  }
}
