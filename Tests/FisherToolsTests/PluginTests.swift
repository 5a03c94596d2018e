import FisherRuntime
import Foundation
import Testing

/// A shared library that a test builds from one Swift file, as an author of a plugin would.
struct BuiltPlugin {
  let path: String

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  init(_ source: URL, name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fisher-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.appendingPathComponent("lib\(name).so").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "swiftc", "-O", "-emit-library", "-module-name", name, "-I",
      Self.root.appendingPathComponent("Sources/FisherPluginABI").path, source.path, "-o", path,
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
    let certificate = try Fisher(["verify", "--plugin", plugin.path, "--mutants"])
    #expect(certificate.status == 0, "\(certificate.output) \(certificate.error)")
    #expect(certificate.output.hasPrefix("Signum: Bernstein"))
    #expect(certificate.output.contains("passed  matches-reference "))
    let run = try Fisher([
      "train", "--plugin", plugin.path, "--optimizer", "signum", "--set", "lr=3e-4", "--epochs", "1",
      "--json",
      "-",
    ])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains("\"optimizer\":\"signum\"") && run.output.contains("\"bestTestAccuracy\""))
    let wrong = try Fisher(["train", "--plugin", plugin.path, "--optimizer", "signum", "--set", "beta=1"])
    #expect(wrong.status == 2 && wrong.error.contains("signum: beta is 1.0; it must lie in [0.0, 1.0)"))
  }

  /// A plugin that is wrong in the way that the environment says.
  static let broken = """
    import FisherPluginABI
    import Foundation

    nonisolated(unsafe) let name = UnsafePointer(strdup("broken")!)

    @_cdecl("fisher_plugin")
    public func plugin(_ index: UInt32, _ optimizer: UnsafeMutablePointer<fisher_optimizer>) -> Int32 {
      let fault = ProcessInfo.processInfo.environment["FISHER_FAULT"]
      if index > 0 || fault == "empty" { return 1 }
      var table = fisher_optimizer()
      table.magic = fault == "magic" ? 7 : UInt32(FISHER_PLUGIN_MAGIC)
      table.version = fault == "version" ? 99 : UInt32(FISHER_PLUGIN_VERSION)
      table.size = fault == "size" ? 8 : UInt64(MemoryLayout<fisher_optimizer>.size)
      table.name = name
      table.update_f32 = { _, _, _, _ in 0 }
      table.update_f64 = { _, _, _, _ in 0 }
      if fault != "reference" { table.reference = { _, _, _, _ in 0 } }
      optimizer.initialize(to: table)
      return 0
    }
    """

  @Test func faultsAreNamed() throws {
    let source = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).swift")
    try Self.broken.write(to: source, atomically: true, encoding: .utf8)
    let plugin = try BuiltPlugin(source, name: "Broken")
    defer {
      plugin.remove()
      try? FileManager.default.removeItem(at: source)
    }
    for (fault, message) in [
      ("magic", "does not begin with FISHER_PLUGIN_MAGIC"), ("version", "written for version 99"),
      ("size", "with 8 bytes"), ("empty", "has no optimizer"),
      ("reference", "optimizer 'broken' has no reference"),
      ("", "optimizer 'broken' has no hyper-parameter lr"),
    ] {
      let run = try Fisher(["verify", "--plugin", plugin.path], environment: ["FISHER_FAULT": fault])
      #expect(run.status == 2 && run.output.isEmpty)
      #expect(run.error.contains(message) && run.error.split(separator: "\n").count == 1, "\(run.error)")
    }
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
