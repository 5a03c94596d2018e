package import FisherCurvature
import FisherLinearAlgebra

/// What the naive forms of methods with Kronecker factors have in common: blocks, factors, and when what happens.
package struct NaiveFactors {
  package typealias Dense = [[Double]]

  /// The places of a weight and a bias among the parameters, one block [W b].
  package struct Block {
    let weight, bias: Int?

    package var layer: Int { weight ?? bias! }
  }

  package let averages: FactorAverages
  /// The steps that were begun.
  private var steps = 0
  private var updates = 0
  /// A and G of each block.
  package private(set) var A: [Dense] = []
  package private(set) var G: [Dense] = []

  package init(_ averages: FactorAverages) { self.averages = averages }

  /// The blocks of a step.
  package static func blocks(_ parameters: [ParameterInfo]) -> [Block] {
    var taken: Set<Int> = []
    var blocks: [Block] = []
    for (w, weight) in parameters.enumerated()
    where weight.role == .linearWeight || weight.role == .convolutionWeight {
      let bias = parameters.indices.first {
        parameters[$0].role == .bias && parameters[$0].layer == weight.layer && !taken.contains($0)
      }
      if let bias { taken.insert(bias) }
      blocks.append(Block(weight: w, bias: bias))
    }
    for (b, bias) in parameters.enumerated() where bias.role == .bias && !taken.contains(b) {
      blocks.append(Block(weight: nil, bias: b))
    }
    return blocks
  }

  /// The number of the step, from 0, and whether statistics change in it.
  package var number: Int { steps - 1 }
  package var isUpdate: Bool { number % averages.statisticsPeriod == 0 }

  /// Whether a block is refreshed in this step.
  package func isRefresh(_ block: Int, of count: Int) -> Bool {
    let period = averages.refreshPeriod
    let isEarly = isUpdate && number / averages.statisticsPeriod < 3
    return isEarly || number % period == block * period / count % period
  }

  /// Begins a step: averages the factors if it is time.
  package mutating func begin(
    _ step: ReferenceStep, _ blocks: [Block], _ captures: [String: LayerCapture<Double>]
  ) {
    steps += 1
    guard isUpdate else { return }
    updates += 1
    let kept = min(1 - 1 / Double(updates), averages.beta)
    for (b, block) in blocks.enumerated() {
      let (h, d) = rows(block, step.parameters, captures)
      let capture = captures[step.parameters[block.layer].layer!]!
      let M = capture.outputGradients.scaleToSum / capture.outputGradients.scaleToMean
      let newA = Self.products(h, over: M * Double(Self.groups(capture)))
      let newG = Self.products(d, over: Double(d.count))
      if A.count == b {
        A.append(newA.map { $0.map { _ in 0 } })
        G.append(newG.map { $0.map { _ in 0 } })
      }
      A[b] = Self.average(A[b], newA, kept)
      G[b] = Self.average(G[b], newG, kept)
    }
  }

  /// [W b] of a list of numbers for each parameter.
  package static func matrix(_ block: Block, _ x: [[Double]], _ parameters: [ParameterInfo]) -> Dense {
    let rows = block.weight.map { parameters[$0].rows } ?? parameters[block.bias!].count
    return (0..<rows).map { o in
      var row: [Double] = []
      if let weight = block.weight {
        let columns = parameters[weight].columns
        row += x[weight][o * columns..<(o + 1) * columns]
      }
      if let bias = block.bias { row.append(x[bias][o]) }
      return row
    }
  }

  /// Writes a matrix of the block's shape into the lists for its parameters.
  package static func put(_ V: Dense, _ block: Block, into x: inout [[Double]]) {
    if let weight = block.weight {
      x[weight] = V.flatMap { block.bias == nil ? $0 : Array($0.dropLast()) }
    }
    if let bias = block.bias { x[bias] = V.map { $0.last! } }
  }

  /// Rows h with the 1 of the bias, and d in the scale of the sum of the losses.
  package func rows(
    _ block: Block, _ parameters: [ParameterInfo], _ captures: [String: LayerCapture<Double>]
  ) -> (h: Dense, d: Dense) {
    let capture = captures[parameters[block.layer].layer!]!
    var (h, d): (Dense, Dense) = ([], [])
    for n in 0..<capture.sampleCount {
      var (inputs, outputs) = Self.rows(capture, sample: n)
      if averages.sharing == .reduce {
        let groups = Self.groups(capture)
        inputs = (0..<groups).map { g in
          let own = inputs.indices.filter { $0 * groups / inputs.count == g }.map { inputs[$0] }
          return Self.sum(own).map { $0 / Double(own.count) }
        }
        outputs = [Self.sum(outputs)]
      }
      h += inputs.map { (block.weight == nil ? [] : $0) + (block.bias == nil ? [] : [1]) }
      d += outputs.map { $0.map { $0 * capture.outputGradients.scaleToSum } }
    }
    return (h, d)
  }

  /// What the weight sees of a sample, group by group and position by position, and its output gradients by position.
  private static func rows(_ capture: LayerCapture<Double>, sample n: Int) -> (Dense, Dense) {
    let gradients = capture.outputGradients.values
    if case .convolution(let shape, _) = capture.kind {
      let image = capture.inputs.row(n).array
      let patches = (0..<shape.groups).flatMap { group in
        (0..<shape.positions).map { naivePatch(image, shape, group: group, position: $0) }
      }
      let outputs = (0..<shape.positions).map { t in
        (0..<shape.outputs).map { gradients[n, $0 * shape.positions + t] }
      }
      return (patches, outputs)
    }
    let own = n * capture.positions..<(n + 1) * capture.positions
    return (own.map { capture.inputs.row($0).array }, own.map { gradients.row($0).array })
  }

  private static func groups(_ capture: LayerCapture<Double>) -> Int {
    if case .convolution(let shape, _) = capture.kind { return shape.groups }
    return 1
  }

  package static func sum(_ rows: Dense) -> [Double] {
    rows.dropFirst().reduce(rows[0]) { zip($0, $1).map { $0 + $1 } }
  }

  /// Σ x·xᵀ over the rows, divided.
  private static func products(_ rows: Dense, over divisor: Double) -> Dense {
    rows[0].indices.map { i in
      rows[0].indices.map { j in rows.reduce(0) { $0 + $1[i] * $1[j] } / divisor }
    }
  }

  private static func average(_ old: Dense, _ new: Dense, _ kept: Double) -> Dense {
    zip(old, new).map { zip($0, $1).map { kept * $0 + (1 - kept) * $1 } }
  }
}
