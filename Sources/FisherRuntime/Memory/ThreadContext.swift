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
    /// What is lent from elsewhere, the last loan last.
    var others: [OtherLoan] = []
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
    state.deinitialize(count: 1)
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
    // What does not depend on the types is a call, which returns no more than a pointer; the rest becomes part of the
    // caller.
    let bytes = count &* MemoryLayout<S>.stride
    let memory = lend(bytes)
    defer { takeBack(memory, bytes) }
    return body(memory.assumingMemoryBound(to: S.self))
  }
}

/// Scratch memory that is not from a thread's stack of it.
private enum OtherLoan {
  case heap(UnsafeMutableRawPointer)
  case guarded(GuardedScratch.Mapping)

  var memory: UnsafeMutableRawPointer {
    switch self {
    case .heap(let memory): memory
    case .guarded(let mapping): mapping.memory
    }
  }
}

extension ThreadContext {
  private static var alignment: Int { 64 }

  private static func rounded(_ count: Int) -> Int { (count + alignment - 1) & ~(alignment - 1) }

  /// The next `count` bytes of the stack; from the heap if it is too small and in use.
  @usableFromInline
  func lend(_ count: Int) -> UnsafeMutableRawPointer {
    let (bytes, start) = (Self.rounded(count), state.pointee.used)
    // A larger stack is wanted when an inner request was too large for what the outer ones had left: then all of them fit
    // from now on.
    guard let memory = state.pointee.memory, GuardedScratch.active == nil,
      max(start + bytes, state.pointee.wanted) <= state.pointee.capacity
    else { return lendOther(count) }
    state.pointee.used = start + bytes
    return memory + start
  }

  @usableFromInline
  func takeBack(_ memory: UnsafeMutableRawPointer, _ count: Int) {
    if state.pointee.others.last?.memory == memory { return takeBackOther(count) }
    state.pointee.used -= Self.rounded(count)
  }

  @inline(never)
  private func lendOther(_ count: Int) -> UnsafeMutableRawPointer {
    if let pages = GuardedScratch.active {
      let mapping = pages.map(count)
      state.pointee.others.append(.guarded(mapping))
      return mapping.memory
    }
    let (bytes, start) = (Self.rounded(count), state.pointee.used)
    if max(start + bytes, state.pointee.wanted) > state.pointee.capacity { grow(by: bytes) }
    // Memory from the heap counts as used, so that requests inside of this one add to what is wanted, and one call finds
    // out about all levels.
    state.pointee.used += bytes
    if let memory = state.pointee.memory, start + bytes <= state.pointee.capacity { return memory + start }
    allocations += 1
    let extra = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    state.pointee.others.append(.heap(extra))
    return extra
  }

  @inline(never)
  private func takeBackOther(_ count: Int) {
    switch state.pointee.others.removeLast() {
    case .guarded(let mapping): mapping.unmap()
    case .heap(let memory):
      memory.deallocate()
      state.pointee.used -= Self.rounded(count)
    }
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
