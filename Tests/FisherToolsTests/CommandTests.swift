import FisherCommandLine
import FisherRuntime
import FisherTraining
import FisherKit
import Foundation
import Testing

/// The executable beside the tests, run as a user would.
struct Fisher {
  let status: Int32
  let output: String
  let error: String

  static let executable = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("fisher")

  /// - Parameters:
  ///   - executable: another program with the same command line.
  ///   - folder: where it is called; where the tests are, unless given.
  init(
    _ arguments: [String], environment: [String: String] = [:], executable: URL = Self.executable,
    folder: String? = nil
  ) throws {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    // The tests themselves may run under a forced instruction set.
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FISHER_") }
      .merging(environment) { $1 }
    let (output, error) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = error
    try process.run()
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.error = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }
}

/// Wrong usage is one clear line on standard error and exit status 2.
@Test(arguments: [
  ([], "fisher --help"),
  (["benhc"], "did you mean bench?"),
  (["bench"], "bench needs a suite"),
  (["bench", "gem"], "did you mean gemm?"),
  (["bench", "qqqqqq"], "there are: gemm, syrk, trsm,"),
  (["bench", "gemm", "--threads"], "--threads needs a value"),
  (["bench", "gemm", "--json", "/nowhere/out.jsonl"], "cannot write to '/nowhere/out.jsonl'"),
  (["bench", "gemm", "--type", "f32"], "did you mean --types?"),
  (["bench", "gemm", "--types", "f16"], "'f16' is neither f32 nor f64"),
  (["bench", "gemm", "--sizes", "3x4"], "'3x4' is neither a size"),
  (["bench", "gemm", "--threads", "0"], "'0' is not an integer from 1 to 4096"),
  (["bench", "gemm", "--against", "/no/such/libblas.so"], "/no/such/libblas.so"),
  (["bench", "step", "--network", "mlp:12"], "--network: model 'mlp:12'"),
  (
    ["bench", "step", "--network", "cnn-small"],
    "--network: 'cnn-small' is none of mlp:…, autoencoder:… and gpt:…"
  ),
  (
    ["bench", "step", "--network", "mlp:12-4", "--batch", "0"], "--batch: '0' is not an integer of at least 1"
  ),
  (["doctor", "now"], "doctor takes no 'now'"),
  (
    ["bench", "gemm", "--sizes", "99999999999"], "--sizes: '99999999999' is not an integer from 1 to 1000000"
  ),
  (["bench", "gemm", "--threads", "9223372036854775807"], "is not an integer from 1 to 4096"),
  (
    ["bench", "step", "--network", "mlp:64-1000000000000-10"],
    "--network and --batch: this needs 1.1 PB of memory, this machine has"
  ),
  (["bench", "step", "--network", "mlp:12-4", "--batch", "9223372036854775807"], "from 1 to 1000000000000"),
  (["help", "trian"], "unknown command 'trian'; did you mean train?"),
  (["two\nlines"], "unknown command 'two\\nlines'"),
])
func wrongUsage(_ arguments: [String], _ message: String) throws {
  let run = try Fisher(arguments)
  #expect(run.status == 2)
  #expect(run.output.isEmpty)
  #expect(run.error.contains(message), "\(run.error)")
  #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
}

@Test(arguments: [
  ("FISHER_ISA", "sse9", "'sse9'"), ("FISHER_ISA", "sse9", "portable"), ("FISHER_ISA", "", "''"),
  ("FISHER_THREADS", "0", "'0'"), ("FISHER_THREADS", "x", "'x'"),
])
func wrongEnvironment(_ name: String, _ value: String, _ message: String) throws {
  let run = try Fisher(["doctor"], environment: [name: value])
  #expect(run.status == 2)
  #expect(run.error.contains(name) && run.error.contains(message), "\(run.error)")
  #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
}

@Test func helpListsTheCommands() throws {
  let run = try Fisher(["--help"])
  #expect(run.status == 0 && run.error.isEmpty)
  for part in ["train", "optimizers", "doctor", "bench", "example: fisher"] {
    #expect(run.output.contains(part), "\(run.output)")
  }
  // The longest name too is apart from what it does, and all of that begins in one column.
  let commands = run.output.split(separator: "\n").filter { $0.hasPrefix("  ") }
  let columns = commands.map { line in
    let name = line.dropFirst(2).prefix { $0 != " " }
    return line.dropFirst(2 + name.count).prefix { $0 == " " }.count + 2 + name.count
  }
  #expect(commands.contains { $0.contains("new-optimizer ") } && Set(columns).count == 1, "\(run.output)")
}

/// A few rows times a B beyond the second level: one loop over B from end to end where the third level is a whole processor's.
@Test(arguments: [("48K,2M,260M", true), ("32K,1M,32M", false), ("48K,8M,260M", false)])
func planOfFewRowsFollowsTheCaches(_ caches: String, _ isThin: Bool) throws {
  let run = try Fisher(
    ["doctor", "--plan", "8x1000x1000", "--threads", "1"], environment: ["FISHER_CACHES": caches])
  #expect(run.status == 0 && run.output.contains("from end to end") == isThin, "\(run.output)\(run.error)")
}

@Test(arguments: ["train", "optimizers", "doctor", "bench"])
func helpHasAnExample(_ command: String) throws {
  let run = try Fisher([command, "--help"])
  #expect(run.status == 0)
  #expect(run.output.contains("example: fisher \(command)"))
  #expect(try Fisher(["help", command]).output == run.output)
}

/// Sizes that are read, and for which the machine has no memory.
@Test func benchRefusesWhatDoesNotFit() throws {
  let run = try Fisher(["bench", "gemm", "--sizes", "1000000", "--types", "f32", "--against", "none"])
  #expect(run.status == 2)
  #expect(run.error.hasPrefix("fisher: --sizes: a case needs 4.0 TB of memory, this machine has "))
  #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
}

/// A line for the passes, for SGD and every method, and one for each method with periods over a whole cycle.
@Test func benchMeasuresSteps() throws {
  let run = try Fisher(
    ["bench", "step", "--network", "mlp:12-9-4", "--batch", "5", "--optimizers", "ief,mbf", "--types", "f64"]
      + ["--quick", "--json", "-"])
  #expect(run.status == 0, "\(run.error)")
  let lines = try run.lines().dropLast()
  #expect(lines.map { $0["optimizer"] as? String } == ["passes", "sgd", "ief", "mbf", "mbf amortised"])
  for line in lines {
    #expect(line["network"] as? String == "mlp:12-9-4" && line["batch"] as? Int == 5)
    #expect(line["secondsPerStep"] as? Double ?? 0 > 0 && line["peakFraction"] as? Double ?? 0 > 0)
    #expect((line["overSGD"] as? Double != nil) == (line["optimizer"] as? String != "passes"))
  }
}

/// Whatever a method asks of its batch, the benchmark has it.
@Test func benchMeasuresEveryOptimizer() throws {
  let names = OptimizerRegistry.builtIn.records.filter { !$0.needs.contains(.exactFisher) }.map(\.name)
  let run = try Fisher(
    ["bench", "step", "--network", "mlp:6-5-4", "--batch", "4", "--types", "f32", "--quick", "--json", "-"]
      + ["--optimizers", names.joined(separator: ",")])
  #expect(run.status == 0, "\(run.error)")
  let measured = Set(try run.lines().compactMap { $0["optimizer"] as? String })
  #expect(measured.isSuperset(of: names), "\(Set(names).subtracting(measured))")
}

/// A tiny run: every line is JSON with the promised keys, and the numbers fit together.
@Test func benchWritesJSONLines() throws {
  let run = try Fisher(
    ["bench", "gemm", "syrk", "--sizes", "12x7x9", "--quick", "--against", "none", "--json", "-"])
  #expect(run.status == 0, "\(run.error)")
  let lines = try run.output.split(separator: "\n").map {
    try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
  }
  #expect(lines.count == 5)
  for line in lines.dropLast() {
    let (gflops, time) = (line["gflops"] as? Double ?? 0, line["seconds"] as? Double ?? 0)
    let flops = line["suite"] as? String == "gemm" ? 2.0 * 12 * 7 * 9 : 7.0 * 8 * 9
    #expect(abs(gflops * time * 1e9 / flops - 1) < 1e-4)
    let (peak, fraction) = (line["peakGflops"] as? Double ?? 0, line["peakFraction"] as? Double ?? 0)
    #expect(abs(fraction * peak / gflops - 1) < 1e-4)
    for key in ["case", "type", "n", "k", "threads", "peers", "ratio"] { #expect(line[key] != nil, "\(key)") }
  }
  #expect(lines.last?["summary"] as? Bool == true)
}

@Test func doctorWritesJSON() throws {
  let run = try Fisher(
    ["doctor", "--json", "-"], environment: ["FISHER_ISA": "portable", "FISHER_THREADS": "1"])
  #expect(run.status == 0)
  let facts = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
  #expect(facts["tier"] as? String == "portable")
  #expect(facts["threads"] as? Int == 1)
  let peak = facts["peakGflops"] as? [String: Double]
  #expect((peak?["f32"] ?? 0) > 0 && (peak?["f64"] ?? 0) > 0)
  #expect(facts["backends"] is [Any])
  #expect((facts["optimizers"] as? [String])?.contains("adafisher") == true)
}

/// One version everywhere: the tool, doctor, runs, the changelog and the citation.
@Test func theVersionIsTheSameEverywhere() throws {
  let run = try Fisher(["--version"])
  #expect(run.status == 0 && run.output == "fisher \(packageVersion)\n")
  func text(_ path: String) throws -> String {
    try String(contentsOf: BuiltPlugin.root.appendingPathComponent(path), encoding: .utf8)
  }
  #expect(try text("CITATION.cff").contains("\nversion: \(packageVersion)\n"))
  #expect(try text("CHANGELOG.md").contains("## \(packageVersion)"))
  let start = try Fisher(["train", "--epochs", "1", "--json", "-"]).output.split(separator: "\n").first
  #expect(start?.contains("\"event\":\"start\",\"version\":\"\(packageVersion)\"") == true)
}
