public import FisherLinearAlgebra
import FisherRuntime

extension LayerCapture {
  /// A ← β·A + (1 − β)·Σ h·hᵀ/M: the running average of the input factor, in the lower triangle alone.
  ///
  /// Rows h end with a 1 if the bias is among the parameters; it is not joined to them, its row of A is a sum of columns.
  ///
  /// - Parameters:
  ///   - A: n × n, where n counts the inputs of the weight, and 1 more for the bias.
  ///   - β: how much of A stays, from 0 to 1; with 0, A is not read.
  ///   - parameters: those that the factor is for.
  ///   - sharing: how positions enter.
  ///   - share: the capture's part of the batch whose factor this is: what is added is multiplied by it.
  ///   - backend: what carries it out.
  ///   - threads: the most threads to use.
  /// - Precondition: the layer is linear or a convolution.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func averageInputFactor(
    _ A: inout Matrix<Scalar>, keeping β: Double, of parameters: LayerParameters = .all,
    sharing: WeightSharing = .expand, share: Double = 1, on backend: any Backend = NativeBackend(),
    threads: Int = Threads.available
  ) {
    let n = parameters.contains(.weight) ? weightColumns : 0
    let order = n + (parameters.contains(.bias) ? 1 : 0)
    require(
      A.rows == order && A.columns == order,
      "LayerCapture: an input factor of \(A.rows)×\(A.columns) for \(order) inputs")
    let α = share * (1 - β) / (meanTerms * Double(groups))
    var kept = β
    for part in chunks {
      let rows = part.factorInputs(sharing, on: backend, threads: threads)
      if n > 0 {
        syrk(
          alpha: Scalar(α), rows.transposed, beta: Scalar(kept), into: &A[rows: 0..<n, columns: 0..<n],
          on: backend, threads: threads)
      }
      if order > n {
        let sums = n > 0 ? ColumnSums.plain(rows, threads: threads) : []
        for (j, sum) in (sums + [Double(rows.rows)]).enumerated() {
          A[n, j] = Scalar((kept == 0 ? 0 : kept * Double(A[n, j])) + α * sum)
        }
      }
      kept = 1
    }
  }

  /// G ← β·G + (1 − β)·(mean of d·dᵀ): the running average of the output factor, in the lower triangle alone.
  ///
  /// - Parameters:
  ///   - G: of as many rows and columns as the layer has outputs.
  ///   - β: how much of G stays, from 0 to 1; with 0, G is not read.
  ///   - sharing: how positions enter.
  ///   - share: the capture's part of the batch whose factor this is: what is added is multiplied by it.
  ///   - backend: what carries it out.
  ///   - threads: the most threads to use.
  /// - Precondition: the layer is linear or a convolution.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  public func averageOutputFactor(
    _ G: inout Matrix<Scalar>, keeping β: Double, sharing: WeightSharing = .expand, share: Double = 1,
    on backend: any Backend = NativeBackend(), threads: Int = Threads.available
  ) {
    let rows = factorOutputs(sharing)
    require(
      hasFactors && G.rows == rows.columns && G.columns == rows.columns,
      "LayerCapture: an output factor of \(G.rows)×\(G.columns) for \(rows.columns) outputs")
    let scale = outputGradients.scaleToSum
    syrk(
      alpha: Scalar(share * (1 - β) * scale * scale / Double(rows.rows)), rows.transposed, beta: Scalar(β),
      into: &G,
      on: backend, threads: threads)
  }

  /// Elements of the patches that are copied at a time: 64 MB of `Float`.
  private static var most: Int { 1 << 24 }

  /// The samples in pieces whose rows are few enough to be copied; all of them where nothing is copied.
  private var chunks: [LayerCapture] {
    guard case .convolution(let shape, _) = kind else { return [self] }
    let size = max(1, Self.most / (shape.groups * shape.positions * max(1, shape.patchSize)))
    return stride(from: 0, to: sampleCount, by: size).map {
      samples($0..<min(sampleCount, $0 + size))
    }
  }
}
