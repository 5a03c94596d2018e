import FisherCommandLine
import FisherKit
import FisherLinearAlgebra
import FisherRuntime

/// What this machine is and what the library makes of it, measured once: what `fisher doctor` reports.
package struct MachineFacts {
  let tier = InstructionSet.best
  let threads = Threads.available
  let libraries = CBLASBackend.discover()
  let mpi = MPILibrary.discover()
  let peak: [(threads: Int, f32: Double, f64: Double, bandwidth: Double)]

  package init() {
    peak = Set([1, Threads.available]).sorted().map { threads in
      (
        threads, Peak.gflops(Float.self, threads: threads, samples: 20),
        Peak.gflops(Double.self, threads: threads, samples: 20), Peak.bandwidth(threads: threads)
      )
    }
  }

  /// Why this tier was chosen.
  var reason: String {
    let best = InstructionSet.supported.last ?? .portable
    return tier == best
      ? "the best this machine supports" : "forced by FISHER_ISA; the machine supports \(best.rawValue)"
  }

  /// For people: the name of each fact and its text. A fact without a name belongs to the one before.
  package var lines: [(name: String, text: String)] {
    var lines: [(name: String, text: String)] = []
    func line(_ name: String, _ text: String) { lines.append((name, text)) }
    line("fisher", packageVersion)
    line("processor", CPU.name)
    line(
      "features", InstructionSet.avx512.requiredFeatures.filter(CPU.features.contains).joined(separator: " "))
    line("kernels", "\(tier.rawValue), \(reason)")
    line(
      "threads", "\(threads) (cores \(Threads.cores), quota \(Threads.quota.map { fixed($0, 2) } ?? "none"))")
    let forced = Environment["FISHER_CACHES"].map { "; planned for those of FISHER_CACHES, \($0)" } ?? ""
    line("caches", CPU.caches.map { "\($0.level) \($0.bytes >> 10) KiB" }.joined(separator: ", ") + forced)
    for entry in peak {
      line(
        "\(entry.threads) thread\(entry.threads == 1 ? "" : "s")",
        "FMA peak f32 \(fixed(entry.f32, 0)), f64 \(fixed(entry.f64, 0)) GFLOP/s; memory \(fixed(entry.bandwidth, 1)) GB/s"
      )
    }
    for library in libraries {
      line("library", "\(library.version) \(library.core ?? "")  \(library.path)")
      if !library.missingSymbols.isEmpty {
        line("", "lacks " + library.missingSymbols.joined(separator: " "))
      }
    }
    if libraries.isEmpty { line("library", "no CBLAS library found (apt-get install libopenblas-dev)") }
    for library in mpi { line("MPI", "\(library.version), \(library.interface.rawValue)  \(library.path)") }
    if mpi.isEmpty { line("MPI", "no MPI library found (apt-get install mpich)") }
    line("optimizers", OptimizerRegistry.installed.names.joined(separator: " "))
    return lines
  }

  package func print() {
    for line in lines { Swift.print(column(line.name, 14, left: true) + line.text) }
  }

  package var json: JSON {
    let all = peak.last!
    return .object([
      ("version", .string(packageVersion)), ("cpu", .string(CPU.name)),
      ("features", .array(CPU.features.sorted().map(JSON.string))),
      ("tier", .string(tier.rawValue)), ("reason", .string(reason)), ("threads", .int(threads)),
      ("cores", .int(Threads.cores)), ("quota", Threads.quota.map(JSON.number) ?? .null),
      ("caches", .object(CPU.caches.map { ($0.level, .int($0.bytes)) })),
      ("peakGflops", .object([("f32", .number(peak[0].f32)), ("f64", .number(peak[0].f64))])),
      ("peakGflopsAllThreads", .object([("f32", .number(all.f32)), ("f64", .number(all.f64))])),
      ("bandwidthGBs", .number(peak[0].bandwidth)), ("bandwidthGBsAllThreads", .number(all.bandwidth)),
      (
        "backends",
        .array(
          [.object([("name", .string("native")), ("version", .string(tier.rawValue))])]
            + libraries.map { library in
              .object([
                ("name", .string(library.name)), ("path", .string(library.path)),
                ("version", .string(library.version)), ("core", library.core.map(JSON.string) ?? .null),
                ("missing", .array(library.missingSymbols.map(JSON.string))),
              ])
            })
      ),
      (
        "mpi",
        .array(
          mpi.map { library in
            .object([
              ("path", .string(library.path)), ("version", .string(library.version)),
              ("abi", .string(library.interface.rawValue)),
            ])
          })
      ), ("optimizers", .array(OptimizerRegistry.installed.names.map(JSON.string))),
    ])
  }
}
