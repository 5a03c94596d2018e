import Foundation

/// A symbol of an object file as `nm` prints it.
struct Symbol: Equatable {
  let type: Character
  let name: String
}

/// The rule that keeps a program alive on older processors.
///
/// A kernel module is compiled for an instruction set that the machine may lack. If it emits a weak copy of somebody
/// else's function, the linker may keep that copy for the whole program. So every weak symbol with code or data of a
/// kernel module must be its own.
enum SymbolGate {
  /// The weak symbols in the output of `nm`, by `nm`'s letters.
  static func weakSymbols(in output: String) -> [Symbol] {
    symbols(in: output).filter { "WwVvu".contains($0.type) }
  }

  static func symbols(in output: String) -> [Symbol] {
    output.split(separator: "\n").compactMap { line in
      // "0000000000000010 W name", and "                 U name" for what is only used. Names may hold blanks.
      let text = line.dropFirst(17)
      guard line.count > 19, let type = text.first, text.dropFirst().first == " " else { return nil }
      return Symbol(type: type, name: String(text.dropFirst(2)))
    }
  }

  /// Those that do not belong to `module`.
  ///
  /// Its own carry the module's name with its length before it. Exempt is data that no flag can change: the
  /// compiler's version marker, the names of types (`symbolic …`), and pointers to symbols (`got.…`).
  static func foreign(_ symbols: [Symbol], module: String) -> [Symbol] {
    symbols.filter { symbol in
      let isFixedData =
        symbol.type == "V"
        && (symbol.name == "__swift_reflection_version" || symbol.name.hasPrefix("symbolic ")
          || symbol.name.hasPrefix("got."))
      return !isFixedData && !symbol.name.contains("\(module.utf8.count)\(module)")
    }
  }

  /// Runs `nm` on object files.
  static func nm(_ files: [URL]) throws -> String { try run("nm", [], files) }

  /// Runs one of the tools for object files, or LLVM's.
  static func run(_ tool: String, _ options: [String], _ files: [URL]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let isThere = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
    process.arguments = [isThere ? tool : "llvm-\(tool)"] + options + files.map(\.path)
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  /// The object files of a module, in the build folder that holds the running tests.
  ///
  /// Those of source files that are gone stay behind in the folder; only what the linker was given counts.
  static func objects(of module: String) -> [URL] {
    let products = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
      .deletingLastPathComponent()
    let folder = products.appendingPathComponent("\(module).build")
    let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    let map = (try? Data(contentsOf: folder.appendingPathComponent("output-file-map.json"))) ?? Data()
    return (files ?? []).filter { file in
      // The map tells the object of each source file; slashes in its paths may be escaped.
      file.pathExtension == "o"
        && String(decoding: map, as: UTF8.self).contains("/\(file.lastPathComponent)\"")
    }
  }
}
