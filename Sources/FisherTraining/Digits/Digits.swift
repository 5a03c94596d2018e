/// 1797 handwritten digits of 8 × 8 pixels in ten classes, part of the library.
///
/// E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, CC BY 4.0.
public enum Digits {
  /// 1438 digits to learn from and 359 for the test; the split never changes.
  public static let split = DataSplit(splitting: all)

  package static var all: Dataset {
    var pixels: [UInt8] = []
    var classes: [Int] = []
    for byte in images.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Q"): pixels.append(byte - UInt8(ascii: "A"))
      case UInt8(ascii: "0")...UInt8(ascii: "9"): classes.append(Int(byte - UInt8(ascii: "0")))
      default: break
      }
    }
    return Dataset(
      name: "digits", shape: ExampleShape(channels: 1, height: 8, width: 8),
      storage: .bytes(pixels, scale: 1 / 16), targets: .classes(classes, count: 10))
  }
}
