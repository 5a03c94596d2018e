import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

/// What the steps of an optimizer compute, one by one.
package enum CountedSteps {
  /// The flops of `count` steps in a row after `first` others, on data that are random and know everything.
  ///
  /// - Parameters:
  ///   - optimizer: at its settings.
  ///   - parameters: weights of linear layers without biases, each with the name of its layer.
  ///   - samples: in every batch.
  ///   - registry: where the optimizer stands.
  package static func flops(
    of optimizer: any Optimizer, from first: Int, count: Int, parameters: [ParameterInfo], samples: Int,
    registry: OptimizerRegistry
  ) throws -> [Double] {
    try FlopMeter.exclusively {
      var driver = try OptimizerDriver<Counted>(
        optimizer, parameters: parameters, registry: registry, backend: CountingBackend(), threads: 1)
      var generator = KeyedGenerator(7)
      func random(_ rows: Int, _ columns: Int) -> Matrix<Counted> {
        Matrix(rows: rows, columns: columns) { _, _ in Counted(generator.uniform()) }
      }
      let batch = RandomBatch.dense(parameters, samples: samples, outputs: 2).draw(&generator)
      var values = parameters.map { random($0.rows, $0.columns) }
      var counts: [Double] = []
      for t in 0..<first + count {
        var gradients = parameters.map { random($0.rows, $0.columns) }
        let audit = StepAudit { Counted.operations }
        _ = try driver.step(
          values: &values, gradients: &gradients,
          objective: batch.converted(to: Counted.self, needs: driver.needs), audit: audit)
        if t >= first { counts.append(Double(audit.flops)) }
      }
      return counts
    }
  }
}
