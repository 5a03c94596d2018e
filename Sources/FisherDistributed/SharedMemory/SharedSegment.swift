import FisherRuntime
import Synchronization

/// Memory that the ranks of one machine share: a counter for each, and two slots of bytes for each.
///
/// Nobody else can open it: its name is gone before the first rank uses it, and the others inherit the open file.
final class SharedSegment: Sendable {
  let ranks: Int
  /// The bytes of a slot.
  let slotBytes: Int
  let descriptor: Int32
  // The mapping belongs to this object; the words in it are atomic, and slots are written by one rank at a time.
  nonisolated(unsafe) private let base: UnsafeMutableRawPointer

  /// Counters lie on lines of their own: others' writes beside one would disturb those who watch it.
  private static let line = 128
  private static func headBytes(_ ranks: Int) -> Int { ((ranks + 1) * line + 4095) / 4096 * 4096 }

  private var byteCount: Int { Self.headBytes(ranks) + 2 * ranks * slotBytes }

  /// New memory, all zeros.
  ///
  /// - Throws: ``CommunicationError``.
  init(ranks: Int, slotBytes: Int) throws(CommunicationError) {
    self.ranks = ranks
    self.slotBytes = slotBytes
    let bytes = Self.headBytes(ranks) + 2 * ranks * slotBytes
    descriptor = try Self.anonymousFile(bytes)
    base = try Self.map(descriptor, bytes)
  }

  /// Memory that another process has made, by its inherited descriptor.
  ///
  /// - Throws: ``CommunicationError`` if it is not of that size.
  init(descriptor: Int32, ranks: Int, slotBytes: Int) throws(CommunicationError) {
    self.descriptor = descriptor
    self.ranks = ranks
    self.slotBytes = slotBytes
    let bytes = Self.headBytes(ranks) + 2 * ranks * slotBytes
    var status = stat()
    if fstat(descriptor, &status) != 0 || Int(status.st_size) != bytes {
      throw .system(what: "shared memory", reason: "descriptor \(descriptor) is no segment of \(bytes) bytes")
    }
    base = try Self.map(descriptor, bytes)
  }

  deinit {
    munmap(base, byteCount)
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

  /// A rank's bytes of a round. Those of the next round lie elsewhere, so that late readers are not disturbed.
  func slot(of rank: Int, round: UInt) -> UnsafeMutableRawPointer {
    base + Self.headBytes(ranks) + (2 * rank + Int(round & 1)) * slotBytes
  }

  private static func map(_ descriptor: Int32, _ bytes: Int) throws(CommunicationError)
    -> UnsafeMutableRawPointer
  {
    let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let base, base != MAP_FAILED else { throw failure("\(bytes) bytes of shared memory") }
    return base
  }

  private static func failure(_ what: String) -> CommunicationError {
    .system(what: what, reason: String(cString: strerror(errno)))
  }

  /// A file without a name, in memory where the system has such files.
  private static func anonymousFile(_ bytes: Int) throws(CommunicationError) -> Int32 {
    #if canImport(Darwin)
      var name = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/fisher-XXXXXX".utf8CString)
      let descriptor = mkstemp(&name)
      if descriptor < 0 { throw failure("a file for shared memory") }
      unlink(name)
    #else
      let name = "/fisher-\(getpid())-\(UInt64.random(in: 0...(.max)))"
      let descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
      if descriptor < 0 { throw failure("shared memory (/dev/shm)") }
      shm_unlink(name)
    #endif
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    // Now, not when a page is first written: then it would be a signal.
    let error = reserve(descriptor, bytes)
    if error != 0 {
      close(descriptor)
      throw .system(
        what: "\(bytes) bytes of shared memory (/dev/shm)", reason: String(cString: strerror(error)))
    }
    return descriptor
  }

  private static func reserve(_ descriptor: Int32, _ bytes: Int) -> Int32 {
    #if canImport(Darwin)
      ftruncate(descriptor, off_t(bytes)) == 0 ? 0 : errno
    #else
      posix_fallocate(descriptor, 0, off_t(bytes))
    #endif
  }
}
