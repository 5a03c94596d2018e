import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension MiniBlockFisher {
  /// Elements of the samples' gradients that are formed at a time: 16 MB of `Float`.
  static var most: Int { 1 << 22 }

  /// Ĝ ← kept·Ĝ + (1 − kept)·(the statistic of this batch).
  ///
  /// From the gradient of the mean loss that is D·Dᵀ; from samples it is the mean of their products. A parameter without
  /// a layer has no samples' gradients and uses the mean's.
  func updateStatistics<S: KernelScalar>(
    of group: BlockGroup, _ pass: JoinedGradient<S>, _ timetable: Timetable, _ step: inout Step<S>
  ) throws(StepRefusal) {
    let kept = timetable.kept
    if statistics != .mean, let layer = group.weight.layer {
      let capture = try capture(of: layer, step)
      var G = step.memory(for: "G", of: group)
      addSamples(capture, of: group, keeping: kept, to: &G, step)
      step.set("G", of: group.owner, to: G)
    } else if group.form == .shared {
      let update = SharedBlockUpdate(
        pass: pass, α: S((1 - kept) / Double(group.rows)), β: S(kept), backend: step.backend,
        threads: step.threads)
      // In most steps nobody reads this large block.
      if !timetable.refreshesInverses, let G = step.tensor("G", of: group.owner), update.keepsFinite(G) {
        step.change("G", of: group.owner) { update(&$0) }
      } else {
        var G = step.memory(for: "G", of: group)
        copy(step.tensor("G", of: group.owner) ?? group.zeroStatistics(), into: &G, on: step.backend)
        update(&G)
        step.set("G", of: group.owner, to: G)
      }
    } else {
      var G = step.memory(for: "G", of: group)
      let D = group.vectors(step.gradient(group.weight), group.bias.map(step.gradient))
      add(D, samples: 1, of: group, alpha: 1 - kept, beta: kept, to: &G, isFirst: true, step)
      step.set("G", of: group.owner, to: G)
    }
  }

  private func capture<S: KernelScalar>(
    of layer: String, _ step: borrowing Step<S>
  ) throws(StepRefusal) -> LayerCapture<S> {
    guard let captures = step.objective.captures else {
      throw .unavailable(optimizer: Self.record.name, what: Needs.captures.description)
    }
    guard let capture = captures.layers[layer] else {
      throw .failed(optimizer: Self.record.name, place: "layer \(layer)", reason: "it has no captures")
    }
    if capture.mixesSamples {
      throw .failed(
        optimizer: Self.record.name, place: "layer \(layer)",
        reason: SamplesAreMixed(layer: layer).description)
    }
    if statistics == .perSample { return capture }
    guard let outputs = step.objective.outputGradients else {
      throw .unavailable(optimizer: Self.record.name, what: Needs.logitGradients.description)
    }
    return Captures<S, Empirical>([layer: capture]).improved(by: outputs).layers[layer] ?? capture
  }

  /// The same with the gradients of all samples, of which some are formed at a time.
  private func addSamples<S: KernelScalar>(
    _ capture: LayerCapture<S>, of group: BlockGroup, keeping kept: Double, to G: inout Matrix<S>,
    _ step: borrowing Step<S>
  ) {
    // Sample by sample the gradients whose mean is that of the mean loss; improved ones have no scale.
    let m = Double(capture.sampleCount)
    let isImproved = statistics == .improved
    let scale = isImproved ? capture.outputGradients.scaleToSum : capture.outputGradients.scaleToMean * m
    let share = (1 - kept) * scale * scale / m
    if case .linear = capture.kind, group.form == .shared, capture.positions == 1 {
      let H = weightedInputs(capture, group)
      copy(step.tensor("G", of: group.owner) ?? group.zeroStatistics(), into: &G, on: step.backend)
      syrk(
        alpha: S(share / Double(group.rows)), H.transposed, beta: S(kept), into: &G, on: step.backend,
        threads: step.threads)
      return
    }
    let part: LayerParameters =
      group.weight.role == .bias || group.weight.role == .normShift ? .bias : .weight
    let chunk = max(1, Self.most / max(1, group.rows * group.columns))
    for first in stride(from: 0, to: capture.sampleCount, by: chunk) {
      let some = capture.samples(first..<min(capture.sampleCount, first + chunk))
      let weight = some.formedGradients(of: part, on: step.backend, threads: step.threads)
      let bias =
        group.bias == nil
        ? nil : some.formedGradients(of: .bias, on: step.backend, threads: step.threads)
      add(
        group.vectors(weight, bias), samples: some.sampleCount, of: group, alpha: share,
        beta: first == 0 ? kept : 1, to: &G, isFirst: first == 0, step)
    }
  }

  /// Rows h·‖g‖: the average over all neurons of their products is a product of these.
  private func weightedInputs<S: KernelScalar>(_ capture: LayerCapture<S>, _ group: BlockGroup) -> Matrix<S> {
    let ones = Matrix<S>(repeating: 1, rows: capture.inputs.rows, columns: 1)
    var H = group.vectors(capture.inputs, group.bias == nil ? nil : ones).compacted()
    let g = capture.outputGradients.values.compacted()
    let (width, outputs) = (H.columns, g.columns)
    g.withSpan { g in
      H.withMutableSpan { H in
        for i in 0..<capture.inputs.rows {
          var sum = 0.0
          for o in i * outputs..<(i + 1) * outputs { sum += Double(g[o]) * Double(g[o]) }
          let norm = S(sum.squareRoot())
          for j in i * width..<(i + 1) * width { H[j] *= norm }
        }
      }
    }
    return H
  }

  /// Ĝ ← β·Ĝ + α·Σₛ (the products of the vectors of sample s), from the step's old Ĝ if these are the first ones.
  private func add<S: KernelScalar>(
    _ vectors: Matrix<S>, samples: Int, of group: BlockGroup, alpha: Double, beta: Double,
    to G: inout Matrix<S>, isFirst: Bool, _ step: borrowing Step<S>
  ) {
    if group.form == .rankOne { return G = vectors }
    let old = isFirst ? step.tensor("G", of: group.owner) ?? group.zeroStatistics() : nil
    if group.form == .separate {
      let memory = G
      G = Matrix(rows: 0, columns: 0)
      var blocks = group.blocks(overwriting: memory)
      blocks.addOuterProducts(
        ofSamples: MatrixStack(splitting: vectors, count: samples), alpha: S(alpha), beta: S(beta),
        to: old.map { group.blocks($0) }, on: step.backend, threads: step.threads)
      return G = blocks.elements
    }
    if let old { copy(old, into: &G, on: step.backend) }
    if group.form == .shared {
      syrk(
        alpha: S(alpha / Double(group.rows)), vectors.transposed, beta: S(beta), into: &G, on: step.backend,
        threads: step.threads)
    } else {
      addSquares(vectors, alpha: S(alpha), beta: S(beta), to: &G)
    }
  }
}

/// Ĝ ← β·Ĝ + α·Σₛ x²ₛ, element by element, over samples one after the other.
private func addSquares<S: KernelScalar>(_ samples: Matrix<S>, alpha: S, beta: S, to G: inout Matrix<S>) {
  samples.withSpan { x in
    G.withMutableSpan { G in
      let n = G.count
      for i in 0..<n { G[i] = beta == 0 ? 0 : beta * G[i] }
      for start in stride(from: 0, to: n == 0 ? 0 : x.count, by: n) {
        for i in 0..<n { G[i] += alpha * x[start + i] * x[start + i] }
      }
    }
  }
}
