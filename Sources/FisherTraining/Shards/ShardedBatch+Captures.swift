import FisherCurvature
import FisherDistributed
import FisherLinearAlgebra
import FisherOptimizers

// What passed through the layers for single samples cannot be added up: every rank gets the rows of all shards, in their
// order, and goes on as if the whole batch had been its own.

extension ShardedBatch {
  /// The captures of the whole batch, given those of this rank's shards.
  func gathered<S: KernelScalar, Kind: FisherKind>(
    _ own: [Captures<S, Kind>], on backend: any Backend
  ) throws(StepRefusal) -> Captures<S, Kind> {
    if communicator.size == 1 { return Captures(concatenating: own, on: backend) }
    let names = own[0].layers.keys.sorted()
    let first = names.compactMap { own[0].layers[$0] }
    let width = first.reduce(0) { $0 + $1.numbersPerSample }
    var numbers: [S] = []
    numbers.reserveCapacity(self.own.reduce(0) { $0 + ranges[$1].count } * width)
    var terms: [Double] = []
    for shard in own {
      for name in names {
        guard let layer = shard.layers[name] else { continue }
        layer.append(to: &numbers, on: backend)
        terms.append(layer.outputGradients.terms)
      }
    }
    let all = try gathered(numbers) { $0 * width }
    let allTerms = try gathered(terms) { _ in names.count }
    var reader = NumberReader(all)
    let parts = ranges.enumerated().map { shard, samples in
      Captures<S, Kind>(
        Dictionary(
          uniqueKeysWithValues: names.indices.map { i in
            let terms = allTerms[shard * names.count + i]
            return (names[i], first[i].reading(&reader, samples: samples.count, terms: terms))
          }))
    }
    return Captures(concatenating: parts, on: backend)
  }

  /// The gradients by the outputs for the whole batch, given those of this rank's shards.
  func gathered<S: KernelScalar>(_ own: [OutputGradients<S>]) throws(StepRefusal) -> OutputGradients<S> {
    if communicator.size == 1 { return OutputGradients(concatenating: own) }
    let (rows, columns) = (own[0].values.rows / ranges[self.own.lowerBound].count, own[0].values.columns)
    let all = try gathered(own.flatMap(\.ofSum.array)) { $0 * rows * columns }
    let terms = try gathered(own.map(\.terms)) { _ in 1 }
    var reader = NumberReader(all)
    return OutputGradients(
      concatenating: zip(ranges, terms).map { samples, terms in
        .ofSum(reader.matrix(rows: samples.count * rows, columns: columns), terms: Int(terms.rounded()))
      })
  }

  /// The exact Fisher matrix's root for the whole batch, given that of this rank's shards.
  func gathered<S: KernelScalar>(
    _ own: [ExactFisher<S>], on backend: any Backend
  ) throws(StepRefusal) -> ExactFisher<S> {
    if communicator.size == 1 { return ExactFisher(concatenating: own, on: backend) }
    var columns: [Captures<S, Exact>] = []
    for r in own[0].columns.indices { columns.append(try gathered(own.map { $0.columns[r] }, on: backend)) }
    let width = own[0].coefficients.columns
    let coefficients = try gathered(own.flatMap(\.coefficients.array)) { $0 * width }
    return ExactFisher(
      columns: columns, coefficients: Matrix(coefficients, rows: sampleCount, columns: width))
  }
}

/// Takes matrices from a list of numbers, one after the other.
private struct NumberReader<S: KernelScalar> {
  private let numbers: [S]
  private var start = 0

  init(_ numbers: [S]) { self.numbers = numbers }

  mutating func matrix(rows: Int, columns: Int) -> Matrix<S> {
    defer { start += rows * columns }
    return Matrix(Array(numbers[start..<start + rows * columns]), rows: rows, columns: columns)
  }
}

extension OutputGradients {
  /// Of the mean: samples, or samples × positions.
  fileprivate var terms: Double { scaleToSum / scaleToMean }
}

extension LayerCapture {
  fileprivate var numbersPerSample: Int {
    positions * (inputs.columns + outputGradients.values.columns + (normalized?.columns ?? 0))
  }

  /// Inputs, gradients of the sum of the losses, and what is normalised.
  fileprivate func append(to numbers: inout [Scalar], on backend: any Backend) {
    var gradients = outputGradients.values.compacted()
    if outputGradients.scaleToSum != 1 {
      scal(alpha: Scalar(outputGradients.scaleToSum), &gradients, on: backend)
    }
    numbers += inputs.array
    numbers += gradients.array
    if let normalized { numbers += normalized.array }
  }

  /// The same layer's capture of another shard.
  fileprivate func reading(
    _ reader: inout NumberReader<Scalar>, samples: Int, terms: Double
  ) -> LayerCapture {
    let rows = samples * positions
    let inputs = reader.matrix(rows: rows, columns: self.inputs.columns)
    let gradients = reader.matrix(rows: rows, columns: outputGradients.values.columns)
    return LayerCapture(
      kind: kind, inputs: inputs, outputGradients: .ofSum(gradients, terms: Int(terms.rounded())),
      sampleCount: samples, normalized: normalized.map { reader.matrix(rows: rows, columns: $0.columns) },
      mixesSamples: mixesSamples)
  }
}
