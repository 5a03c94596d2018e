extension MutableSpan where Element: BitwiseCopyable {
  /// Copies all of `source` to the elements from `place` on.
  ///
  /// - Precondition: there are as many.
  package mutating func copy(_ source: Span<Element>, at place: Int = 0) {
    require(
      place >= 0 && place <= count - source.count,
      "copy: \(source.count) elements to the place \(place) of \(count)")
    source.withUnsafeBufferPointer { source in
      withUnsafeMutableBufferPointer { target in
        if let from = source.baseAddress, let to = target.baseAddress {
          (to + place).update(from: from, count: source.count)
        }
      }
    }
  }
}

extension Array where Element: BitwiseCopyable {
  /// The elements of a span.
  package init(copying source: Span<Element>) {
    self.init(unsafeUninitializedCapacity: source.count) { target, count in
      source.withUnsafeBufferPointer { count = target.initialize(fromContentsOf: $0) }
    }
  }
}
