import FisherKit
import FisherRuntime
import Foundation
import Testing

extension Fisher {
  /// The lines of standard output as JSON objects.
  func lines() throws -> [[String: Any]] {
    try output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }
}

/// A folder of its own for a test, removed at the end.
final class Folder {
  let path = NSTemporaryDirectory() + "fisher-tools-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}

/// Wrong input is one clear line on standard error and exit status 2.
@Test(arguments: [
  (["now"], "train takes no 'now'"),
  (["--optimiser", "sgd"], "did you mean --optimizer?"),
  (["--optimizer", "adamm"], "unknown optimizer 'adamm'; did you mean adam, adamw"),
  (["--optimizer", "lookahead"], "unknown optimizer 'lookahead'; there are: adafactor, adafisher,"),
  (["--lr", "0.1"], "unknown option --lr; hyper-parameters are set with --set lr=VALUE"),
  (["--optimizer", "zzzzzzzz"], "there are: adafactor, adafisher, adafisherw,"),
  (["--set", "lr"], "--set: 'lr' is not of the form name=value"),
  (["--set", "lr=-1"], "adafisher: lr is '-1'; it must be a number above 0"),
  (["--set", "lr=1e-50"], "adafisher: lr is 1e-50, which is 0 in Float: the least number above 0 is"),
  (["--set", "lambda=1e39"], "adafisher: lambda is 1e+39, which is inf in Float: the largest number is"),
  (["--set", "lambda=much"], "adafisher: lambda is 'much'"),
  (["--set", "lamda=1"], "adafisher has no hyper-parameter 'lamda'; did you mean lambda?"),
  (["--dataset", "/no/such/folder"], "/no/such/folder: neither a data set"),
  (["--model", "mlp:64"], "model 'mlp:64'"),
  (["--model", "mlp:64-10-11"], "model 'mlp:64-10-11'"),
  (["--model", "cnn-smal"], "model 'cnn-smal'"),
  (["--epochs", "0"], "--epochs: '0' is not an integer of at least 1"),
  (
    ["--epochs", "1000000000000000000", "--seconds", "1"],
    "--epochs: '1000000000000000000' is not an integer from 1 to 1000000000000"
  ),
  (["--epochs", "1000000000000"], "1000000000000 epochs of 90 steps are more than 1000000000000 steps"),
  (["--schedule", "warm-up:1e300"], "1e+300 epochs of 90 steps are more than"),
  (["--schedule", "step:1e300"], "1e+300 epochs of 90 steps are more than"),
  (["--schedule", "step:inf"], "'inf' is not a number above 0"),
  (["--batch", "9223372036854775807"], "is not an integer from 1 to 1000000000000"),
  (["--micro-batch", "9223372036854775807"], "is not an integer from 1 to 1000000000000"),
  (["--threads", "9223372036854775807"], "is not an integer from 1 to 4096"),
  (["--patience", "9223372036854775808"], "is not an integer from 1 to 1000000000000"),
  (["--checkpoint-steps", "1e3"], "--checkpoint-steps: '1e3' is not an integer of at least 1"),
  (["--seed", "18446744073709551616"], "is not an integer of at least 0"),
  (["--augment", "crop:9223372036854775807"], "is not an integer from 1 to 1000000"),
  (["--augment", ":"], "augmentation ':': it is none that is known"),
  (["--augment", "flip,"], "augmentation '': it is none that is known"),
  (["--model", "mlp:64-9223372036854775807-10"], "is not an integer from 1 to 1000000000000"),
  (
    ["--model", "mlp:64-1000000000000-10"],
    "the network up to layers.1 needs 260.0 TB of memory, this machine has "
  ),
  (["--model", "mlp:64-1000000000000-1000000000000-10"], "layers.1 needs 260.0 TB of memory"),
  (["--set", "refresh=9223372036854775807"], "must be an integer of at least 1"),
  (["--set", "lr=1e-400"], "adafisher: lr is '1e-400'; it must be a number above 0"),
  (["--clip-norm", "1e-50"], "the limit of clipping is 1e-50, which becomes 0.0 in Float"),
  (["--batch", "many"], "--batch: 'many' is not an integer of at least 1"),
  (["--seed", "-1"], "--seed: '-1' is not an integer of at least 0"),
  (["--schedule", "cosinus"], "schedule 'cosinus'"),
  (["--augment", "rotate"], "augmentation 'rotate'"),
  (["--seconds", "0"], "--seconds: '0' is not a number above 0"),
  (["--average", "1"], "--average: '1' is not a number from 0 below 1"),
  (["--clip-norm", "0"], "--clip-norm: '0' is not a number above 0"),
  (["--clip-norm", "1", "--clip-value", "1"], "exclude each other"),
  (["--type", "f16"], "'f16' is neither f32 nor f64"),
  (["--backend", "/no/such/libblas.so"], "/no/such/libblas.so"),
  (["--threads", "0"], "--threads: '0' is not an integer from 1 to 4096"),
  (["--json", "/nowhere/out.jsonl"], "cannot write to '/nowhere/out.jsonl'"),
  (["--resume", "/no/such/run"], "/no/such/run/checkpoint.safetensors: there is no such file"),
])
func wrongTraining(_ arguments: [String], _ message: String) throws {
  let run = try Fisher(["train"] + arguments)
  #expect(run.status == 2)
  #expect(run.output.isEmpty, "\(run.output)")
  #expect(run.error.contains(message), "\(run.error)")
  #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
}

@Test func badTablesNameTheLine() throws {
  let folder = try Folder()
  let table = try folder.write("t.csv", "1,2,0\n3,4,1\n5,x,1\n")
  let run = try Fisher(["train", "--dataset", table])
  #expect(run.status == 2 && run.error == "fisher: \(table), line 3, column 2: 'x' is not a finite number\n")
}

/// The main job: what it promises, on the data that it carries.
@Test(arguments: [[], ["--optimizer", "adamw"]])
func trainsOnDigits(_ arguments: [String]) throws {
  let run = try Fisher(["train", "--json", "-"] + arguments)
  #expect(run.status == 0, "\(run.error)")
  let lines = try run.lines()
  #expect(lines.count == 32)
  let start = try #require(lines.first)
  #expect(start["event"] as? String == "start" && start["dataset"] as? String == "digits")
  for option in [
    "optimizer", "model", "epochs", "batch", "seed", "schedule", "type", "backend", "set", "threads",
  ] {
    #expect(start[option] != nil, "\(option)")
  }
  for (i, epoch) in lines.dropFirst().dropLast().enumerated() {
    #expect(epoch["event"] as? String == "epoch" && epoch["epoch"] as? Int == i + 1)
    #expect(epoch["step"] as? Int == 90 * (i + 1))
    for key in ["trainLoss", "testLoss", "testAccuracy", "seconds"] {
      #expect(epoch[key] is Double, "\(key)")
    }
  }
  let result = try #require(lines.last)
  #expect(result["event"] as? String == "result")
  #expect(result["bestTestAccuracy"] as? Double ?? 0 >= 0.97, "\(result)")
  #expect(result["seconds"] as? Double ?? 60 < 60)
  #expect((result["parametersHash"] as? String)?.count == 16 && result["finalTrainLoss"] is Double)
}

/// For people: a line an epoch, and at the end the accuracy.
@Test func trainsForPeople() throws {
  let run = try Fisher(["train", "--epochs", "2", "--optimizer", "sgd"])
  #expect(run.status == 0 && run.error.isEmpty)
  let lines = run.output.split(separator: "\n")
  #expect(lines.count == 6, "\(run.output)")
  #expect(lines[0].contains("digits: 1438 + 359") && lines[3].hasPrefix("epoch   1/2"))
  #expect(lines[5].hasPrefix("best test accuracy"))
  #expect(!run.output.contains("\r"), "a progress bar that no terminal shows")
}

/// A run that is killed and resumed ends like the one that was not.
@Test func killedRunsResumeWithTheSameBits() throws {
  let folder = try Folder()
  let options = ["--epochs", "6", "--optimizer", "adafisherw", "--set", "refresh=7", "--average", "0.99"]
  let whole = try Fisher(["train", "--json", "-"] + options)
  let process = Process()
  process.executableURL = Fisher.executable
  process.arguments =
    ["train", "--json", folder.path + "/log", "--checkpoint", folder.path + "/run"]
    + ["--checkpoint-steps", "7"] + options
  process.standardOutput = FileHandle.nullDevice
  try process.run()
  let checkpoint = folder.path + "/run/checkpoint.safetensors"
  while process.isRunning && !FileManager.default.fileExists(atPath: checkpoint) { usleep(500) }
  usleep(20_000)
  kill(process.processIdentifier, SIGKILL)
  process.waitUntilExit()

  let again = try Fisher(["train", "--checkpoint", folder.path + "/run"] + options)
  #expect(again.status == 2 && again.error.contains("holds a run already"), "\(again.error)")
  let changed = try Fisher(["train", "--resume", folder.path + "/run", "--batch", "32"])
  #expect(changed.status == 2 && changed.error.contains("--resume continues a run as it was started"))
  let resumed = try Fisher(["train", "--json", "-", "--resume", folder.path + "/run"])
  #expect(resumed.status == 0, "\(resumed.error)")
  let (expected, result) = (try whole.lines().last, try resumed.lines().last)
  for key in ["parametersHash", "bestTestAccuracy", "finalTrainLoss"] {
    #expect("\(expected?[key] ?? "")" == "\(result?[key] ?? 0)", "\(key)")
  }
}

@Test func foreignCheckpointsAreRefusedAndStay() throws {
  let folder = try Folder()
  let path = try folder.write("checkpoint.safetensors", "not a checkpoint at all")
  let run = try Fisher(["train", "--resume", folder.path])
  #expect(run.status == 2 && run.error.contains("checkpoint.safetensors") && run.output.isEmpty)
  #expect(run.error.split(separator: "\n").count == 1)
  #expect(try String(contentsOfFile: path, encoding: .utf8) == "not a checkpoint at all")
}

/// A rate that blows the weights up: status 1, with the layer's name.
@Test func aNonFiniteLossEndsTheRun() throws {
  let run = try Fisher(["train", "--optimizer", "sgd", "--set", "lr=1e30", "--epochs", "3"])
  #expect(run.status == 1)
  #expect(run.error.contains("layers.") && run.error.contains("no step was taken"), "\(run.error)")
  #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
}

/// A damping below the rounding of the blocks: inverses fail, the former ones stay, and the report says how often.
@Test func failedInversesAreCounted() throws {
  let options = ["--optimizer", "mbf", "--set", "damping=1e-30", "--set", "lr=1e-36", "--epochs", "1"]
  let result = try #require(try Fisher(["train", "--json", "-"] + options).lines().last)
  let events = try #require(result["events"] as? [String: Int])
  let count = try #require(events["inverses kept"])
  #expect(result["event"] as? String == "result" && count > 0)
  let run = try Fisher(["train"] + options)
  #expect(run.status == 0 && run.output.contains("\ncounted    inverses kept: \(count)\n"), "\(run.output)")
}

/// The epoch that runs when the time is up is the last one.
@Test func timeIsLimited() throws {
  let run = try Fisher(["train", "--json", "-", "--optimizer", "sgd", "--seconds", "1e-6"])
  #expect(run.status == 0, "\(run.error)")
  let lines = try run.lines()
  #expect(lines.map { $0["event"] as? String } == ["start", "epoch", "result"])
  #expect(lines.last?["stoppedEarly"] as? Bool == false)
  #expect((lines.last?["events"] as? [String: Int])?.isEmpty == true)
}

@Test func optimizersAreListedAndDescribed() throws {
  let list = try Fisher(["optimizers"])
  #expect(list.status == 0)
  // Methods, an empty line, a title, and the parts that go around them.
  let blocks = list.output.split(separator: "\n", omittingEmptySubsequences: false).split(separator: "")
  let listed = blocks.map { lines in lines.compactMap { $0.split(separator: " ").first.map(String.init) } }
  try #require(listed.count == 2)
  let names = listed[0]
  #expect(names == OptimizerRegistry.builtIn.names && names == names.sorted())
  // A part may come with an argument.
  let parts = listed[1].dropFirst().map { String($0.prefix { $0 != "(" }) }
  #expect(parts == OptimizerRegistry.builtIn.partNames)
  for name in names {
    let one = try Fisher(["optimizers", name, "--json", "-"])
    let record = try #require(try one.lines().first)
    for key in ["paper", "needs", "cost", "stateSize"] { #expect((record[key] as? String)?.isEmpty == false) }
    for parameter in try #require(record["hyperparameters"] as? [[String: Any]]) {
      for key in ["name", "meaning", "range", "source"] {
        #expect((parameter[key] as? String)?.isEmpty == false, "\(name) \(parameter)")
      }
      #expect(parameter["default"] != nil)
    }
    #expect(try Fisher(["optimizers", name]).output.contains("fisher train --optimizer \(name)"))
  }
  let unknown = try Fisher(["optimizers", "adafish"])
  #expect(unknown.status == 2 && unknown.error.contains("did you mean adafisher"))
}
