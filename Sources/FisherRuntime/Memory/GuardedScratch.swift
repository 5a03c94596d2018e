import Synchronization

/// Scratch between inaccessible pages, for the tests: a kernel that leaves its scratch by one element dies.
///
/// While at least one exists, every request for scratch in the process is served from fresh pages, placed flush
/// against the page behind it or the page before it.
package final class GuardedScratch {
  package enum Side: Sendable { case front, rear }

  /// The side in the two lowest bits, the bytes that are withheld above them.
  private static let mode = Atomic<Int>(0)

  /// The override in force, if any: one relaxed load in the ordinary case.
  static var active: Pages? {
    let mode = mode.load(ordering: .relaxed)
    switch mode & 3 {
    case 0: return nil
    case 1: return Pages(side: .front, withheld: mode >> 2)
    default: return Pages(side: .rear, withheld: mode >> 2)
    }
  }

  /// - Parameter withheld: so many bytes too few are lent, to see that the guards notice.
  package init(_ side: Side, withholding withheld: Int = 0) {
    Self.mode.store(withheld << 2 | (side == .front ? 1 : 2), ordering: .sequentiallyConsistent)
  }

  deinit { Self.mode.store(0, ordering: .sequentiallyConsistent) }

  struct Pages {
    let side: Side
    let withheld: Int

    /// Fresh pages for so many bytes, between two that nobody may touch.
    func map(_ bytes: Int) -> Mapping {
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      // Scratch is promised to be aligned to 64 bytes, so that is how close to the rear page it can lie.
      let aligned = (max(bytes - withheld, 0) + 63) & ~63
      let inner = (aligned + page - 1) / page * page
      let total = inner + 2 * page
      guard let base = mmap(nil, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
      else {
        preconditionFailure("scratch: mmap of \(total) bytes failed")
      }
      mprotect(base + page, inner, PROT_READ | PROT_WRITE)
      return Mapping(
        memory: side == .front ? base + page : base + page + inner - aligned, base: base, total: total)
    }
  }

  /// Pages that hold what is lent, and the guards around them.
  struct Mapping {
    let memory: UnsafeMutableRawPointer
    let base: UnsafeMutableRawPointer
    let total: Int

    func unmap() { munmap(base, total) }
  }
}
