import Foundation
import Testing

/// `fisher train --ranks`: processes that share memory.
@Suite struct RankCommandTests {
  private func hash(_ run: Fisher) throws -> String {
    #expect(run.status == 0 && run.error.isEmpty, "\(run.error)")
    return try run.lines().last?["parametersHash"] as? String ?? ""
  }

  private static let short = ["train", "--json", "-", "--epochs", "1", "--threads", "1"]

  @Test(arguments: ["sgd", "adafisher", "mbf", "ief"])
  func ranksGiveTheBitsOfShards(optimizer: String) throws {
    let options = Self.short + ["--optimizer", optimizer, "--shards", "4"]
    let alone = try hash(try Fisher(options))
    for ranks in ["2", "3"] {
      #expect(try hash(try Fisher(options + ["--ranks", ranks, "--check-ranks"])) == alone, "\(ranks) ranks")
    }
  }

  /// Rank 0 writes, and any number of ranks goes on.
  @Test func storedRunsGoOnWithOtherRanks() throws {
    let folder = try Folder()
    let whole = try hash(
      try Fisher(Self.short + ["--epochs", "3", "--schedule", "constant", "--shards", "4"]))
    _ = try hash(
      try Fisher(
        Self.short + ["--epochs", "1", "--schedule", "constant", "--ranks", "3", "--checkpoint", folder.path])
    )
    var last = ""
    for (epochs, ranks) in [("2", "1"), ("3", "2")] {
      last = try hash(
        try Fisher(
          ["train", "--json", "-", "--threads", "1", "--resume", folder.path, "--epochs", epochs]
            + ["--ranks", ranks]))
    }
    #expect(last == whole)
  }

  /// Whichever rank is killed: one line, and an end; without it, ranks that wait for each other would do so for ever.
  @Test(.timeLimit(.minutes(5)), arguments: [0, 1, 2], ["off", "on"])
  func aKilledRankEndsTheOthers(victim: Int, overlap: String) throws {
    let folder = try Folder()
    let process = Process()
    process.executableURL = Fisher.executable
    process.arguments =
      ["train", "--ranks", "3", "--epochs", "100000", "--threads", "1", "--json", folder.path + "/log"]
      + ["--overlap", overlap]
    let error = Pipe()
    process.standardError = error
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    func text() -> String { (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? "" }
    while process.isRunning && !text().contains("\"epoch\",\"epoch\":2") { usleep(2000) }
    let ranks = [process.processIdentifier] + Self.children(of: process.processIdentifier)
    #expect(ranks.count == 3)
    kill(ranks[victim], SIGKILL)
    // The pipe ends when the last rank has ended.
    let said = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(said.split(separator: "\n").count == 1 && said.hasPrefix("fisher: rank \(victim) "), "\(said)")
    if victim > 0 { #expect(process.terminationStatus == 1 && said.contains("signal 9")) }
  }

  private static func children(of parent: pid_t) -> [pid_t] {
    let path = "/proc/\(parent)/task/\(parent)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { pid_t($0) }
  }

  @Test func aDiskThatIsFullEndsAllWithItsMessage() throws {
    let folder = try Folder()
    // No file beyond 1.5 MB: the weights fit, the state beside them does not.
    let script = """
      trap '' XFSZ; ulimit -f 1500; exec "$0" train --ranks 2 --epochs 1 --threads 1 --optimizer adam \
        --model mlp:64-512-512-10 --checkpoint "$1" > /dev/null
      """
    let run = try Fisher(
      ["-c", script, Fisher.executable.path, folder.path + "/run"],
      executable: URL(fileURLWithPath: "/bin/bash"))
    #expect(run.status == 1 && run.error.split(separator: "\n").count == 1, "\(run.error)")
    #expect(run.error.contains("checkpoint.safetensors: cannot be written"), "\(run.error)")
  }

  @Test func wrongUseIsOneLine() throws {
    for (options, message) in [
      (["--ranks", "3", "--shards", "2"], "2 shards for 3 ranks; each must have at least one"),
      (["--ranks", "0"], "--ranks: "), (["--ranks", "2", "--optimizer", "sdg"], "sgd"),
      (["--ranks", "2", "--batch", "3"], "4 shards of a batch of 3"),
      (["--ranks", "2", "--overlap", "maybe"], "--overlap: 'maybe' is none of auto, on, off"),
    ] {
      let run = try Fisher(["train"] + options)
      #expect(run.status == 2 && run.error.split(separator: "\n").count == 1, "\(run.error)")
      #expect(run.error.contains(message), "\(run.error)")
    }
  }

  /// A folder that ranks read together: one line if it cannot be read, and the bits of one process if it can.
  @Test func foldersAreReadTogether() throws {
    let folder = try Folder()
    func file(_ name: String, _ axes: [Int], _ bytes: [UInt8]) throws {
      let lengths: [[UInt8]] = axes.map { [0, 0, UInt8($0 >> 8), UInt8($0 & 255)] }
      let header: [UInt8] = [0, 0, 8, UInt8(axes.count)] + lengths.flatMap(\.self)
      try Data(header + bytes).write(to: URL(fileURLWithPath: folder.path + "/" + name))
    }
    for (name, count) in [("train", 300), ("t10k", 40)] {
      try file(
        "\(name)-images-idx3-ubyte", [count, 4, 4], (0..<16 * count).map { UInt8($0 * $0 * 7 % 251) })
      try file("\(name)-labels-idx1-ubyte", [count], (0..<count).map { UInt8($0 % 10) })
    }
    let options = Self.short + ["--dataset", folder.path, "--shards", "4", "--optimizer", "sgd"]
    let alone = try hash(try Fisher(options))
    for ranks in ["2", "3"] { #expect(try hash(try Fisher(options + ["--ranks", ranks])) == alone) }
    try file("t10k-images-idx3-ubyte", [40, 4, 4], [1])
    for _ in 0..<3 {
      let run = try Fisher(options + ["--ranks", "3"])
      #expect(run.status == 2 && run.error.split(separator: "\n").count == 1, "\(run.error)")
      #expect(run.error.contains("17 bytes, where axes [40, 4, 4] make 656"), "\(run.error)")
    }
  }

  /// Without a library, `mpirun` is told what to install.
  @Test func aMissingLibraryIsNamed() throws {
    let run = try Fisher(
      ["train"], environment: ["PMI_RANK": "0", "PMI_SIZE": "2", "FISHER_MPI": "/nowhere/libmpi.so"])
    #expect(run.status == 2 && run.error.split(separator: "\n").count == 1)
    #expect(
      run.error.contains("apt-get install mpich") && run.error.contains("/nowhere/libmpi.so"), "\(run.error)")
    // A library that is none.
    let other = try Fisher(
      ["train"], environment: ["PMI_RANK": "0", "PMI_SIZE": "2", "FISHER_MPI": "libm.so.6"])
    #expect(other.status == 2 && other.error.contains("it is no MPI library"), "\(other.error)")
  }
}
