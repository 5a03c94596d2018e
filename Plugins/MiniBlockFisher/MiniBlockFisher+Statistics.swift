import FisherCurvature
import FisherLinearAlgebra
import FisherOptimizers

extension MiniBlockFisher {
  /// Ĝ ← kept·Ĝ + (1 − kept)·(the statistic of this batch).
  ///
  /// From the gradient of the mean loss that is D·Dᵀ; from samples it is the mean of their products. A parameter without
  /// a layer has no samples' gradients and uses the mean's.
  func updateStatistics<S: KernelScalar>(
    of group: BlockGroup, _ gradient: JoinedGradient<S>, _ timetable: Timetable, _ step: inout Step<S>
  ) throws(StepRefusal) {
    let kept = timetable.kept
    if statistics != .mean, let layer = group.weight.layer {
      let capture = try step.objective.samples(
        of: layer, improved: statistics == .improved, for: Self.record.name)
      averageSamples(capture, of: group, keeping: kept, &step)
    } else if group.form == .shared {
      averageShared(gradient, of: group, timetable, &step)
    } else {
      var average = BlockAverage(of: group, keeping: kept, in: &step)
      average.add(gradient.joined, samples: 1, times: 1 - kept)
      step.set("G", of: group.owner, to: average.G)
    }
  }

  /// From the gradients of all samples, of which some are formed at a time.
  private func averageSamples<S: KernelScalar>(
    _ capture: LayerCapture<S>, of group: BlockGroup, keeping kept: Double, _ step: inout Step<S>
  ) {
    // Sample by sample the gradients whose mean is that of the mean loss; improved ones have no scale.
    let (gradients, m) = (capture.outputGradients, Double(capture.sampleCount))
    let scale = statistics == .improved ? gradients.scaleToSum : gradients.scaleToMean * m
    let share = (1 - kept) * scale * scale / m
    let parameters = group.bias == nil ? LayerParameters(group.weight.role) : .all
    var average = BlockAverage(of: group, keeping: kept, in: &step)
    if group.form == .shared, let H = capture.weightedInputs(of: parameters) {
      average.add(H, samples: capture.sampleCount, times: share)
    } else {
      capture.forEachFormed(
        of: parameters, rows: group.rows, columns: group.columns, on: step.backend, threads: step.threads
      ) { vectors, samples in
        average.add(vectors, samples: samples.count, times: share)
      }
    }
    step.set("G", of: group.owner, to: average.G)
  }

  /// From the mean's gradient, for the block that all neurons of a layer share.
  private func averageShared<S: KernelScalar>(
    _ gradient: JoinedGradient<S>, of group: BlockGroup, _ timetable: Timetable, _ step: inout Step<S>
  ) {
    let (α, β) = (S((1 - timetable.kept) / Double(group.rows)), S(timetable.kept))
    let (owner, backend, threads) = (group.owner, step.backend, step.threads)
    func add(to G: inout Matrix<S>) {
      gradient.addGram(to: &G, alpha: α, beta: β, on: backend, threads: threads)
    }
    // In most steps nobody reads this large block.
    if !timetable.refreshesInverses, let G = step.tensor("G", of: owner),
      gradient.gramStaysFinite(G, alpha: α, beta: β)
    {
      step.change("G", of: owner, add)
    } else {
      step.average("G", of: owner, order: group.columns, addsSquares: true, add)
    }
  }
}
