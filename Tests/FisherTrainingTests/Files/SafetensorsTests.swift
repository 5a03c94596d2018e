import FisherLinearAlgebra
import FisherRuntime
import FisherTraining
import Foundation
import Testing

@Suite struct SafetensorsTests {
  private func sample() -> Safetensors {
    var file = Safetensors()
    file.set("w", Matrix<Float>([[1, -0.0, .infinity], [.leastNonzeroMagnitude, 0x1.fffffep127, 3]]))
    file.set(
      "conv", Matrix<Double>(rows: 2, columns: 6) { i, j in Double(i) / Double(j + 3) }, shape: [2, 3, 2, 1])
    file.set("empty", Matrix<Float>(rows: 0, columns: 4))
    file.metadata = ["format": "test \"quoted\"\né", "step": "17"]
    return file
  }

  @Test func bitsSurvive() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    let file = sample()
    try file.write(to: path)
    let read = try Safetensors(contentsOf: path)
    #expect(read == file && read.names == ["conv", "empty", "w"] && read.shape("conv") == [2, 3, 2, 1])
    let w: Matrix<Float> = try #require(read.matrix("w", rows: 2, columns: 3))
    #expect(
      w.array.map(\.bitPattern)
        == [1, -0.0, .infinity, .leastNonzeroMagnitude, 0x1.fffffep127, 3].map { (x: Float) in x.bitPattern })
    #expect(read.matrix("w", rows: 2, columns: 3, of: Double.self) == nil)
    #expect(read.matrix("w", rows: 2, columns: 2, of: Float.self) == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.safetensors"])
  }

  /// The layout that the format prescribes, byte for byte.
  @Test func layout() {
    var file = Safetensors()
    file.set("b", Matrix<Float>([[2]]))
    file.set("a", Matrix<Double>([[1]]))
    let bytes = file.encoded()
    let length = Int(bytes[0]) + Int(bytes[1]) << 8
    #expect(length % 8 == 0 && bytes.count == 8 + length + 12)
    let header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    #expect(
      header.trimmingCharacters(in: .whitespaces)
        == #"{"a":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}}"#
    )
    #expect(bytes.suffix(12) == [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0x40])
  }

  /// Every prefix of a file, and a file with a byte more, is refused.
  @Test func truncatedFilesAreRefused() {
    let bytes = sample().encoded()
    for length in 0..<bytes.count {
      #expect(throws: FileError.self, "\(length) bytes") {
        try Safetensors(decoding: Array(bytes.prefix(length)), from: "a")
      }
    }
    #expect(throws: FileError.self) { try Safetensors(decoding: bytes + [0], from: "a") }
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#, 2, "a has the element type F16"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "a [2] needs 8 bytes and has 4"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "a has the shape [-1]"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "a has the shape [1] at [4, 0]"),
    (#"{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}"#, 4, "a has the shape"),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "the header's entry of a is not that of a tensor"),
    (#"{"__metadata__":[1]}"#, 0, "__metadata__ is not a table of texts"),
    ("[1,2]", 0, "the header is not a JSON object"),
    ("hello", 0, "the header is not a JSON object"),
  ])
  func foreignHeadersAreRefused(header: String, data: Int, message: String) throws {
    let bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
    let error = #expect(throws: FileError.self) {
      try Safetensors(decoding: bytes + [UInt8](repeating: 0, count: data), from: "f")
    }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test func overlappingTensorsAndGapsAreRefused() {
    for offsets in ["[0,4]", "[8,12]"] {
      let header =
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":\#(offsets)}}"#
      let bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
      let size = offsets == "[0,4]" ? 4 : 12
      #expect(throws: FileError.self, "\(offsets)") {
        try Safetensors(decoding: bytes + [UInt8](repeating: 0, count: size), from: "f")
      }
    }
  }

  /// A write that cannot be finished leaves the old file and no other.
  @Test func failedWritesKeepTheOldFile() throws {
    let folder = TemporaryFolder()
    let error = #expect(throws: FileError.self) {
      try sample().write(to: folder.path + "/missing/a.safetensors")
    }
    #expect(error?.description.contains("cannot be created") == true)
    // A directory in the place of the file: the rename fails after everything was written.
    try FileManager.default.createDirectory(
      atPath: folder.path + "/d/inside", withIntermediateDirectories: true)
    #expect(throws: FileError.self) { try sample().write(to: folder.path + "/d") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["d"])
  }

  @Test func foreignPathsAreRefused() throws {
    let folder = TemporaryFolder()
    #expect(throws: FileError.self) { try Safetensors(contentsOf: folder.path) }
    #expect(throws: FileError.self) { try Safetensors(contentsOf: folder.path + "/none") }
  }
}
