import FisherCommandLine
import FisherKit
import FisherRuntime

/// `fisher new-optimizer`: the files of an optimizer that builds, passes its verification and trains, to be changed into
/// one's own.
enum NewOptimizer {
  static let help = """
    usage: fisher new-optimizer NAME [--kind elementwise|layerwise] [--package] [--fisherkit PATH]

    Writes an optimizer that works: method, naive reference, record, test and page. Change it into yours, step by step,
    and let `fisher verify NAME --mutants` say what does not agree.

      NAME         lower-case letters, digits and -, a letter first: heavy-ball
      --kind       elementwise, the default: an update rule with state; layerwise: one that sees what passes through layers
      --package    a package of its own in ./NAME, with the whole command line; otherwise the folder Plugins of the
                   checkout of FisherKit in which this is called
      --fisherkit  where the package finds FisherKit: a checkout, or an address for git; by default the checkout in which
                   this is called

    example: fisher new-optimizer heavy-ball --package --fisherkit ../FisherKit
    """

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: ["kind", "fisherkit"], flags: ["package"])
    guard arguments.positional.count == 1 else {
      throw UsageError("new-optimizer takes one name, like heavy-ball")
    }
    let isPackage = arguments.has("package")
    let name = try OptimizerName(arguments.positional[0])
    let kind = try kind(arguments.value("kind"))
    if !isPackage && arguments.value("fisherkit") != nil {
      throw UsageError(
        "--fisherkit is for --package; without it, the optimizer is written where this is called")
    }
    if isPackage {
      try writePackage(name, kind, fisherKit: arguments.value("fisherkit"))
    } else {
      try writePlugin(name, kind)
    }
    return 0
  }

  private static func kind(_ text: String?) throws(UsageError) -> OptimizerTemplate {
    guard let text else { return .elementwise }
    if let kind = OptimizerTemplate(rawValue: text) { return kind }
    throw UsageError("--kind is \(quoted(text)); it must be elementwise or layerwise")
  }

  /// A package in a folder of the optimizer's name.
  private static func writePackage(
    _ name: OptimizerName, _ kind: OptimizerTemplate, fisherKit: String?
  ) throws(UsageError) {
    let place = fisherKit ?? (Checkout.isHere ? Checkout.path : nil)
    guard let place else {
      throw UsageError("--fisherkit PATH says where the package finds FisherKit: this is no checkout of it")
    }
    var files = FileSet(folder: name.text)
    files.add("Package.swift", kind.manifest(name, fisherKit: place))
    files.add("README.md", kind.page(name, isPackage: true))
    files.add("Sources/\(name.type)Optimizer/\(name.type).swift", kind.method(name, isPackage: true))
    files.add("Sources/\(name.type)Optimizer/Naive\(name.type).swift", kind.reference(name, isPackage: true))
    files.add("Sources/fisher-\(name.text)/main.swift", kind.program(name))
    files.add(
      "Tests/\(name.type)OptimizerTests/\(name.type)Tests.swift",
      kind.test(name, module: "\(name.type)Optimizer"))
    try files.write()
    let run = "swift run -c release fisher-\(name.text)"
    say(
      files,
      [
        "cd \(name.text)",
        "\(run) verify \(name.text) --mutants      # the first build takes minutes: it is all of FisherKit",
        "\(run) train --optimizer \(name.text)",
      ])
  }

  /// A folder in the checkout, and the lines that make it known.
  private static func writePlugin(_ name: OptimizerName, _ kind: OptimizerTemplate) throws(UsageError) {
    guard Checkout.isHere else {
      throw UsageError(
        "this is no checkout of FisherKit; call this in one, or with --package for a package of its own")
    }
    var files = FileSet(folder: "Plugins/\(name.type)")
    files.add("\(name.type).swift", kind.method(name, isPackage: false))
    files.add("Reference/Naive\(name.type).swift", kind.reference(name, isPackage: false))
    files.add("Tests/\(name.type)Tests.swift", kind.test(name, module: "FisherPlugin\(name.type)"))
    files.add("\(name.type).md", kind.page(name, isPackage: false))
    let edits = try Checkout.edits(adding: name)
    try files.write()
    for edit in edits { try edit.write() }
    say(
      files, edited: edits.map(\.path),
      [
        "swift build -c release --product fisher",
        ".build/release/fisher verify \(name.text) --mutants",
        ".build/release/fisher train --optimizer \(name.text)",
      ])
  }

  /// What was written, and the next steps.
  private static func say(_ files: FileSet, edited: [String] = [], _ steps: [String]) {
    for path in files.paths { print("wrote      \(path)") }
    for path in edited { print("changed    \(path)") }
    print("\nIt works as it is. Next:")
    for (i, step) in steps.enumerated() { print("  \(i + 1). \(step)") }
  }
}
