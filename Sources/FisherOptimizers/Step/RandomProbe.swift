package import FisherLinearAlgebra
import FisherRuntime

/// A random vector that follows from seed, step and parameter, so that a resumed run draws the same.
package struct RandomProbe {
  /// How elements are distributed; independent, with mean 0 and variance 1.
  package enum Distribution: Sendable {
    case normal
    /// 1 or −1.
    case rademacher
  }

  private let stream: RandomStream
  private let distribution: Distribution

  package init(_ distribution: Distribution, seed: Int, step: Int, parameter name: String) {
    stream = RandomStream(UInt64(seed), UInt64(step), Self.hash(name))
    self.distribution = distribution
  }

  /// Element i, row by row.
  package subscript(i: Int) -> Double {
    switch distribution {
    case .normal: stream.normal(i)
    case .rademacher: stream.word(i) >> 63 == 0 ? 1 : -1
    }
  }

  /// Writes the vector; the bits do not depend on the threads.
  @specialized(where S == Float) @specialized(where S == Double)
  package func write<S: KernelScalar>(to V: inout Matrix<S>, threads: Int) {
    let (count, size) = (V.count, 4096)
    V.withMutablePointer(discarding: true) { V in
      // Each task writes its own piece.
      nonisolated(unsafe) let v = V.base
      Parallel.perform((count + size - 1) / size, threads: threads) { piece in
        write(piece * size..<min(count, (piece + 1) * size), to: v + piece * size)
      }
    }
  }

  /// Elements of a range, row by row.
  @inline(__always)
  private func write<S: KernelScalar>(_ range: Range<Int>, to v: UnsafeMutablePointer<S>) {
    switch distribution {
    case .normal: stream.writeNormals(range, to: v)
    case .rademacher:
      for i in range { v[i - range.lowerBound] = S(self[i]) }
    }
  }

  /// FNV-1a, which does not change from run to run as Swift's own does.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}

extension Step {
  /// A random vector for every parameter of the optimizer, by its name.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package mutating func probes(
    _ distribution: RandomProbe.Distribution, seed: Int
  ) -> [String: Matrix<Scalar>] {
    var probes: [String: Matrix<Scalar>] = [:]
    for parameter in parameters { probes[parameter.name] = probe(distribution, seed: seed, of: parameter) }
    return probes
  }

  /// A random vector for a parameter, shaped as it.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  package mutating func probe(
    _ distribution: RandomProbe.Distribution, seed: Int, of parameter: ParameterInfo
  ) -> Matrix<Scalar> {
    let probe = RandomProbe(distribution, seed: seed, step: number, parameter: parameter.name)
    let threads = threads
    return temporary(rows: parameter.rows, columns: parameter.columns) {
      probe.write(to: &$0, threads: threads)
    }
  }
}
