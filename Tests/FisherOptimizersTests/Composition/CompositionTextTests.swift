import FisherLinearAlgebra
import FisherOptimizers
import FisherPluginFirstOrder
import Testing

/// How compositions are spelled, and what is said of those that are none.
@Suite struct CompositionTextTests {
  /// Halves the gradient, times a factor.
  private struct Halved: OptimizerPart {
    static let record = PartRecord(
      name: "halved", title: "halves", summary: "Halves.", paper: "none", place: .before,
      concerns: .gradients,
      cost: Cost([]))

    @Setting("a factor", .positive, source: "ours") var factor = 1.0

    func plan<S: KernelScalar>(
      _ step: inout Step<S>, around method: WrappedMethod<S>
    ) throws(StepRefusal) {
      for parameter in step.parameters {
        let g = step.gradient(parameter)
        step.show(
          Matrix(g.array.map { S(factor / 2) * $0 }, rows: g.rows, columns: g.columns), for: parameter)
      }
      try method.plan(&step)
    }

    func reference(around method: any ReferenceOptimizer, lr: Double) -> any ReferenceOptimizer { method }
  }

  private static let registry = try! OptimizerRegistry([SGD.self, Adam.self], parts: [Halved.self])

  @Test func partsOfAuthorsAreKnownByName() throws {
    let (type, settings) = try Self.registry.composition(" sgd( lr=1e+0 , momentum=0)+halved(factor=4) ")
    #expect(type.record.name == "sgd + halved")
    #expect(settings == ["lr": "1e+0", "momentum": "0", "halved.factor": "4"])
    let optimizer = type.init(settings: try Settings(type.record, parsing: settings))
    #expect(optimizer.settings.number("halved.factor") == 4 && optimizer.settings.given.count == 3)
    var driver = try OptimizerDriver<Double>(
      optimizer, parameters: [ParameterInfo(name: "w", shape: [2], role: .plain)], threads: 1)
    var values = [Matrix<Double>([1, 2], rows: 1, columns: 2)]
    var gradients = [Matrix<Double>([0.25, -0.5], rows: 1, columns: 2)]
    _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Double>())
    #expect(values[0].array == [0.5, 3])
    #expect(try Self.registry.type("adam").record.name == "adam")
  }

  @Test(
    arguments: [
      ("adam + ", "a name is missing beside '+'"), (" + halved", "a name is missing beside '+'"),
      ("adam + halve", "unknown part 'halve'; did you mean halved?"),
      ("halved + halved", "'halved' is a part, which goes around a method: sgd + halved"),
      ("adan + halved", "unknown optimizer 'adan'; did you mean adam?"),
      ("adam + halved + halved", "'adam + halved + halved': halved stands in it already"),
      ("adam + halved(factor=2", "halved has no ')' at its end"),
      ("adam + halved)", "a ')' without '('"), ("adam + (x=1)", "a name is missing before '('"),
      ("adam + halved(factor=)", "which is no name=value"),
      ("adam + halved(a=1,,b=2)", "which is no name=value"),
      ("adam + halved(factor=1,factor=2)", "halved sets factor twice"),
      ("adam + halved(a,b)", "halved has two words without '='"),
      ("adam + halved((a=1))", "parentheses of halved in parentheses"),
      ("adam + halved(sgd)", "halved takes name=value, not 'sgd'"),
      ("adam(sgd) + halved", "adam takes name=value, not 'sgd'"),
    ])
  func whatIsNoneIsSaid(text: String, message: String) {
    #expect { _ = try Self.registry.composition(text) } throws: { error in
      "\(error)".contains(message)
    }
  }

  @Test func namesAloneTakeNoSettings() {
    #expect { _ = try Self.registry.type("sgd + halved(factor=2)") } throws: { error in
      "\(error)".contains("say halved.factor=… beside it")
    }
  }
}
