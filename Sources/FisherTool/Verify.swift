import FisherCommandLine
import FisherKit
import FisherVerification

/// `fisher verify`: the property battery on an optimizer, and its certificate.
enum Verify {
  static let help = """
    usage: fisher verify NAME|all|parts|--plugin PATH [--mutants] [--untimed] [--json PATH]

    Runs the property battery on an optimizer and prints a certificate: agreement with its naive reference, backends,
    threads, exact resume, declared invariances, limits and refusals. The exit status is 1 if a check fails. NAME may have
    parts around it, 'sgd + caution'; parts are all of them, each around sgd, adam and soap.

      --plugin   the optimizers of a shared library; docs/plugins.md says how to write one
      --mutants  run the battery on wrong forms of the optimizer as well; each must be rejected
      --untimed  without fast-enough, the check that a busy machine can change
      --json     one JSON object a line to a file, or - for standard output

    example: fisher verify adafisher
    """

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: ["json", "plugin"], flags: ["mutants", "untimed"])
    let types = try types(arguments)
    let json = try arguments.jsonLines()
    let isQuiet = arguments.isQuiet
    var failures = 0
    let (withMutants, isTimed) = (arguments.has("mutants"), !arguments.has("untimed"))
    for type in types { failures += verify(type, json, isQuiet: isQuiet, withMutants, isTimed) }
    return failures == 0 ? 0 : 1
  }

  /// What is to be verified.
  private static func types(_ arguments: Arguments) throws(UsageError) -> [any Optimizer.Type] {
    let plugin = arguments.value("plugin")
    guard arguments.positional.count == (plugin == nil ? 1 : 0) else {
      throw UsageError(
        "verify takes one name, or all, or parts, or --plugin PATH; fisher optimizers lists the names")
    }
    do {
      if let plugin { return try PluginLibrary.load(plugin) }
      let registry = OptimizerRegistry.installed
      switch arguments.positional {
      case ["all"]: return try registry.names.map(registry.type)
      case ["parts"]:
        return try ["sgd", "adam", "soap"].flatMap { method in
          try registry.partNames.map { try registry.type(method + " + " + $0) }
        }
      default: return try arguments.positional.map(registry.type)
      }
    } catch {
      throw UsageError("\(error)")
    }
  }

  /// The number of failures.
  private static func verify(
    _ type: any Optimizer.Type, _ json: JSONLines?, isQuiet: Bool, _ withMutants: Bool, _ isTimed: Bool
  ) -> Int {
    let record = type.record
    if !isQuiet { print("\(record.title): \(record.paper)") }
    var failures = 0
    func report(_ finding: Finding) {
      if !finding.passed { failures += 1 }
      if !isQuiet {
        print(
          "  \(finding.passed ? "passed" : "FAILED")  " + column(finding.check, 46, left: true)
            + finding.detail)
      }
      json?.write(
        .object([
          ("optimizer", .string(record.name)), ("check", .string(finding.check)),
          ("passed", .bool(finding.passed)), ("detail", .string(finding.detail)),
        ]))
    }
    let subject = Subject(type)
    var count = Battery.verify(subject, timed: isTimed, progress: report).count
    if withMutants {
      for mutation in Mutation.allCases where mutation.applies(to: record) {
        let rejection = Battery.rejection(of: mutation, subject)
        count += 1
        report(
          Finding(
            check: "rejects " + mutation.rawValue, passed: rejection != nil,
            detail: rejection.map { "by \($0.check): \($0.detail)" } ?? "no check notices it"))
      }
    }
    json?.write(
      .object([
        ("summary", .bool(true)), ("optimizer", .string(record.name)), ("checks", .int(count)),
        ("failed", .int(failures)),
      ]))
    if !isQuiet {
      print(failures == 0 ? "  all \(count) checks passed\n" : "  \(failures) of \(count) checks FAILED\n")
    }
    return failures
  }
}
