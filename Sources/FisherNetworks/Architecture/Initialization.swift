import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// How the weights of a network begin. Biases and norms are not concerned except where said.
public enum Initialization: String, Sendable, Hashable, CaseIterable {
  /// PyTorch's default: weights and biases uniform in ±1/√fanIn.
  case pytorch
  /// He et al. 2015, eq. 10: normal with variance 2/fanIn; biases 0.
  case kaiming
  /// Glorot and Bengio 2010, eq. 16: uniform in ±√(6/(fanIn + fanOut)); biases 0.
  case xavier
}

/// What a parameter begins with, apart from the ``Initialization`` chosen.
enum InitialValue: Sendable, Hashable {
  case weight(fanIn: Int, fanOut: Int)
  case bias(fanIn: Int)
  case constant(Double)
  case normal(deviation: Double)
}

extension Initialization {
  /// The first values of a parameter, from a sequence of its own.
  @specialized(where S == Float) @specialized(where S == Double)
  func values<S: KernelScalar>(
    _ info: ParameterInfo, _ initial: InitialValue, _ stream: RandomStream
  ) -> Matrix<S> {
    let (count, distribution) = (info.count, distribution(initial))
    let values = [S](unsafeUninitializedCapacity: count) { values, written in
      written = count
      guard let x = values.baseAddress else { return }
      switch distribution {
      case .constant(let value): values.initialize(repeating: S(value))
      case .uniform(let bound):
        for i in 0..<count { x[i] = S(bound * (2 * stream.unit(i) - 1)) }
      case .normal(let deviation): stream.writeNormals(0..<count, times: deviation, to: x)
      }
    }
    return Matrix(values, rows: info.rows, columns: info.columns)
  }

  private enum Distribution {
    case constant(Double)
    /// In [−bound, bound).
    case uniform(bound: Double)
    case normal(deviation: Double)
  }

  private func distribution(_ initial: InitialValue) -> Distribution {
    switch (initial, self) {
    case (.constant(let value), _): .constant(value)
    case (.normal(let deviation), _): .normal(deviation: deviation)
    case (.weight(let fanIn, _), .pytorch): .uniform(bound: 1 / Double(fanIn).squareRoot())
    case (.weight(let fanIn, _), .kaiming): .normal(deviation: (2 / Double(fanIn)).squareRoot())
    case (.weight(let fanIn, let fanOut), .xavier):
      .uniform(bound: (6 / Double(fanIn + fanOut)).squareRoot())
    case (.bias(let fanIn), .pytorch): .uniform(bound: 1 / Double(fanIn).squareRoot())
    case (.bias, _): .constant(0)
    }
  }
}
