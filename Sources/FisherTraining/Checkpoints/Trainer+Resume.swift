import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

extension Trainer {
  /// Goes back to where a checkpoint was written: the run continues with the same bits.
  ///
  /// The trainer must have been made like the one that wrote it: network, data, optimizer, options other than those that
  /// say how long the run goes.
  ///
  /// - Throws: ``FileError`` with what the checkpoint has and what this run needs if it was not; then nothing has changed.
  public func resume(from checkpoint: Checkpoint) throws(FileError) {
    guard checkpoint.file.metadata["seed"] == "\(options.seed)" else {
      throw FileError(
        checkpoint.path,
        "its seed is \(checkpoint.file.metadata["seed"] ?? "missing"), this run's \(options.seed)")
    }
    let values = try restoredValues(checkpoint)
    let statistics = try restoredStatistics(checkpoint)
    try requireSameRun(checkpoint)
    let progress = try TrainingProgress(checkpoint)
    guard progress.batch < stepsPerEpoch else {
      throw FileError(
        checkpoint.path, "it stops after step \(progress.batch) of an epoch, which has \(stepsPerEpoch) here")
    }
    let state = try restoredState(checkpoint)
    guard state.stepCount == progress.epoch * stepsPerEpoch + progress.batch else {
      throw FileError(
        checkpoint.path,
        "\(state.stepCount) steps, where \(progress.epoch) epochs of \(stepsPerEpoch) and \(progress.batch) more "
          + "make \(progress.epoch * stepsPerEpoch + progress.batch)")
    }
    self.values = values
    workspace.statistics = statistics
    self.progress = progress
    driver.restore(state)
  }

  private func requireSameRun(_ checkpoint: Checkpoint) throws(FileError) {
    for (what, wanted) in identity.sorted(by: { $0.key < $1.key }) {
      let stored = checkpoint.file.metadata[Checkpoint.identityPrefix + what]
      if stored != wanted {
        throw FileError(checkpoint.path, "its \(what) is \(stored ?? "missing"), this run's \(wanted)")
      }
    }
  }

  private func restoredValues(_ checkpoint: Checkpoint) throws(FileError) -> [Matrix<Scalar>] {
    var values: [Matrix<Scalar>] = []
    for parameter in network.parameters {
      let name = "weights/" + parameter.name
      guard let shape = checkpoint.file.shape(name) else {
        throw FileError(checkpoint.path, "it has no \(name)")
      }
      guard shape == parameter.shape,
        let value = checkpoint.file.matrix(
          name, rows: parameter.rows, columns: parameter.columns, of: Scalar.self)
      else {
        throw FileError(
          checkpoint.path,
          "\(name) is \(shape) in \(checkpoint.file.tensors[name]?.type ?? ""), this run needs "
            + "\(parameter.shape) in \(Safetensors.type(Scalar.self))")
      }
      values.append(try finite(value, name, checkpoint))
    }
    let stored = checkpoint.file.names.filter { $0.hasPrefix("weights/") }
    guard stored.count == values.count else {
      throw FileError(checkpoint.path, "\(stored.count) weights, this network has \(values.count)")
    }
    return values
  }

  private func restoredStatistics(_ checkpoint: Checkpoint) throws(FileError) -> [Matrix<Scalar>] {
    var result: [Matrix<Scalar>] = []
    for (name, current) in zip(network.statisticNames, statistics) {
      guard
        let stored = checkpoint.file.matrix(
          "statistics/" + name, rows: 1, columns: current.columns, of: Scalar.self)
      else { throw FileError(checkpoint.path, "it has no statistics/\(name) of \(current.columns) numbers") }
      result.append(try finite(stored, "statistics/" + name, checkpoint))
    }
    return result
  }

  private func restoredState(_ checkpoint: Checkpoint) throws(FileError) -> OptimizerState<Scalar> {
    var tensors: [SlotKey: Matrix<Scalar>] = [:]
    for name in checkpoint.file.names where name.hasPrefix("state/") {
      guard let key = SlotKey(path: String(name.dropFirst("state/".count))),
        let shape = checkpoint.file.shape(name), shape.count == 2,
        let tensor = checkpoint.file.matrix(name, rows: shape[0], columns: shape[1], of: Scalar.self)
      else { throw FileError(checkpoint.path, "\(name) is no state of this element type") }
      tensors[key] = try finite(tensor, name, checkpoint)
    }
    var scalars: [SlotKey: Double] = [:]
    for key in checkpoint.file.metadata.keys where key.hasPrefix("state/") {
      guard let slot = SlotKey(path: String(key.dropFirst("state/".count))) else {
        throw FileError(checkpoint.path, "\(key) names no slot")
      }
      scalars[slot] = try checkpoint.number(key)
    }
    let steps = try checkpoint.integer("steps")
    return OptimizerState(
      tensors: tensors, scalars: scalars, averages: try restoredAverages(checkpoint, steps), stepCount: steps)
  }

  private func restoredAverages(
    _ checkpoint: Checkpoint, _ steps: Int
  ) throws(FileError) -> [String: Matrix<Scalar>] {
    var averages: [String: Matrix<Scalar>] = [:]
    if options.averaging == nil || steps == 0 { return averages }
    for parameter in network.parameters {
      let name = "averages/" + parameter.name
      guard
        let average = checkpoint.file.matrix(
          name, rows: parameter.rows, columns: parameter.columns, of: Scalar.self)
      else { throw FileError(checkpoint.path, "it has no \(name) of \(parameter.rows)×\(parameter.columns)") }
      averages[parameter.name] = try finite(average, name, checkpoint)
    }
    return averages
  }

  private func finite(
    _ matrix: Matrix<Scalar>, _ name: String, _ checkpoint: Checkpoint
  ) throws(FileError) -> Matrix<Scalar> {
    guard matrix.array.allSatisfy(\.isFinite) else {
      throw FileError(checkpoint.path, "\(name) holds numbers that are not finite")
    }
    return matrix
  }
}
