import FisherLinearAlgebra
import FisherNetworks
import FisherOptimizers
import FisherPluginFirstOrder
import FisherRuntime
import FisherTestSupport
import FisherTraining
import Foundation
import Synchronization
import Testing

/// A run goes on only from what is surely its own.
@Suite struct ResumeTests {
  private func trainer(
    _ optimizer: any Optimizer, _ data: DataSplit = Clouds.split(),
    _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> Trainer<Float> {
    try Trainer(
      Clouds.normalized(Float.self), data, optimizer: optimizer,
      options: Clouds.options { options in
        options.averaging = 0.9
        change(&options)
      })
  }

  private func saved(_ folder: TemporaryFolder, steps: Int = 3) throws -> Checkpoint {
    let writer = try trainer(Adam())
    for _ in 0..<steps { try writer.step() }
    try writer.save(to: folder.path)
    return try Checkpoint(in: folder.path)
  }

  /// Each thing that decides the bits of a run, changed alone, is named.
  @Test func whateverDecidesTheBitsIsChecked() throws {
    let folder = TemporaryFolder()
    let checkpoint = try saved(folder)
    func refusal(_ trainer: Trainer<Float>) -> String {
      let (hash, state) = (trainer.parametersHash, trainer.state.fingerprint)
      let error = #expect(throws: FileError.self) { try trainer.resume(from: checkpoint) }
      #expect(trainer.parametersHash == hash && trainer.state.fingerprint == state)
      return error?.reason ?? ""
    }
    let adam = Adam()
    let changes: [(String, (inout TrainingOptions) -> Void)] = [
      ("batch size", { $0.batchSize += 1 }), ("micro-batch size", { $0.microBatchSize = 2 }),
      ("schedule", { $0.schedule = "constant" }), ("clipping", { $0.clipping = .norm(1) }),
      ("averaging", { $0.averaging = 0.8 }), ("averaging", { $0.averaging = nil }),
      ("normalization", { $0.normalizes.toggle() }), ("frozen statistics", { $0.freezesStatistics.toggle() }),
      ("optimizer", { $0.groups = [ParameterGroup("*.bias", isFrozen: true)] }),
    ]
    for (what, change) in changes {
      #expect(refusal(try trainer(adam, Clouds.split(), change)).hasPrefix("its \(what) is "), "\(what)")
    }
    for optimizer in [try Adam(["lr": 0.5]), AdamW(), SGD()] as [any Optimizer] {
      #expect(refusal(try trainer(optimizer)).hasPrefix("its optimizer is adam "))
    }
    // One bit of one number, and one example more or less.
    let data = Clouds.split()
    for (kind, changed) in [
      ("training data", DataSplit(train: nudged(data.train), test: data.test)),
      ("training data", Clouds.split(train: 49)), ("training data", Clouds.split(train: 56)),
      ("test data", DataSplit(train: data.train, test: nudged(data.test))),
      ("test data", Clouds.split(test: 20)),
    ] {
      #expect(refusal(try trainer(adam, changed)).hasPrefix("its \(kind) is "), "\(kind)")
    }
    // How long it goes may change.
    try trainer(adam, data) {
      $0.epochs += 3
      $0.patience = 2
      $0.seconds = 1000
      $0.threads = 1
    }.resume(from: checkpoint)
  }

  /// One number of the data, by one bit.
  private func nudged(_ data: Dataset) -> Dataset {
    guard case .floats(var floats) = data.storage else { return data }
    floats[floats.count / 2] = floats[floats.count / 2].nextUp
    return Dataset(name: data.name, shape: data.shape, storage: .floats(floats), targets: data.targets)
  }

  /// No bit of a checkpoint changes without a word.
  @Test func everyFlippedBitIsNoticed() throws {
    let folder = TemporaryFolder()
    _ = try saved(folder)
    let bytes = try FileBytes.read(folder.path + "/checkpoint.safetensors")
    #expect(Checksum.isIntact(bytes))
    var generator = Generator(seed: Seed.first)
    let header = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    for trial in 0..<600 {
      // A third each in the header, in its first bytes, and anywhere.
      let end = trial % 3 == 0 ? bytes.count : trial % 3 == 1 ? 8 + header : 64
      let (place, bit) = (
        Int.random(in: 0..<end, using: &generator), Int.random(in: 0..<8, using: &generator)
      )
      var changed = bytes
      changed[place] ^= 1 << UInt8(bit)
      try folder.write("checkpoint.safetensors", changed)
      #expect(throws: FileError.self, "bit \(bit) of byte \(place)") { try Checkpoint(in: folder.path) }
    }
    for extra: [UInt8] in [[0], Array("\"checksum\":\"0000000000000000\"".utf8)] {
      try folder.write("checkpoint.safetensors", bytes + extra)
      #expect(throws: FileError.self) { try Checkpoint(in: folder.path) }
    }
  }

  /// What somebody else has changed and sealed again is looked at, too.
  @Test func impossibleContentsAreRefused() throws {
    let folder = TemporaryFolder()
    let original = try saved(folder).file
    let cases: [(String, (inout Safetensors) -> Void)] = [
      ("steps is missing", { $0.metadata["steps"] = "NaN" }),
      ("steps is missing", { $0.metadata["steps"] = "-1" }),
      ("steps, where", { $0.metadata["steps"] = "4" }),
      ("epoch is missing", { $0.metadata["epoch"] = nil }),
      ("lossSum is nan", { $0.metadata["lossSum"] = Checkpoint.text(.nan) }),
      ("it has no averages/layers.0.weight", { $0.tensors["averages/layers.0.weight"] = nil }),
      (
        "averages/layers.0.bias holds numbers that are not finite",
        { $0.set("averages/layers.0.bias", Matrix<Float>(repeating: .nan, rows: 1, columns: 9)) }
      ),
      (
        "weights/layers.0.bias holds numbers that are not finite",
        {
          $0.set(
            "weights/layers.0.bias", Matrix<Float>(repeating: .infinity, rows: 1, columns: 9), shape: [9])
        }
      ),
      ("its seed is missing", { $0.metadata["seed"] = nil }),
      ("its optimizer is missing", { $0.metadata["depends.optimizer"] = nil }),
      ("is no state of this element type", { $0.set("state/one/two/three", Matrix<Float>([[1]])) }),
      ("is no state of this element type", { $0.set("state/layers.0.bias/m", Matrix<Double>([[1]])) }),
    ]
    for (message, change) in cases {
      var file = original
      change(&file)
      try folder.write("checkpoint.safetensors", Checksum.sealed(file))
      let trainer = try trainer(Adam())
      let hash = trainer.parametersHash
      let error = #expect(throws: FileError.self, "\(message)") {
        try trainer.resume(from: try Checkpoint(in: folder.path))
      }
      #expect(error?.reason.contains(message) ?? false, "\(error?.reason ?? "") instead of \(message)")
      #expect(trainer.parametersHash == hash)
    }
  }

  /// Slots may have any name: none is lost, none is taken for another, and none for the weights' average.
  @Test func slotsMayHaveAnyName() throws {
    for names in [["a/b", "a%2Fb"], ["average", "t"], ["/", "%"], ["m/", "m%25"], ["ü / \"", "\\\n"]] {
      for name in names {
        let key = SlotKey("layers/0.weight", name)
        #expect(SlotKey(path: key.path) == key, "\(key.path)")
      }
      Naming.slots.withLock { $0 = names }
      try resumesWithTheSameBits()
    }
    #expect(SlotKey(path: "a") == nil && SlotKey(path: "a/b/c") == nil && SlotKey(path: "a%2f/b") == nil)
  }

  private func resumesWithTheSameBits() throws {
    let whole = try trainer(Naming())
    for _ in 0..<6 { try whole.step() }
    let first = try trainer(Naming())
    for _ in 0..<3 { try first.step() }
    let folder = TemporaryFolder()
    try first.save(to: folder.path)
    let second = try trainer(Naming())
    try second.resume(from: try Checkpoint(in: folder.path))
    #expect(second.state.fingerprint == first.state.fingerprint)
    #expect(second.testedValues == first.testedValues && second.testedValues != second.values)
    for _ in 0..<3 { try second.step() }
    #expect(second.parametersHash == whole.parametersHash)
    #expect(second.state.fingerprint == whole.state.fingerprint)
  }
}

/// m ← m + g, n ← n − g, θ ← θ − (m − n)/200, in slots of any two names.
private struct Naming: Optimizer {
  static let slots = Mutex<[String]>([])
  static let record = OptimizerRecord(
    name: "naming", title: "Naming", summary: "Has slots of any name.", paper: "none", needs: [.gradients],
    hyperparameters: [], invariances: [], cost: Cost([]), stateSize: "2·P", probes: [[:]])

  func plan<S: KernelScalar>(_ step: inout Step<S>) throws(StepRefusal) {
    let names = Self.slots.withLock { $0 }
    for parameter in step.parameters {
      let g = step.gradient(parameter)
      let sums = [1, -1].enumerated().map { i, sign in
        let old = step.tensor(names[i], of: parameter.name)
        return Matrix(rows: g.rows, columns: g.columns) { (old?[$0, $1] ?? 0) + S(sign) * g[$0, $1] }
      }
      for (name, sum) in zip(names, sums) { step.set(name, of: parameter.name, to: sum) }
      let difference = Matrix(rows: g.rows, columns: g.columns) { sums[0][$0, $1] - sums[1][$0, $1] }
      step.apply(Descent<S>(), to: parameter, gradient: difference)
    }
  }

  func reference() -> any ReferenceOptimizer { fatalError("there is none") }
}

private struct Descent<S: KernelScalar>: UpdateRule {
  func update(_ x: inout Element<S>, _: inout NoState) { x.value -= S(0.005) * x.gradient }
}
