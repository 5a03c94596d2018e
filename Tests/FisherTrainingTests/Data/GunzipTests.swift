import FisherTraining
import Foundation
import Testing

/// What gzip writes, without compressing: a stored block, a checksum and the length.
private func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  func word(_ x: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: x >> (8 * $0)) } }
  var checksum = ~UInt32(0)
  for byte in bytes {
    checksum ^= UInt32(byte)
    for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0xEDB8_8320 : checksum >> 1 }
  }
  let (low, high) = (UInt8(bytes.count & 255), UInt8(bytes.count >> 8))
  return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + [1, low, high, ~low, ~high] + bytes + word(~checksum)
    + word(UInt32(bytes.count))
}

@Suite struct GunzipTests {
  @Test func compressedTablesAreRead() throws {
    let folder = TemporaryFolder()
    let text = String(repeating: "1,2.5,0\n3,4,1\n", count: 100)
    let plain = try CSV.dataset(try folder.write("t.csv", text))
    let packed = try CSV.dataset(try folder.write("t.csv.gz", gzipped(Array(text.utf8))))
    #expect(packed.count == 200 && packed.targets == plain.targets)
  }

  @Test func compressedImagesAreFound() throws {
    let folder = TemporaryFolder()
    for (name, header) in [
      ("train-images-idx3-ubyte", [3, 2, 2]), ("train-labels-idx1-ubyte", [3]),
      ("t10k-images-idx3-ubyte", [2, 2, 2]), ("t10k-labels-idx1-ubyte", [2]),
    ] {
      let bytes =
        [0, 0, 8, UInt8(header.count)] + header.flatMap { [0, 0, 0, UInt8($0)] }
        + [UInt8](repeating: 7, count: header.reduce(1, *))
      // One of the four is not compressed.
      let isPlain = name.hasPrefix("t10k-labels")
      try folder.write(isPlain ? name : name + ".gz", isPlain ? bytes : gzipped(bytes))
    }
    let split = try DataSplit.named(folder.path)
    #expect(split.train.count == 3 && split.test.count == 2 && split.train.shape.count == 4)
  }

  @Test func damagedFilesAreRefused() throws {
    let folder = TemporaryFolder()
    let whole = gzipped(Array("1,2,0\n3,4,1\n".utf8))
    for length in 2..<whole.count {
      let path = try folder.write("t.csv.gz", Array(whole[..<length]))
      #expect(throws: FileError.self, "\(length) bytes") { try FileBytes.readData(path) }
    }
    for place in [15, 20, whole.count - 8, whole.count - 1] {
      var bytes = whole
      bytes[place] ^= 1
      let path = try folder.write("t.csv.gz", bytes)
      let error = #expect(throws: FileError.self, "byte \(place)") { try FileBytes.readData(path) }
      #expect(error?.reason.hasPrefix("cannot be unpacked: ") == true)
    }
  }
}

/// Reasons are the system's, also where it gives none in advance.
@Test func unreadableFilesSayWhy() throws {
  let folder = TemporaryFolder()
  #expect(throws: FileError(folder.path, "this is a directory, not a file")) {
    try FileBytes.read(folder.path)
  }
  #expect(throws: FileError("/no/such", "there is no such file")) { try FileBytes.read("/no/such") }
  let path = try folder.write("t", "x")
  let below = path + "/below"
  #expect(throws: FileError(below, "cannot be read: Not a directory")) { try FileBytes.read(below) }
  let loop = folder.path + "/loop"
  try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
  #expect(throws: FileError(loop, "cannot be read: Too many levels of symbolic links")) {
    try FileBytes.read(loop)
  }
}
