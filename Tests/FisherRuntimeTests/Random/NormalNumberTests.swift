import FisherRuntime
import Foundation
import Testing

/// Normal numbers against Box and Muller's formula by libm.
@Suite struct NormalNumberTests {
  /// √(−2·ln v)·cos 2πt; the cosine of what is left of a quarter turn, which is exact, where 2πt would be rounded.
  private static func definition(_ u: Double, _ t: Double) -> Double {
    (-2 * log(1 - u)).squareRoot() * sin(2 * .pi * (abs(t - 0.5) - 0.25))
  }

  /// Four ulps of ours; log, root, sine, 2π and three products of the definition have half an ulp each or a little more.
  private static func agree(_ ours: Double, _ u: Double, _ t: Double) -> Bool {
    let expected = definition(u, t)
    return abs(ours - expected) <= 8 * max(expected.ulp, .leastNormalMagnitude)
  }

  @Test func numbersFollowFromTheirWords() {
    let stream = RandomStream(5, 1)
    for i in 0..<100_000 {
      let (u, t) = (stream.unit(2 * i), stream.unit(2 * i + 1))
      #expect(Self.agree(stream.normal(i), u, t), "number \(i): \(stream.normal(i)) from \(u), \(t)")
    }
  }

  /// Ends of intervals, quarters of a turn, powers of two and √½ of them, each with its neighbours.
  @Test func theEdgesOfTheRangesAreExact() {
    let step = 0x1p-53
    func near(_ places: [Double]) -> [Double] {
      places.flatMap { place in [-2.0, -1, 0, 1, 2].map { place + $0 * step } }.filter {
        (0..<1).contains($0)
      }
    }
    let powers = (1...53).map { 1 - (0.5.squareRoot() * exp2(-Double($0)) / step).rounded() * step }
    let us = near([0, 1] + (1...53).map { 1 - exp2(-Double($0)) } + powers)
    let ts = near([0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1])
    for u in us {
      for t in ts {
        let number = RandomStream.boxMuller(SIMD4(repeating: u), SIMD4(repeating: t))[3]
        #expect(Self.agree(number, u, t), "\(number) from \(u), \(t)")
      }
    }
  }

  @Test func fourAndARangeAreTheSameNumbers() {
    let stream = RandomStream(9)
    for count in 0..<10 {
      var numbers: [Double] = []
      stream.forEachNormal(in: 3..<3 + count) { numbers.append($0) }
      #expect(numbers == (3..<3 + count).map { stream.normal($0) })
    }
  }

  /// Mean, variance and fourth moment of a million numbers within five deviations: 1, 2 and 96 are the variances of x, x²
  /// and x⁴.
  @Test func momentsAreThoseOfTheNormalDistribution() {
    let count = 1_000_000
    var sums = (0.0, 0.0, 0.0)
    RandomStream(3).forEachNormal(in: 0..<count) { x in
      sums.0 += x
      sums.1 += x * x - 1
      sums.2 += x * x * x * x - 3
    }
    let n = Double(count)
    #expect(abs(sums.0) < 5 * n.squareRoot())
    #expect(abs(sums.1) < 5 * (2 * n).squareRoot())
    #expect(abs(sums.2) < 5 * (96 * n).squareRoot())
  }
}
