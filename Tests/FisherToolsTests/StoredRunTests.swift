import Foundation
import Testing

/// A stored run is asked what it says and how good it is.
@Suite struct StoredRunTests {
  private func table(_ folder: Folder, _ name: String = "t.csv") throws -> String {
    let rows = (0..<60).map { i in "\(i % 7),\(i % 5),\(Double(3 * (i % 7) - i % 5) + 0.5)" }
    return try folder.write(name, "a,b,y\n" + rows.joined(separator: "\n") + "\n")
  }

  @Test func aRegressionIsTrainedTestedAndAsked() throws {
    let folder = try Folder()
    let (data, run) = (try table(folder), folder.path + "/run")
    let refused = try Fisher(["train", "--dataset", data])
    #expect(refused.status == 2 && refused.error.contains("--target regression"), "\(refused.error)")
    let train = try Fisher([
      "train", "--dataset", data, "--target", "regression", "--model", "mlp:2-1", "--optimizer", "adam",
      "--set",
      "lr=0.05", "--epochs", "200", "--checkpoint", run, "--threads", "1",
    ])
    #expect(
      train.status == 0 && train.output.contains("best test loss 0.0000"), "\(train.output)\(train.error)")
    let eval = try Fisher(["eval", run, "--json", "-"])
    #expect(eval.status == 0, "\(eval.error)")
    let line = try #require(try eval.lines().first)
    #expect(line["examples"] as? Int == 12 && (line["loss"] as? Double ?? 1) < 1e-3)
    #expect(try Fisher(["eval", run, "--on", data]).output.hasPrefix("60 examples of t.csv: loss 0.0000"))

    let known = try Fisher(["predict", run])
    let lines = known.output.split(separator: "\n")
    #expect(known.status == 0 && lines.count == 13 && lines.first == "output,target", "\(known.output)")
    let new = try folder.write("new.csv", "a,b\n2,1\n0,3\n")
    let numbers = try Fisher(["predict", run, "--input", new]).output.split(separator: "\n").dropFirst()
      .compactMap { Double($0) }
    #expect(numbers.count == 2 && abs(numbers[0] - 5.5) < 0.1 && abs(numbers[1] + 2.5) < 0.1, "\(numbers)")
    let bad = try folder.write("bad.csv", "2,1\n0,3,4\n")
    let wrong = try Fisher(["predict", run, "--input", bad])
    #expect(
      wrong.status == 2 && wrong.error.contains("line 2: 3 values, the network takes 2"), "\(wrong.error)")
  }

  /// Several columns at once: their names are kept with the run, and so is their order.
  @Test func severalColumnsArePredicted() throws {
    let folder = try Folder()
    let rows = (0..<60).map { i in "\(3 * (i % 7)),\(i % 7),\(i % 5),\(1000 * (i % 5))" }
    let data = try folder.write("t.csv", "u,a,b,v\n" + rows.joined(separator: "\n") + "\n")
    let run = folder.path + "/run"
    let train = try Fisher([
      "train", "--dataset", data, "--target", "v, u", "--model", "mlp:2-2", "--optimizer", "adam", "--set",
      "lr=0.05", "--epochs", "200", "--checkpoint", run, "--threads", "1",
    ])
    #expect(
      train.status == 0 && train.output.contains("best test loss 0.0000"), "\(train.output)\(train.error)")
    #expect(try Fisher(["eval", run, "--on", data]).output.hasPrefix("60 examples of t.csv: loss 0.0000"))
    // The same columns in another file, elsewhere.
    let others = try folder.write("other.csv", "a,v,b,u\n2,3000,3,6\n5,0,0,15\n")
    #expect(
      try Fisher(["eval", run, "--on", others]).output.hasPrefix("2 examples of other.csv: loss 0.0000"))
    let lacking = try folder.write("lacking.csv", "a,v,b\n2,3000,3\n5,0,0\n")
    let refused = try Fisher(["eval", run, "--on", lacking])
    #expect(refused.status == 2 && refused.error.contains("lacking.csv, line 1: no column is called 'u'"))

    let known = try Fisher(["predict", run]).output.split(separator: "\n")
    #expect(known.count == 13 && known.first == "output v,output u,target v,target u", "\(known)")
    let new = try folder.write("new.csv", "a,b\n2,3\n5,0\n")
    let answers = try Fisher(["predict", run, "--input", new]).output.split(separator: "\n")
    #expect(answers.first == "output v,output u")
    let numbers = answers.dropFirst().flatMap { $0.split(separator: ",").compactMap { Double($0) } }
    let wanted = [3000.0, 6, 0, 15]
    #expect(numbers.count == 4 && zip(numbers, wanted).allSatisfy { abs($0 - $1) < 20 }, "\(numbers)")

    let resumed = try Fisher(["train", "--resume", run, "--epochs", "201"])
    #expect(resumed.status == 0, "\(resumed.error)")
    let changed = try Fisher(["train", "--resume", run, "--target", "u"])
    #expect(changed.status == 2 && changed.error.contains("--target v, u"), "\(changed.error)")
    for (target, message) in [
      ("v,,u", "--target: 'v,,u' has an empty name"), ("w", "no column is called 'w'"),
    ] {
      let wrong = try Fisher(["train", "--dataset", data, "--target", target])
      #expect(wrong.status == 2 && wrong.error.contains(message), "\(wrong.error)")
    }
  }

  @Test func classesHaveTheirNamesAndWeightsAreTakenOver() throws {
    let folder = try Folder()
    let rows = (0..<60).map { i in "\(i % 3),\(i % 5),\(["ant", "bee", "cow"][i % 3])" }
    let data = try folder.write("t.csv", rows.joined(separator: "\n") + "\n")
    let run = folder.path + "/run"
    let common = [
      "train", "--dataset", data, "--model", "mlp:2-16-3", "--optimizer", "adam", "--set", "lr=0.05",
    ]
    #expect(try Fisher(common + ["--epochs", "60", "--checkpoint", run]).status == 0)
    let answers = try Fisher(["predict", run]).output.split(separator: "\n")
    #expect(answers.first == "class,probability,target" && answers.count == 13)
    for answer in answers.dropFirst() {
      let fields = answer.split(separator: ",")
      #expect(fields[0] == fields[2] && (Double(fields[1]) ?? 0) > 0.5, "\(answer)")
    }
    let tuned = try Fisher(common + ["--epochs", "1", "--weights", run, "--json", "-"])
    let result = try #require(try tuned.lines().last)
    #expect(result["bestTestAccuracy"] as? Double == 1, "\(tuned.output)")
    let none = try Fisher(common + ["--weights", run, "--weights-only", "x"])
    #expect(none.status == 2 && none.error.contains("the pattern fits none of"), "\(none.error)")
    #expect(try Fisher(["eval"]).error.contains("eval takes one folder"))
    #expect(try Fisher(["eval", folder.path]).status == 2)
  }
}
