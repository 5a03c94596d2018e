import FisherBenchmarks
import FisherCommandLine
import FisherKit
import FisherRuntime
import Foundation
import Testing

@Test func argumentsHaveValuesAndFlags() throws {
  let parsed = try Arguments(
    ["gemm", "--types", "f32,f64", "--quick", "--against=a", "--against", "b"],
    options: ["types", "against"],
    flags: ["quick"])
  #expect(parsed.positional == ["gemm"])
  #expect(parsed.list("types") == ["f32", "f64"])
  #expect(parsed.list("against") == ["a", "b"])
  #expect(parsed.value("against") == "b")
  #expect(parsed.has("quick"))
  #expect(throws: UsageError.self) { try Arguments(["--types"], options: ["types"]) }
  #expect(throws: UsageError.self) { try Arguments(["--quick=1"], options: ["types"], flags: ["quick"]) }
}

@Test func everyStringSurvivesAForeignParser() throws {
  let awkward = (0..<0x80).map { String(UnicodeScalar(UInt8($0))) }.joined() + "\u{2028}é🙂\r\n"
  let data = Data(JSON.array([.string(awkward)]).text.utf8)
  #expect(try JSONSerialization.jsonObject(with: data) as? [String] == [awkward])
}

@Test func jsonEscapesAndKeepsOrder() throws {
  let text = JSON.object([
    ("b", .string("a\"\\\n\u{1}é")), ("a", .number(.nan)),
    ("c", .array([.int(3), .bool(true), .null, .number(0.5)])),
  ]).text
  #expect(text == "{\"b\":\"a\\\"\\\\\\n\\u0001é\",\"a\":null,\"c\":[3,true,null,0.5]}")
  #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
}

@Test func jsonNumbersKeepSixDigits() throws {
  for value in [1.23456789e-9, 243.123456, 98765432.1, -3.5, 1e300, .leastNonzeroMagnitude] {
    let read = try #require(Double(JSON.number(value).text))
    #expect(abs(read / value - 1) < 1e-5)
  }
}

@Test func mediansAndMeans() {
  #expect(median([3, 1, 2]) == 2)
  #expect(median([4, 1, 2, 3]) == 2.5)
  #expect(median([]).isNaN)
  #expect(abs(geometricMean([1, 4, 16]) - 4) < 1e-12)
}

@Test func sizesAreSquaresOrTriples() throws {
  #expect(try Shape(parsing: "64") == Shape(64, 64, 64))
  #expect(try Shape(parsing: "3x4x5") == Shape(3, 4, 5))
  for text in ["", "3x4", "0", "3x4x5x6", "ax4x5", "-3", "x", "1xx1", "9223372036854775808", "4x4x1000001"] {
    #expect(throws: UsageError.self) { try Shape(parsing: text) }
  }
}

@Test func flopsAreTheTextbooks() throws {
  let shape = try Shape(parsing: "3x3x5")
  #expect(Suite.gemm.cases(["f32", "f64"], [shape]).map(\.flops) == [90, 90])
  // n (n + 1) k for one triangle.
  #expect(Suite.syrk.cases(["f64"], [shape]).map(\.flops) == [60])
}

@Test func theGridsAreLargeAndWithoutRepeats() {
  let gemm = Suite.gemmGrid.map { "\($0.0) \($0.1)" }
  #expect(gemm.count >= 60)
  #expect(Set(gemm).count == gemm.count)
  let syrk = Suite.syrkGrid.map { "\($0.0) \($0.1)" }
  #expect(Set(syrk).count == syrk.count)
  #expect(Set(Suite.gemmGrid.map(\.0)) == ["nn", "nt", "tn", "tt"])
  #expect(Set(Suite.gemmGrid.map(\.1.k)).isSuperset(of: [1, 100_000]))
  #expect(Set(Suite.syrkGrid.map(\.1.n)).isSuperset(of: [9, 2048]))
  #expect(Suite.syrkGrid.contains { $0.1.k == 100_000 })
}

/// Decoders are measured with random tokens, a few sequences at a time; what has no widths is refused.
@Test func decodersAreMeasured() throws {
  let workload = try FisherBenchmarks.Workload(network: "gpt-tied:16-1-2", batch: nil)
  #expect(workload.batch == 4 && workload.optimizers == ["adamw"])
  let run = TrainingRun(
    workload: workload, type: "f32", threads: 1, registry: .builtIn, optimizers: ["sgd"], isQuick: true)
  let subject = try #require(workload.subjects(Float.self, [], run).first)
  // Two for each number of the table, and of a block's weights, in each of 64 positions; backward twice as much.
  let products = 2.0 * 64 * Double(50257 * 16 + 12 * 16 * 16) + 4 * 64 * 64 * 16
  #expect(subject.network.productFlops(samples: 4) == 3 * 4 * products)
  subject.step()
  for text in ["cnn-small", "pinn:16-16"] {
    #expect(throws: UsageError.self) { try FisherBenchmarks.Workload(network: text, batch: nil) }
  }
}
