import FisherRuntime

extension SharedMemoryCommunicator {
  /// The ranks of another communicator, sharing memory; nil if they are not all on this machine.
  ///
  /// - Throws: ``CommunicationError``.
  package static func sharing(
    with other: any Communicator
  ) throws(CommunicationError) -> SharedMemoryCommunicator? {
    var place = [0, 0]
    let own = other.rank == 0 ? try SharedSegment(ranks: other.size, slotBytes: slotBytes) : nil
    if let own { place = [Int(getpid()), Int(own.descriptor)] }
    try other.broadcast(&place)
    let opened = own == nil ? open("/proc/\(place[0])/fd/\(place[1])", O_RDWR | O_CLOEXEC) : 0
    let isMissing = try other.allGather([opened < 0 ? 1 : 0]).contains(1)
    if isMissing {
      if own == nil && opened >= 0 { close(opened) }
      return nil
    }
    if let own { return SharedMemoryCommunicator(own, rank: 0) }
    let segment = try SharedSegment(descriptor: opened, ranks: other.size, slotBytes: slotBytes)
    return SharedMemoryCommunicator(segment, rank: other.rank)
  }
}
