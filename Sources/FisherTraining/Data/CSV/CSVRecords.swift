/// Where the text of a field lies, without its quotes and the blanks around it.
struct CSVField {
  var start: Int
  var end: Int
  /// Quotes stand doubled in it.
  var isEscaped = false
}

/// The records of a text, one after the other (RFC 4180): fields between separators, in quotes if they hold separators,
/// quotes or ends of lines; lines end by LF, CR LF or CR; empty lines do not count.
struct CSVRecords {
  let bytes: UnsafeBufferPointer<UInt8>
  let separator: UInt8
  /// For messages.
  let path: String
  /// The line in which the last record began, from 1.
  private(set) var recordLine = 0
  private var line = 1
  private var position: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, separator: UInt8, path: String) {
    self.bytes = bytes
    self.separator = separator
    self.path = path
    position = start
  }

  /// The fields of the next record; false at the end.
  ///
  /// - Throws: ``FileError`` if a quote is not closed, or text follows behind it.
  mutating func next(_ fields: inout [CSVField]) throws(FileError) -> Bool {
    while position < bytes.count {
      recordLine = line
      fields.removeAll(keepingCapacity: true)
      repeat { try field(&fields) } while skipSeparator()
      if fields.count > 1 || fields[0].start < fields[0].end { return true }
    }
    return false
  }

  /// The text of a field.
  func text(_ field: CSVField) -> String {
    let text = String(decoding: bytes[field.start..<field.end], as: UTF8.self)
    return field.isEscaped ? text.replacing("\"\"", with: "\"") : text
  }

  /// The number of a field; nil if it is none.
  @inline(__always)
  func number(_ field: CSVField) -> Float? {
    guard let base = bytes.baseAddress else { return nil }
    return DecimalText.float(base + field.start, field.end - field.start)
  }

  /// Behind a field: whether another one follows in this record. Otherwise the end of the line is skipped.
  @inline(__always)
  private mutating func skipSeparator() -> Bool {
    guard position < bytes.count else { return false }
    let byte = bytes[position]
    position += 1
    if byte == separator { return true }
    if byte == carriageReturn, position < bytes.count, bytes[position] == lineFeed { position += 1 }
    line += 1
    return false
  }

  @inline(__always)
  private mutating func field(_ fields: inout [CSVField]) throws(FileError) {
    guard let p = bytes.baseAddress else { return }
    var start = position
    while start < bytes.count, isBlank(p[start]) { start += 1 }
    if start < bytes.count, p[start] == quote { return try quotedField(from: start, &fields) }
    var end = start
    let (count, separator) = (bytes.count, separator)
    // Most bytes are digits, points and signs, which end nothing.
    while end < count,
      p[end] &- 0x2D <= 0x0C || p[end] != separator && p[end] != lineFeed && p[end] != carriageReturn
    { end &+= 1 }
    position = end
    while end > start, isBlank(p[end - 1]) { end -= 1 }
    fields.append(CSVField(start: start, end: end))
  }

  private mutating func quotedField(from start: Int, _ fields: inout [CSVField]) throws(FileError) {
    var field = CSVField(start: start + 1, end: start + 1)
    while true {
      guard field.end < bytes.count else {
        throw FileError(
          path, at: "line \(recordLine), column \(fields.count + 1)", "a quote begins and never ends")
      }
      let byte = bytes[field.end]
      if byte == quote {
        guard field.end + 1 < bytes.count, bytes[field.end + 1] == quote else { break }
        field.isEscaped = true
        field.end += 1
      } else if byte == lineFeed {
        line += 1
      }
      field.end += 1
    }
    position = field.end + 1
    while position < bytes.count, isBlank(bytes[position]) { position += 1 }
    guard position == bytes.count || [separator, lineFeed, carriageReturn].contains(bytes[position]) else {
      throw FileError(
        path, at: "line \(recordLine), column \(fields.count + 1)", "text follows behind the closing quote")
    }
    while field.start < field.end, isBlank(bytes[field.start]) { field.start += 1 }
    while field.end > field.start, isBlank(bytes[field.end - 1]) { field.end -= 1 }
    fields.append(field)
  }

  @inline(__always)
  private func isBlank(_ byte: UInt8) -> Bool { (byte == 0x20 || byte == 0x09) && byte != separator }

  private var quote: UInt8 { UInt8(ascii: "\"") }
  private var lineFeed: UInt8 { 0x0A }
  private var carriageReturn: UInt8 { 0x0D }
}

extension CSVRecords {
  /// The separator of a text: of tab, semicolon and comma the first that stands, outside of quotes, in each of the first
  /// ten lines equally often; else the comma. With semicolons or tabs a comma may be part of a number.
  static func separator(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> UInt8 {
    let candidates = [0x09, UInt8(ascii: ";"), UInt8(ascii: ",")]
    var counts: [[Int]] = []
    var (line, isQuoted, isEmpty) = ([0, 0, 0], false, true)
    for byte in bytes[start...] {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if !isQuoted, byte == 0x0A || byte == 0x0D {
        if !isEmpty { counts.append(line) }
        if counts.count == 10 { break }
        (line, isEmpty) = ([0, 0, 0], true)
        continue
      }
      if byte != 0x20 { isEmpty = false }
      if !isQuoted, let candidate = candidates.firstIndex(of: byte) { line[candidate] += 1 }
    }
    if !isEmpty && counts.count < 10 { counts.append(line) }
    let regular = candidates.indices.first { candidate in
      (counts.first?[candidate] ?? 0) > 0 && counts.allSatisfy { $0[candidate] == counts[0][candidate] }
    }
    return candidates[regular ?? 2]
  }
}
