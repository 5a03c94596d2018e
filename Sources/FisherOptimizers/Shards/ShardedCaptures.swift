public import FisherCurvature
public import FisherLinearAlgebra

/// What adds up numbers over the shards of a batch, in an order that depends on the shards alone.
public protocol ShardSums {
  /// The sum over all shards, for every rank.
  ///
  /// The numbers come in pieces, which need not be formed all before some are added up.
  ///
  /// - Parameters:
  ///   - own: how many shards this rank has.
  ///   - pieces: how many pieces the numbers of a shard have.
  ///   - append: appends a piece of a shard, equally many numbers in all shards of all ranks. Pieces are asked for in their
  ///     order.
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    own: Int, pieces: Int, _ append: (_ shard: Int, _ piece: Int, _ numbers: inout [Number]) -> Void
  ) throws(StepRefusal) -> [Number]
}

/// What passed through the layers, of this rank's shards of the batch: for whatever is a sum over samples. It is formed
/// shard by shard and added up, so that nobody gets the rows of other ranks' samples.
public struct ShardedCaptures<Scalar: KernelScalar> {
  public struct Shard {
    public let layers: [String: LayerCapture<Scalar>]
    /// The gradients by the network's outputs, if the step's needs asked for them.
    public let outputs: OutputGradients<Scalar>?

    public init(_ layers: [String: LayerCapture<Scalar>], outputs: OutputGradients<Scalar>? = nil) {
      self.layers = layers
      self.outputs = outputs
    }
  }

  /// This rank's shards, at least one.
  public let own: [Shard]
  /// The samples of the whole batch.
  public let samples: Int
  /// The terms of the mean loss of the whole batch.
  public let terms: Double
  private let sums: (any ShardSums)?

  /// Some shards of a batch.
  ///
  /// - Precondition: there is one, and all have the same layers.
  public init(own: [Shard], samples: Int, terms: Double, sums: any ShardSums) {
    (self.own, self.samples, self.terms, self.sums) = (own, samples, terms, sums)
  }

  /// A batch in one piece.
  public init(whole: Shard) {
    let layer = whole.layers.values.first
    (own, samples, terms, sums) = ([whole], layer?.sampleCount ?? 0, layer?.meanTerms ?? 0, nil)
  }

  /// There is one shard, the batch itself.
  public var isWhole: Bool { sums == nil }

  /// The layers, which are those of any shard.
  public var layers: [String: LayerCapture<Scalar>] { own[0].layers }

  /// The sum of what each shard of the batch, of whichever rank, adds.
  ///
  /// - Parameter form: equally many numbers of each shard.
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  public func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    _ form: (Shard) -> [Number]
  ) throws(StepRefusal) -> [Number] {
    guard let sums else { return form(own[0]) }
    return try sums.total(own: own.count, pieces: 1) { shard, _, numbers in numbers = form(own[shard]) }
  }

  /// The same in pieces: over a network one is added up while the next is formed.
  ///
  /// - Parameters:
  ///   - pieces: how many there are: the factors of all layers, say.
  ///   - append: appends one piece of a shard, equally many numbers for each shard.
  /// - Throws: ``StepRefusal`` if the ranks cannot go on.
  public func total<Number: BitwiseCopyable & AdditiveArithmetic & Sendable>(
    pieces: Int, _ append: (_ shard: Shard, _ piece: Int, _ numbers: inout [Number]) -> Void
  ) throws(StepRefusal) -> [Number] {
    if let sums {
      return try sums.total(own: own.count, pieces: pieces) { append(own[$0], $1, &$2) }
    }
    var numbers: [Number] = []
    for piece in 0..<pieces { append(own[0], piece, &numbers) }
    return numbers
  }
}
