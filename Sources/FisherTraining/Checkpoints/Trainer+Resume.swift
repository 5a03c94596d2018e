import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers

extension Trainer {
  /// Goes back to where a checkpoint was written: the run continues with the same bits.
  ///
  /// The trainer must have been made like the one that wrote it: network, data, optimizer, options.
  ///
  /// - Throws: ``FileError`` if the checkpoint does not fit this network, element type, seed or data; then nothing has
  ///   changed.
  public func resume(from checkpoint: Checkpoint) throws(FileError) {
    guard checkpoint.file.metadata["seed"] == "\(options.seed)" else {
      throw FileError(
        checkpoint.path,
        "its seed is \(checkpoint.file.metadata["seed"] ?? "missing"), this run's \(options.seed)")
    }
    let progress = try TrainingProgress(checkpoint)
    guard progress.batch < stepsPerEpoch else {
      throw FileError(
        checkpoint.path, "it stops after step \(progress.batch) of an epoch, which has \(stepsPerEpoch) here")
    }
    let values = try restoredValues(checkpoint)
    let statistics = try restoredStatistics(checkpoint)
    let state = try restoredState(checkpoint)
    self.values = values
    workspace.statistics = statistics
    self.progress = progress
    driver.restore(state)
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
      values.append(value)
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
      result.append(stored)
    }
    return result
  }

  private func restoredState(_ checkpoint: Checkpoint) throws(FileError) -> OptimizerState<Scalar> {
    var tensors: [SlotKey: Matrix<Scalar>] = [:]
    for name in checkpoint.file.names where name.hasPrefix("state/") {
      guard let key = SlotKey(String(name.dropFirst("state/".count))),
        let shape = checkpoint.file.shape(name), shape.count == 2,
        let tensor = checkpoint.file.matrix(name, rows: shape[0], columns: shape[1], of: Scalar.self)
      else { throw FileError(checkpoint.path, "\(name) is no state of this element type") }
      tensors[key] = tensor
    }
    var scalars: [SlotKey: Double] = [:]
    for key in checkpoint.file.metadata.keys where key.hasPrefix("state/") {
      guard let slot = SlotKey(String(key.dropFirst("state/".count))) else { continue }
      scalars[slot] = try checkpoint.number(key)
    }
    return OptimizerState(tensors: tensors, scalars: scalars)
  }
}
