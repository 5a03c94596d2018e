import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Foundation
import Testing

// Losses and their gradients to a few units in the last place, over the whole range of outputs.

#if arch(x86_64)
  /// 64 bits of significand, and a range in which no difference of two Doubles overflows.
  private typealias Wide = Float80
#else
  private typealias Wide = Double
#endif

/// The loss of one row of outputs and its gradient, as a network computes them.
private func evaluate<S: KernelScalar>(
  _ loss: Loss<MeanReduction>, _ z: [S], _ labels: Labels<S>, on backend: any Backend
) throws -> (loss: Double, gradient: [S]) {
  // A window of one pixel passes on what it gets, infinities included.
  let network = try Network<S>(input: [1, 1, z.count], [.averagePool(1), .flatten], loss: loss)
  let workspace = network.makeWorkspace(on: backend)
  let value = workspace.forward(
    [], Matrix(z, rows: 1, columns: z.count), labels, mode: .training(seed: 1))
  return (value, workspace.outputGradients!.values.array)
}

/// |got − exact| in units in the last place of `S`; those of the smallest number, below the normal ones.
private func ulps<S: KernelScalar>(_ got: Double, _ exact: Wide, _: S.Type) -> Double {
  if Wide(got) == exact || (got == .infinity && Double(exact) == .infinity) { return 0 }
  let unit = max(abs(exact) * Wide(S.ulpOfOne), Wide(S.leastNonzeroMagnitude))
  return got.isFinite ? Double(abs(Wide(got) - exact) / unit) : .infinity
}

private let backends: [any Backend] =
  InstructionSet.supported.map { NativeBackend(instructionSet: $0) } + [ReferenceBackend()]

private func rows<S: KernelScalar>(_: S.Type) -> [[S]] {
  var generator = Generator(seed: Seed.first)
  let big = S.greatestFiniteMagnitude
  let drawn: [[S]] = [0, 10, 1000, -1000].flatMap { shift in
    [1e-3, 1, 10, 100].map { spread in (0..<6).map { _ in shift + S(spread) * generator.uniform() } }
  }
  return drawn + [
    [0, -.infinity], [3, -.infinity, 1, -.infinity], [big, -big], [big, big, 0], [-big, -big / 2], [0, 0],
    [-0.0],
    [30, 0, -30], [100, 0], [0, 1e-30], [700, 0, 1],
  ]
}

@Test(arguments: backends, [0, 0.1]) func crossEntropyIsExact(backend: any Backend, smoothing: Double) throws
{
  try check(Float.self)
  // The reference computes in Double, and then has no bits to spare.
  if !(backend is ReferenceBackend) { try check(Double.self) }
  func check<S: KernelScalar>(_: S.Type) throws {
    let loss = Loss<MeanReduction>.softmaxCrossEntropy(labelSmoothing: smoothing)
    for z in rows(S.self) {
      let (wide, n) = (z.map { Wide($0) }, z.count)
      let peak = wide.max()!
      let place = wide.firstIndex(of: peak)!
      let rest = wide.indices.reduce(Wide(0)) { $1 == place ? $0 : $0 + exp(wide[$1] - peak) }
      for label in z.indices {
        let q = z.indices.map {
          (Wide($0 == label ? 1 : 0) * (1 - Wide(smoothing))) + Wide(smoothing) / Wide(n)
        }
        let exact = zip(q, wide).reduce(log1p(rest)) { $1.0 == 0 ? $0 : $0 + $1.0 * (peak - $1.1) }
        let hard = try evaluate(loss, z, .classes([label]), on: backend)
        let onehot = Matrix<S>(rows: 1, columns: n) { _, j in j == label ? 1 : 0 }
        let soft = try evaluate(loss, z, .values(onehot), on: backend)
        let text = "\(S.self), \(backend.name), class \(label) of \(z)"
        for got in [hard, soft] {
          #expect(ulps(got.loss, exact, S.self) <= 8, "\(text): \(got.loss) instead of \(exact)")
        }
        for j in z.indices where smoothing == 0 {
          // The excess of the label's probability over 1 is formed without taking 1 away.
          let others = rest + (label == place ? 0 : 1 - exp(wide[label] - peak))
          let slope = (j == label ? -others : exp(wide[j] - peak)) / (1 + rest)
          #expect(
            ulps(Double(hard.gradient[j]), slope, S.self) <= 8,
            "\(text): gradient \(hard.gradient[j]) instead of \(slope) at \(j)")
        }
      }
    }
  }
}

@Test(arguments: backends) func binaryCrossEntropyIsExact(backend: any Backend) throws {
  try check(Float.self)
  try check(Double.self)
  func check<S: KernelScalar>(_: S.Type) throws {
    for z in rows(S.self).flatMap({ $0 }) + [.infinity] {
      for t: S in [0, 1, 0.25, 1 - S.ulpOfOne] {
        if z.isInfinite && t != (z > 0 ? 1 : 0) { continue }
        let (wide, label) = (Wide(z), Wide(t))
        let certain = (z > 0 ? 1 - label : label)
        let decay = exp(-abs(wide))
        let exact = (certain == 0 ? 0 : abs(wide) * certain) + log1p(decay)
        let got = try evaluate(.binaryCrossEntropy, [z], .values([[t]]), on: backend)
        let place = "\(S.self), \(backend.name), z = \(z), t = \(t)"
        #expect(ulps(got.loss, exact, S.self) <= 8, "\(place): \(got.loss) instead of \(exact)")
        if t == 0 || t == 1 {
          let slope = ((z > 0) == (t == 1) ? decay : 1) / (1 + decay) * (t == 1 ? -1 : 1)
          #expect(
            ulps(Double(got.gradient[0]), slope, S.self) <= 8,
            "\(place): gradient \(got.gradient[0]) instead of \(slope)")
        }
      }
    }
  }
}

/// A class that its label excludes costs nothing, not even where the network excludes it as well; one that the label wants
/// costs infinitely much.
@Test func excludedClassesCostNothing() throws {
  let excluded: [Float] = [0, -.infinity]
  let loss = Loss<MeanReduction>.softmaxCrossEntropy()
  let backend = NativeBackend()
  let right = try evaluate(loss, excluded, .values([[1, 0]]), on: backend)
  #expect(right.loss == 0 && right.gradient == [0, 0])
  #expect(try evaluate(loss, excluded, .classes([1]), on: backend).loss == .infinity)
  #expect(try evaluate(loss, [.nan, 0], .classes([1]), on: backend).loss.isNaN)
  #expect(try evaluate(.binaryCrossEntropy, [Float.nan], .values([[0]]), on: backend).loss.isNaN)
  #expect(try evaluate(.binaryCrossEntropy, [Float.infinity], .values([[0]]), on: backend).loss == .infinity)
}

/// Smoothing moves the same part of every label, a class or a distribution.
@Test func smoothingIsThatOfDistributions() throws {
  let z: [Double] = [1, -2, 0.5]
  let smooth = Loss<MeanReduction>.softmaxCrossEntropy(labelSmoothing: 0.3)
  let backend = NativeBackend()
  let q: [Double] = [0.2, 0.3, 0.5]
  let got = try evaluate(smooth, z, .values(Matrix(q, rows: 1, columns: 3)), on: backend)
  let plain = Matrix(q.map { 0.7 * $0 + 0.1 }, rows: 1, columns: 3)
  let expected = try evaluate(.softmaxCrossEntropy(), z, .values(plain), on: backend)
  #expect(abs(got.loss - expected.loss) < 1e-15)
  #expect(zip(got.gradient, expected.gradient).allSatisfy { abs($0 - $1) < 1e-15 })
}
