import FisherBenchmarks
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The elements of a page or drawing, by name.
private final class Elements: NSObject, XMLParserDelegate {
  private(set) var found: [(name: String, attributes: [String: String])] = []

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    try #require(parser.parse(), "\(String(describing: parser.parserError)) in line \(parser.lineNumber)")
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) { found.append((name, attributes)) }

  func count(_ name: String, style: String? = nil) -> Int {
    found.count { $0.name == name && (style == nil || $0.attributes["class"] == style) }
  }
}

@Suite struct BenchPageTests {
  /// Everything that bench measures, on one page, alone and readable to all.
  @Test func thePageHasCurvesMapMachineAndCommand() throws {
    let folder = try Folder()
    let (path, map) = (folder.path + "/a page.html", folder.path + "/map.svg")
    let run = try Fisher([
      "bench", "gemm", "step", "map", "--types", "f32", "--sizes", "8,12,16", "--quick", "--against", "none",
      "--network", "mlp:12-4", "--batch", "5", "--report", path, "--plot", map,
    ])
    #expect(run.status == 0, "\(run.error)")
    let page = try String(contentsOfFile: path, encoding: .utf8)
    let elements = try Elements(page)
    let drawings = elements.found.filter { $0.name == "svg" && $0.attributes["aria-hidden"] != "true" }
    // One curve and the map.
    #expect(drawings.count == 2 && elements.count("desc") == 2)
    #expect(drawings.allSatisfy { $0.attributes["role"] == "img" && $0.attributes["aria-labelledby"] != nil })
    let names = elements.found.compactMap { $0.attributes["id"] }
    #expect(Set(names).count == names.count)
    #expect(elements.count("table") == 4 && elements.count("caption") == 4)
    for text in [
      "gemm nn f32, 1 thread", "The top of the axis is the FMA peak", "Small products, one thread",
      "processor",
      "Steps of training", "--report '", "prefers-color-scheme",
    ] {
      #expect(page.contains(text), "\(text)")
    }
    let rest = page.replacing("http://www.w3.org/2000/svg", with: "")
    for word in ["http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!rest.contains(word), "\(word)")
    }
    let picture = try Elements(try String(contentsOfFile: map, encoding: .utf8))
    // Eight panels of 8 × 8, and the colours of the key.
    #expect(picture.count("rect") == 512 + 7 && picture.count("style") == 1)
  }

  @Test(arguments: [
    (["bench", "syrk", "--map"], "--map is the map of gemm's small shapes"),
    (["bench", "gemm", "--map=some"], "--map=all, not 'some'"),
    (["bench", "gemm", "--plot", "x.svg"], "--plot draws the map"),
    (["bench", "gemm", "--report", "/nowhere/page.html"], "--report: cannot write to '/nowhere/page.html'"),
    (["bench", "gemm", "--map", "--against", "/no/such/libxsmm.so"], "/no/such/libxsmm.so"),
    (["bench", "gemm", "--venv", "/no/such", "--against", "scipy-openblas"], "libscipy_openblas.so"),
  ])
  func wrongUseIsRefused(words: [String], message: String) throws {
    let run = try Fisher(words, environment: ["LD_LIBRARY_PATH": ""])
    #expect(run.status == 2 && run.error.contains(message), "\(run.error)")
  }

  @Test func commandsCanBePasted() {
    let environment = ["FISHER_ISA": "avx2", "OPENBLAS_CORETYPE": "it's", "HOME": "/root"]
    let text = CommandText.of(["fisher", "--report", "a page.html"]) { environment[$0] }
    #expect(text == "FISHER_ISA=avx2 OPENBLAS_CORETYPE='it'\\''s' fisher --report 'a page.html'")
  }
}

@Suite struct ShapeMapTests {
  /// The sample has one shape of each block, the same ones every time; all are all.
  @Test func theMapCoversWhatItSays() {
    let sample = SmallShapes.shapes(width: 4)
    func block(_ s: Shape) -> [Int] { [(s.m - 1) / 4, (s.n - 1) / 4, (s.k - 1) / 4] }
    let blocks = Set(sample.map(block))
    #expect(sample.count == 512 && blocks.count == 512)
    #expect(sample == SmallShapes.shapes(width: 4))
    // No size is left out of every block.
    let sides: [KeyPath<Shape, Int>] = [\.m, \.n, \.k]
    let sizes = Set(1...32)
    for side in sides { #expect(Set(sample.map { $0[keyPath: side] }) == sizes) }
    let all = SmallShapes.shapes(width: 1)
    #expect(Set(all.map { "\($0)" }).count == 32_768)
    for side in sides { #expect(all.allSatisfy { sizes.contains($0[keyPath: side]) }) }
  }

  @Test func theSummaryCounts() throws {
    var map = ShapeMap(peers: ["a", "b"], width: 4)
    // Ours over the best: 2, 0.9, 0.5; over the loops: 4, 0.99, 1.
    map.add(MapEntry(type: "f32", shape: Shape(1, 2, 3), ours: 1, loops: 4, peers: [3, 2]))
    map.add(MapEntry(type: "f32", shape: Shape(5, 2, 3), ours: 1, loops: 0.99, peers: [0.9, 8]))
    map.add(MapEntry(type: "f32", shape: Shape(9, 2, 3), ours: 1, loops: 1, peers: [0.5, 0.6]))
    map.add(MapEntry(type: "f64", shape: Shape(9, 2, 3), ours: 1, loops: 2, peers: [1, 2]))
    let summary = try #require(map.summaries.first)
    #expect(map.summaries.count == 2)
    #expect(summary.shapes == 3 && summary.slowerThanLoops == 1 && summary.nearBest == 2)
    #expect(summary.worst.map(\.name) == ["9x2x3", "5x2x3", "1x2x3"])
    let picture = try Elements(map.heatMap.file)
    #expect(picture.count("rect") == 4 + 7)
    // Below 0.9, twice as fast, as fast, and one of the key each.
    #expect(picture.count("rect", style: "h1") == 2 && picture.count("rect", style: "h6") == 2)
    #expect(picture.count("rect", style: "h3") == 3)
    // One shape and the key.
    #expect(picture.count("circle", style: "mark") == 2)
  }
}

extension ShapeMapTests {
  /// What was good is not measured again; the rest keeps the least of both for everyone.
  @Test func theBadAreRepeated() {
    var map = ShapeMap(peers: ["a"], width: 4)
    map.add(MapEntry(type: "f32", shape: Shape(1, 2, 3), ours: 1, loops: 1, peers: [0.9]))
    map.add(MapEntry(type: "f32", shape: Shape(5, 2, 3), ours: 4, loops: 5, peers: [3]))
    map.add(MapEntry(type: "f32", shape: Shape(9, 2, 3), ours: 1, loops: 0.9, peers: [3]))
    var repeated: [Int] = []
    map.repeatBad { entry in
      repeated.append(entry.shape.m)
      return MapEntry(type: "f32", shape: entry.shape, ours: 2, loops: 0.5, peers: [2])
    }
    #expect(repeated == [5, 9])
    #expect(map.entries.map(\.ratio) == [0.9, 1, 2])
    #expect(map.entries.map(\.overLoops) == [1, 0.25, 0.5])
  }
}

@Suite struct RoundTests {
  private func round(peak: Double, fraction: Double, share: Double = 1) -> Round {
    Round(peak: peak, times: [1, 2], flops: fraction * peak * 1e9, share: share)
  }

  /// Whoever waited for a core is measured again, and does not count if there are others.
  @Test func waitingIsNoResult() {
    let rounds = [1.0, 0.4, 0.99, 0.97].map { round(peak: 100, fraction: $0 / 2, share: $0) }
    let chosen = Round.choose(3, of: rounds)
    #expect(!chosen.isDisturbed && abs(chosen.peakFraction - 0.495) < 1e-9)
    let few = Round.choose(2, of: Array(rounds[..<2]) + [round(peak: 99, fraction: 0.3, share: 0.8)])
    #expect(few.isDisturbed && abs(few.peakFraction - 0.4) < 1e-9)
  }

  @Test func quietRoundsAreKept() {
    let rounds = [100.0, 95, 60, 99].map { round(peak: $0, fraction: 0.5) }
    let chosen = Round.choose(3, of: rounds)
    #expect(!chosen.isDisturbed && chosen.kept.count == 3 && chosen.peakFraction == 0.5)
    #expect(Round.choose(4, of: rounds).isDisturbed)
    #expect(Round.choose(1, of: []).isDisturbed)
  }

  /// What is above the peak beside it is never shown as a part of it.
  @Test func moreThanThePeakIsNoResult() {
    let rounds = [
      round(peak: 100, fraction: 1.26), round(peak: 90, fraction: 0.7), round(peak: 95, fraction: 1.1),
    ]
    let chosen = Round.choose(3, of: rounds)
    #expect(chosen.isDisturbed && abs(chosen.peakFraction - 0.7) < 1e-12)
    let none = Round.choose(2, of: [rounds[0], rounds[2]])
    #expect(none.isDisturbed && none.peakFraction.isNaN && none.kept.count == 2)
  }
}
