import FisherOptimizers
import FisherPluginFirstOrder
import Testing

@Suite struct CostTests {
  @Test func formulasAreWrittenAsInBooks() {
    let T2 = Formula.period("T₂", "inversePeriod")
    #expect("\(2 * .I * .J * .J + .J * .J * .J / (3 * T2) as Formula)" == "2·I·J² + J³/3/T₂")
    #expect("\((2 * .N) * (.I + .J) as Formula)" == "2·N·I + 2·N·J")
    #expect("\(.P * .P / .P as Formula)" == "P")
    #expect("\(5 * .P / 4 as Formula)" == "1.25·P" && "\(0 as Formula)" == "0" && "\(7 as Formula)" == "7")
  }

  @Test func valuesOfAllScopes() throws {
    let parameters = [
      ParameterInfo(name: "w", shape: [3, 4], role: .linearWeight, layer: "l"),
      ParameterInfo(name: "b", shape: [3], role: .bias, layer: "l"),
      ParameterInfo(name: "c", shape: [2, 5, 3, 3], role: .convolutionWeight, layer: "c"),
    ]
    func flops(_ scope: Cost.Scope, _ formula: Formula) throws -> Double {
      Cost([Cost.Part(scope, flops: formula)])
        .value(of: parameters, SGD().settings, samples: 7, columns: 2).flops
    }
    #expect(try flops(.step, .N * .N * .C) == 98)
    #expect(try flops(.parameter, 2 * .P) == 2 * (12 + 3 + 90))
    #expect(try flops(.dense, 100 * .I + 10 * .J + .P) == 300 + 50 + 15)
    #expect(try flops(.convolution, .P / .K) == 10)
    #expect(Cost(flops: 7 * .P, elements: 5 * .P).description == "a parameter: 7·P flops, 5·P elements")
  }
}
