import FisherKit
import FisherRuntime
import Foundation
import Testing

/// The program of the README, word for word.
@Test func theReadmesProgramTrains() throws {
  let data = try DataSplit.named("digits")
  let network = try Network<Float>(input: [1, 8, 8], [.flatten, .linear(128), .relu, .linear(10)])
  var options = TrainingOptions()
  options.batchSize = 16
  let trainer = try Trainer(network, data, optimizer: AdaFisher(), options: options)
  let result = try trainer.run { event in
    if case .epoch(let report) = event { print(report.epoch, report.trainLoss, report.test.accuracy ?? 0) }
  }
  print("best test accuracy", result.bestTestAccuracy ?? 0)

  #expect(result.bestTestAccuracy ?? 0 > 0.95)
  let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("README.md")
  let (text, own) = (
    try String(contentsOf: readme, encoding: .utf8), try String(contentsOfFile: #filePath, encoding: .utf8)
  )
  let lines = own.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  let first = try #require(lines.firstIndex { $0.hasPrefix("let data") })
  let last = try #require(lines.firstIndex { $0.hasPrefix("print(\"best") })
  for line in lines[first...last] { #expect(text.contains(line), "\(line)") }
}

/// Every option that the guides show exists.
@Test(arguments: ["README.md", "docs/getting-started.md"])
func guidesShowOnlyWhatThereIs(_ path: String) throws {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  let help = try ["train", "bench", "compare", "plot"].map { try Fisher([$0, "--help"]).output }.joined()
  for word in text.split(whereSeparator: { " `\n\\".contains($0) })
  where word.hasPrefix("--") && !word.hasPrefix("---") {
    #expect(
      help.contains(word + " ") || ["--help", "--filter", "--disable-testable-imports"].contains(word),
      "\(path): \(word)")
  }
}
