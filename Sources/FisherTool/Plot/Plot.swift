import FisherCommandLine
import FisherRuntime
import FisherTraining

/// `fisher plot`: JSON Lines of training runs or of measurements as a picture.
enum Plot {
  static let help = """
    usage: fisher plot FILE… --out PICTURE.svg [--x seconds|step|epoch] [--title TEXT]

    Draws what `fisher train --json` or `fisher bench --json` wrote: the test accuracy of every run, or the percent of the peak
    that every library reached with square matrices.

      --out    the picture, as SVG; - for standard output
      --x      for training runs: what it is drawn over (seconds)
      --title  what stands above it; by default what was measured

    example: fisher bench gemm --json gemm.jsonl && fisher plot gemm.jsonl --out gemm.svg
    """

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: ["out", "x", "title"])
    guard let path = arguments.value("out") else { throw UsageError("plot: --out PICTURE.svg is missing") }
    let x = arguments.value("x") ?? "seconds"
    guard ["seconds", "step", "epoch"].contains(x) else {
      throw UsageError("--x is seconds, step or epoch, not \(quoted(x))")
    }
    if arguments.positional.isEmpty { throw UsageError("plot: no file; try fisher help plot") }
    var files: [(name: String, lines: [JSON])] = []
    for file in arguments.positional { files.append((file, try lines(of: file))) }
    let areRuns = files.map { $0.lines.contains { $0["event"] != nil } }
    guard Set(areRuns).count == 1 else {
      throw UsageError("plot: training runs and measurements do not share a picture")
    }
    let data =
      areRuns[0] ? PlotData(runs: files, over: x) : PlotData(measurements: files.flatMap(\.lines))
    guard !data.series.isEmpty else {
      throw UsageError(
        "plot: no epoch of a run and no case of square matrices in \(files.map(\.name).joined(separator: ", "))"
      )
    }
    if let omitted = data.omitted { Console.error("left out: \(omitted)") }
    let chart = Chart(data: data, title: arguments.value("title") ?? title(files[0].lines))
    try OutputFile(path, option: "--out").write(chart.svg)
    return 0
  }

  private static func title(_ lines: [JSON]) -> String {
    let start = lines.first { $0["event"] != nil }
    if let data = start?["dataset"]?.string, let model = start?["model"]?.string {
      return "\(data), \(model)"
    }
    return Set(lines.compactMap { $0["suite"]?.string }).sorted().joined(separator: ", ")
  }

  private static func lines(of path: String) throws(UsageError) -> [JSON] {
    do {
      let text = String(decoding: try FileBytes.read(path), as: UTF8.self)
      var number = 0
      return try text.split(separator: "\n", omittingEmptySubsequences: false).compactMap { line in
        number += 1
        if line.allSatisfy(\.isWhitespace) { return nil }
        guard let value = try? JSON(parsing: line), !value.members.isEmpty else {
          throw UsageError("\(path): line \(number) is not a JSON object: \(quoted(String(line.prefix(40))))")
        }
        return value
      }
    } catch { throw error as? UsageError ?? UsageError("\(error)") }
  }
}
