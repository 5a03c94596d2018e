import FisherLinearAlgebra
import FisherRuntime

/// What the machine can do at most, measured.
package enum Peak {
  /// The rate of a loop of independent multiply-adds, in GFLOP/s: the best of a few samples of about 1 ms.
  package static func gflops<S: KernelScalar>(_ scalar: S.Type, threads: Int, samples: Int = 4) -> Double {
    let backend = NativeBackend()
    // About 1 ms at 100 GFLOP/s.
    let perStep = backend.peakFlops(S.self, steps: 1).flops
    let steps = Int(1e8 / perStep)
    var best = 0.0
    for _ in 0..<samples {
      let start = seconds()
      if threads == 1 {
        blackHole(backend.peakFlops(S.self, steps: steps).sink)
      } else {
        Parallel.perform(threads, threads: threads) { _ in
          blackHole(backend.peakFlops(S.self, steps: steps).sink)
        }
      }
      let flops = perStep * Double(steps * threads)
      best = max(best, flops / (seconds() - start) * 1e-9)
    }
    return best
  }

  /// The rate of copying a buffer much larger than the caches, in GB/s, reads and writes counted.
  package static func bandwidth(threads: Int) -> Double {
    let count = 32 << 20
    let source = [Float](repeating: 1, count: count)
    var target = [Float](repeating: 0, count: count)
    var best = 0.0
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        let (from, to) = (source.baseAddress!, target.baseAddress!)
        for _ in 0..<5 {
          let start = seconds()
          Parallel.perform(threads, threads: threads) { part in
            let (first, last) = (count * part / threads, count * (part + 1) / threads)
            (to + first).update(from: from + first, count: last - first)
          }
          best = max(best, 8 * Double(count) / (seconds() - start) * 1e-9)
        }
      }
    }
    blackHole(target[count / 2])
    return best
  }
}

/// Keeps the optimiser from removing the computation of a value.
@inline(never)
func blackHole<T>(_ value: T) { _ = value }
