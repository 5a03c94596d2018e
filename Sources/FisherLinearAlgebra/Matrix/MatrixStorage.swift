import FisherRuntime
public import Synchronization

/// The memory of matrices: its owner, a loan of another storage's memory, or a loan of memory that is not a storage's.
///
/// A loan lets one block of a matrix be mutated in place: the block holds the loan alone, so it finds its storage
/// unique although the parent keeps the owner. When the loan ends while someone still holds a copy of the block,
/// that copy may no longer write (`isWritable`), and it keeps the owner shared, so the parent copies before it
/// writes. Neither sees the other's changes.
///
/// Memory of others is lent by a closure, and a matrix that outlives it traps (`MatrixStack+Borrowing.swift`).
///
/// Sendable, though it holds a pointer: memory is written only through a matrix that found its storage unique and
/// writable, so by the only thread that can reach it; while shared it is immutable. `isWritable` is written once, by
/// the lender while it still holds the block, hence before any other holder can find the storage unique and read it.
@usableFromInline
final class MatrixStorage: @unchecked Sendable {
  /// The alignment in bytes: a cache line, and the widest vector.
  static let alignment = 64

  @usableFromInline let bytes: UnsafeMutableRawPointer
  /// The storage whose memory this is, if it is a loan of one.
  let lender: MatrixStorage?
  private let isOwner: Bool
  /// False for a loan that has ended. Atomic because it is asked for before every element that is written: each access to a
  /// variable of a class would be checked for overlaps with others, which costs far more than the write.
  @usableFromInline let writability: Atomic<Bool>

  /// Fresh memory of undefined content. Never empty, so that every matrix has a valid address.
  init(byteCount: Int) {
    AllocationCount.increment()
    bytes = .allocate(byteCount: max(byteCount, 1), alignment: Self.alignment)
    lender = nil
    isOwner = true
    writability = Atomic(true)
  }

  /// Memory of somebody else, who lends it only for a time and checks that nobody keeps it longer. Nil if it is empty.
  init(borrowing memory: UnsafeMutableRawPointer?, isWritable: Bool) {
    bytes = memory ?? UnsafeMutableRawPointer(bitPattern: Self.alignment)!
    lender = nil
    isOwner = false
    writability = Atomic(isWritable)
  }

  @usableFromInline
  init(lentBy lender: MatrixStorage) {
    bytes = lender.bytes
    self.lender = lender
    isOwner = false
    writability = Atomic(true)
  }

  @inlinable @inline(__always)
  var isWritable: Bool { writability.load(ordering: .relaxed) }

  /// Nobody may write through this loan any more.
  func endLoan() { writability.store(false, ordering: .relaxed) }

  deinit {
    if isOwner { bytes.deallocate() }
  }
}
