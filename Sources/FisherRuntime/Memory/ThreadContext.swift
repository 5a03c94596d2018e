/// What a thread keeps between calls: scratch memory, and whether it is inside a parallel region.
///
/// Scratch is a stack. It grows to the largest amount that was ever in use at once and is then only handed out again:
/// in the steady state nothing is allocated. The memory goes when the thread ends.
///
/// Public, though for this package only: of members with package access no inlinable body reaches other modules, and a
/// generic call that is not specialised takes longer than a small product.
@frozen
public struct ThreadContext {
  private struct State {
    var isInParallelRegion = false
    var underflow = Underflow.gradual
    var memory: UnsafeMutableRawPointer?
    var capacity = 0
    var used = 0
    var wanted = 0
    var allocations = 0
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { ThreadContext.release($0) }
    return key
  }()

  // A plain pointer, not an object: finding it costs no reference counting.
  @usableFromInline let address: UnsafeMutableRawPointer

  private init(_ address: UnsafeMutableRawPointer) { self.address = address }

  private var state: UnsafeMutablePointer<State> { address.assumingMemoryBound(to: State.self) }

  /// The context of the calling thread.
  public static var current: ThreadContext {
    if let pointer = pthread_getspecific(key) { return ThreadContext(pointer) }
    let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    // A thread has the mode of the one that made it, perhaps in a step.
    state.initialize(to: State(underflow: Underflow.ofProcessor))
    pthread_setspecific(key, state)
    return ThreadContext(state)
  }

  /// Called by the system when a thread with a context ends.
  private static func release(_ pointer: UnsafeMutableRawPointer?) {
    guard let pointer else { return }
    let state = ThreadContext(pointer).state
    state.pointee.memory?.deallocate()
    state.deallocate()
  }

  /// Calls made on this thread run serially, because a parallel region has it already.
  package var isInParallelRegion: Bool {
    get { state.pointee.isInParallelRegion }
    nonmutating set { state.pointee.isInParallelRegion = newValue }
  }

  /// Kept by ``Underflow/set(_:)``.
  var underflow: Underflow {
    get { state.pointee.underflow }
    nonmutating set { state.pointee.underflow = newValue }
  }

  /// How often this thread has taken memory for elements.
  var allocations: Int {
    get { state.pointee.allocations }
    nonmutating set { state.pointee.allocations = newValue }
  }

  /// Lends `count` uninitialised elements, aligned to 64 bytes, for the duration of `body`.
  @inlinable @inline(__always)
  public func withScratch<S, R>(_ count: Int, of type: S.Type, _ body: (UnsafeMutablePointer<S>) -> R) -> R {
    // What does not depend on the types is a call; the rest becomes part of the caller.
    let loan = lend(count &* MemoryLayout<S>.stride)
    defer { takeBack(loan) }
    return body(loan.memory.assumingMemoryBound(to: S.self))
  }
}

/// Scratch memory that is lent to a call.
@usableFromInline
struct ScratchLoan {
  @usableFromInline let memory: UnsafeMutableRawPointer
  /// A multiple of the alignment.
  let bytes: Int
  let source: Source

  enum Source {
    case stack, heap
    case guarded(GuardedScratch.Mapping)
  }
}

extension ThreadContext {
  private static var alignment: Int { 64 }

  /// The next `count` bytes of the stack; from the heap if it is too small and in use.
  @usableFromInline
  func lend(_ count: Int) -> ScratchLoan {
    let bytes = (count + Self.alignment - 1) & ~(Self.alignment - 1)
    if let pages = GuardedScratch.active {
      let mapping = pages.map(count)
      return ScratchLoan(memory: mapping.memory, bytes: bytes, source: .guarded(mapping))
    }
    // Also when an inner request was too large for what the outer ones had left: then all of them fit from now on.
    if max(state.pointee.used + bytes, state.pointee.wanted) > state.pointee.capacity { grow(by: bytes) }
    let start = state.pointee.used
    // Memory from the heap counts as used, so that requests inside of this one add to what is wanted, and one call finds
    // out about all levels.
    state.pointee.used += bytes
    if let memory = state.pointee.memory, start + bytes <= state.pointee.capacity {
      return ScratchLoan(memory: memory + start, bytes: bytes, source: .stack)
    }
    allocations += 1
    let extra = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    return ScratchLoan(memory: extra, bytes: bytes, source: .heap)
  }

  @usableFromInline
  func takeBack(_ loan: ScratchLoan) {
    switch loan.source {
    case .guarded(let mapping): return mapping.unmap()
    case .heap: loan.memory.deallocate()
    case .stack: break
    }
    state.pointee.used -= loan.bytes
  }

  /// Makes room if nobody holds a part of the memory; otherwise remembers how much would have been needed.
  private func grow(by bytes: Int) {
    state.pointee.wanted = max(state.pointee.wanted, state.pointee.used + bytes)
    if state.pointee.used > 0 { return }
    allocations += 1
    state.pointee.memory?.deallocate()
    state.pointee.memory = .allocate(byteCount: state.pointee.wanted, alignment: Self.alignment)
    state.pointee.capacity = state.pointee.wanted
  }
}
