import FisherCommandLine
import FisherKit
import FisherRuntime

/// The options that decide the bits of a run, as texts: what `--help` lists, the start event shows, and a checkpoint
/// keeps.
struct RunConfiguration: Sendable {
  struct Option: Sendable {
    let name: String
    let standard: String
    let help: String
  }

  static let options = [
    Option(
      name: "optimizer", standard: "adafisher",
      help: "its name, or with parts around it: 'adam + caution'; fisher optimizers lists both"),
    Option(name: "plugin", standard: "", help: "a shared library with optimizers; see docs/plugins.md"),
    Option(
      name: "dataset", standard: "digits",
      help:
        "digits, curves, recall, sorting, text, screened-poisson, a CSV file, or a folder of MNIST or CIFAR"),
    Option(
      name: "target", standard: "classes",
      help: "of a CSV file: classes, regression, or the names of its columns of numbers, with commas"),
    Option(
      name: "model", standard: "",
      help: ModelSpec.forms.joined(separator: ", ") + "; by default one for the data"),
    Option(name: "loss", standard: "", help: "softmax, binary or squared; by default the one for the data"),
    Option(name: "epochs", standard: "30", help: "passes over the training data"),
    Option(
      name: "batch", standard: "", help: "samples of a step; by default 16, or 128 from 10 000 examples on"),
    Option(name: "micro-batch", standard: "", help: "samples that pass at once; gradients are added up"),
    Option(
      name: "shards", standard: "",
      help: "parts of a batch, added up in a fixed order; by default 1, or 4 with several ranks"),
    Option(
      name: "batch-norm", standard: "shard",
      help: "what batch norms see of a batch in several shards: shard, or batch, which takes more memory"),
    Option(name: "seed", standard: "1", help: "weights, order and augmentation follow from it"),
    Option(
      name: "weights", standard: "",
      help: "begin with the weights of another run: its folder, or a safetensors file"),
    Option(name: "weights-only", standard: "*", help: "PATTERN of the names that --weights is for"),
    Option(name: "schedule", standard: "cosine", help: Schedule.spellings.joined(separator: ", ")),
    Option(
      name: "clip-norm", standard: "",
      help: "limit for the norm of all gradients together, or none; by default the optimizer's own"),
    Option(name: "clip-value", standard: "", help: "limit for every element of the gradients"),
    Option(
      name: "average", standard: "", help: "factor of a running average of the weights, which is tested"),
    Option(name: "augment", standard: "none", help: "none, or flip, shift:PIXELS, crop:PIXELS with commas"),
    Option(name: "patience", standard: "", help: "stop after so many epochs without a better test"),
    Option(name: "seconds", standard: "", help: "begin no epoch after so many seconds of training"),
    Option(
      name: "frozen", standard: "no",
      help: "yes: batch norms keep their averages and dropout drops nothing in training, too"),
    Option(name: "type", standard: "f32", help: "f32 or f64"),
    Option(name: "backend", standard: "native", help: "native, openblas, or the path of a CBLAS library"),
  ]

  /// What a resumed run may change.
  static let changeable: Set = ["epochs", "patience", "seconds", "plugin"]

  /// What names code to be loaded, which only the command line may do.
  static let code = ["plugin", "backend"]

  private(set) var texts: [String: String]
  /// From `--set key=value`.
  private(set) var settings: [String: String]
  /// From `--group`, in its order.
  private(set) var groups: [GroupText]

  /// The options of the command line over the defaults.
  init(_ arguments: Arguments) throws(UsageError) {
    texts = Dictionary(uniqueKeysWithValues: Self.options.map { ($0.name, $0.standard) })
    for option in Self.options {
      if let text = arguments.value(option.name) { texts[option.name] = text }
    }
    // Its second differences need the digits.
    if arguments.value("type") == nil && texts["dataset"] == "screened-poisson" { texts["type"] = "f64" }
    settings = try Self.settings(arguments)
    groups = try Self.groups(arguments.all("group"))
  }

  /// Those of a stored run, with what the command line may change.
  init(_ checkpoint: Checkpoint, _ arguments: Arguments) throws(UsageError) {
    texts = Dictionary(uniqueKeysWithValues: Self.options.map { ($0.name, $0.standard) })
    settings = [:]
    for (key, text) in checkpoint.configuration where !key.hasPrefix("group.") {
      if key.hasPrefix("set.") { settings[String(key.dropFirst(4))] = text } else { texts[key] = text }
    }
    groups = try Self.groups(
      (0...).lazy.map { checkpoint.configuration["group.\($0)"] }.prefix(while: { $0 != nil }))
    for name in Self.code where texts[name] != RunConfiguration.standard(name) && arguments.value(name) == nil
    {
      throw UsageError(
        "--resume: the run uses --\(name) \(quoted(texts[name] ?? "")), which is loaded only if it is said again"
      )
    }
    for option in Self.options {
      guard let text = arguments.value(option.name), text != texts[option.name] else { continue }
      guard Self.changeable.contains(option.name) else {
        throw UsageError(
          "--resume continues a run as it was started, with --\(option.name) \(texts[option.name] ?? "")")
      }
      texts[option.name] = text
    }
    if arguments.list("set") != nil, try Self.settings(arguments) != settings {
      throw UsageError("--resume continues a run as it was started; --set cannot be changed")
    }
    if !arguments.all("group").isEmpty, try Self.groups(arguments.all("group")) != groups {
      throw UsageError("--resume continues a run as it was started; --group cannot be changed")
    }
  }

  private static func settings(_ arguments: Arguments) throws(UsageError) -> [String: String] {
    do { return try Arguments.assignments(arguments.list("set") ?? []) } catch {
      throw UsageError("--set: \(error)")
    }
  }

  private static func groups(_ texts: some Sequence<String?>) throws(UsageError) -> [GroupText] {
    var groups: [GroupText] = []
    for case let text? in texts { groups.append(try GroupText(text)) }
    return groups
  }

  /// To be stored with a checkpoint.
  var stored: [String: String] {
    texts.merging(settings.map { ("set." + $0.key, $0.value) }) { $1 }
      .merging(groups.enumerated().map { ("group.\($0)", $1.text) }) { $1 }
  }

  subscript(_ name: String) -> String { texts[name] ?? "" }

  /// Fills in what was left to the data and to the optimizer.
  mutating func complete(for data: DataSplit, _ optimizer: OptimizerRecord? = nil, ranks: Int = 1) {
    // Few enough for small batches; for more ranks, one each.
    if self["shards"].isEmpty { texts["shards"] = ranks == 1 ? "1" : "\(max(4, ranks))" }
    if self["clip-norm"].isEmpty && self["clip-value"].isEmpty, case .norm(let limit)? = optimizer?.clipping {
      texts["clip-norm"] = "\(limit)"
    }
    let outputs = data.train.outputCount
    if self["model"].isEmpty {
      let inputs = data.train.shape.count
      texts["model"] =
        data.train.vocabulary != nil
        ? "gpt:64-2-4"
        : self["dataset"] == "screened-poisson"
          ? "pinn:32-32"
          : data.train.targets == .inputs
            ? "autoencoder:\(inputs)-400-200-100-50-25-6-25-50-100-200-400-\(inputs)"
            : "mlp:\(inputs)-128-64-\(outputs)"
    }
    if self["loss"].isEmpty {
      switch data.train.targets {
      case .classes: texts["loss"] = "softmax"
      case .values: texts["loss"] = "squared"
      case .inputs: texts["loss"] = data.train.isUnitScaled ? "binary" : "squared"
      }
    }
    if self["batch"].isEmpty { texts["batch"] = data.train.count < 10_000 ? "16" : "128" }
  }

  private static func standard(_ name: String) -> String {
    options.first { $0.name == name }?.standard ?? ""
  }

  func integer(
    _ name: String, from least: Int = 1, to most: Int = NumberText.most
  ) throws(UsageError) -> Int {
    do { return try NumberText.integer(self[name], from: least, to: most) } catch {
      throw UsageError("--\(name): \(error)")
    }
  }

  /// Nil if the option is empty.
  func optionalInteger(_ name: String) throws(UsageError) -> Int? {
    self[name].isEmpty ? nil : try integer(name)
  }

  /// Nil if the option is empty.
  func number(_ name: String, _ range: RealRange) throws(UsageError) -> Double? {
    if self[name].isEmpty { return nil }
    do { return try NumberText.real(self[name], range) } catch { throw UsageError("--\(name): \(error)") }
  }
}
