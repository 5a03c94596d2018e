import FisherOptimizers
import FisherPluginFirstOrder
import Testing

@Suite struct RecordTests {
  @Test func registryListsByNameWhateverTheOrder() throws {
    let types: [any Optimizer.Type] = [SGD.self, Adam.self, AdamW.self, Lion.self]
    #expect(try OptimizerRegistry(types).names == ["adam", "adamw", "lion", "sgd"])
    #expect(try OptimizerRegistry(types.reversed()).names == ["adam", "adamw", "lion", "sgd"])
  }

  @Test func registryRefusesDuplicatesAndNamesTheNearest() throws {
    #expect(throws: RegistryError.self) { try OptimizerRegistry([Adam.self, Adam.self]) }
    let registry = try OptimizerRegistry([SGD.self, Adam.self, AdamW.self, Lion.self])
    do {
      _ = try registry.type("addam")
      Issue.record("found an optimizer named addam")
    } catch {
      #expect(error.description == "unknown optimizer 'addam'; did you mean adam?")
    }
  }

  @Test func settingsStartFromTheDefaults() throws {
    let adam = try Adam(["lr": 1])
    #expect(adam.settings.number("lr") == 1 && adam.settings.number("beta2") == 0.999)
    let parsed = try Settings(Adam.record, parsing: ["lr": "1e-2", "amsgrad": "true"])
    #expect(parsed.number("lr") == 0.01 && parsed.flag("amsgrad"))
  }

  @Test(arguments: [
    ("lr", "0", "adam: lr is '0'; it must be a number above 0"),
    ("lr", "nan", "adam: lr is 'nan'; it must be a number above 0"),
    ("lr", "fast", "adam: lr is 'fast'; it must be a number above 0"),
    ("beta1", "1", "adam: beta1 is '1'; it must be a number from 0 below 1"),
    ("amsgrad", "maybe", "adam: amsgrad is 'maybe'; it must be true or false"),
    ("beta", "0.9", "adam has no hyper-parameter 'beta'; did you mean beta1, beta2?"),
  ])
  func settingsRefuse(name: String, text: String, message: String) {
    #expect(throws: SettingsError.self) {
      do {
        _ = try Settings(Adam.record, parsing: [name: text])
      } catch {
        #expect("\(error)" == message)
        throw error
      }
    }
  }

  /// 0.1 is more in `Float`, and still the end of its range.
  @Test func endsOfClosedRangesFitEveryElementType() throws {
    let record = OptimizerRecord(
      name: "ends", title: "Ends", summary: "none", paper: "none",
      hyperparameters: [Hyperparameter("x", "x", 0.1, .closed(0, 0.1), source: "none")], invariances: [],
      cost: Cost([]), stateSize: "nothing")
    try Settings(record).check(record, in: Float.self)
    #expect(throws: SettingsError.self) { try Settings(record, ["x": 1e-50]).check(record, in: Float.self) }
  }

  @Test(arguments: [
    ("*", "anything", true), ("*.bias", "layers.0.bias", true), ("*.bias", "layers.0.weight", false),
    ("layers.?.weight", "layers.3.weight", true), ("layers.?.weight", "layers.13.weight", false),
    ("", "", true),
    ("a*b*c", "axxbyyc", true), ("a*b*c", "acb", false), ("exact", "exact", true),
    ("exact", "exactly", false),
  ])
  func patterns(pattern: String, name: String, matches: Bool) {
    #expect(NamePattern(pattern).matches(name) == matches)
  }
}
