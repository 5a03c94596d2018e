import FisherLinearAlgebra
import FisherOptimizers
import FisherTestSupport
import Testing

/// Passes of functions of pairs: bit by bit what loops over the elements find.
@Suite struct PairFunctionTests {
  private func random<S: KernelScalar>(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Matrix<S> {
    var generator = Generator(seed: Seed.first &+ seed)
    return Matrix(rows: rows, columns: columns) { _, _ in generator.uniform() }
  }

  private func checkFold<S: KernelScalar>(_: S.Type, _ rows: Int, _ columns: Int, samples: Int) {
    let x: Matrix<S> = random(samples * rows, columns, 1)
    let start: Matrix<S> = random(rows, columns, 2)
    var expected = start
    for s in 0..<samples {
      for i in 0..<rows {
        for j in 0..<columns {
          let y = x[s * rows + i, j]
          expected[i, j] = S(0.3) * y * y + S(0.9) * expected[i, j]
        }
      }
    }
    for threads in [1, 2, 7] {
      var z = start
      z.fold(SquareCombination(0.3, 0.9), over: x, threads: threads)
      #expect(z == expected, "\(S.self) \(rows)×\(columns)")
    }
  }

  @Test(arguments: [(1, 1, 3), (3, 5, 4), (200, 400, 3), (4, 8, 1), (4, 8, 0), (0, 3, 0), (3, 0, 2)])
  func foldsGoFromSampleToSample(rows: Int, columns: Int, samples: Int) {
    checkFold(Float.self, rows, columns, samples: samples)
    checkFold(Double.self, rows, columns, samples: samples)
  }

  @Test(arguments: [(1, 1), (3, 5), (200, 400)])
  func dampedQuotients(rows: Int, columns: Int) {
    let (x, y): (Matrix<Float>, Matrix<Float>) = (random(rows, columns, 3), random(rows, columns, 4))
    var z = x
    z.assign(DampedQuotient(ε: 1.5), of: x, y, threads: 2)
    #expect(z == Matrix(rows: rows, columns: columns) { x[$0, $1] / (y[$0, $1] + 1.5) })
  }

  /// Rows with gaps, columns that are not neighbours, and the row of a bias beside them.
  @Test(arguments: [(1, 1), (3, 5), (200, 400), (7, 33_000), (0, 3)])
  func viewsAreReadWhereTheyLie(rows: Int, columns: Int) {
    let wide: Matrix<Float> = random(rows + 1, columns + 3, 5)
    let tall: Matrix<Float> = random(columns, rows, 6)
    let views = [
      wide[rows: 1..<rows + 1, columns: 2..<columns + 2], tall.transposed,
      Matrix(Array(wide.array.prefix(rows * columns)), rows: rows, columns: columns),
    ]
    for x in views {
      for y in views {
        for threads in [1, 2] {
          var z = Matrix<Float>(rows: rows, columns: columns)
          z.assign(DampedQuotient(ε: 1.5), of: x, y, threads: threads)
          #expect(z == Matrix(rows: rows, columns: columns) { x[$0, $1] / (y[$0, $1] + 1.5) })
        }
      }
    }
  }

  @Test(.ownThread) func wrongShapesStop() async {
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var z = Matrix<Float>(rows: 2, columns: 3)
        z.fold(Combination(1, 1), over: Matrix(rows: 5, columns: 3), threads: 1)
      }, "the samples are 5×3", "Z is 2×3")
    expectMessage(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var z = Matrix<Float>(rows: 2, columns: 3)
        z.fold(Combination(1, 1), over: Matrix(rows: 4, columns: 2), threads: 1)
      }, "the samples are 4×2", "Z is 2×3")
  }
}
