import FisherTool
import FisherTraining
import Testing

/// What a chart says follows from the numbers of the lines alone.
struct PlotTests {
  private func measurement(_ n: Int, _ m: Int? = nil, rate: Double, peer: Double) -> JSON {
    .object([
      ("suite", .string("gemm")), ("case", .string("nn \(n)x\(n)x\(n)")), ("type", .string("f32")),
      ("m", .int(m ?? n)), ("n", .int(n)), ("k", .int(n)), ("gflops", .number(rate)),
      ("peakGflops", .number(50)),
      ("peers", .object([("openblas", .object([("gflops", .number(peer))]))])),
    ])
  }

  @Test func measurementsArePercentOfThePeakBesideThem() {
    let data = PlotData(measurements: [
      measurement(64, rate: 40, peer: 25), measurement(128, rate: 45, peer: 30),
      measurement(8, 16, rate: 1, peer: 1),
    ])
    #expect(data.series.map(\.name) == ["FisherKit f32", "openblas f32"])
    #expect(data.series[0].points.map(\.x) == [64, 128])
    #expect(data.series[0].points.map(\.y) == [80, 90])
    #expect(data.series[1].points.map(\.y) == [50, 60])
    #expect(data.omitted == "1 cases that are not square")
  }

  @Test func runsOfOneOptimizerAreToldApartByTheirFiles() throws {
    let log = [
      #"{"event":"start","optimizer":"adam","dataset":"digits","model":"mlp"}"#,
      #"{"event":"epoch","epoch":1,"step":10,"testLoss":0.5,"testAccuracy":0.9,"seconds":1.5}"#,
      #"{"event":"epoch","epoch":2,"step":20,"testLoss":0.4,"testAccuracy":0.95,"seconds":3}"#,
    ]
    let lines = try log.map { try JSON(parsing: $0) }
    #expect(PlotData(runs: [("a", lines)], over: "seconds").series.map(\.name) == ["adam"])
    let both = PlotData(runs: [("a", lines), ("b", lines)], over: "epoch")
    #expect(both.series.map(\.name) == ["a", "b"])
    #expect(both.series[0].points.map(\.x) == [1, 2])
    #expect(both.series[0].points.map(\.y) == [90, 95])
  }

  @Test(arguments: [[0.1], [3, 3], [0.0, 1], [91.2, 98.7], [-5, 1e6], [1e-9, 3e-9]])
  func ticksAreRoundAndCoverTheValues(_ values: [Double]) {
    let axis = Axis(values)
    #expect(axis.ticks.count >= 2 && axis.ticks.count <= 11)
    for value in values { #expect((-1e-9...1 + 1e-9).contains(axis.position(value))) }
    #expect(zip(axis.ticks, axis.ticks.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func sizesDoubleAlongTheirAxis() {
    let axis = Axis([8, 100, 2048], isLogarithmic: true)
    #expect(axis.ticks == [8, 16, 32, 64, 128, 256, 512, 1024, 2048])
    #expect(abs(axis.position(128) - 0.5) < 1e-12)
  }

  @Test func namesCannotBreakThePicture() {
    var data = PlotData(measurements: [measurement(8, rate: 1, peer: 1)])
    data.series[0] = Series(name: "<script>&\"", points: data.series[0].points)
    let svg = Chart(data: data, title: "a < b").svg
    #expect(svg.contains("&lt;script&gt;&amp;&quot;") && !svg.contains("<script>"))
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
  }

  @Test func jsonIsReadAsItIsWritten() throws {
    let value = JSON.object([
      ("a", .null), ("b", .bool(true)), ("c", .int(-3)), ("d", .number(0.25)), ("e", .string("x\"\\\u{1}é")),
      ("f", .array([.int(1), .bool(false), .object([])])),
    ])
    #expect(try JSON(parsing: value.text).text == value.text)
    for text in ["", "{", "[1", "nul", #"{"a":1} 2"#] {
      #expect(throws: (any Error).self) { try JSON(parsing: text) }
    }
  }
}
