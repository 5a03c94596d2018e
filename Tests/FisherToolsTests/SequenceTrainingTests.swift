import FisherKit
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What the data sets for decoders and equations promise, from the command line.
@Suite struct SequenceTrainingTests {
  private func best(_ words: [String]) throws -> (accuracy: Double?, loss: Double) {
    let run = try Fisher(["train", "--json", "-"] + words)
    #expect(run.status == 0, "\(run.error)")
    let result = try #require(try run.lines().last)
    return (result["bestTestAccuracy"] as? Double, result["bestTestLoss"] as? Double ?? .infinity)
  }

  /// Small decoders recall and sort, at least 99 of 100 answers.
  @Test(arguments: [
    ("recall", "gpt:32-2-4"), ("sorting", "gpt-tied:32-2-4"), ("sorting", "gpt-rotary:32-2-4"),
  ])
  func decodersLearnTheirTasks(data: String, model: String) throws {
    let words = [
      "--dataset", data, "--model", model, "--batch", "64", "--optimizer", "adamw", "--set", "lr=3e-3",
    ]
    let accuracy = try best(words + ["--epochs", "6"]).accuracy ?? 0
    #expect(accuracy >= 0.99, "\(data) by \(model): \(accuracy)")
  }

  /// The equation is solved, in double precision without being asked.
  @Test func theEquationIsSolved() throws {
    let folder = try Folder()
    let words = [
      "--dataset", "screened-poisson", "--model", "pinn:16-16", "--batch", "64", "--optimizer", "adamw",
    ]
    let run = folder.path + "/run"
    let loss = try best(words + ["--set", "lr=3e-3", "--epochs", "400", "--checkpoint", run]).loss
    #expect(loss < 1e-4, "\(loss)")
    let single = try Fisher(["train", "--dataset", "screened-poisson", "--model", "mlp:4-1"])
    #expect(
      single.status == 2 && single.error.contains("the data have 3 inputs and 1 outputs"), "\(single.error)")
  }

  @Test func textIsReadOrMissed() throws {
    let folder = try Folder()
    let path = try folder.write("t.txt", String(repeating: "to be or not to be. ", count: 100))
    let words = [
      "--dataset", "text:" + path, "--model", "gpt:16-1-2", "--optimizer", "adamw", "--set", "lr=0.01",
      "--batch", "4",
    ]
    #expect(try best(words + ["--epochs", "20"]).accuracy ?? 0 > 0.9)
    let short = try folder.write("short.txt", "too short")
    let refused = try Fisher(["train", "--dataset", "text:" + short])
    #expect(refused.status == 2 && refused.error.contains("9 bytes, 6 of them different"), "\(refused.error)")
    #expect(try Fisher(["train", "--dataset", "text:/no/such"]).status == 2)
    let wrong = try Fisher(["train", "--model", "gpt:16-1-2"])
    #expect(wrong.status == 2 && wrong.error.contains("it needs sequences of tokens"), "\(wrong.error)")
  }
}

/// The page of one run.
@Suite struct RunReportTests {
  @Test func theReportIsOneWholePage() throws {
    let folder = try Folder()
    let path = folder.path + "/run.html"
    let run = try Fisher(["train", "--epochs", "3", "--set", "lr=0.02", "--threads", "1", "--report", path])
    #expect(run.status == 0, "\(run.error)")
    let page = try String(contentsOfFile: path, encoding: .utf8)
    let parser = XMLParser(data: Data(page.replacing("<!DOCTYPE html>", with: "").utf8))
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
    for text in [
      "adafisher on digits", "Loss over epochs", "Loss over time", "Test accuracy", "set.lr", "--epochs",
    ] {
      #expect(page.contains(text), "\(text)")
    }
    #expect(page.components(separatedBy: "<tr>").count == 5)
    #expect(!page.replacing("http://www.w3.org/2000/svg", with: "").contains("http"))
  }

  @Test func aPageThatCannotBeWrittenIsNoticedBefore() throws {
    let run = try Fisher(["train", "--report", "/no/such/folder/run.html"])
    #expect(
      run.status == 2 && run.output.isEmpty && run.error.contains("/no/such/folder/run.html"), "\(run.error)")
  }
}
