import FisherLinearAlgebra
import FisherTestSupport
import Foundation
import Testing

/// What the elements of a row are like.
private enum LogitKind: CaseIterable {
  case moderate, shifted, confident, equal, withoutClasses, ends

  func row<S: KernelScalar>(_ columns: Int, _ generator: inout Generator) -> [S] {
    var row: [S] = (0..<columns).map { _ in 20 * generator.uniform() }
    let place = Int.random(in: 0..<columns, using: &generator)
    switch self {
    case .moderate: break
    case .shifted: row = row.map { $0 + 1000 }
    case .confident: row[place] = 20 + 80 * abs(generator.uniform())
    case .equal: row = row.map { _ in row[0] }
    case .withoutClasses:
      for j in 0..<columns where j != place && generator.next() % 2 == 0 { row[j] = -.infinity }
    case .ends:
      row = row.map {
        $0 < 0 ? -.greatestFiniteMagnitude : S.greatestFiniteMagnitude / (1 + ($0 / 4).rounded())
      }
    }
    return row
  }
}

/// The probabilities and the sum, for all finite rows and for classes that are excluded by −∞.
@Test(
  arguments: InstructionSet.supported.map { NativeBackend(instructionSet: $0) as any Backend }
    + [ReferenceBackend()])
func softmaxMatchesTheDefinition(backend: any Backend) {
  check(Float.self)
  // The reference computes in Double, and then has no bits to spare.
  if !(backend is ReferenceBackend) { check(Double.self) }
  func check<S: KernelScalar>(_: S.Type) {
    for kind in LogitKind.allCases {
      for columns in [1, 2, 3, 7, 10, 16, 17, 33, 100, 1000] {
        var generator = Generator(seed: Seed.first &+ UInt64(columns))
        let x: [S] = (0..<5).flatMap { _ in kind.row(columns, &generator) }
        let (y, sums) = softmax(backend, x, rows: 5)
        let tolerance = 2 + Double(columns) / 128
        var (worst, worstRest) = (UlpError(), UlpError())
        for i in 0..<5 {
          let row = x[i * columns..<(i + 1) * columns].map { Wide($0) }
          let peak = row.max()!
          let place = row.firstIndex(of: peak)!
          let terms = row.map { exp($0 - peak) }
          let rest = terms.indices.reduce(0) { $1 == place ? $0 : $0 + terms[$1] }
          for j in 0..<columns {
            worst.add(y[i * columns + j], terms[j] / (1 + rest), at: x[i * columns + j])
          }
          worstRest.add(sums[i].rest, rest, at: x[i * columns])
          #expect(Wide(sums[i].peak) == peak)
        }
        #expect(worst.worst <= tolerance, "\(S.self), \(kind), \(columns) columns: \(worst)")
        #expect(
          worstRest.worst <= tolerance, "\(S.self), \(kind), \(columns) columns, the rest: \(worstRest)")
      }
    }
  }
}

/// NaN and +∞, and rows with nothing to choose from, have no probabilities.
@Test(
  arguments: InstructionSet.supported.map { NativeBackend(instructionSet: $0) as any Backend }
    + [ReferenceBackend()])
func softmaxOfRowsWithoutMeaningIsNaN(backend: any Backend) {
  for row: [Float] in [[0, .nan], [.nan, 0, 1], [.infinity, 0], [-.infinity, -.infinity]] {
    let (y, sums) = softmax(backend, row, rows: 1)
    #expect(
      y.contains { $0.isNaN } && !(Double(sums[0].peak) + log1p(Double(sums[0].rest))).isFinite, "\(row)")
  }
}

func softmax<S: KernelScalar>(
  _ backend: any Backend, _ x: [S], rows: Int
) -> (y: [S], sums: [ExponentialSum<S>]) {
  var (y, sums) = (x, [ExponentialSum<S>](repeating: ExponentialSum(peak: 0, rest: 0), count: rows))
  let n = x.count / rows
  x.withUnsafeBufferPointer { x in
    y.withUnsafeMutableBufferPointer { y in
      backend.softmax(
        MatrixPointer(x.baseAddress!, rows: rows, columns: n, rowStride: n, columnStride: 1),
        to: MutableMatrixPointer(y.baseAddress!, rows: rows, columns: n, rowStride: n, columnStride: 1),
        sums: &sums)
    }
  }
  return (y, sums)
}
