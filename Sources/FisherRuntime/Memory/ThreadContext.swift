/// What a thread keeps between calls: scratch memory, and whether it is inside a parallel region.
///
/// Scratch is a stack. It grows to the largest amount that was ever in use at once and is then only handed out again:
/// in the steady state nothing is allocated. The memory goes when the thread ends.
@frozen
package struct ThreadContext {
  @usableFromInline
  struct State {
    @usableFromInline var isInParallelRegion = false
    @usableFromInline var memory: UnsafeMutableRawPointer?
    @usableFromInline var capacity = 0
    @usableFromInline var used = 0
    @usableFromInline var wanted = 0
    @usableFromInline var allocations = 0
  }

  @usableFromInline static var alignment: Int { 64 }
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { ThreadContext.release($0) }
    return key
  }()

  // A plain pointer, not an object: finding it costs no reference counting.
  @usableFromInline let state: UnsafeMutablePointer<State>

  /// The context of the calling thread.
  @usableFromInline
  package static var current: ThreadContext {
    if let pointer = pthread_getspecific(key) {
      return ThreadContext(state: pointer.assumingMemoryBound(to: State.self))
    }
    let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    state.initialize(to: State())
    pthread_setspecific(key, state)
    return ThreadContext(state: state)
  }

  /// Called by the system when a thread with a context ends.
  private static func release(_ pointer: UnsafeMutableRawPointer?) {
    guard let state = pointer?.assumingMemoryBound(to: State.self) else { return }
    state.pointee.memory?.deallocate()
    state.deallocate()
  }

  /// Calls made on this thread run serially, because a parallel region has it already.
  package var isInParallelRegion: Bool {
    get { state.pointee.isInParallelRegion }
    nonmutating set { state.pointee.isInParallelRegion = newValue }
  }

  /// How often this thread has taken memory for elements.
  var allocations: Int {
    get { state.pointee.allocations }
    nonmutating set { state.pointee.allocations = newValue }
  }

  /// Lends `count` uninitialised elements, aligned to 64 bytes, for the duration of `body`.
  @inlinable @inline(__always)
  package func withScratch<S, R>(_ count: Int, of type: S.Type, _ body: (UnsafeMutablePointer<S>) -> R) -> R {
    let bytes = (count * MemoryLayout<S>.stride + Self.alignment - 1) & ~(Self.alignment - 1)
    if let override = GuardedScratch.active {
      return override.withMemory(count * MemoryLayout<S>.stride) { body($0.assumingMemoryBound(to: S.self)) }
    }
    // Also when an inner request was too large for what the outer ones had left: then all of them fit from now on.
    if max(state.pointee.used + bytes, state.pointee.wanted) > state.pointee.capacity { grow(by: bytes) }
    guard let memory = state.pointee.memory, state.pointee.used + bytes <= state.pointee.capacity else {
      return overflow(bytes, body)
    }
    let start = memory + state.pointee.used
    state.pointee.used += bytes
    defer { state.pointee.used -= bytes }
    return body(start.assumingMemoryBound(to: S.self))
  }

  /// Makes room if nobody holds a part of the memory; otherwise remembers how much would have been needed.
  @usableFromInline
  func grow(by bytes: Int) {
    state.pointee.wanted = max(state.pointee.wanted, state.pointee.used + bytes)
    if state.pointee.used > 0 { return }
    allocations += 1
    state.pointee.memory?.deallocate()
    state.pointee.memory = .allocate(byteCount: state.pointee.wanted, alignment: Self.alignment)
    state.pointee.capacity = state.pointee.wanted
  }

  /// A request on top of memory that is too small and in use: served from the heap this once. It counts as used, so that
  /// requests inside of it add to what is wanted, and one call finds out about all levels.
  @inlinable
  func overflow<S, R>(_ bytes: Int, _ body: (UnsafeMutablePointer<S>) -> R) -> R {
    state.pointee.allocations += 1
    let extra = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    state.pointee.used += bytes
    defer {
      state.pointee.used -= bytes
      extra.deallocate()
    }
    return body(extra.assumingMemoryBound(to: S.self))
  }
}
