import FisherCommandLine
import FisherKit
import FisherPages
import FisherRuntime
import FisherVerification

/// `fisher fidelity`: how close every method comes to the exact natural gradient, along a training run.
enum FidelityCommand {
  static let help = """
    usage: fisher fidelity [OPTIONS]

    Trains a network with AdamW and measures directions on batches of training examples after some of the epochs: the
    indicator γ = √(ΔᵀFΔ)/|Δᵀg| over that of the gradient (below 1 is better than gradient descent), the cosine and the
    length against the exact natural gradient, the cosine against that of each layer by itself (exact layerwise
    Gauss-Newton), and the milliseconds of a step.

      --optimizers  names with commas, or all (sgd,adamw,adafisher,ef,sf,ief)
      --dampings    relative dampings for ief, ef and sf, each of which becomes a line (as by default)
      --dataset     as in fisher train (digits)
      --model       as in fisher train; by default one for the data
      --epochs      after which to measure, with commas (0,1,5,20)
      --samples     of a batch (160)
      --batches     to average over (4)
      --past        steps of the same batch at the same weights before the one that is measured (0)
      --plot        SVG of γ and milliseconds after the last epoch
      --seed        weights and order (1)
      --json        JSON Lines to a file, or - for standard output

    example: fisher fidelity --optimizers ief,sf,ef,sgd --dampings 1e-8,1e-4,1 --epochs 0,20
    """

  private static let options = [
    "optimizers", "dampings", "dataset", "model", "epochs", "samples", "batches", "past", "plot", "seed",
    "json",
  ]

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: options)
    if let extra = arguments.positional.first { throw UsageError("fidelity takes no '\(extra)'") }
    let json = try arguments.jsonLines()
    do {
      return try run(arguments, json, isQuiet: arguments.isQuiet)
    } catch let error as UsageError {
      throw error
    } catch let refusal as StepRefusal {
      Console.error("\(refusal)")
      return 1
    } catch {
      throw UsageError("\(error)")
    }
  }

  private static func run(_ arguments: Arguments, _ json: JSONLines?, isQuiet: Bool) throws -> Int32 {
    let epochs = try arguments.counts("epochs", atLeast: 0) ?? [0, 1, 5, 20]
    let samples = try arguments.count("samples") ?? 160
    let batches = try arguments.count("batches") ?? 4
    let past = try arguments.counts("past", atLeast: 0)?.first ?? 0
    var words: [String] = ["--optimizer", "adamw"]
    for name in ["dataset", "model", "seed"] {
      if let value = arguments.value(name) { words += ["--" + name, value] }
    }
    var configuration = try RunConfiguration(
      try Arguments(words, options: RunConfiguration.options.map(\.name) + ["set"]))
    let data = try configuration.data()
    configuration.complete(for: data)
    var options = try configuration.options(threads: Threads.available)
    options.epochs = max(1, epochs.max() ?? 0)
    if samples > data.train.count {
      throw UsageError("--samples: at most the \(data.train.count) examples, not \(samples)")
    }
    let trainer = try Trainer<Double>(
      try configuration.network(for: data, Double.self), data, optimizer: try configuration.optimizer(),
      options: options, registry: .installed)
    let candidates = try candidates(arguments)
    let natural = try OptimizerRegistry.installed.type("ngd").init(["damping": 1e-10])
    func measure(_ epoch: Int) throws {
      guard epochs.contains(epoch) else { return }
      let found = try trainer.fidelity(
        of: candidates, natural: natural, samples: samples, batches: batches, past: past)
      show(found, epoch: epoch, json, isQuiet: isQuiet)
      if let path = arguments.value("plot"), epoch == epochs.max() {
        try OutputFile(path, option: "--plot").write(plot(found, epoch: epoch))
      }
    }
    try measure(0)
    if epochs.contains(where: { $0 > 0 }) {
      try trainer.run { event in if case .epoch(let report) = event { try measure(report.epoch) } }
    }
    return 0
  }

  private static func show(_ found: [Fidelity], epoch: Int, _ json: JSONLines?, isQuiet: Bool) {
    if !isQuiet {
      print("\nafter epoch \(epoch)")
      print(
        column("", 22, left: true)
          + ["γ/γ(g)", "cosine", "by layers", "length", "ms"].map { column($0, 12) }.joined())
    }
    for row in found {
      if !isQuiet {
        print(
          column(row.label, 22, left: true) + column(fixed(row.relativeγ, 4), 12)
            + column(fixed(row.cosine, 4), 12) + column(fixed(row.layerwiseCosine, 4), 12)
            + column(scientific(row.length, 2), 12) + column(fixed(row.milliseconds, 2), 12))
      }
      json?.write(
        .object([
          ("epoch", .int(epoch)), ("optimizer", .string(row.label)),
          ("relativeGamma", .number(row.relativeγ)),
          ("cosine", .number(row.cosine)), ("layerwiseCosine", .number(row.layerwiseCosine)),
          ("length", .number(row.length)),
          ("milliseconds", .number(row.milliseconds)),
        ]))
    }
  }

  /// Closeness and what it costs. A step of zero has no place.
  private static func plot(_ found: [Fidelity], epoch: Int) -> String {
    ScatterChart(
      "closeness after epoch \(epoch)",
      summary: "γ of directions over that of the gradient, lower is closer to the natural gradient.",
      found.filter { $0.relativeγ.isFinite && $0.relativeγ > 0 }.map {
        ScatterChart.Point(name: $0.label, x: $0.milliseconds, y: $0.relativeγ, style: 1)
      }, xTitle: "milliseconds of a step", yTitle: "γ(Δ)/γ(g)"
    ).file
  }

  /// Each name once, or once for each damping.
  private static func candidates(_ arguments: Arguments) throws -> [Candidate] {
    let listed = arguments.list("optimizers") ?? ["sgd", "adamw", "adafisher", "ef", "sf", "ief"]
    let names = listed == ["all"] ? OptimizerRegistry.installed.records.map(\.name) : listed
    let dampings = arguments.list("dampings") ?? []
    var candidates: [Candidate] = []
    for name in names {
      let type = try OptimizerRegistry.installed.type(name)
      let isSwept = type.record.hyperparameters.contains { $0.name == "dampingMode" }
      guard isSwept, !dampings.isEmpty else {
        candidates.append(Candidate(name, try type.init([:])))
        continue
      }
      for text in dampings {
        let settings = try Settings(type.record, parsing: ["damping": text])
        candidates.append(Candidate("\(name) λ=\(text)", type.init(settings: settings)))
      }
    }
    // The exact layerwise Gauss-Newton step, of which many of them are approximations.
    if listed == ["all"] {
      let exact = try OptimizerRegistry.installed.type("ngd").init(["damping": 1e-10])
      candidates.append(Candidate("ngd by layers", exact, isLayerwise: true))
    }
    return candidates
  }
}
