import FisherLinearAlgebra
import FisherOptimizers
import Foundation

extension Trainer {
  /// Writes the run into a directory, which is made if need be: `checkpoint.safetensors` to resume from, and
  /// `weights.safetensors` with the tested weights under their names and shapes, for other programs.
  ///
  /// - Parameters:
  ///   - directory: its path.
  ///   - configuration: texts to be stored with the run; ``Checkpoint/configuration`` gives them back.
  /// - Throws: ``FileError``; then the old files are whole.
  public func save(to directory: String, configuration: [String: String] = [:]) throws(FileError) {
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch { throw FileError(directory, "cannot be made a directory") }
    try weightsFile().write(to: directory + "/" + Checkpoint.weightsName)
    try FileBytes.replace(
      directory + "/" + Checkpoint.name, with: Checksum.sealed(checkpointFile(configuration)))
  }

  private func weightsFile() -> Safetensors {
    var file = Safetensors()
    for (parameter, value) in zip(network.parameters, testedValues) {
      file.set(parameter.name, value, shape: parameter.shape)
    }
    for (name, value) in zip(network.statisticNames, statistics) {
      file.set(name, value, shape: [value.count])
    }
    file.metadata = ["format": "fisher-weights 1", "step": "\(driver.stepCount)"]
    return file
  }

  private func checkpointFile(_ configuration: [String: String]) -> Safetensors {
    var file = Safetensors()
    for (parameter, value) in zip(network.parameters, values) {
      file.set("weights/" + parameter.name, value, shape: parameter.shape)
    }
    for (name, value) in zip(network.statisticNames, statistics) { file.set("statistics/" + name, value) }
    let state = driver.state
    for (key, tensor) in state.tensors { file.set("state/" + key.path, tensor) }
    for (key, number) in state.scalars { file.metadata["state/" + key.path] = Checkpoint.text(number) }
    for (name, average) in state.averages { file.set("averages/" + name, average) }
    file.metadata["steps"] = "\(state.stepCount)"
    for (what, text) in identity { file.metadata[Checkpoint.identityPrefix + what] = text }
    for (key, text) in configuration { file.metadata["configuration." + key] = text }
    for (event, count) in progress.events { file.metadata["event." + event] = "\(count)" }
    file.metadata.merge(progress.metadata) { $1 }
    file.metadata["format"] = Checkpoint.format
    file.metadata["seed"] = "\(options.seed)"
    return file
  }
}

extension TrainingProgress {
  var metadata: [String: String] {
    var texts = [
      "epoch": "\(epoch)", "batch": "\(batch)", "lossSum": Checkpoint.text(lossSum),
      "lossTerms": Checkpoint.text(lossTerms),
      "bestTestLoss": Checkpoint.text(bestTestLoss), "epochsSinceBest": "\(epochsSinceBest)",
      "seconds": Checkpoint.text(seconds),
    ]
    texts["trainLoss"] = trainLoss.map(Checkpoint.text)
    texts["testLoss"] = testLoss.map(Checkpoint.text)
    texts["bestTestAccuracy"] = bestTestAccuracy.map(Checkpoint.text)
    return texts
  }

  init(_ checkpoint: Checkpoint) throws(FileError) {
    epoch = try checkpoint.integer("epoch")
    batch = try checkpoint.integer("batch")
    lossSum = try checkpoint.number("lossSum")
    lossTerms = try checkpoint.number("lossTerms")
    bestTestLoss = try checkpoint.number("bestTestLoss")
    epochsSinceBest = try checkpoint.integer("epochsSinceBest")
    seconds = try checkpoint.number("seconds")
    if epoch > 0 {
      trainLoss = try checkpoint.number("trainLoss")
      testLoss = try checkpoint.number("testLoss")
    }
    for (what, number) in [("lossSum", lossSum), ("lossTerms", lossTerms), ("seconds", seconds)] {
      guard number.isFinite else { throw FileError(checkpoint.path, "\(what) is \(number)") }
    }
    if checkpoint.file.metadata["bestTestAccuracy"] != nil {
      bestTestAccuracy = try checkpoint.number("bestTestAccuracy")
    }
    for key in checkpoint.file.metadata.keys where key.hasPrefix("event.") {
      events[String(key.dropFirst("event.".count))] = try checkpoint.integer(key)
    }
  }
}
