import FisherCurvature
import FisherOptimizers

/// MBF from its definition: every block is formed by itself, neurons' blocks are averaged where they are shared, and
/// every step solves every system by elimination.
struct NaiveMiniBlocks: ReferenceOptimizer {
  /// Places of a block's elements: parameter and index.
  typealias Block = [(p: Int, i: Int)]
  typealias Dense = [[Double]]

  let method: MiniBlockFisher
  var steps = 0
  var updates = 0
  var M: [[Double]] = []
  /// Ĝ of each block as it is, and as it was when the inverses were last refreshed.
  var G: [Dense] = []
  var inUse: [Dense] = []

  mutating func step(_ step: inout ReferenceStep) {
    let (T1, T2) = (method.statisticsPeriod, method.inversePeriod)
    let warmStart = method.warmStart
    let blocks = blocks(of: step.parameters)
    if M.isEmpty {
      M = step.values.map { $0.map { _ in 0 } }
      G = blocks.map { b in b.map { _ in b.map { _ in 0 } } }
      inUse = G
    }
    let k = steps - warmStart
    steps += 1
    if k < 0 || (k % T1 == 0 && !(k == 0 && warmStart > 0)) {
      updates += 1
      let plain = 1 - 1 / Double(updates)
      let β = method.beta
      average(statistics(step, blocks), keeping: k < 0 ? plain : warmStart > 0 ? β : min(plain, β))
    }
    if k < 0 { return }
    let isRefresh = k % T2 == 0 || (k < T2 && k % T1 == 0)
    for (b, block) in blocks.enumerated() where isRefresh || block.count == 1 { inUse[b] = G[b] }
    move(&step, blocks)
  }

  private mutating func move(_ step: inout ReferenceStep, _ blocks: [Block]) {
    let α = method.lr * step.schedule
    for p in M.indices {
      for i in M[p].indices {
        M[p][i] = method.momentum * M[p][i] + step.gradients[p][i]
        step.values[p][i] *= 1 - α * method.weightDecay
      }
    }
    for (block, G) in zip(blocks, inUse) {
      var damped = G
      for r in block.indices { damped[r][r] += method.damping }
      for (place, x) in zip(block, eliminate(damped, block.map { M[$0.p][$0.i] })) {
        step.values[place.p][place.i] -= α * x
      }
    }
  }

  private mutating func average(_ new: [Dense], keeping kept: Double) {
    for b in G.indices {
      for r in G[b].indices {
        for c in G[b].indices { G[b][r][c] = kept * G[b][r][c] + (1 - kept) * new[b][r][c] }
      }
    }
  }

  /// A block for each kernel, for each neuron with its bias, and for each other number.
  private func blocks(of parameters: [ParameterInfo]) -> [Block] {
    var blocks: [Block] = []
    var taken = Set<Int>()
    for (p, parameter) in parameters.enumerated() where parameter.role == .linearWeight {
      let bias = parameters.firstIndex { $0.role == .bias && $0.layer == parameter.layer && $0.layer != nil }
      for neuron in 0..<parameter.rows {
        blocks.append(
          (0..<parameter.columns).map { (p, neuron * parameter.columns + $0) }
            + (bias.map { [($0, neuron)] } ?? []))
      }
      taken.formUnion([p] + (bias.map { [$0] } ?? []))
    }
    for (p, parameter) in parameters.enumerated() where !taken.contains(p) {
      let taps = parameter.role == .convolutionWeight ? parameter.shape[2] * parameter.shape[3] : 1
      for first in stride(from: 0, to: parameter.count, by: taps) {
        blocks.append((first..<first + taps).map { (p, $0) })
      }
    }
    return blocks
  }

  /// The statistic of this batch for every block.
  private func statistics(_ step: ReferenceStep, _ blocks: [Block]) -> [Dense] {
    var rows = [step.gradients]
    if method.statistics != .mean { rows = samples(step) }
    var all = blocks.map { block in
      block.map { a in
        block.map { b in
          rows.reduce(0.0) { $0 + $1[a.p][a.i] * $1[b.p][b.i] } / Double(rows.count)
        }
      }
    }
    if method.dense == .shared { share(&all, blocks, step.parameters) }
    return all
  }

  /// Every neuron's block becomes the mean of those of its layer.
  private func share(_ all: inout [Dense], _ blocks: [Block], _ parameters: [ParameterInfo]) {
    for (p, parameter) in parameters.enumerated() where parameter.role == .linearWeight {
      let neurons = blocks.indices.filter { blocks[$0][0].p == p }
      let n = blocks[neurons[0]].count
      let mean = (0..<n).map { r in
        (0..<n).map { c in neurons.reduce(0.0) { $0 + all[$1][r][c] } / Double(parameter.rows) }
      }
      for b in neurons { all[b] = mean }
    }
  }

  /// The gradients of all parameters for every sample, scaled so that their mean is the gradient of the mean loss. A
  /// parameter without a layer has that of the mean for each.
  private func samples(_ step: ReferenceStep) -> [[[Double]]] {
    guard let layers = step.captures?.layers, let count = layers.first?.value.sampleCount else {
      return [step.gradients]
    }
    var samples = [[[Double]]](repeating: [], count: count)
    for (p, parameter) in step.parameters.enumerated() {
      guard let layer = parameter.layer, let capture = layers[layer] else {
        for n in 0..<count { samples[n].append(step.gradients[p]) }
        continue
      }
      let scale = Double(count) * capture.outputGradients.scaleToMean / capture.outputGradients.scaleToSum
      let isImproved = method.statistics == .improved
      let norms = isImproved ? naiveOutputNorms(step.objective.outputGradients!, samples: count) : []
      for (n, gradient) in naiveGradients(capture, parameter).enumerated() {
        samples[n].append(gradient.map { isImproved ? (norms[n] > 0 ? $0 / norms[n] : 0) : $0 * scale })
      }
    }
    return samples
  }
}
