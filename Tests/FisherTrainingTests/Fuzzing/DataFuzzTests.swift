import FisherLinearAlgebra
import FisherTestSupport
import FisherTraining
import Testing

/// Whatever the bytes: an error, or data that hang together.
@Suite struct DataFuzzTests {
  @Test func idxSurvivesAnyBytes() {
    func file(_ axes: [UInt8]) -> [UInt8] {
      let count = axes.reduce(1) { $0 * Int($1) }
      return [0, 0, 8, UInt8(axes.count)] + axes.flatMap { [0, 0, 0, $0] }
        + [UInt8](repeating: 7, count: count)
    }
    let accepted = fuzz("IDX", [file([2, 3, 4]), file([5, 1, 1]), file([1, 2, 2]), file([3, 2])]) { bytes in
      let (axes, elements) = try IDX.decode(bytes, from: "images", axes: 3)
      // With an axis of 0 the others may be anything.
      precondition(axes.contains(0) ? elements.isEmpty : axes.reduce(1, *) == elements.count)
    }
    #expect(accepted > 1000)
  }

  @Test func augmentationsSurviveAnyText() {
    let texts = ["none", "flip", "shift:1,flip,crop:2", "crop:3", "shift:2"]
    let accepted = fuzz("augmentations", texts.map { Array($0.utf8) }) { bytes in
      var image: [Float] = [1, 2, 3, 4, 5, 6]
      var generator = KeyedGenerator(1)
      for augmentation in try Augmentation.parse(String(decoding: bytes, as: UTF8.self)) {
        image.withUnsafeMutableBufferPointer {
          augmentation.apply(to: $0, ExampleShape(channels: 1, height: 2, width: 3), &generator)
        }
      }
      precondition(image.allSatisfy { 0...6 ~= $0 })
    }
    #expect(accepted > 1000)
  }

  @Test func csvSurvivesAnyText() throws {
    let folder = TemporaryFolder()
    let texts = [
      "a,b,class\n1,2.5,0\n-3,4e1,2\n5,6,1\n", "1,2,0\n3,4,1\n1,1,1\n", "0,1,2\n1,2,0\r\n3,4,1\r\n",
    ]
    let accepted = fuzz("CSV", texts.map { Array($0.utf8) }) { bytes in
      let data = try CSV.dataset(try folder.write("t.csv", bytes))
      precondition(data.count > 0 && data.shape.count > 0)
    }
    #expect(accepted > 1000)
  }

  @Test func safetensorsSurviveAnyBytes() throws {
    var file = Safetensors()
    file.set("a", Matrix<Float>([1, 2, 3, 4, 5, 6], rows: 2, columns: 3))
    file.set("b", Matrix<Double>([1, 2], rows: 1, columns: 2), shape: [2])
    file.metadata = ["format": "x"]
    var other = Safetensors()
    other.set("w", Matrix<Float>(rows: 0, columns: 3))
    let accepted = fuzz("safetensors", [file.encoded(), other.encoded()]) { bytes in
      let read = try Safetensors(decoding: bytes, from: "x.safetensors")
      for name in read.names {
        let shape = read.shape(name) ?? []
        precondition(shape.allSatisfy { $0 >= 0 })
        if shape.count == 2 { _ = read.matrix(name, rows: shape[0], columns: shape[1], of: Float.self) }
      }
    }
    #expect(accepted > 1000)
  }
}
