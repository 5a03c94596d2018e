/// Memory for the time of a call, from the calling thread's stack of it.
public enum Scratch {
  /// Lends `count` uninitialised elements, aligned to 64 bytes. In the steady state nothing is allocated.
  @inlinable @inline(__always)
  public static func with<S, R>(
    _ count: Int, of type: S.Type, _ body: (UnsafeMutablePointer<S>) -> R
  ) -> R {
    ThreadContext.current.withScratch(count, of: type, body)
  }
}
