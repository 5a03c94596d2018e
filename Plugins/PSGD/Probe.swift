import FisherLinearAlgebra
import FisherRuntime

/// V: independent normal numbers that follow from seed, step and parameter, so that a resumed run draws the same.
enum Probe {
  static func stream(seed: Int, step: Int, parameter name: String) -> RandomStream {
    RandomStream(UInt64(seed), UInt64(step), hash(name))
  }

  /// Element i, row by row, is normal number i of the stream; the bits do not depend on the threads.
  static func fill<S: KernelScalar>(_ V: inout Matrix<S>, from stream: RandomStream, threads: Int) {
    let (count, size) = (V.count, 4096)
    V.withMutablePointer(discarding: true) { V in
      // Each task writes its own piece.
      nonisolated(unsafe) let v = V.base
      Parallel.perform((count + size - 1) / size, threads: threads) { piece in
        for i in piece * size..<min(count, (piece + 1) * size) { v[i] = S(stream.normal(i)) }
      }
    }
  }

  /// FNV-1a, which does not change from run to run as Swift's own does.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
