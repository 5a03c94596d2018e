import Foundation
import Testing

/// What `fisher new-optimizer` writes, built with the modules of this build and used as its author would.
@Suite struct NewOptimizerTests {
  private static let modules = Fisher.executable.deletingLastPathComponent()

  /// Runs a compiler; what it says is the failure.
  private static func swiftc(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "swiftc", "-swift-version", "6", "-warnings-as-errors", "-I",
        modules.appendingPathComponent("Modules").path,
        "-I", BuiltPlugin.root.appendingPathComponent("Sources/FisherPluginABI").path,
      ] + arguments
    let output = Pipe()
    process.standardError = output
    process.standardOutput = output
    try process.run()
    let messages = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(messages)")
  }

  /// The argument for the compiler that names everything that `fisher` is linked with but its own entry point.
  private static func objects(in folder: String) throws -> String {
    let list = modules.appendingPathComponent("fisher.product/Objects.LinkFileList")
    let objects = try String(contentsOf: list, encoding: .utf8).split(separator: "\n")
      .filter { !$0.contains("/fisher.build/") }
    try objects.joined(separator: "\n").write(
      toFile: folder + "/objects", atomically: true, encoding: .utf8)
    return "@" + folder + "/objects"
  }

  /// The program of a package, linked with everything that `fisher` is linked with but its own entry point.
  private static func build(_ type: String, _ name: String, in folder: String) throws -> URL {
    let package = folder + "/" + name
    // One module here: the entry point does not import the other one.
    let main = try String(contentsOfFile: package + "/Sources/fisher-\(name)/main.swift", encoding: .utf8)
    try main.replacing("import \(type)Optimizer\n", with: "")
      .write(toFile: package + "/main.swift", atomically: true, encoding: .utf8)
    let sources = package + "/Sources/\(type)Optimizer"
    let files = try FileManager.default.contentsOfDirectory(atPath: sources).map { sources + "/" + $0 }
    try swiftc(
      ["-O", package + "/main.swift"] + files + [try objects(in: package), "-o", package + "/tool"])
    return URL(fileURLWithPath: package + "/tool")
  }

  @Test(arguments: [("elementwise", "heavy-ball", "HeavyBall"), ("layerwise", "b2-layers", "B2Layers")])
  func packagesAreProvenAndTrain(kind: String, name: String, type: String) throws {
    let folder = try Folder()
    let written = try Fisher(
      ["new-optimizer", name, "--package", "--kind", kind, "--fisherkit", BuiltPlugin.root.path],
      folder: folder.path)
    #expect(written.status == 0 && written.output.contains("  3. swift run -c release fisher-\(name)"))
    let tool = try Self.build(type, name, in: folder.path)
    for (words, expected) in [
      (["verify", name, "--mutants", "--untimed"], " checks passed"), (["optimizers", name], type),
      (["train", "--optimizer", name, "--epochs", "1", "--json", "-"], "\"optimizer\":\"\(name)\""),
      (
        [
          "bench", "step", "--optimizers", name, "--network", "mlp:5-4", "--batch", "3", "--types", "f32",
          "--quick",
        ],
        name
      ),
      (["compare", "--help"], "fisher compare"),
    ] {
      let run = try Fisher(words, executable: tool)
      #expect(run.status == 0 && run.output.contains(expected), "\(words): \(run.output) \(run.error)")
    }
    let again = try Fisher(
      ["new-optimizer", name, "--package", "--fisherkit", "x"], executable: tool, folder: folder.path)
    #expect(again.status == 2 && again.error.contains("there is an optimizer '\(name)' already"))
  }

  /// The program that the page on plugins shows, built as its readers would and run; then timed beside SGD, for the eye.
  /// That its rules are made into one text for each element type is counted in its symbols.
  @Test func theProgramOfThePageRunsSpecialised() throws {
    let folder = try Folder()
    let (main, object) = (folder.path + "/main.swift", folder.path + "/main.o")
    let programs = try DocumentedProgram.all(of: "docs/plugins.md")
    try #require(programs.count == 1)
    try (programs[0].source + Self.timing).write(toFile: main, atomically: true, encoding: .utf8)
    try Self.swiftc(["-O", "-assert-config", "Debug", "-c", main, "-o", object])
    try Self.swiftc([object, try Self.objects(in: folder.path), "-o", folder.path + "/program"])
    let run = try Fisher([], executable: URL(fileURLWithPath: folder.path + "/program"))
    #expect(run.status == 0 && run.output.contains("times SGD"), "\(run.output) \(run.error)")
    FileHandle.standardError.write(
      Data((run.output.split(separator: "\n").last ?? "").utf8) + Data("\n".utf8))
    let symbols = try Self.symbols(of: object)
    for rule in ["HeavyBallRule", "PullRule"] {
      for type in ["Float", "Double"] {
        let loop = "specialization <Swift.\(type), main.\(rule)<Swift.\(type)>> of closure #1"
        #expect(symbols.contains { $0.contains(loop) && $0.contains("Step.apply<") }, "\(rule)<\(type)>")
      }
    }
  }

  /// Steps of both on a million elements.
  private static let timing = """
    func seconds(_ optimizer: any Optimizer) throws -> Double {
      let parameter = ParameterInfo(name: "w", shape: [1000, 1000], role: .linearWeight, layer: "w")
      var driver = try OptimizerDriver<Float>(optimizer, parameters: [parameter], threads: 1)
      var values = [Matrix<Float>(repeating: 1, rows: 1000, columns: 1000)]
      var gradients = values
      var least = Double.infinity
      for _ in 0..<12 {
        let time = try ContinuousClock().measure {
          _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
        }
        least = min(least, time / .seconds(1))
      }
      return least
    }
    print("HeavyBall of docs/plugins.md:", try seconds(HeavyBall()) / seconds(SGD()), "times SGD")
    """

  /// The names in an object file, as people read them.
  private static func symbols(of object: String) throws -> [Substring] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "nm '\(object)' | swift demangle"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return text.split(separator: "\n")
  }

  /// The example of a package: no longer than it says, proven, and trained like a built-in optimizer.
  @Test func theExampleOfAPackageIsProvenAndTrains() throws {
    let folder = try Folder()
    let package = folder.path + "/my-adan"
    let example = BuiltPlugin.root.appendingPathComponent("Examples/MyAdan")
    try FileManager.default.copyItem(atPath: example.path, toPath: package)
    let texts = try FileManager.default.subpathsOfDirectory(atPath: package).filter {
      $0.hasSuffix(".swift")
    }
    let lines = try texts.reduce(0) { sum, path in
      let text = try String(contentsOfFile: package + "/" + path, encoding: .utf8)
      return sum + text.split(separator: "\n", omittingEmptySubsequences: false).count
    }
    #expect(lines <= 150)
    try Self.swiftc([
      "-typecheck", "-package-description-version", "6.2.0", "-I", Self.manifestModules,
      package + "/Package.swift",
    ])
    let tool = try Self.build("MyAdan", "my-adan", in: folder.path)
    let proof = try Fisher(["verify", "my-adan", "--mutants", "--untimed"], executable: tool)
    #expect(proof.status == 0 && !proof.output.contains("FAILED"), "\(proof.output)")
    // The same method as the built-in one, and it learns.
    let settings = ["--epochs", "2", "--set", "lr=0.003", "--set", "weightDecay=0.02", "--json", "-"]
    let run = try Fisher(["train", "--optimizer", "my-adan"] + settings, executable: tool)
    let accuracy = try #require(try run.lines().last?["bestTestAccuracy"] as? Double, "\(run.error)")
    #expect(accuracy > 0.8)
  }

  /// The manifest is one, and its test compiles.
  @Test func manifestsAreRead() throws {
    let folder = try Folder()
    for place in [BuiltPlugin.root.path, "https://example.org/a \"b\"/FisherKit.git"] {
      let written = try Fisher(
        ["new-optimizer", "own", "--package", "--fisherkit", place], folder: folder.path)
      #expect(written.status == 0, "\(written.error)")
      let package = folder.path + "/own"
      try Self.swiftc([
        "-typecheck", "-package-description-version", "6.2.0", "-I", Self.manifestModules,
        package + "/Package.swift",
      ])
      try FileManager.default.removeItem(atPath: package)
    }
  }

  /// Where the toolchain keeps the module of manifests.
  private static let manifestModules: String = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["swiftc", "-print-target-info"]
    let output = Pipe()
    process.standardOutput = output
    try? process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let info = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
    let paths = info?["paths"] as? [String: Any]
    return (paths?["runtimeResourcePath"] as? String ?? "") + "/pm/ManifestAPI"
  }()

  /// A folder that looks like a checkout.
  private func checkout() throws -> Folder {
    let folder = try Folder()
    for path in ["Package.swift", "Sources/FisherKit/OptimizerRegistry+BuiltIn.swift"] {
      let target = URL(fileURLWithPath: folder.path).appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: BuiltPlugin.root.appendingPathComponent(path), to: target)
    }
    return folder
  }

  @Test(arguments: ["elementwise", "layerwise"]) func pluginsAreMadeKnown(kind: String) throws {
    let folder = try checkout()
    let written = try Fisher(["new-optimizer", "new-one", "--kind", kind], folder: folder.path)
    #expect(written.status == 0 && written.output.contains("changed    Package.swift"), "\(written.error)")
    func text(_ path: String) throws -> String {
      try String(contentsOfFile: folder.path + "/" + path, encoding: .utf8)
    }
    #expect(try text("Package.swift").contains("let plugins = [\n  \"NewOne\",\n"))
    let registry = try text("Sources/FisherKit/OptimizerRegistry+BuiltIn.swift")
    #expect(registry.contains("import FisherPluginNewOne\n") && registry.contains("        NewOne.self,\n"))
    let plugin = folder.path + "/Plugins/NewOne"
    #expect(FileManager.default.fileExists(atPath: plugin + "/NewOne.md"))
    let sources = [plugin + "/NewOne.swift", plugin + "/Reference/NaiveNewOne.swift"]
    let module = folder.path + "/FisherPluginNewOne.swiftmodule"
    try Self.swiftc(
      ["-emit-module", "-module-name", "FisherPluginNewOne", "-emit-module-path", module] + sources)
    try Self.swiftc(["-typecheck", "-I", folder.path, plugin + "/Tests/NewOneTests.swift"])
    let again = try Fisher(["new-optimizer", "new-one"], folder: folder.path)
    #expect(
      again.status == 2 && again.error.contains("'Plugins/NewOne' is there already; nothing was written"))
    #expect(try text("Package.swift").split(separator: "\"NewOne\"").count == 2)
  }

  @Test func wrongUsage() throws {
    let folder = try Folder()
    for (words, message) in [
      ([], "new-optimizer takes one name"), (["a", "b"], "new-optimizer takes one name"),
      (["Upper"], "the name is 'Upper'; it must be of lower-case letters and digits"),
      (["a--b"], "the name is 'a--b'"), (["1a"], "the name is '1a'"), (["a/b"], "the name is 'a/b'"),
      (["adamw"], "there is an optimizer 'adamw' already"), (["x", "--kind", "odd"], "--kind is 'odd'"),
      (["x"], "this is no checkout of FisherKit"), (["x", "--package"], "--fisherkit PATH says where"),
      (["x", "--fisherkit", "y"], "--fisherkit is for --package"),
    ] {
      let run = try Fisher(["new-optimizer"] + words, folder: folder.path)
      #expect(run.status == 2 && run.error.contains(message), "\(words): \(run.error)")
      #expect(run.error.split(separator: "\n").count == 1)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }
}
