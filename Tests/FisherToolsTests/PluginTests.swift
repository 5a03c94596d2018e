import FisherRuntime
import Foundation
import Testing

/// A shared library that a test builds from one Swift file, as an author of a plugin would.
struct BuiltPlugin {
  let path: String

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// - Parameter compiler: and what it needs to make a shared library.
  init(
    _ source: URL, name: String,
    compiler: [String] = ["swiftc", "-O", "-emit-library", "-module-name", "Plugin"]
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fisher-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.appendingPathComponent("lib\(name).so").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      compiler + [
        "-I", Self.root.appendingPathComponent("Sources/FisherPluginABI").path, source.path, "-o", path,
      ]
    let output = Pipe()
    process.standardError = output
    try process.run()
    let messages = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(messages)")
  }

  func remove() { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
}

@Suite struct PluginTests {
  @Test func theExampleIsVerifiedAndTrains() throws {
    let plugin = try BuiltPlugin(
      BuiltPlugin.root.appendingPathComponent("Examples/Plugin/Signum.swift"), name: "Signum")
    defer { plugin.remove() }
    let certificate = try Fisher(["verify", "--plugin", plugin.path, "--mutants", "--untimed"])
    #expect(certificate.status == 0, "\(certificate.output) \(certificate.error)")
    #expect(certificate.output.hasPrefix("Signum: Bernstein"))
    #expect(certificate.output.contains("passed  matches-reference "))
    // Its update is called with pieces.
    #expect(certificate.output.contains("passed  same-bits-for-any-threads"))
    let run = try Fisher([
      "train", "--plugin", plugin.path, "--optimizer", "signum", "--set", "lr=3e-4", "--epochs", "1",
      "--json",
      "-",
    ])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains("\"optimizer\":\"signum\"") && run.output.contains("\"bestTestAccuracy\""))
    let wrong = try Fisher(["train", "--plugin", plugin.path, "--optimizer", "signum", "--set", "beta=1"])
    #expect(
      wrong.status == 2 && wrong.error.contains("signum: beta is '1'; it must be a number from 0 below 1"))
  }

  /// A plugin that is wrong in the way that the environment says.
  static let broken = """
    import FisherPluginABI
    import Foundation

    let fault = ProcessInfo.processInfo.environment["FISHER_FAULT"] ?? ""

    func text(_ string: String) -> UnsafePointer<CChar> { UnsafePointer(strdup(string)!) }

    func list<T>(_ elements: [T]) -> UnsafePointer<T> {
      let copy = UnsafeMutablePointer<T>.allocate(capacity: elements.count)
      copy.initialize(from: elements, count: elements.count)
      return UnsafePointer(copy)
    }

    func die() {
      switch fault {
      case "segmentation": UnsafeMutablePointer<Int>(bitPattern: 8)!.pointee = 1
      case "abort": abort()
      case "exit": exit(0)
      case "trap": fatalError("out of luck")
      default: break
      }
    }

    @_cdecl("fisher_plugin")
    public func plugin(_ index: UInt32, _ optimizer: UnsafeMutablePointer<fisher_optimizer>) -> Int32 {
      if fault == "entry" { abort() }
      if fault != "endless" && index > (fault == "twins" ? 1 : 0) || fault == "empty" { return 1 }
      var lr = fisher_hyperparameter(
        name: text(fault == "rate" ? "rate" : "lr"), meaning: text("rate"), source: text("ours"), value: 0.1,
        range: Int32(FISHER_POSITIVE), reserved: 0, low: 1, high: 1)
      switch fault {
      case "default": lr.value = -1
      case "nan": lr.value = .nan
      case "range": lr.range = 9
      case "hollow": lr.range = Int32(FISHER_HALF_OPEN)
      case "unordered": (lr.range, lr.low) = (Int32(FISHER_CLOSED), .nan)
      case "meaning": lr.meaning = nil
      case "long": lr.meaning = text(String(repeating: "x", count: 50_000_000))
      case "option": lr.name = text("lr=1")
      case "reserve": lr.reserved = 1
      default: break
      }
      var table = fisher_optimizer()
      table.magic = fault == "magic" ? 7 : UInt32(FISHER_PLUGIN_MAGIC)
      table.version = fault == "version" ? 99 : UInt32(FISHER_PLUGIN_VERSION)
      table.size = fault == "size" ? 8 : UInt64(MemoryLayout<fisher_optimizer>.size)
      table.name = text(fault == "endless" ? "broken\\(index)" : "broken")
      if fault == "upper" { table.name = text("Broken") }
      if fault == "huge" { table.name = text(String(repeating: "x", count: 50_000_000)) }
      if fault == "utf8" { table.title = list([CChar(-1), 0]) } else { table.title = text("Broken") }
      table.summary = text("Does nothing.")
      table.paper = fault == "paper" ? text("") : text("none")
      table.hyperparameters = list([lr, lr])
      table.hyperparameter_count = fault == "double" ? 2 : fault == "many" ? .max : fault == "none" ? 0 : 1
      table.facts = fault == "flags" ? 0xc00 : 0
      table.reserved = fault == "reserved" ? 1 : 0
      let slot = ["slash": "a/b", "average": "average", "blank": "", "odd": "m\\n"][fault] ?? "m"
      table.slots = list([text(slot), text(slot)])
      table.slot_count = fault == "slots" ? 2 : fault == "crowd" ? 65 : 1
      if fault == "list" { table.slots = nil }
      table.update_f32 = { _, _, _, _ in
        die()
        return 0
      }
      table.update_f64 = { _, _, _, _ in 0 }
      table.reference = { parameter, _, _, _ in
        fault == "failing" || fault == "later" && parameter!.pointee.step > 1 ? 5 : 0
      }
      if fault == "reference" { table.reference = nil }
      optimizer.initialize(to: table)
      return 0
    }
    """

  /// What must be said of each fault.
  static let faults = [
    ("magic", "does not begin with FISHER_PLUGIN_MAGIC"), ("version", "written for version 99"),
    ("size", "with 8 bytes"), ("empty", "has no optimizer"),
    ("endless", "never says that an optimizer is the last: it has more than 64"),
    ("twins", "optimizer 'broken': two optimizers have this name"),
    ("reference", "optimizer 'broken' has no reference"), ("none", "'broken' has no hyper-parameter lr"),
    ("rate", "optimizer 'broken' has no hyper-parameter lr"),
    ("default", "the default of lr is -1; it must be a number above 0"),
    ("nan", "the default of lr is nan; it must be a number above 0"),
    ("range", "optimizer 'broken' has no known range for lr"),
    ("hollow", "the range of lr from 1 to 1 is empty"),
    ("unordered", "the range of lr from nan to 1 is empty"),
    ("meaning", "has no meaning of lr"), ("long", "its meaning of lr has more than 4096 bytes"),
    ("option", "the name for hyper-parameter 0 is 'lr=1'; it must be of letters, digits, - and _"),
    ("reserve", "the reserved field of lr is not 0"),
    ("reserved", "the reserved field of the table is not 0"),
    ("upper", "the name is 'Broken'; it must be of lower-case letters, digits and -"),
    ("huge", "its name has more than 64 bytes"), ("utf8", "its title is not UTF-8"),
    ("paper", "its paper is empty"), ("double", "two hyper-parameters are named 'lr'"),
    ("many", "it has 4294967295 hyper-parameters; at most 64 can be"),
    ("flags", "its facts have unknown flags: 0xc00"), ("slash", "the name for slot 0 is 'a/b'"),
    ("average", "no slot can be named 'average'"), ("blank", "its name for slot 0 is empty"),
    ("odd", "the name for slot 0 is 'm\\n'"), ("slots", "two slots are named 'm'"),
    ("crowd", "it has 65 slots; at most 64 can be"), ("list", "optimizer 'broken' has no slots"),
    ("failing", "its reference fails with its defaults: 5"),
  ]

  /// Builds the broken plugin and lends it.
  func withBrokenPlugin(_ body: (BuiltPlugin) throws -> Void) throws {
    let source = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).swift")
    try Self.broken.write(to: source, atomically: true, encoding: .utf8)
    let plugin = try BuiltPlugin(source, name: "Broken")
    defer {
      plugin.remove()
      try? FileManager.default.removeItem(at: source)
    }
    try body(plugin)
  }

  @Test func faultsAreNamed() throws {
    try withBrokenPlugin { plugin in
      for (fault, message) in Self.faults {
        let run = try Fisher(["verify", "--plugin", plugin.path], environment: ["FISHER_FAULT": fault])
        #expect(run.status == 2 && run.output.isEmpty, "\(fault): \(run.status) \(run.output)")
        #expect(run.error.contains(message), "\(fault): \(run.error)")
        #expect(run.error.split(separator: "\n").count == 1, "\(fault): \(run.error)")
      }
      let late = try Fisher(
        ["verify", "--plugin", plugin.path, "--untimed"], environment: ["FISHER_FAULT": "later"])
      #expect(late.status == 1 && late.output.contains("FAILED  matches-reference"), "\(late.output)")
    }
  }

  /// Code of a plugin that ends the process: the last line says whose it was.
  @Test func theLastLineNamesThePlugin() throws {
    try withBrokenPlugin { plugin in
      let train = ["train", "--optimizer", "broken", "--epochs", "1", "--plugin", plugin.path]
      for (fault, status, call) in [
        ("segmentation", SIGSEGV, "update_f32 of 'broken'"), ("abort", SIGABRT, "update_f32 of 'broken'"),
        ("trap", SIGILL, "update_f32 of 'broken'"), ("exit", 1, "update_f32 of 'broken'"),
        ("entry", SIGABRT, "fisher_plugin"),
      ] {
        let run = try Fisher(train, environment: ["FISHER_FAULT": fault])
        #expect(run.status == status || fault == "trap" && run.status == SIGTRAP, "\(fault): \(run.status)")
        let last = "fisher: plugin '\(plugin.path)' ended the process in \(call)"
        #expect(run.error.split(separator: "\n").last.map(String.init) == last, "\(fault): \(run.error)")
      }
    }
  }

  /// A stored run does not make us load code: the command line must name it, here or where it lies by now.
  @Test func checkpointsLoadNoCode() throws {
    let folder = try Folder()
    try withBrokenPlugin { plugin in
      let run = folder.path + "/run"
      let train = ["train", "--optimizer", "broken", "--epochs", "1", "--checkpoint", run]
      #expect(try Fisher(train + ["--plugin", plugin.path]).status == 0)
      let silent = try Fisher(
        ["train", "--resume", run, "--epochs", "2"], environment: ["FISHER_FAULT": "entry"])
      #expect(silent.status == 2 && silent.output.isEmpty)
      #expect(
        silent.error.contains("--resume: the run uses --plugin ") && silent.error.contains("said again"))
      let moved = folder.path + "/moved.so"
      try FileManager.default.copyItem(atPath: plugin.path, toPath: moved)
      let resumed = try Fisher(["train", "--resume", run, "--epochs", "2", "--plugin", moved])
      #expect(resumed.status == 0, "\(resumed.error)")
    }
  }

  /// The header in C++, whose functions have other names unless told otherwise.
  static let plusPlus = """
    #include "fisher_plugin.h"

    template <typename Scalar>
    static int32_t descend(const fisher_parameter *p, Scalar *value, const Scalar *gradient, Scalar *const *) {
      for (int64_t i = 0; i < p->rows * p->columns; ++i)
        value[i] -= Scalar(p->settings[0] * p->schedule) * gradient[i];
      return 0;
    }

    static const fisher_hyperparameter settings[] = {
        {"lr", "learning rate", "ours", 0.1, FISHER_POSITIVE, 0, 0, 0}};

    int32_t fisher_plugin(uint32_t index, fisher_optimizer *optimizer) {
      if (index > 0) return 1;
      *optimizer = {};
      optimizer->magic = FISHER_PLUGIN_MAGIC;
      optimizer->version = FISHER_PLUGIN_VERSION;
      optimizer->size = sizeof(fisher_optimizer);
      optimizer->name = "descent";
      optimizer->title = "Descent";
      optimizer->summary = "Follows the gradient.";
      optimizer->paper = "Cauchy 1847";
      optimizer->hyperparameters = settings;
      optimizer->hyperparameter_count = 1;
      optimizer->facts = FISHER_ELEMENT_PERMUTATION | FISHER_SIGN;
      optimizer->update_f32 = descend<float>;
      optimizer->update_f64 = descend<double>;
      optimizer->reference = descend<double>;
      return 0;
    }
    """

  @Test func pluginsInPlusPlusAreVerified() throws {
    let folder = try Folder()
    let source = URL(fileURLWithPath: try folder.write("descent.cpp", Self.plusPlus))
    let compiler = ["c++", "-std=c++17", "-O2", "-shared", "-fPIC"]
    guard ["/usr/bin/c++", "/usr/local/bin/c++"].contains(where: FileManager.default.fileExists) else {
      print("skipped: there is no C++ compiler named c++")
      return
    }
    let plugin = try BuiltPlugin(source, name: "Descent", compiler: compiler)
    defer { plugin.remove() }
    let certificate = try Fisher(["verify", "--plugin", plugin.path, "--untimed"])
    #expect(certificate.status == 0, "\(certificate.output) \(certificate.error)")
    for command in [["optimizers", "descent"], ["optimizers", "--json", "-"]] {
      let listed = try Fisher(command + ["--plugin", plugin.path])
      #expect(listed.status == 0 && listed.output.contains("Follows the gradient."), "\(listed.error)")
    }
    let bench = try Fisher([
      "bench", "step", "--plugin", plugin.path, "--optimizers", "descent", "--network", "mlp:5-4", "--batch",
      "3",
      "--types", "f32", "--quick", "--json", "-",
    ])
    #expect(bench.status == 0 && bench.output.contains("\"optimizer\":\"descent\""), "\(bench.error)")
  }

  @Test func filesThatAreNoPlugins() throws {
    let missing = try Fisher(["verify", "--plugin", "/no/such/plugin.so"])
    #expect(missing.status == 2 && missing.error.contains("plugin '/no/such/plugin.so' cannot be loaded"))
    #if os(Linux)
      let other = try Fisher(["verify", "--plugin", "libc.so.6"])
      #expect(other.status == 2 && other.error.contains("does not export the function fisher_plugin"))
    #endif
    let both = try Fisher(["verify", "sgd", "--plugin", "x.so"])
    #expect(both.status == 2 && both.error.contains("or --plugin PATH"))
  }
}
