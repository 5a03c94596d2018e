import FisherKit
import FisherRuntime

/// Points of two classes on two spirals, each the other turned by half a turn, with some noise.
enum Spirals {
  static func split(train: Int, test: Int) -> DataSplit {
    DataSplit(train: points(0..<train), test: points(train..<train + test))
  }

  private static func points(_ numbers: Range<Int>) -> Dataset {
    let rows = numbers.map { n -> [Float] in
      var generator = KeyedGenerator(21, UInt64(n))
      // Even along the arc: the length grows with the square of the angle.
      let angle = 3 * Double.pi * (0.02 + 0.98 * generator.unit()).squareRoot()
      let radius = angle / (3 * Double.pi) + 0.02 * (2 * generator.unit() - 1)
      let turn = angle + Double(n % 2) * Double.pi
      return [Float(radius * cos(turn)), Float(radius * sin(turn))]
    }
    return Dataset(
      name: "spirals", shape: ExampleShape(channels: 2), rows: rows, classes: numbers.map { $0 % 2 },
      classCount: 2)
  }
}
