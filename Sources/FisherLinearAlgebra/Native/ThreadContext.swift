#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a thread keeps between calls: scratch memory, and whether it is inside a parallel region.
///
/// Scratch is a stack. It grows to the largest amount that was ever in use at once and is then only handed out again:
/// in the steady state nothing is allocated. The memory goes when the thread ends.
final class ThreadContext {
  private static let alignment = 64
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { pointer in
      #if canImport(Darwin)
        Unmanaged<ThreadContext>.fromOpaque(pointer).release()
      #else
        if let pointer { Unmanaged<ThreadContext>.fromOpaque(pointer).release() }
      #endif
    }
    return key
  }()

  /// Calls made on this thread run serially, because a parallel region has it already.
  var isInParallelRegion = false
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  private var used = 0
  private var wanted = 0

  /// The context of the calling thread.
  static var current: ThreadContext {
    if let pointer = pthread_getspecific(key) {
      return Unmanaged<ThreadContext>.fromOpaque(pointer).takeUnretainedValue()
    }
    let context = ThreadContext()
    pthread_setspecific(key, Unmanaged.passRetained(context).toOpaque())
    return context
  }

  deinit { memory?.deallocate() }

  /// Lends `count` uninitialised elements, aligned to 64 bytes, for the duration of `body`.
  @inline(__always)
  func withScratch<S, R>(_ count: Int, of type: S.Type, _ body: (UnsafeMutablePointer<S>) -> R) -> R {
    let bytes = (count * MemoryLayout<S>.stride + Self.alignment - 1) & ~(Self.alignment - 1)
    if let override = GuardedScratch.active {
      return override.withMemory(count * MemoryLayout<S>.stride) { body($0.assumingMemoryBound(to: S.self)) }
    }
    if used + bytes > capacity { grow(by: bytes) }
    guard let memory, used + bytes <= capacity else { return overflow(bytes, body) }
    let start = memory + used
    used += bytes
    defer { used -= bytes }
    return body(start.assumingMemoryBound(to: S.self))
  }

  /// Makes room if nobody holds a part of the memory; otherwise remembers how much would have been needed.
  private func grow(by bytes: Int) {
    wanted = max(wanted, used + bytes)
    if used > 0 { return }
    memory?.deallocate()
    memory = .allocate(byteCount: wanted, alignment: Self.alignment)
    capacity = wanted
  }

  /// A request on top of memory that is too small and in use: served from the heap this once.
  private func overflow<S, R>(_ bytes: Int, _ body: (UnsafeMutablePointer<S>) -> R) -> R {
    let extra = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
    defer { extra.deallocate() }
    return body(extra.assumingMemoryBound(to: S.self))
  }
}
