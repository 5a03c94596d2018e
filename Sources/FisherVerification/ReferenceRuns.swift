import FisherOptimizers
import Synchronization

/// What the naive form of an optimizer has made of traces: slow, the same for every mutant, and asked for again and again.
final class ReferenceRuns: Sendable {
  private let runs = Mutex<[UInt64: [[Double]]]>([:])

  /// The weights after a trace, from the run that was made before if there was one.
  func weights(
    _ trace: Trace, _ settings: [String: SettingValue], _ run: () throws -> [[Double]]
  ) rethrows -> [[Double]] {
    var hash = BitHash()
    for (name, value) in settings.sorted(by: { $0.key < $1.key }) { hash.add("\(name)=\(value)") }
    // What passes through layers follows from the same numbers, and is silent where gradients are.
    for parameter in trace.parameters { hash.add(parameter.summary) }
    for numbers in [trace.values] + trace.gradients {
      for x in numbers.joined() { hash.add(x.bitPattern) }
    }
    let key = hash.value
    if let known = runs.withLock({ $0[key] }) { return known }
    let weights = try run()
    runs.withLock { $0[key] = weights }
    return weights
  }
}
