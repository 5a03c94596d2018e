import Foundation
import Synchronization

/// Names the case that hit a guard page before the process dies of it.
///
/// The table has a fixed place and size, because the signal handler may neither allocate nor lock.
final class GuardFaultReporter: Sendable {
  static let shared = GuardFaultReporter()

  private struct Range {
    var start = 0
    var length = 0
  }

  private static let slots = 1024
  private static let textBytes = 512
  nonisolated(unsafe) private static let ranges: UnsafeMutablePointer<Range> = {
    let ranges = UnsafeMutablePointer<Range>.allocate(capacity: slots)
    ranges.initialize(repeating: Range(), count: slots)
    return ranges
  }()
  nonisolated(unsafe) private static let texts: UnsafeMutablePointer<UInt8> = {
    let texts = UnsafeMutablePointer<UInt8>.allocate(capacity: slots * textBytes)
    texts.initialize(repeating: 0, count: slots * textBytes)
    return texts
  }()

  private let lock = Mutex(())

  private init() {
    // The handler must find both tables initialised.
    _ = (Self.ranges, Self.texts)
    #if os(Linux)
      var action = sigaction()
      action.__sigaction_handler.sa_sigaction = { signal, info, _ in
        if let info { GuardFaultReporter.report(Int(bitPattern: info.pointee._sifields._sigfault.si_addr)) }
        // Back to the default action: the faulting instruction runs again and ends the process.
        Foundation.signal(signal, SIG_DFL)
      }
      action.sa_flags = SA_SIGINFO
      sigaction(SIGSEGV, &action, nil)
    #endif
  }

  private static func report(_ address: Int) {
    for slot in 0..<slots {
      let offset = address - ranges[slot].start
      guard ranges[slot].start != 0, offset >= 0, offset < ranges[slot].length else { continue }
      let prefix: StaticString = "guard page hit: "
      let text = texts + slot * textBytes
      write(STDERR_FILENO, prefix.utf8Start, prefix.utf8CodeUnitCount)
      write(STDERR_FILENO, text, strlen(UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self)))
      return
    }
  }

  func register(_ start: UnsafeMutableRawPointer, length: Int) {
    lock.withLock { _ in
      // Without a free slot the case dies all the same, only without its name.
      guard let free = (0..<Self.slots).first(where: { Self.ranges[$0].start == 0 }) else { return }
      Self.texts[free * Self.textBytes] = 0
      Self.ranges[free] = Range(start: Int(bitPattern: start), length: length)
    }
  }

  func unregister(_ start: UnsafeMutableRawPointer) {
    lock.withLock { _ in
      if let slot = slot(of: start) { Self.ranges[slot] = Range() }
    }
  }

  func label(_ start: UnsafeMutableRawPointer, _ text: String) {
    lock.withLock { _ in
      guard let slot = slot(of: start) else { return }
      let bytes = Array(text.utf8.prefix(Self.textBytes - 2)) + [UInt8(ascii: "\n"), 0]
      (Self.texts + slot * Self.textBytes).update(from: bytes, count: bytes.count)
    }
  }

  private func slot(of start: UnsafeMutableRawPointer) -> Int? {
    (0..<Self.slots).first { Self.ranges[$0].start == Int(bitPattern: start) }
  }
}
