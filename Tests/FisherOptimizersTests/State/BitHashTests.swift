import FisherLinearAlgebra
import FisherOptimizers
import FisherTestSupport
import Testing

@Suite struct BitHashTests {
  private func hash(_ words: [UInt64]) -> UInt64 {
    var hash = BitHash()
    for word in words { hash.add(word) }
    return hash.value
  }

  private func hash<S: KernelScalar>(_ matrix: Matrix<S>) -> UInt64 {
    var hash = BitHash()
    hash.add(matrix)
    return hash.value
  }

  /// Every one of the 64 bits of every word moves about half of the bits of the hash.
  @Test func everyBitCounts() {
    var generator = Generator(seed: Seed.first)
    for length in [1, 2, 5] {
      let words = (0..<length).map { _ in UInt64.random(in: .min ... .max, using: &generator) }
      let original = hash(words)
      var moved = 0
      for word in 0..<length {
        for bit in 0..<64 {
          var changed = words
          changed[word] ^= 1 << UInt64(bit)
          let difference = (hash(changed) ^ original).nonzeroBitCount
          #expect(8...56 ~= difference, "bit \(bit) of word \(word) of \(length): \(difference)")
          moved += difference
        }
      }
      // The mean of 64·length numbers of variance 16, within six deviations.
      let count = Double(64 * length)
      #expect(abs(Double(moved) / count - 32) < 6 * 4 / count.squareRoot())
    }
  }

  @Test func signsOrderZerosAndLengthsCount() {
    var matrices: [Matrix<Float>] = []
    for signs in 0..<8 {
      matrices.append([(0..<3).map { Float($0 + 1) * (signs >> $0 & 1 == 0 ? 1 : -1) }])
    }
    matrices += [[[2, 1, 3]], [[0, 0, 0]], [[-0.0, 0, 0]], [[0, 0]], [[0], [0]], [[0], [0], [0]], [[]]]
    #expect(Set(matrices.map(hash)).count == matrices.count)
    #expect(hash([Matrix<Float>]([[[1]]])[0]) == hash(Matrix<Float>([1], rows: 1, columns: 1)))
    #expect(hash([]) != hash([0]) && hash([0]) != hash([0, 0]) && hash([1, 2]) != hash([2, 1]))
    // A view hashes like its copy.
    let wide: Matrix<Double> = [[1, 2, 3], [4, 5, 6]]
    #expect(hash(wide.transposed) == hash(wide.transposed.compacted()) && hash(wide.transposed) != hash(wide))
  }

  /// Among n random numbers of 64 bits n²/2⁶⁵ pairs are expected: none, and as few in either half.
  @Test func smallChangesDoNotCollide() {
    var hashes: [UInt64] = []
    for i in 0..<4096 {
      for x: Float in [1, -1, 0.25, -0.5, 3, 1e-30, .leastNonzeroMagnitude] {
        var matrix = Matrix<Float>(repeating: 1, rows: 64, columns: 64)
        matrix[i / 64, i % 64] = x * 2
        hashes.append(hash(matrix))
      }
    }
    #expect(Set(hashes).count == hashes.count)
    // n²/2³³ ≈ 0.1 pairs in 32 bits.
    #expect(Set(hashes.map { UInt32(truncatingIfNeeded: $0) }).count >= hashes.count - 3)
    #expect(Set(hashes.map { UInt32(truncatingIfNeeded: $0 >> 32) }).count >= hashes.count - 3)
  }

  @Test func textsDoNotRunIntoOneAnother() {
    func hash(_ texts: [String]) -> UInt64 {
      var hash = BitHash()
      for text in texts { hash.add(text) }
      return hash.value
    }
    let cases = [
      ["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], ["\0"], ["\0\0"], [""], ["layers.0"],
    ]
    #expect(Set(cases.map(hash)).count == cases.count)
    var empty = BitHash()
    #expect(empty.text.count == 16)
    empty.add(7)
    #expect(empty.text.count == 16 && UInt64(empty.text, radix: 16) == empty.value)
  }
}
