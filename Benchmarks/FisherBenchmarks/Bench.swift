import FisherCommandLine
import FisherKit
import FisherLinearAlgebra
import FisherRuntime

/// `fisher bench`: our kernels and other libraries, measured side by side.
package enum Bench {
  package static let help = """
    usage: fisher bench SUITE… [--types f32,f64] [--threads 1,2] [--against LIB…] [--sizes …] [--quick] [--json PATH]
                            [--report PAGE.html] [--plugin PATH]
           fisher bench gemm --map [--against LIB…] [--plot MAP.svg] [--json PATH] [--report PAGE.html]

    Suites: \(BenchRequest.names.joined(separator: ", ")), all. Ours and every library run in turn in one process;
    a ratio above 1 means that ours is faster. step and optimizers measure steps of training
    against those of SGD with momentum, not against libraries. map, which is not part of all, measures products of
    at most 32 × 32 × 32 against libraries and naive loops. allreduce, alone, sums over ranks that share memory;
    under mpirun also by its MPI library. overlap, alone, trains on ranks that add up after their passes and beside
    them, over a modelled network; under mpirun between hosts over the real one.

      --types    element types, f32 and f64 by default
      --threads  thread counts, 1 by default
      --against  openblas, scipy-openblas, mkl, blis or the path of a CBLAS library; LIB@CORE forces OpenBLAS to a
                 core; for the map also libxsmm or its path; several with commas. OpenBLAS if there is one, by
                 default; none for no library
      --venv     a virtual environment of Python with the wheels scipy-openblas32 and mkl; the active one by default
      --sizes    sizes instead of the default grid: 64,384x100x7 (m x n x k)
      --map      with gemm: the map in place of the grid; one shape of each block of 4 × 4 × 4, or --map=all
      --plot     the map as a picture, SVG
      --optimizers  for the suites step and optimizers; with settings as in adafisher:refresh=100
      --plugin   a shared library whose optimizers these suites know, too
      --network  a model for them instead of their own: mlp:…, autoencoder:…, or gpt:…, of 64 random tokens each
      --batch    its samples; 64, 1000 or 4 by default
      --ranks    for the suites allreduce and overlap: 2 by default; sizes of allreduce are bytes
      --links    for the suite overlap: Gb/s and µs of a network, 25x20,2x200 by default
      --quick    shorter samples and fewer rounds
      --json     one JSON object a line to a file, or - for standard output
      --report   one page with all of it: curves, tables, the map, the machine and the command

    example: fisher bench gemm --types f32 --sizes 64,512 --against openblas,openblas@SkylakeX
    """

  /// Runs the subcommand.
  ///
  /// - Returns: the exit status.
  /// - Throws: ``UsageError``.
  package static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(
      words,
      options: [
        "types", "threads", "against", "venv", "sizes", "map", "plot", "json", "report", "optimizers",
        "network",
        "batch", "plugin", "ranks", "links",
      ],
      flags: ["quick", "map"])
    if arguments.positional == ["allreduce"] { return try AllReduceBench.run(arguments) }
    if arguments.positional == ["overlap"] { return try OverlapBench.run(words, arguments) }
    let request = try BenchRequest(arguments)
    let json = try arguments.jsonLines()
    func file(_ option: String) throws(UsageError) -> OutputFile? {
      guard let path = arguments.value(option) else { return nil }
      return try OutputFile(path, option: "--\(option)")
    }
    let (plot, page) = (try file("plot"), try file("report"))
    let machine = page == nil ? nil : MachineFacts()
    let isQuiet = arguments.isQuiet
    let cases = measureCases(request, json, isQuiet: isQuiet)
    let map: ShapeMap?
    do { map = try measureMap(request, json, isQuiet: isQuiet) } catch {
      throw UsageError("--against: \(error)")
    }
    let steps = measureSteps(request, json, isQuiet: isQuiet)
    json?.write(Summary(cases).json)
    if let map { plot?.write(map.heatMap.file) }
    if let page, let machine {
      let command = CommandText.of(["fisher", "bench"] + words)
      page.write(
        BenchPage(
          cases: cases, map: map, steps: steps, libraries: request.peers.lines, machine: machine.lines,
          command: command
        ).html)
    }
    return 0
  }

  private static func measureCases(
    _ request: BenchRequest, _ json: JSONLines?, isQuiet: Bool
  ) -> [Measurement] {
    let peers = request.peers.cblas
    let table = isQuiet || request.suites.isEmpty ? nil : MeasurementTable(peers: peers)
    var all: [Measurement] = []
    for subject in request.suites.flatMap({ $0.cases(request.types, request.sizes) }) {
      for count in request.threads {
        Console.progress("measuring \(subject.suite) \(subject.name) \(subject.type), threads \(count)")
        let measured = Measurement(
          subject, threads: count, peers: peers, sample: request.isQuick ? 0.002 : 0.01,
          rounds: request.isQuick ? 5 : 9)
        table?.print(measured)
        json?.write(measured.json)
        all.append(measured)
      }
    }
    table?.printSummary(all)
    return all
  }

  /// Nil if the map is not asked for.
  private static func measureMap(
    _ request: BenchRequest, _ json: JSONLines?, isQuiet: Bool
  ) throws(LibraryError) -> ShapeMap? {
    guard let width = request.mapWidth else { return nil }
    let peers = request.peers
    if !isQuiet { for line in peers.lines { Swift.print("\(line.key): \(line.version)  \(line.path)") } }
    var map = ShapeMap(peers: peers.lines.map(\.key), width: width)
    let (sample, rounds) = request.isQuick ? (5e-5, 5) : (2e-4, 11)
    func measure(_ shape: Shape, _ type: String) throws(LibraryError) -> MapEntry {
      type == "f32"
        ? try MapEntry.measure(Float.self, shape, peers, sample: sample, rounds: rounds)
        : try MapEntry.measure(Double.self, shape, peers, sample: sample, rounds: rounds)
    }
    let shapes = SmallShapes.shapes(width: width)
    for type in request.types {
      Console.progress("measuring \(shapes.count) small shapes, \(type)")
      for shape in shapes { map.add(try measure(shape, type)) }
    }
    Console.progress("repeating those that were slow")
    try map.repeatBad { entry throws(LibraryError) in try measure(entry.shape, entry.type) }
    for entry in map.entries { json?.write(map.json(entry)) }
    for summary in map.summaries { json?.write(summary.json) }
    if !isQuiet { map.printSummary() }
    return map
  }

  private static func measureSteps(
    _ request: BenchRequest, _ json: JSONLines?, isQuiet: Bool
  ) -> [StepMeasurement] {
    var all: [StepMeasurement] = []
    for suite in request.trainingSuites {
      for workload in request.workload.map({ [$0] }) ?? suite.workloads {
        if !isQuiet { StepMeasurement.printHead(workload) }
        for type in request.types {
          for count in request.threads {
            let run = TrainingRun(
              workload: workload, type: type, threads: count, registry: request.registry,
              optimizers: request.optimizers, isQuick: request.isQuick)
            Console.progress("measuring \(suite.name) \(workload.network) \(type), threads \(count)")
            for line in suite.measure(run) {
              if !isQuiet { line.print() }
              json?.write(line.json)
              all.append(line)
            }
          }
        }
      }
    }
    return all
  }
}
