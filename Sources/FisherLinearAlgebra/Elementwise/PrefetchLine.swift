public import KernelTemplates

/// Prefetches the cache line of `p`, wherever that is. Changes nothing that a program can see.
@inlinable @inline(__always)
package func prefetchLine<S>(_ p: UnsafePointer<S>) { prefetch(p) }
