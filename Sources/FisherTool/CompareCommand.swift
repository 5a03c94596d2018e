import FisherCommandLine
import FisherComparison
import FisherKit
import FisherRuntime

/// `fisher compare`: every method on the same problems, with the same effort, and a report.
enum CompareCommand {
  static var help: String {
    let names = listing(Workload.all.map { ($0.name, $0.summary) }).map { "  " + $0 }
    return """
      usage: fisher compare [OPTIONS]
             fisher compare --check FOLDER [--cell TEXT]

      Trains with every method from the same weights on the same batches, after the same search for a setting, and writes
      a page with what came out. Finished runs are kept: an interrupted comparison goes on where it was.

        --optimizers  names with commas, placebos as kfac:units; by default all of the package, and some placebos
        --workload    names with commas, or all (digits-mlp)
        --seeds       runs of the setting that was chosen (12)
        --tune        settings that are tried beside the defaults (8)
        --budget      begin no run after this time: 90s, 10m, 2h
        --report      folder for runs.jsonl and report.html (comparison)
        --check       take the recorded runs of a folder again; exit status 1 if one has other bits
        --cell        with --check: only runs whose names contain this; may be repeated
        --threads     \(Threads.available) by default; the losses do not depend on it

      workloads
      \(names.joined(separator: "\n"))

      example: fisher compare --optimizers adamw,kfac,kfac:units --seeds 5 --report out
      """
  }

  private static let options = [
    "optimizers", "workload", "seeds", "tune", "budget", "report", "check", "cell", "threads",
  ]

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: options)
    if let extra = arguments.positional.first {
      throw UsageError("compare takes no '\(extra)'; options begin with --")
    }
    let threads = try arguments.count("threads", atMost: Threads.most) ?? Threads.available
    Interruption.listen()
    do {
      if let folder = arguments.value("check") { return try check(folder, arguments, threads) }
      if arguments.value("cell") != nil { throw UsageError("--cell belongs to --check") }
      return try compare(arguments, threads)
    } catch let error as UsageError {
      throw error
    } catch let interruption as Interruption {
      Console.error("interrupted; the same command goes on")
      return interruption.status
    } catch {
      throw UsageError("\(error)")
    }
  }

  private static func compare(_ arguments: Arguments, _ threads: Int) throws -> Int32 {
    let names = arguments.list("workload") ?? ["digits-mlp"]
    var options = ComparisonOptions(
      workloads: names == ["all"] ? Workload.all : try unique(names).map { try Workload.named($0) },
      methods: try arguments.list("optimizers").map { try unique($0).map { try Method($0) } }
        ?? Method.standard)
    options.seeds = try arguments.count("seeds", atMost: 1000) ?? options.seeds
    options.trials = try arguments.counts("tune", atLeast: 0, atMost: 1000)?.last ?? options.trials
    options.budget = try arguments.value("budget").map(seconds)
    options.threads = threads
    let folder = arguments.value("report") ?? "comparison"
    let file = try RecordFile(folder: folder)
    let comparison = Comparison(options, file, check: { try Interruption.check() }) { line in
      print(line)
      Console.flush()
    }
    let missing = try comparison.run()
    if missing > 0 { print("\(missing) runs are missing; the same command goes on") }
    let path = folder + "/report.html"
    try OutputFile(path, option: "--report").write(Report(file.record, options).html)
    print("\(path)")
    return 0
  }

  private static func check(_ folder: String, _ arguments: Arguments, _ threads: Int) throws -> Int32 {
    let record = try RecordFile.read(folder + "/" + RecordFile.name).record
    var refuted = 0
    for cell in try Recheck.cells(record, containing: arguments.all("cell")) {
      let verdict = try Recheck.verdict(cell, record, threads: threads) { try Interruption.check() }
      if verdict.difference != nil { refuted += 1 }
      print(verdict.text)
      Console.flush()
    }
    return refuted == 0 ? 0 : 1
  }

  private static func unique(_ names: [String]) throws(UsageError) -> [String] {
    var known = Set<String>()
    for name in names where !known.insert(name).inserted {
      throw UsageError("\(quoted(name)) is named twice")
    }
    return names
  }

  /// `90s`, `10m`, `2h`; seconds without a unit.
  static func seconds(_ text: String) throws(UsageError) -> Double {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    let unit = text.last.flatMap { units[$0] }
    do {
      return try NumberText.real(unit == nil ? text : String(text.dropLast()), .positive) * (unit ?? 1)
    } catch { throw UsageError("--budget: \(quoted(text)) is no time such as 90s, 10m or 2h") }
  }
}
