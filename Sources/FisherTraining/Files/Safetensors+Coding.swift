import FisherRuntime
import Foundation

extension Safetensors {
  /// The bytes of the file: tensors in the order of their names, the header padded to a multiple of 8.
  public func encoded() -> [UInt8] {
    var members: [(String, JSON)] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
      members.append(("__metadata__", .object(texts)))
    }
    var offset = 0
    for name in names {
      let tensor = tensors[name]!
      let offsets: [JSON] = [.int(offset), .int(offset + tensor.bytes.count)]
      offset += tensor.bytes.count
      members.append(
        (
          name,
          .object([
            ("dtype", .string(tensor.type)), ("shape", .array(tensor.shape.map { .int($0) })),
            ("data_offsets", .array(offsets)),
          ])
        ))
    }
    var header = [UInt8](JSON.object(members).text.utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + offset)
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: header)
    for name in names { bytes.append(contentsOf: tensors[name]!.bytes) }
    return bytes
  }

  /// Writes the file as a whole; the old one stays if anything fails.
  public func write(to path: String) throws(FileError) { try FileBytes.replace(path, with: encoded()) }

  /// Reads a file.
  ///
  /// - Throws: ``FileError`` if it is truncated, too long, or no safetensors file.
  public init(contentsOf path: String) throws(FileError) {
    try self.init(decoding: try FileBytes.read(path), from: path)
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - path: for messages.
  public init(decoding bytes: [UInt8], from path: String) throws(FileError) {
    guard bytes.count >= 8 else {
      throw FileError(path, "\(bytes.count) bytes are too few for a safetensors file")
    }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(bytes.count - 8) else {
      throw FileError(
        path,
        "not a safetensors file, or truncated: the header should have \(length) bytes, \(bytes.count - 8) follow"
      )
    }
    let start = 8 + Int(length)
    guard let header = try? JSONSerialization.jsonObject(with: Data(bytes[8..<start])) as? [String: Any]
    else {
      throw FileError(path, at: "byte 8", "not a safetensors file: the header is not a JSON object")
    }
    var ranges: [(begin: Int, end: Int, name: String)] = []
    for (name, entry) in header {
      if name == "__metadata__" {
        guard let texts = entry as? [String: String] else {
          throw FileError(path, "__metadata__ is not a table of texts")
        }
        metadata = texts
      } else {
        let (tensor, end) = try Self.tensor(name, entry, bytes, start, path)
        tensors[name] = tensor
        ranges.append((end - tensor.bytes.count, end, name))
      }
    }
    try Self.requireTiling(ranges, start, bytes.count, path)
  }

  /// The tensors must follow one another without gaps, to the end of the file.
  private static func requireTiling(
    _ ranges: [(begin: Int, end: Int, name: String)], _ start: Int, _ count: Int, _ path: String
  ) throws(FileError) {
    var end = 0
    for range in ranges.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard range.begin == end else {
        throw FileError(
          path,
          "\(range.name) begins at byte \(start + range.begin), the tensor before it ends at \(start + end)")
      }
      end = range.end
    }
    guard start + end == count else {
      throw FileError(path, "\(count) bytes, where the header speaks of \(start + end)")
    }
  }

  private static func tensor(
    _ name: String, _ entry: Any, _ bytes: [UInt8], _ start: Int, _ path: String
  ) throws(FileError) -> (StoredTensor, end: Int) {
    guard let entry = entry as? [String: Any], let type = entry["dtype"] as? String,
      let shape = entry["shape"] as? [Int], let offsets = entry["data_offsets"] as? [Int], offsets.count == 2
    else { throw FileError(path, "the header's entry of \(name) is not that of a tensor") }
    guard let width = ["F32": 4, "F64": 8][type] else {
      throw FileError(path, "\(name) has the element type \(type); F32 and F64 can be read")
    }
    guard offsets[0] >= 0, offsets[1] >= offsets[0], let wanted = Size.product([width] + shape) else {
      throw FileError(path, "\(name) has the shape \(shape) at \(offsets)")
    }
    guard offsets[1] - offsets[0] == wanted else {
      throw FileError(path, "\(name) \(shape) needs \(wanted) bytes and has \(offsets[1] - offsets[0])")
    }
    guard offsets[1] <= bytes.count - start else {
      throw FileError(
        path,
        "truncated: \(name) ends \(offsets[1]) bytes after the header, the file \(bytes.count - start)")
    }
    return (
      StoredTensor(type: type, shape: shape, bytes: [UInt8](bytes[start + offsets[0]..<start + offsets[1]])),
      offsets[1]
    )
  }
}
