import FisherRuntime
import Testing

/// The pieces of passes cover each number once and in order, and none is longer than a piece.
@Test(arguments: [[], [0], [1], [32767, 32768, 32769], [0, 100_000, 0, 5]])
func piecesCoverEveryPass(_ counts: [Int]) {
  let pieces = Parallel.elementwisePieces(counts)
  #expect(pieces.allSatisfy { !$0.range.isEmpty && $0.range.count <= Parallel.elementwisePiece })
  #expect(pieces.map(\.pass) == pieces.map(\.pass).sorted())
  for (pass, count) in counts.enumerated() {
    #expect(pieces.filter { $0.pass == pass }.flatMap(\.range).elementsEqual(0..<count))
  }
}
