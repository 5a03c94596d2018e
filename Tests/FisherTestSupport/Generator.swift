public import FisherLinearAlgebra
import Foundation

/// SplitMix64: a small generator whose every seed, also 0 and its neighbours, gives an independent sequence.
public struct Generator: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [−1, 1), with all the bits of a `Double` rounded to the scalar.
  @inlinable
  public mutating func uniform<S: KernelScalar>() -> S {
    S(Double(Int64(bitPattern: next()) >> 11) * 0x1p-52)
  }

  /// Uniform among the integers of the range, as a scalar.
  @inlinable
  public mutating func integer<S: KernelScalar>(in range: ClosedRange<Int>) -> S {
    S(Int.random(in: range, using: &self))
  }

  /// One of the elements, which must not be empty.
  public mutating func pick<C: Collection>(_ elements: C) -> C.Element {
    elements.randomElement(using: &self)!
  }
}

/// Where the seeds of random cases come from.
public enum Seed {
  /// The seed of the first case: `FISHER_SEED` from the environment, else fixed.
  ///
  /// A failing case prints its own seed; with that in `FISHER_SEED` it is the first to run.
  public static let first: UInt64 =
    ProcessInfo.processInfo.environment["FISHER_SEED"].flatMap { UInt64($0) } ?? 20_260_401

  /// The seeds of `count` cases.
  public static func cases(_ count: Int) -> [UInt64] { (0..<UInt64(count)).map { first &+ $0 } }
}
