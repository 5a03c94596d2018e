import FisherOptimizers

/// The hash of a checkpoint's bytes, as one of its texts: whatever bit has changed since, it is noticed.
package enum Checksum {
  private static let key = "checksum"
  private static let blank = String(repeating: "0", count: 16)

  /// The bytes of a file, with the hash of all of them in place.
  package static func sealed(_ file: Safetensors) -> [UInt8] {
    var file = file
    file.metadata[key] = blank
    var bytes = file.encoded()
    guard let place = place(in: bytes) else { fatalError("Checksum: no place for it in the header") }
    bytes.replaceSubrange(place, with: hash(bytes).utf8)
    return bytes
  }

  /// Whether the bytes are those that were sealed.
  package static func isIntact(_ bytes: [UInt8]) -> Bool {
    guard let place = place(in: bytes) else { return false }
    var blanked = bytes
    blanked.replaceSubrange(place, with: blank.utf8)
    return bytes[place].elementsEqual(hash(blanked).utf8)
  }

  private static func hash(_ bytes: [UInt8]) -> String {
    var hash = BitHash()
    bytes.withUnsafeBytes { hash.add($0) }
    return hash.text
  }

  /// Where its digits lie. Quotes that belong to a text follow a backslash, so this is the key, and the only one.
  private static func place(in bytes: [UInt8]) -> Range<Int>? {
    guard bytes.count >= 8 else { return nil }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    let end = 8 + Int(min(length, UInt64(bytes.count - 8)))
    let text = Array("\"\(key)\":\"".utf8)
    var start = 9
    while start + text.count + blank.count <= end {
      if bytes[start] == text[0], bytes[start - 1] != UInt8(ascii: "\\"),
        bytes[start..<start + text.count].elementsEqual(text)
      {
        return start + text.count..<start + text.count + blank.count
      }
      start += 1
    }
    return nil
  }
}
