public import FisherLinearAlgebra
import FisherRuntime

extension Network {
  /// The outputs for any number of samples, as the network is tested: nothing is random, batch norms use their averages.
  ///
  /// - Parameters:
  ///   - inputs: a row a sample.
  ///   - values: the parameters, in the order of ``parameters``.
  ///   - statistics: running averages in the order of ``statisticNames``; nil for those of a network that has not learned.
  ///   - batch: the samples that pass at once. The outputs do not depend on it but for the rounding of products.
  ///   - backend: what carries out the linear algebra.
  ///   - threads: the most threads to use.
  /// - Returns: a row a sample: logits, say.
  public func predict(
    _ inputs: Matrix<Scalar>, with values: [Matrix<Scalar>], statistics: [Matrix<Scalar>]? = nil,
    batch: Int = 256, on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) -> Matrix<Scalar> {
    require(batch >= 1, "Network: a batch of \(batch)")
    let workspace = makeWorkspace(on: backend, threads: threads)
    if let statistics { workspace.statistics = statistics }
    var outputs: [Scalar] = []
    for first in stride(from: 0, to: inputs.rows, by: batch) {
      let rows = first..<min(inputs.rows, first + batch)
      workspace.forward(values, inputs[rows: rows, columns: 0...], mode: .evaluation)
      outputs += workspace.outputs.array
    }
    return Matrix(outputs, rows: inputs.rows, columns: output.count)
  }
}
