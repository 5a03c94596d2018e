/// The shapes of the map: products whose three sizes are at most 32.
package enum SmallShapes {
  /// The greatest size.
  package static let most = 32
  /// The side of a block of shapes of which the sample has one.
  package static let sampleWidth = 4

  /// One shape of each block of `width`³ shapes, chosen by a fixed seed; every shape if `width` is 1.
  ///
  /// - Precondition: `width` divides ``most``.
  package static func shapes(width: Int) -> [Shape] {
    precondition(width > 0 && most % width == 0, "shapes: blocks of \(width) in \(most)")
    var state: UInt64 = 15
    func place(_ block: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return block * width + 1 + Int(state >> 33) % width
    }
    let blocks = 0..<most / width
    return blocks.flatMap { m in
      blocks.flatMap { n in blocks.map { k in Shape(place(m), place(n), place(k)) } }
    }
  }
}
