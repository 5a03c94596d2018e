import Dispatch
import Synchronization
import Testing

/// How often each task of each region has run. It outlives the regions, so that a task that runs late is seen as well.
final class Ledger: Sendable {
  private let regions: Int
  private let width: Int
  nonisolated(unsafe) private let cells: UnsafeMutablePointer<Atomic<Int>>

  /// For regions of up to `width` tasks.
  init(regions: Int, width: Int) {
    (self.regions, self.width) = (regions, width)
    cells = .allocate(capacity: regions * width)
    for i in 0..<regions * width { (cells + i).initialize(to: Atomic(0)) }
  }

  deinit { cells.deallocate() }

  /// The number of tasks of a region: small ones of all sizes.
  func count(_ region: Int) -> Int { 1 + region % width }

  /// To be called by the task.
  func enter(_ region: Int, _ task: Int) { cells[region * width + task].add(1, ordering: .relaxed) }

  /// Whether each task of the region has run once and nothing else has.
  func isRight(_ region: Int) -> Bool {
    (0..<width).allSatisfy {
      cells[region * width + $0].load(ordering: .relaxed) == ($0 < count(region) ? 1 : 0)
    }
  }

  /// Runs all regions by `perform`, which gets the region, the number of tasks and the task; each must be right when it
  /// returns. Tasks take next to nothing, but every fourth lasts as long as it takes to start a region.
  /// Call ``expectStillRight(_:)`` later.
  func run(_ what: String, _ perform: (_ region: Int, _ count: Int, _ task: (Int) -> Void) -> Void) {
    var wrong: [Int] = []
    for region in 0..<regions {
      perform(region, count(region)) { task in
        if (region + task) % 4 == 0 { pause(nanoseconds: 300) }
        self.enter(region, task)
      }
      if !isRight(region) { wrong.append(region) }
    }
    #expect(wrong.isEmpty, "\(what): wrong when the call returned: regions \(wrong.prefix(10))")
  }

  /// Nothing has run since.
  func expectStillRight(_ what: String) {
    let wrong = (0..<regions).filter { !isRight($0) }
    #expect(wrong.isEmpty, "\(what): wrong at the end: regions \(wrong.prefix(10))")
  }
}

/// Keeps the core for so long.
func pause(nanoseconds: UInt64) {
  let end = DispatchTime.now().uptimeNanoseconds + nanoseconds
  while DispatchTime.now().uptimeNanoseconds < end {}
}
