import Foundation

/// The characters of a text, each to be told from those before it: sequences of bytes, and the next byte at each position.
public enum TextData {
  /// The licences that Debian and its descendants install, of which verbatim copies may be made and distributed: the text of
  /// `--dataset text`. They are read where they lie; nothing of them is part of this package.
  static let licenses = [
    "Apache-2.0", "GFDL-1.2", "GFDL-1.3", "GPL-1", "GPL-2", "GPL-3", "LGPL-2", "LGPL-2.1", "LGPL-3",
  ].map { "/usr/share/common-licenses/" + $0 }

  /// The bytes of an example.
  static let context = 64

  /// Whether the text of `--dataset text` is on this machine.
  public static var isPresent: Bool { licenses.contains { FileManager.default.fileExists(atPath: $0) } }

  /// The licences that are there.
  ///
  /// - Throws: ``FileError`` with one line if there are none.
  package static func licenseText(_ paths: [String] = licenses) throws(FileError) -> [UInt8] {
    var text: [UInt8] = []
    for path in paths where FileManager.default.fileExists(atPath: path) { text += try FileBytes.read(path) }
    if text.isEmpty {
      throw FileError(
        "text",
        "no text: /usr/share/common-licenses, where Debian keeps its licences, is not there; text:PATH takes a file"
      )
    }
    return text
  }

  /// The first nine tenths of a text to learn from, the rest for the test, both cut into pieces of `context` bytes.
  ///
  /// Tokens are the bytes that occur, in their order.
  ///
  /// - Throws: ``FileError`` if the text is shorter than ten pieces, or has but one character.
  package static func split(_ text: [UInt8], context: Int, name: String) throws(FileError) -> DataSplit {
    let border = text.count / 10 * 9
    let alphabet = Set(text).sorted()
    guard text.count >= 10 * (context + 1), alphabet.count >= 2 else {
      throw FileError(
        name,
        "\(text.count) bytes, \(alphabet.count) of them different; at least \(10 * (context + 1)) and 2 are needed"
      )
    }
    var tokens = [Int](repeating: 0, count: 256)
    for (token, byte) in alphabet.enumerated() { tokens[Int(byte)] = token }
    func pieces(_ part: ArraySlice<UInt8>) -> Dataset {
      let starts = stride(from: part.startIndex, to: part.endIndex - context, by: context)
      let sequences = starts.map { part[$0..<$0 + context].map { tokens[Int($0)] } }
      let next = starts.map { part[$0 + 1..<$0 + 1 + context].map { tokens[Int($0)] } }
      var data = Dataset(
        name: name, sequences: sequences, vocabulary: alphabet.count, classes: next,
        classCount: alphabet.count)
      data.classNames = alphabet.map { byte in
        switch byte {
        case 32: "space"
        case 33...126: String(UnicodeScalar(byte))
        default: "byte \(byte)"
        }
      }
      return data
    }
    return DataSplit(train: pieces(text[..<border]), test: pieces(text[border...]))
  }
}
