import FisherLinearAlgebra
import FisherNetworks
import FisherTestSupport
import Testing

/// Dropout of the weights of attention: (M ⊙ softmax(Q·Kᵀ/√d))·V. Gradients, tangents and threads are in the tests of all layers.
@Suite struct AttentionDropoutTests {
  /// Two heads of as many features as there are positions, so that one-hot values show the weights of all.
  private struct Subject {
    static let (samples, positions, heads, rate) = (40, 6, 2, 0.3)
    static let (size, width) = (positions, positions * heads)
    let causal: Bool
    let rotary: Bool
    var rate = Self.rate

    func run(_ x: Matrix<Double>, _ mode: PassMode, threads: Int = 2) throws -> Matrix<Double> {
      let network = try Network<Double>(
        input: [Self.positions, 3 * Self.width],
        [.attentionWithDropout(rate, heads: Self.heads, causal: causal, rotary: rotary)])
      let workspace = network.makeWorkspace(threads: threads)
      workspace.forward([], x, mode: mode)
      return workspace.outputs
    }

    /// Random q, k and v; or v one-hot of the position in every head.
    static func inputs(showsWeights: Bool) -> Matrix<Double> {
      var generator = Generator(seed: Seed.first)
      return Matrix(rows: samples, columns: positions * 3 * width) { _, j in
        let (t, i) = (j / (3 * width), j % (3 * width))
        let number: Double = 2 * generator.uniform()
        return !showsWeights || i < 2 * width ? number : i % size == t ? 1 : 0
      }
    }

    /// The mask of every sample, head, position and position seen: weights in training over those in evaluation.
    func mask(_ seed: UInt64) throws -> [Double] {
      let x = Self.inputs(showsWeights: true)
      let (masked, plain) = (try run(x, .training(seed: seed)), try run(x, .evaluation))
      return (0..<Self.samples).flatMap { n in
        (0..<Self.heads).flatMap { h in
          (0..<Self.positions).flatMap { t in
            (0..<Self.positions).map { u -> Double in
              let place = t * Self.width + h * Self.size + u
              return causal && u > t ? 1 : masked[n, place] / plain[n, place]
            }
          }
        }
      }
    }

    static func place(_ n: Int, _ h: Int, _ t: Int, _ u: Int) -> Int {
      ((n * heads + h) * positions + t) * positions + u
    }
  }

  /// The mask that one-hot values show makes the outputs of other values, whatever these are.
  @Test(arguments: [false, true], [false, true])
  func outputsMatchTheDefinition(causal: Bool, rotary: Bool) throws {
    let subject = Subject(causal: causal, rotary: rotary)
    let (x, mask) = (Subject.inputs(showsWeights: false), try subject.mask(7))
    let naive = NaiveNetwork(values: [], mode: .evaluation).attention(
      .init(
        samples: (0..<x.rows).map { x.row($0).array }, shape: [Subject.positions, 3 * Subject.width]),
      Subject.heads, causal, rotary, mask: { mask[Subject.place($0, $1, $2, $3)] })
    let expected = naive.samples.flatMap(\.self)
    #expect(error(try subject.run(x, .training(seed: 7)).array, expected) < 1e-13)
    #expect(error(try subject.run(x, .training(seed: 8)).array, expected) > 0.1)
    #expect(error(try subject.run(x, .evaluation).array, expected) > 0.1)
  }

  /// Weights are 0 as often as the rate says, and 1/(1 − rate) times as large otherwise; samples, heads and positions have
  /// masks of their own, which follow from the seed; evaluation and a rate of 0 drop nothing.
  @Test func masksAreThoseOfTheRate() throws {
    let subject = Subject(causal: false, rotary: false)
    let mask = try subject.mask(1)
    let kept = 1 / (1 - Subject.rate)
    #expect(mask.allSatisfy { $0 == 0 || abs($0 - kept) < 1e-14 })
    let n = Double(mask.count)
    let deviation = (Subject.rate * (1 - Subject.rate) / n).squareRoot()
    #expect(abs(Double(mask.count { $0 == 0 }) / n - Subject.rate) < 5 * deviation)
    let square = Subject.positions * Subject.positions
    let heads = stride(from: 0, to: mask.count, by: square).map { mask[$0..<$0 + square].map { $0 == 0 } }
    #expect(Set(heads).count == Subject.samples * Subject.heads)
    #expect(try subject.mask(1) == mask && subject.mask(2) != mask)

    let x = Subject.inputs(showsWeights: false)
    let plain = Subject(causal: false, rotary: false, rate: 0)
    let expected = try plain.run(x, .evaluation)
    #expect(try subject.run(x, .evaluation) == expected)
    #expect(try plain.run(x, .training(seed: 1)) == expected)
  }

  /// A number that is not finite stays in its sample, in training, too.
  @Test func nanStaysInItsSample() throws {
    let subject = Subject(causal: true, rotary: false)
    var x = Subject.inputs(showsWeights: false)
    let before = try subject.run(x, .training(seed: 3))
    x[1, 7] = .nan
    let after = try subject.run(x, .training(seed: 3))
    for n in 0..<Subject.samples where n != 1 { #expect(after.row(n) == before.row(n)) }
    #expect(after.row(1).array.contains { $0.isNaN })
  }

  /// The block of a transformer hands the rate on, and only that of attention.
  @Test func blocksHandTheRateOn() throws {
    let block = Layer.transformerBlock(width: 4, heads: 2, attentionDropout: 0.5)
    let attention = Layer.selfAttention(width: 4, heads: 2, attentionDropout: 0.5)
    #expect(block == .sequential([.residual([.layerNorm, attention]), mlp]))
    #expect(
      attention
        == .sequential([.linear(12), .attentionWithDropout(0.5, heads: 2), .linear(4)]))
    #expect(
      .selfAttention(width: 4, heads: 2)
        == Layer.sequential([.linear(12), .attention(heads: 2), .linear(4)]))
  }

  private var mlp: Layer { .residual([.layerNorm, .linear(16), .gelu, .linear(4)]) }
}
