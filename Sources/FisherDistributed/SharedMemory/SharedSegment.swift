import FisherRuntime
import Synchronization

/// Memory that the ranks of one machine share: a counter, two slots of bytes, and a window for each.
///
/// Nobody else can open it: it has no name, and the others inherit the open file. The windows lie behind all else, and the
/// file grows with them.
final class SharedSegment: Sendable {
  let ranks: Int
  /// The bytes of a slot.
  let slotBytes: Int
  let descriptor: Int32
  // The mapping belongs to this object; the words in it are atomic, and slots are written by one rank at a time.
  nonisolated(unsafe) private let base: UnsafeMutableRawPointer

  /// Counters lie on lines of their own: others' writes beside one would disturb those who watch it.
  private static let line = 128

  private static func headBytes(_ ranks: Int) -> Int { ((ranks + 2) * line + 4095) / 4096 * 4096 }

  /// What all ranks have from the start: counters and slots.
  private static func startBytes(_ ranks: Int, _ slotBytes: Int) -> Int {
    (headBytes(ranks) + 2 * ranks * slotBytes + 65535) / 65536 * 65536
  }

  /// New memory, all zeros.
  ///
  /// - Throws: ``CommunicationError``.
  convenience init(ranks: Int, slotBytes: Int) throws(CommunicationError) {
    try self.init(file: Self.anonymousFile(), isNew: true, ranks, slotBytes)
  }

  /// Memory that another process has made, by its inherited descriptor.
  ///
  /// - Throws: ``CommunicationError`` if it is not of that size.
  convenience init(descriptor: Int32, ranks: Int, slotBytes: Int) throws(CommunicationError) {
    try self.init(file: descriptor, isNew: false, ranks, slotBytes)
  }

  private init(file: Int32, isNew: Bool, _ ranks: Int, _ slotBytes: Int) throws(CommunicationError) {
    descriptor = file
    self.ranks = ranks
    self.slotBytes = slotBytes
    let bytes = Self.startBytes(ranks, slotBytes)
    if isNew {
      do { try Self.reserve(file, 0, bytes, of: bytes) } catch {
        close(file)
        throw error
      }
    } else {
      var status = stat()
      if fstat(file, &status) != 0 || Int(status.st_size) < bytes {
        throw .system(what: "shared memory", reason: "descriptor \(file) is no segment of \(bytes) bytes")
      }
    }
    base = try Self.map(file, 0, bytes)
  }

  deinit {
    munmap(base, Self.startBytes(ranks, slotBytes))
    close(descriptor)
  }

  private func word(_ line: Int) -> UnsafeMutablePointer<Atomic<UInt>> {
    (base + line * Self.line).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  /// The rounds that a rank has written its bytes for; what was written before is seen by those who see the number.
  func rounds(of rank: Int) -> UInt { word(rank + 1).pointee.load(ordering: .acquiring) }
  func publish(rounds: UInt, of rank: Int) { word(rank + 1).pointee.store(rounds, ordering: .releasing) }

  /// The rank that has said why all must end.
  var failedRank: Int? {
    let word = word(0).pointee.load(ordering: .acquiring)
    return word == 0 ? nil : Int(word) - 1
  }

  /// - Returns: whether the rank is the first to say so.
  func claimFailure(_ rank: Int) -> Bool {
    word(0).pointee.compareExchange(expected: 0, desired: UInt(rank + 1), ordering: .acquiringAndReleasing)
      .exchanged
  }

  /// The round in which some rank had no memory for its window; nil if all had some so far.
  var roundWithoutWindow: UInt? {
    let round = word(ranks + 1).pointee.load(ordering: .acquiring)
    return round == 0 ? nil : round
  }
  func denyWindows(in round: UInt) {
    _ = word(ranks + 1).pointee.compareExchange(expected: 0, desired: round, ordering: .acquiringAndReleasing)
  }

  /// A rank's bytes of a round. Those of the next round lie elsewhere, so that late readers are not disturbed.
  func slot(of rank: Int, round: UInt) -> UnsafeMutableRawPointer {
    base + Self.headBytes(ranks) + (2 * rank + Int(round & 1)) * slotBytes
  }

  private func windowStart(of rank: Int, _ bytes: Int) -> Int {
    Self.startBytes(ranks, slotBytes) + rank * bytes
  }

  /// Sees to it that there is memory for a rank's window, where all have so many bytes.
  ///
  /// - Throws: ``CommunicationError``.
  func reserveWindow(of rank: Int, bytes: Int) throws(CommunicationError) {
    try Self.reserve(descriptor, windowStart(of: rank, bytes), bytes, of: windowStart(of: ranks, bytes))
  }

  /// A rank's window, which it has reserved; the caller unmaps it.
  ///
  /// - Throws: ``CommunicationError``.
  func mapWindow(of rank: Int, bytes: Int) throws(CommunicationError) -> UnsafeMutableRawPointer {
    try Self.map(descriptor, windowStart(of: rank, bytes), bytes)
  }

  private static func map(
    _ descriptor: Int32, _ start: Int, _ bytes: Int
  ) throws(CommunicationError) -> UnsafeMutableRawPointer {
    #if canImport(Darwin)
      let flags = MAP_SHARED
    #else
      // All pages at once, not one by one when they are met.
      let flags = MAP_SHARED | MAP_POPULATE
    #endif
    let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, descriptor, off_t(start))
    guard let base, base != MAP_FAILED else { throw failure("\(bytes) bytes of shared memory") }
    return base
  }

  private static func failure(_ what: String, _ error: Int32 = errno) -> CommunicationError {
    .system(what: what, reason: String(cString: strerror(error)))
  }

  /// A file without a name, in memory where the system has such files.
  private static func anonymousFile() throws(CommunicationError) -> Int32 {
    #if canImport(Darwin)
      var name = Array("\(Environment.temporaryFolder)/fisher-XXXXXX".utf8CString)
      let descriptor = mkstemp(&name)
      if descriptor >= 0 { unlink(name) }
    #else
      // Not in /dev/shm, which is small in containers. By its address: headers hide it from strict C.
      typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32
      guard let create = dlsym(dlopen(nil, RTLD_NOW), "memfd_create") else {
        throw .system(what: "a file for shared memory", reason: "the C library has no memfd_create")
      }
      let descriptor = unsafeBitCast(create, to: Create.self)("fisher", 0)
    #endif
    if descriptor < 0 { throw failure("a file for shared memory") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  /// Takes the memory now, not when a page is first written: then it would be a signal.
  private static func reserve(
    _ descriptor: Int32, _ start: Int, _ bytes: Int, of total: Int
  ) throws(CommunicationError) {
    if ftruncate(descriptor, off_t(total)) != 0 { throw failure("a file for shared memory") }
    #if !canImport(Darwin)
      let error = posix_fallocate(descriptor, off_t(start), off_t(bytes))
      if error != 0 { throw failure("\(bytes) bytes of shared memory", error) }
    #endif
  }
}
