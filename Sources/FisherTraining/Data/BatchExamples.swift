import FisherLinearAlgebra

/// The examples of a batch before they are read or made: a rank wants those of its shards alone.
package struct BatchExamples: Sendable {
  package let count: Int
  private let origin: Origin

  private enum Origin {
    /// Places in data that are in memory.
    case places([Int], BatchSource, epoch: Int?)
    /// A stream that makes any part of a batch.
    case parts(BatchStream, number: Int, epoch: Int)
  }

  init(places: [Int], of source: BatchSource, augmenting epoch: Int?) {
    count = places.count
    origin = .places(places, source, epoch: epoch)
  }

  /// A stream that does not know how many examples a batch has makes them all.
  init(_ number: Int, of stream: BatchStream, epoch: Int) {
    if let samples = stream.samples {
      count = samples
      origin = .parts(stream, number: number, epoch: epoch)
      return
    }
    let examples = stream.examples(epoch: epoch, number)
    count = examples.count
    origin = .places(Array(0..<examples.count), Self.plain(examples), epoch: nil)
  }

  /// Some of the examples, augmented if it is so.
  ///
  /// - Throws: ``FileError`` if they lie in a file that cannot be read, or has changed since it was opened.
  package func batch<S: KernelScalar>(_ range: Range<Int>, as _: S.Type) throws(FileError) -> Batch<S> {
    switch origin {
    case .places(let places, let source, let epoch):
      return try source.batch(Array(places[range]), augmenting: epoch)
    case .parts(let stream, let number, let epoch):
      return try Self.plain(stream.examples(epoch: epoch, number, range)).batch(0, as: S.self)
    }
  }

  /// Nothing normalises, shuffles or augments what a stream makes.
  private static func plain(_ examples: Dataset) -> BatchSource {
    BatchSource(examples, batchSize: examples.count, normalization: nil)
  }
}
