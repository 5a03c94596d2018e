import FisherLinearAlgebra
import Synchronization

/// Counts what routines take by their textbook formulas, whatever the element type and whatever they do.
enum FlopMeter: Meter {
  private static let lock = Mutex(())

  /// Runs what counts alone: the count is one number of the process.
  static func exclusively<R>(_ body: () throws -> R) rethrows -> R {
    try lock.withLock { _ in try body() }
  }

  static func measure<R>(_ flops: Int, _ body: () -> R) -> R {
    let before = Counted.operations
    defer { Counted.operations = before + flops }
    return body()
  }
}

/// Plain loops that count.
typealias CountingBackend = MeteredBackend<ReferenceBackend, FlopMeter>

extension MeteredBackend where Base == ReferenceBackend {
  init() { self.init(base: ReferenceBackend()) }
}

/// Adds up the time that routines take, and their flops.
enum TimeMeter: Meter {
  private static let nanoseconds = Atomic<Int>(0)
  private static let operations = Atomic<Int>(0)

  /// Of all routines since the process began.
  static var total: (seconds: Double, flops: Double) {
    (Double(nanoseconds.load(ordering: .relaxed)) * 1e-9, Double(operations.load(ordering: .relaxed)))
  }

  static func measure<R>(_ flops: Int, _ body: () -> R) -> R {
    let start = ContinuousClock.now
    defer {
      let spent = (ContinuousClock.now - start) / .nanoseconds(1)
      nanoseconds.add(Int(spent), ordering: .relaxed)
      operations.add(flops, ordering: .relaxed)
    }
    return body()
  }
}

/// The library's own routines, timed.
typealias TimedBackend = MeteredBackend<NativeBackend, TimeMeter>
