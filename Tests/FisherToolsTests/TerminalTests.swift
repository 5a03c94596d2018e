import FisherRuntime
import Foundation
import Testing

/// The executable at a terminal of so many columns: all that it showed there.
private struct TerminalRun {
  let status: Int32
  let shown: String

  init(_ arguments: [String], columns: UInt16) throws {
    // As posix_openpt, unlockpt and ptsname do it, which are not to be seen from Swift.
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (lock, number): (Int32, UInt32) = (0, 0)
    let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    let isOpen =
      terminal >= 0 && ioctl(terminal, setLock, &lock) == 0 && ioctl(terminal, getNumber, &number) == 0
    try #require(isOpen)
    defer { close(terminal) }
    let side = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    try #require(side >= 0)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    let isSized = ioctl(side, UInt(TIOCSWINSZ), &size) == 0
    try #require(isSized)
    let process = Process()
    process.executableURL = Fisher.executable
    process.arguments = arguments
    let handle = FileHandle(fileDescriptor: side, closeOnDealloc: false)
    (process.standardOutput, process.standardError) = (handle, handle)
    try process.run()
    close(side)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(terminal, &buffer, buffer.count)
      if count <= 0 { break }
      bytes += buffer[..<count]
    }
    process.waitUntilExit()
    status = process.terminationStatus
    shown = String(decoding: bytes, as: UTF8.self)
  }
}

@Suite struct TerminalTests {
  /// What takes back a line.
  static let erase = "\r\u{1B}[K"

  /// A bar that were wider than the terminal would scroll, and could not be taken back.
  @Test(arguments: [10, 40, 200]) func theBarFitsTheTerminal(columns: Int) throws {
    let run = try TerminalRun(["train", "--epochs", "1", "--optimizer", "sgd"], columns: UInt16(columns))
    #expect(run.status == 0)
    let bars = run.shown.components(separatedBy: Self.erase).filter { !$0.isEmpty && !$0.contains("\r\n") }
    #expect(bars.count == 89, "\(run.shown)")
    #expect(bars.allSatisfy { $0.unicodeScalars.count < columns }, "\(bars)")
    #expect(bars.contains { $0.contains("█") } == (columns >= 40))
  }

  /// The bar is gone before the reason of a failure comes.
  @Test func theBarIsErasedBeforeAnError() throws {
    let run = try TerminalRun(
      ["train", "--optimizer", "sgd", "--set", "lr=1e30", "--epochs", "3"], columns: 80)
    #expect(run.status == 1)
    let last = try #require(run.shown.components(separatedBy: Self.erase).last)
    #expect(last.hasPrefix("fisher: ") && last.contains("no step was taken"), "\(run.shown)")
  }
}

/// Standard output in a file: what is being measured is said on standard error.
@Test func benchSaysWhatItMeasures() throws {
  let folder = try Folder()
  let path = try folder.write("out.txt", "")
  let process = Process()
  process.executableURL = Fisher.executable
  process.arguments = ["bench", "gemm", "--sizes", "8", "--types", "f32", "--quick", "--against", "none"]
  process.standardOutput = FileHandle(forWritingAtPath: path)
  let error = Pipe()
  process.standardError = error
  try process.run()
  let said = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  #expect(process.terminationStatus == 0)
  #expect(said == "fisher: measuring gemm nn 8x8x8 f32, threads 1\n")
}
