import Foundation
import Synchronization

/// Mappings whose buffers are gone, the oldest first.
///
/// Taking a pointer may be the last use of a buffer that the compiler sees; so a mapping is used again, or removed, only after
/// many later buffers have come and gone. To map and to protect it anew would interrupt every other thread.
private struct GuardedMappings: Sendable {
  private var waiting: [(address: UInt, length: Int)] = []

  mutating func take(_ length: Int) -> UInt? {
    guard let oldest = waiting.dropLast(128).firstIndex(where: { $0.length == length }) else { return nil }
    return waiting.remove(at: oldest).address
  }

  mutating func leave(_ address: UInt, _ length: Int) {
    waiting.append((address, length))
    if waiting.count > 256 {
      let oldest = waiting.removeFirst()
      munmap(UnsafeMutableRawPointer(bitPattern: oldest.address), oldest.length)
    }
  }
}

private let guardedMappings = Mutex(GuardedMappings())

/// Which guard page a block of memory touches.
public enum Flush: Sendable, CaseIterable {
  /// The first element follows the front page: a read or write before it dies.
  case front
  /// The last element precedes the rear page: a read or write behind it dies.
  case rear
}

/// Memory between two pages that cannot be touched, to catch accesses that are off by one element.
public final class GuardedBuffer<Scalar: BitwiseCopyable> {
  private let mapping: UnsafeMutableRawPointer
  private let page = sysconf(Int32(_SC_PAGESIZE))
  private let usableBytes: Int

  /// Room for `capacity` elements.
  public init(capacity: Int) {
    let bytes = max(capacity, 1) * MemoryLayout<Scalar>.stride
    usableBytes = (bytes + page - 1) / page * page
    let length = usableBytes + 2 * page
    let used = guardedMappings.withLock { $0.take(length) }
    mapping = used.flatMap { UnsafeMutableRawPointer(bitPattern: $0) } ?? Self.map(length, page)
    GuardFaultReporter.shared.register(mapping, length: length)
  }

  deinit {
    GuardFaultReporter.shared.unregister(mapping)
    let (address, length) = (UInt(bitPattern: mapping), usableBytes + 2 * page)
    guardedMappings.withLock { $0.leave(address, length) }
  }

  private static func map(_ length: Int, _ page: Int) -> UnsafeMutableRawPointer {
    let flags = MAP_PRIVATE | MAP_ANON
    guard let mapping = mmap(nil, length, PROT_NONE, flags, -1, 0), mapping != MAP_FAILED else {
      fatalError("no \(length) bytes of guarded memory: \(String(cString: strerror(errno)))")
    }
    guard mprotect(mapping + page, length - 2 * page, PROT_READ | PROT_WRITE) == 0 else {
      fatalError("mprotect: \(String(cString: strerror(errno)))")
    }
    return mapping
  }

  /// The first or last `count` elements of the memory. A later placement may overlap an earlier one.
  public func place(_ count: Int, flush: Flush) -> UnsafeMutableBufferPointer<Scalar> {
    let bytes = count * MemoryLayout<Scalar>.stride
    precondition(bytes <= usableBytes, "\(count) elements do not fit into \(usableBytes) bytes")
    let start = mapping + page + (flush == .front ? 0 : usableBytes - bytes)
    return UnsafeMutableBufferPointer(start: start.assumingMemoryBound(to: Scalar.self), count: count)
  }

  /// What to print if one of this buffer's guard pages is hit, such as the line that reproduces the case.
  public var label: String = "" {
    didSet { GuardFaultReporter.shared.label(mapping, label) }
  }
}
