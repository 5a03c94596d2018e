import FisherKit
import FisherRuntime
import Foundation
import Testing

/// `fisher compare` as a user meets it.
@Suite struct CompareTests {
  private final class Folder {
    let path = NSTemporaryDirectory() + "fisher-" + UUID().uuidString
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func lines() throws -> [String] {
      try String(contentsOfFile: path + "/runs.jsonl", encoding: .utf8).split(separator: "\n").map(
        String.init)
    }
  }

  private static func words(_ folder: Folder) -> [String] {
    ["compare", "--workload", "spectrum-1e2", "--optimizers", "adamw,sgd,kfac,kfac:units", "--seeds", "4"]
      + ["--tune", "3", "--threads", "1", "--report", folder.path]
  }

  @Test(arguments: [
    (["now"], "compare takes no 'now'"),
    (["--optimizer", "adamw"], "did you mean --optimizers?"),
    (["--optimizers", "adamx"], "unknown optimizer 'adamx'"),
    (["--optimizers", "kfac:unit"], "of kfac there are kfac:norm, kfac:units"),
    (["--optimizers", "sgd,sgd"], "'sgd' is named twice"),
    (["--workload", "digits"], "unknown workload 'digits'"),
    (["--seeds", "0"], "--seeds: '0' is not an integer"),
    (["--seeds", "99999999999999999999"], "--seeds"),
    (["--tune", "-1"], "--tune: '-1' is not an integer"),
    (["--budget", "soon"], "--budget: 'soon' is no time such as 90s"),
    (["--budget", "0s"], "--budget: '0s' is no time"),
    (["--report", "/proc/none"], "--report: cannot make the folder '/proc/none'"),
    (["--cell", "x"], "--cell belongs to --check"),
    (["--check", "/no/such"], "/no/such/runs.jsonl"),
  ])
  func wrongUsage(_ words: [String], _ message: String) throws {
    let run = try Fisher(["compare"] + words)
    #expect(run.status == 2 && run.output.isEmpty, "\(run.output)")
    #expect(run.error.contains(message), "\(run.error)")
    #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
  }

  @Test func helpListsTheWorkloads() throws {
    let run = try Fisher(["compare", "--help"])
    #expect(run.status == 0 && run.output.contains("example: fisher compare"))
    for name in ["digits-mlp", "curves", "spectrum-1e6"] { #expect(run.output.contains(name)) }
    // What a workload is begins where it does for the longest name.
    #expect(run.output.contains("  screened-poisson  A ") && run.output.contains("  recall            4096 "))
  }

  /// Killed without mercy, then started again: what was finished is still there, word for word, and nothing is run twice.
  /// Then the runs hold, and one whose record was changed is refuted.
  @Test func aKilledComparisonGoesOn() throws {
    let folder = Folder()
    let process = Process()
    process.executableURL = Fisher.executable
    process.arguments = Self.words(folder)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    func count() -> Int { ((try? folder.lines()) ?? []).count { $0.contains("\"event\":\"cell\"") } }
    while process.isRunning && count() < 5 { usleep(2000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let before = try folder.lines()
    let again = try Fisher(Self.words(folder))
    #expect(again.status == 0, "\(again.error)")
    let after = try folder.lines()
    // The last line may have been cut.
    #expect(Array(after.prefix(before.count - 1)) == Array(before.dropLast()))
    let cells = after.filter { $0.contains("\"event\":\"cell\"") }
    let keys = cells.compactMap { try? JSON(parsing: $0)["cell"]?.string }
    #expect(keys.count == 4 * (4 + 4) && Set(keys).count == keys.count)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/report.html"))

    let holds = try Fisher(["compare", "--check", folder.path, "--cell", "/kfac/"])
    #expect(holds.status == 0, "\(holds.output)")
    #expect(holds.output.split(separator: "\n").count == 8)
    #expect(holds.output.split(separator: "\n").allSatisfy { $0.hasPrefix("holds    spectrum-1e2/kfac/") })

    // Another learning rate in the record: one that the losses do not belong to.
    let changed = after.joined(separator: "\n") + "\n"
    let victim = try #require(keys.last { $0.contains("/sgd/lr=") })
    let rate = try #require(victim.split(separator: "=").last?.split(separator: "/").first)
    try changed.replacingOccurrences(of: "lr=\(rate)/", with: "lr=\(rate)1/")
      .replacingOccurrences(of: "\"lr\":\"\(rate)\"", with: "\"lr\":\"\(rate)1\"")
      .write(toFile: folder.path + "/runs.jsonl", atomically: true, encoding: .utf8)
    let refuted = try Fisher(["compare", "--check", folder.path, "--cell", "/sgd/lr=\(rate)1/"])
    #expect(refuted.status == 1 && refuted.output.contains("refuted  spectrum-1e2/sgd/lr=\(rate)1/"))
  }
}
