import FisherRuntime
import Foundation
import Testing

/// What a shell makes of a command line, in which $FISHER is the executable.
private func shell(_ script: String) throws -> (status: Int32, output: String, error: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/bash")
  process.arguments = ["-c", script]
  process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FISHER_") }
    .merging(["FISHER": Fisher.executable.path]) { $1 }
  let (output, error) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = error
  try process.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  let complaint = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return (process.terminationStatus, text, complaint)
}

private let quick = "$FISHER train --optimizer sgd --epochs 2 --batch 256"

/// A file, or what stands for one, is written in place and all of it; what cannot be written is a line and status 1.
@Suite struct OutputTests {
  @Test(arguments: [
    "\(quick) > /dev/full", "\(quick) --json - > /dev/full", "\(quick) --json /dev/full", "\(quick) >&-",
    "$FISHER optimizers > /dev/full", "$FISHER optimizers sgd > /dev/full", "$FISHER --help > /dev/full",
    "$FISHER optimizers --json - > /dev/full", "$FISHER optimizers --json /dev/full > /dev/null",
    "$FISHER verify sgd > /dev/full", "$FISHER optimizers >&-",
  ])
  func fullDevicesAreALineAndStatusOne(script: String) throws {
    let run = try shell(script)
    #expect(run.status == 1, "\(run)")
    #expect(
      run.error.hasPrefix("fisher: cannot write to ") && run.error.split(separator: "\n").count == 1, "\(run)"
    )
  }

  @Test func standardErrorMayBeFullOrClosed() throws {
    #expect(try shell("$FISHER train --optimizer nothing 2> /dev/full").status == 2)
    #expect(try shell("$FISHER train --optimizer nothing 2>&-").status == 2)
  }

  /// With closed descriptors the first file that is opened must not become standard output.
  @Test func closedStandardOutputDoesNotWriteIntoFiles() throws {
    let folder = try Folder()
    let run = try shell("\(quick) --json \(folder.path)/log >&-")
    #expect(run.status == 1)
    let log = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
    #expect(log.split(separator: "\n").allSatisfy { $0.hasPrefix("{") }, "\(log)")
  }

  @Test func picturesGoThroughLinksAndDevices() throws {
    let folder = try Folder()
    let script = """
      cd \(folder.path) && \(quick) --json log > /dev/null && echo old > target && ln -s target link
      $FISHER plot log --out link && test -L link && head -c 4 target
      $FISHER plot log --out - | tail -c 7
      $FISHER plot log --out /dev/full; echo $?; test -c /dev/full && echo device
      """
    let run = try shell(script)
    #expect(run.output == "<svg</svg>\n1\ndevice\n", "\(run)")
  }

  @Test func jsonGoesThroughLinksAndPipes() throws {
    let folder = try Folder()
    let script = """
      cd \(folder.path) && echo old > target && ln -s target link && ln target hard && mkfifo fifo
      \(quick) --json link > /dev/null && cmp target hard && test -L link && wc -l < target
      (wc -l < fifo > counted) & \(quick) --json fifo > /dev/null; wait; cat counted; test -p fifo && echo fifo
      \(quick) --json >(wc -l > process) > /dev/null; for i in {1..100}; do test -s process && break; sleep 0.05; done
      cat process; \(quick) --json /dev/null > /dev/null; test -c /dev/null && echo device
      """
    let run = try shell(script)
    #expect(run.output.split(separator: "\n") == ["4", "4", "fifo", "4", "device"], "\(run)")
  }

  @Test func readersThatGoAwayAreALine() throws {
    let run = try shell("\(quick) --epochs 300 --json - | head -1 > /dev/null; exit ${PIPESTATUS[0]}")
    #expect(
      run.status == 1 && run.error == "fisher: cannot write to standard output: Broken pipe\n", "\(run)")
  }

  /// The epochs before the interruption stay in the log.
  @Test func resumedRunsContinueTheirLog() throws {
    let folder = try Folder()
    let script = """
      cd \(folder.path) && \(quick) --checkpoint run --json log > /dev/null && printf '{"cut' >> log
      $FISHER train --resume run --epochs 4 --json log > /dev/null && cut -c1-24 log
      """
    let lines = try shell(script).output.split(separator: "\n").map(String.init)
    let kinds = lines.map {
      $0.contains("start") ? "start" : $0.contains("epoch") ? "epoch" : $0.contains("result") ? "result" : $0
    }
    #expect(
      kinds == ["start", "epoch", "epoch", "result", "{\"cut", "start", "epoch", "epoch", "result"],
      "\(lines)")
  }
}

@Suite struct RunSafetyTests {
  /// A step that would leave NaN or infinity in weights or state ends the run, and nothing is saved.
  @Test(arguments: [("sgd", "lr=1e39"), ("adam", "eps=0")])
  func nonFiniteWeightsAreNotSaved(optimizer: String, setting: String) throws {
    let folder = try Folder()
    let run = try Fisher([
      "train", "--epochs", "1", "--batch", "2000", "--optimizer", optimizer, "--set", setting,
      "--checkpoint", folder.path + "/run",
    ])
    // The step is refused, or the setting is.
    #expect(run.status == 1 && run.error.contains("would not be finite") || run.status == 2, "\(run)")
    #expect(run.error.split(separator: "\n").count == 1, "\(run)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run/weights.safetensors"))
  }

  /// Weights may be finite and as good as lost.
  @Test func aTestLossThatIsNotFiniteIsAFailure() throws {
    let run = try Fisher([
      "train", "--epochs", "1", "--batch", "2000", "--optimizer", "sgd", "--set", "lr=1e37",
    ])
    #expect(run.status == 1 && run.error.contains("the loss of the last test is "), "\(run)")
  }

  @Test func otherRunsAreNotOverwritten() throws {
    let folder = try Folder()
    let train = ["train", "--optimizer", "sgd", "--batch", "256"]
    for (name, seed) in [("a", "1"), ("b", "2")] {
      #expect(
        try Fisher(train + ["--epochs", "2", "--seed", seed, "--checkpoint", folder.path + "/" + name]).status
          == 0)
    }
    let path = folder.path + "/b/checkpoint.safetensors"
    let old = try Data(contentsOf: URL(fileURLWithPath: path))
    let run = try Fisher([
      "train", "--resume", folder.path + "/a", "--epochs", "3", "--checkpoint", folder.path + "/b",
    ])
    #expect(run.status == 2 && run.error.contains("/b holds another run; take another folder"), "\(run)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == old)
    // Into an empty folder, then again over that earlier state of the same run, but not over a later one.
    func resume(_ a: String, _ b: String, _ epochs: Int) throws -> Fisher {
      try Fisher([
        "train", "--resume", folder.path + "/" + a, "--epochs", "\(epochs)", "--checkpoint",
        folder.path + "/" + b,
      ])
    }
    #expect(try resume("a", "c", 3).status == 0)
    #expect(try resume("c", "a/../a", 4).status == 0)
    let back = try resume("c", "a", 5)
    #expect(back.status == 2 && back.error.contains("holds the same run after 24 steps"), "\(back)")
    let weights = try Fisher(train + ["--checkpoint", folder.path + "/b", "--epochs", "1"])
    #expect(weights.status == 2 && weights.error.contains("holds a run already"))
  }

  @Test func foldersThatCannotBeWrittenAreNoticedFirst() throws {
    let folder = try Folder()
    let file = try folder.write("file", "")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/run/checkpoint.safetensors/x", withIntermediateDirectories: true)
    for (path, message) in [
      (file + "/run", "cannot be made a directory"), (file, "cannot be made a directory"),
      ("/proc/run", "cannot be made a directory"),
    ] {
      let run = try Fisher(["train", "--checkpoint", path])
      #expect(run.status == 2 && run.output.isEmpty && run.error.contains(message), "\(run)")
    }
    let run = try Fisher(["train", "--checkpoint", folder.path + "/run"])
    #expect(run.status == 2 && run.output.isEmpty, "\(run)")
  }

  @Test func leftoversOfKilledRunsAreRemoved() throws {
    let folder = try Folder()
    try FileManager.default.createDirectory(atPath: folder.path + "/run", withIntermediateDirectories: true)
    // No process has so large a number.
    let left = try folder.write("run/checkpoint.safetensors.99999999.tmp", "half")
    let other = try folder.write("run/checkpoint.safetensors.txt.tmp", "mine")
    #expect(
      try Fisher(["train", "--optimizer", "sgd", "--epochs", "1", "--checkpoint", folder.path + "/run"])
        .status == 0)
    #expect(!FileManager.default.fileExists(atPath: left) && FileManager.default.fileExists(atPath: other))
  }

  /// Ctrl-C: a last checkpoint, one line, and the status that shells know; the run goes on with the same bits.
  @Test(arguments: [SIGINT, SIGTERM])
  func interruptedRunsKeepTheirWork(signal: Int32) throws {
    let folder = try Folder()
    let options = ["--optimizer", "sgd", "--epochs", "400", "--batch", "64"]
    let process = Process()
    // The tests may run in the background of a shell that ignores the signal.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["--default-signal", Fisher.executable.path, "train", "--json", folder.path + "/log"]
      + ["--checkpoint", folder.path + "/run"] + options
    let error = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error
    try process.run()
    let checkpoint = folder.path + "/run/checkpoint.safetensors"
    while process.isRunning && !FileManager.default.fileExists(atPath: checkpoint) { usleep(500) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    let text = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(process.terminationReason == .exit && process.terminationStatus == 128 + signal, "\(text)")
    #expect(
      text.hasPrefix("fisher: interrupted after epoch ") && text.split(separator: "\n").count == 1, "\(text)")
    #expect(text.contains("--resume \(folder.path)/run continues it"), "\(text)")
    let whole = try Fisher(["train", "--json", "-"] + options).lines().last
    let resumed = try Fisher(["train", "--json", "-", "--resume", folder.path + "/run"]).lines().last
    #expect(resumed?["parametersHash"] as? String == whole?["parametersHash"] as? String && whole != nil)
  }

  @Test func classesMustDiffer() throws {
    let folder = try Folder()
    let table = try folder.write("one.csv", (0..<50).map { "\(Float($0) / 3),0.5,7\n" }.joined())
    let run = try Fisher(["train", "--dataset", table])
    #expect(
      run.status == 2 && run.error.contains("one.csv: all 40 training examples have the class 7"), "\(run)")
  }

  /// Accuracy does not depend on the unit of the features.
  @Test func featuresHaveNoUnit() throws {
    let folder = try Folder()
    var accuracies: [Double] = []
    for scale in ["", "e-30", "e-9", "e-7", "e30"] {
      let rows = (0..<200).map { i -> String in
        let (x, y) = ((i * 37) % 101 - 50, (i * 53) % 89 - 44)
        return "\(x).5\(scale),\(y).25\(scale),\(x + y > 0 ? 1 : 0)\n"
      }
      let table = try folder.write("t\(scale).csv", rows.joined())
      let result = try Fisher([
        "train", "--json", "-", "--optimizer", "adam", "--epochs", "10", "--dataset", table,
      ])
      accuracies.append(try result.lines().last?["bestTestAccuracy"] as? Double ?? 0)
    }
    #expect(accuracies.allSatisfy { $0 >= 0.9 }, "\(accuracies)")
  }
}
