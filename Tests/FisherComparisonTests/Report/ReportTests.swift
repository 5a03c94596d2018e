import FisherCommandLine
import FisherKit
import FisherPages
import FisherRuntime
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

import FisherComparison

/// Counts elements, and remembers what they say of themselves.
private final class Elements: NSObject, XMLParserDelegate {
  private(set) var found: [(name: String, attributes: [String: String], parents: [String])] = []
  private var open: [String] = []

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    found.append((name, attributes, open))
    open.append(name)
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  func count(_ name: String) -> Int { found.count { $0.name == name } }
}

@Suite struct ReportTests {
  /// Invented runs: a fast method, the baseline, one that misses, a placebo, one that was stopped and one of which there
  /// is nothing.
  private static func report() throws -> Report {
    let workload = try Workload.named("spectrum-1e2")
    let names = ["adamw", "kfac", "kfac:units", "lion", "sgd", "ngd", "soap"]
    var options = ComparisonOptions(workloads: [workload], methods: try names.map { try Method($0) })
    (options.seeds, options.trials) = (6, 3)
    var record = Record()
    func outcome(_ steps: Int?, _ seed: Int) -> Outcome {
      var outcome = Outcome()
      for step in stride(from: 0, through: 600, by: 10) {
        let isMet = steps.map { step >= $0 + 10 * seed } ?? false
        outcome.curve.append(
          step: step, loss: isMet ? workload.target / 2 : 4 - 0.005 * Double(step), accuracy: nil)
      }
      return outcome
    }
    let steps: [String: Int?] = ["adamw": 200, "kfac": 50, "kfac:units": 300, "lion": nil, "sgd": 400]
    for (method, steps) in steps {
      let chosen = options.settings(of: try Method(method))
      for setting in chosen {
        record.add(
          Cell(workload: workload.name, method: method, settings: setting, seed: 0), outcome(steps, 0))
      }
      for seed in 1...6 {
        record.add(
          Cell(workload: workload.name, method: method, settings: [:], seed: seed), outcome(steps, seed))
      }
    }
    var stopped = Outcome()
    stopped.curve.append(step: 0, loss: 4, accuracy: nil)
    stopped.stopped = "step 1: <too> much & \"more\""
    record.add(Cell(workload: workload.name, method: "ngd", settings: [:], seed: 1), stopped)
    for (method, time) in [("adamw", 1e-3), ("kfac", 2e-3), ("lion", 1e-3), ("sgd", 0.9e-3)] {
      var phases = Phases()
      (phases.forward, phases.update) = (time / 2, time / 2)
      record.add(phases, for: PhaseKey(workload: workload.name, method: method))
    }
    for (method, γ) in [("adamw", 0.95), ("kfac", 0.123), ("kfac:units", 0.8)] {
      record.add(Closeness(relativeγ: γ), for: PhaseKey(workload: workload.name, method: method))
    }
    return Report(record, options)
  }

  @Test func thePageIsWellFormedAndAlone() throws {
    let html = try Self.report().html
    let elements = Elements()
    let parser = XMLParser(data: Data(html.utf8))
    parser.delegate = elements
    #expect(parser.parse(), "\(String(describing: parser.parserError)) in line \(parser.lineNumber)")
    // Nothing is fetched: no address but the name of the language of drawings, no source, no import.
    let rest = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    for word in ["http:", "https:", "//", "src=", "url(", "@import", "<link"] {
      #expect(!rest.contains(word), "\(word)")
    }
    #expect(elements.count("script") == 1 && elements.count("main") == 1 && elements.count("h1") == 1)
  }

  @Test func everyoneCanReadIt() throws {
    let elements = Elements()
    let parser = XMLParser(data: Data(try Self.report().html.utf8))
    parser.delegate = elements
    #expect(parser.parse())
    #expect(elements.count("table") >= 3 && elements.count("caption") == elements.count("table"))
    for head in elements.found where head.name == "th" {
      #expect(["col", "row"].contains(head.attributes["scope"]))
    }
    let drawings = elements.found.filter { $0.name == "svg" && $0.attributes["aria-hidden"] != "true" }
    #expect(drawings.count >= 6)
    #expect(drawings.allSatisfy { $0.attributes["role"] == "img" && $0.attributes["aria-labelledby"] != nil })
    #expect(elements.count("desc") == drawings.count)
    let names = elements.found.compactMap { $0.attributes["id"] }
    #expect(Set(names).count == names.count, "names are unique")
    for drawing in drawings {
      let labels = drawing.attributes["aria-labelledby"]?.split(separator: " ").map(String.init) ?? []
      #expect(labels.count == 2 && labels.allSatisfy(names.contains))
    }
    // What scrolls can be reached by the keyboard, and sorting is a button.
    let regions = elements.found.filter { $0.attributes["class"] == "scroll" }
    #expect(regions.allSatisfy { $0.attributes["tabindex"] == "0" && $0.attributes["aria-label"] != nil })
    #expect(elements.count("button") == elements.found.count { $0.attributes["scope"] == "col" })
  }

  @Test func numbersAreThoseOfTheRuns() throws {
    let report = try Self.report()
    let rows = Dictionary(
      uniqueKeysWithValues: report.workloads[0].rows.map { ($0.summary.method.name, $0) })
    let (base, fast) = (try #require(rows["adamw"]), try #require(rows["kfac"]))
    // Steps are 200 and 50, and 10 more for each seed of 1 … 6.
    #expect(base.steps == 235 && fast.steps == 85 && base.ratio == nil)
    #expect(abs((fast.ratio ?? 0) - 2 * 85 / 235) < 1e-12)
    #expect(abs((fast.seconds ?? 0) - 0.17) < 1e-12)
    // Four others have runs on common seeds and ngd one: all six pairs on one side are 2/64, adjusted by at most 5.
    let p = try #require(fast.stepsProbability)
    #expect(p >= 2.0 / 64 && p <= 5 * 2.0 / 64)
    #expect(
      rows["lion"]?.steps == .infinity && rows["lion"]?.met == 0
        && rows["lion"]?.summary.effort.attempts == .infinity)
    #expect(rows["soap"]?.steps.isNaN == true && rows["soap"]?.summary.trials.isEmpty == true)
    #expect(rows["kfac"]?.summary.effort == TuningEffort(tried: 3, met: 3))
    // A placebo has the time of its method.
    #expect(rows["kfac:units"]?.summary.secondsPerStep == 2e-3)
    #expect(report.workloads[0].ranked.first?.summary.method.name == "kfac")
    let html = report.html
    #expect(html.contains("step 1: &lt;too&gt; much &amp; &quot;more&quot;"))
    #expect(html.contains("kfac:units") && html.contains("Performance profile"))
    #expect(rows["kfac"]?.summary.relativeγ == 0.123 && rows["lion"]?.summary.relativeγ == nil)
    #expect(html.contains("0.123") && html.contains("closeness and its cost"))
  }

  /// A report of nothing is a page as well.
  @Test func nothingIsReportedToo() throws {
    let options = try RunTests.options()
    let parser = XMLParser(data: Data(Report(Record(), options).html.utf8))
    #expect(parser.parse())
  }

  @Test func scalesHoldTheirEnds() {
    for (low, high) in [(1e-3, 3.0), (0.9, 1.1), (1.0, 16), (1e-9, 1e9), (2.0, 2.1)] {
      let scale = Scale(logarithmicFrom: low, to: high)
      #expect(scale.place(low) == 0 && abs(scale.place(high) - 1) < 1e-12 && scale.ticks.count <= 10)
      #expect(abs(scale.place((low * high).squareRoot()) - 0.5) < 1e-9)
      #expect(scale.place(.infinity) == 1 && scale.place(.nan) == 1 && scale.place(0) == 0)
    }
    for high in [1.0, 7, 450, 1e-5, 3e8, .infinity, 0] {
      let scale = Scale(linearTo: high)
      #expect(scale.ticks.count >= 3 && scale.ticks.count <= 9 && scale.ticks[0] == 0)
    }
  }

  @Test func figuresShowThreeDigits() {
    #expect(Figure.text(.infinity) == "∞" && Figure.text(nil) == "–" && Figure.text(.nan) == "–")
    #expect(
      Figure.text(123.456) == "123" && Figure.text(1.2345) == "1.23" && Figure.text(0.012345) == "0.0123")
    #expect(Figure.text(2, Interval(low: 1, high: .infinity)) == "2.00 [1.00, ∞]")
  }
}
