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
    let draw = distribution(initial)
    return Matrix((0..<info.count).map { S(draw(stream, $0)) }, rows: info.rows, columns: info.columns)
  }

  private func distribution(_ initial: InitialValue) -> (RandomStream, Int) -> Double {
    func uniform(_ bound: Double) -> (RandomStream, Int) -> Double {
      { stream, i in bound * (2 * stream.unit(i) - 1) }
    }
    switch (initial, self) {
    case (.constant(let value), _): return { _, _ in value }
    case (.normal(let deviation), _): return { stream, i in deviation * stream.normal(i) }
    case (.weight(let fanIn, _), .pytorch): return uniform(1 / Double(fanIn).squareRoot())
    case (.weight(let fanIn, _), .kaiming):
      let deviation = (2 / Double(fanIn)).squareRoot()
      return { stream, i in deviation * stream.normal(i) }
    case (.weight(let fanIn, let fanOut), .xavier): return uniform((6 / Double(fanIn + fanOut)).squareRoot())
    case (.bias(let fanIn), .pytorch): return uniform(1 / Double(fanIn).squareRoot())
    case (.bias, _): return { _, _ in 0 }
    }
  }
}
