/// A file that cannot be used: which one, where in it, what was wanted and what came.
public struct FileError: Error, Equatable, CustomStringConvertible {
  public let file: String
  /// `line 7`, `byte 16`; nil if the whole file is meant.
  public let place: String?
  public let reason: String

  public init(_ file: String, at place: String? = nil, _ reason: String) {
    self.file = file
    self.place = place
    self.reason = reason
  }

  /// `digits.csv, line 7: 64 values, where line 1 has 65`
  public var description: String { file + (place.map { ", " + $0 } ?? "") + ": " + reason }
}
