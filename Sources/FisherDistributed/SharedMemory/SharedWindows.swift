import FisherRuntime

/// The ranks' windows as one of them sees them, all as long as the longest vector so far of any rank.
///
/// All ranks see the same lengths, so that they grow at the same place, when nobody reads or writes in them.
final class SharedWindows {
  private let segment: SharedSegment
  private let rank: Int
  /// The bytes of a window.
  private var length = 0
  /// Those that have been asked for.
  private var bases: [UnsafeMutableRawPointer?]

  /// Windows grow by steps, so that vectors of nearly one length share one.
  private static let grain = 1 << 16

  init(_ segment: SharedSegment, rank: Int) {
    self.segment = segment
    self.rank = rank
    bases = Array(repeating: nil, count: segment.ranks)
  }

  deinit { unmap() }

  private func unmap() {
    for base in bases { if let base { munmap(base, length) } }
    bases = Array(repeating: nil, count: segment.ranks)
  }

  /// This rank's window, with room for so many bytes, the most that a rank needs. What lay in the windows is lost.
  ///
  /// - Throws: ``CommunicationError`` if there is no memory.
  func own(most bytes: Int) throws(CommunicationError) -> UnsafeMutableRawPointer {
    if bytes > length {
      unmap()
      length = (bytes + Self.grain - 1) / Self.grain * Self.grain
      try segment.reserveWindow(of: rank, bytes: length)
    }
    return try window(of: rank)
  }

  /// A rank's window, when that rank has asked for it as its own.
  ///
  /// - Throws: ``CommunicationError``.
  func window(of owner: Int) throws(CommunicationError) -> UnsafeMutableRawPointer {
    if let base = bases[owner] { return base }
    let base = try segment.mapWindow(of: owner, bytes: length)
    bases[owner] = base
    return base
  }
}
