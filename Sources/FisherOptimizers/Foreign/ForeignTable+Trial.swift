import FisherCurvature
import FisherLinearAlgebra

extension ForeignTable {
  /// Takes one step of the reference on a small layer: what cannot even do that is not loaded.
  ///
  /// - Throws: ``PluginError``.
  func tryReference(from path: String) throws(PluginError) {
    guard let settings = try? Settings(record) else { return }
    let all = [
      ParameterInfo(name: "layers.0.weight", shape: [2, 3], role: .linearWeight, layer: "layers.0"),
      ParameterInfo(name: "layers.0.bias", shape: [2], role: .bias, layer: "layers.0"),
    ]
    let parameters = all.filter { record.roles.contains($0.role) }
    func numbers(_ count: Int, _ factor: Int) -> [Double] {
      (0..<count).map { Double(($0 * factor + 2) % 7 - 3) / 4 }
    }
    let layer = LayerCapture(
      kind: .linear(hasBias: true), inputs: Matrix(numbers(6, 3), rows: 2, columns: 3),
      outputGradients: .ofMean(Matrix(numbers(4, 5), rows: 2, columns: 2), terms: 2), sampleCount: 2)
    var step = ReferenceStep(
      parameters: parameters, values: parameters.map { numbers($0.count, 2) },
      gradients: parameters.map { numbers($0.count, 4) },
      objective: PlainObjective(
        sampleCount: 2, captures: Captures(["layers.0": layer]), outputGradients: layer.outputGradients,
        sampled: Captures(["layers.0": layer])))
    var reference = ForeignReference(settings: settings, table: self)
    let status = reference.call(&step)
    if status != 0 {
      throw .invalid(
        path: path, optimizer: record.name, reason: "its reference fails with its defaults: \(status)")
    }
  }
}
