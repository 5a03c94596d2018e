import Foundation
import Testing

/// A program that a page shows: a block of Swift, and the blocks after it that continue it.
struct DocumentedProgram: CustomStringConvertible {
  let page: String
  let line: Int
  var source: String

  var description: String { "\(page), line \(line)" }

  /// The programs of a page. `<!-- continues -->` before a block adds it to the program before.
  static func all(of page: String) throws -> [DocumentedProgram] {
    let text = try String(contentsOf: BuiltPlugin.root.appendingPathComponent(page), encoding: .utf8)
    var programs: [DocumentedProgram] = []
    var (block, start, remark): ([Substring]?, Int, Substring) = (nil, 0, "")
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if let lines = block {
        if line != "```" {
          block = lines + [line]
          continue
        }
        let source = lines.joined(separator: "\n") + "\n"
        if remark == "<!-- continues -->" {
          try #require(!programs.isEmpty, "\(page), line \(start): there is nothing to continue")
          programs[programs.count - 1].source += source
        } else {
          programs.append(DocumentedProgram(page: page, line: start, source: source))
        }
        (block, remark) = (nil, "")
      } else if line == "```swift" {
        (block, start) = ([], number + 1)
      } else if !line.isEmpty {
        remark = line
      }
    }
    try #require(block == nil, "\(page), line \(start): the block does not end")
    return programs
  }

  /// What the compiler says about it; empty if it is content.
  func complaints() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fisher-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let main = folder.appendingPathComponent("main.swift")
    try source.write(to: main, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let modules = Fisher.executable.deletingLastPathComponent().appendingPathComponent("Modules")
    process.arguments = [
      "swiftc", "-typecheck", "-swift-version", "6", "-warnings-as-errors", "-I", modules.path, "-I",
      BuiltPlugin.root.appendingPathComponent("Sources/FisherPluginABI").path, main.path,
    ]
    let output = Pipe()
    process.standardError = output
    process.standardOutput = output
    try process.run()
    let messages = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? "" : messages
  }
}

@Suite struct DocumentationTests {
  static let pages: [String] = {
    let docs = try? FileManager.default.contentsOfDirectory(
      atPath: BuiltPlugin.root.appendingPathComponent("docs").path)
    return ["README.md"] + (docs ?? []).filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
  }()

  static let examples: [String] = {
    let folders = try? FileManager.default.contentsOfDirectory(
      atPath: BuiltPlugin.root.appendingPathComponent("Examples").path)
    return (folders ?? []).filter { $0.first?.isNumber == true }.sorted()
  }()

  /// Every Swift block that the documentation shows compiles, without warnings.
  @Test(arguments: pages)
  func everyBlockCompiles(page: String) throws {
    for program in try DocumentedProgram.all(of: page) {
      let complaints = try program.complaints()
      #expect(complaints.isEmpty, "\(program):\n\(complaints)")
    }
  }

  /// Every page that a page names is there.
  @Test(arguments: pages + ["CONTRIBUTING.md"])
  func everyLinkLeadsSomewhere(page: String) throws {
    let own = BuiltPlugin.root.appendingPathComponent(page)
    let text = try String(contentsOf: own, encoding: .utf8)
    for part in text.components(separatedBy: "](").dropFirst() {
      let target = part.prefix { $0 != ")" && $0 != "#" }
      if target.isEmpty || target.contains("://") { continue }
      let path = own.deletingLastPathComponent().appendingPathComponent(String(target)).path
      #expect(FileManager.default.fileExists(atPath: path), "\(page) links to \(target)")
    }
  }

  /// The check itself sees a block that is wrong.
  @Test func aWrongBlockIsSeen() throws {
    let wrong = DocumentedProgram(
      page: "none", line: 1, source: "import FisherKit\nlet a = Matrix<Float>(rows: 1, colums: 1)\n")
    #expect(try wrong.complaints().contains("colums"))
  }

  /// The numbered programs, which check their own results.
  @Test(arguments: examples)
  func exampleRuns(name: String) throws {
    let process = Process()
    process.executableURL = Fisher.executable.deletingLastPathComponent().appendingPathComponent(name)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && !text.isEmpty, "\(text)")
    let source = BuiltPlugin.root.appendingPathComponent("Examples/\(name)/main.swift")
    let lines = try String(contentsOf: source, encoding: .utf8).split(separator: "\n").count
    #expect(lines < 60, "\(name) has \(lines) lines")
  }
}
