import FisherLinearAlgebra
import FisherOptimizers
import FisherRuntime

extension Check {
  static let steps = 20
  static let seed: UInt64 = 20_260_401

  /// Every probe in double precision.
  static let matchesReference = Check(
    name: "matches-reference",
    meaning: "the same weights as the naive form in double precision, over 20 steps"
  ) { subject in
    try compare(subject, Double.self, within: 1e-12)
  }

  static let matchesReferenceInFloat = Check(
    name: "matches-reference-float",
    meaning: "single precision stays close to the naive form in double precision"
  ) { subject in
    try compare(subject, Float.self, within: 1e-5)
  }

  private static func compare<S: KernelScalar>(
    _ subject: Subject, _: S.Type, within bound: Double
  ) throws -> String {
    var worst = 0.0
    for settings in subject.probes {
      let trace = subject.trace(seed: seed, steps: steps)
      let expected = try subject.runReference(trace, settings)
      worst = max(
        worst,
        try demandClose(
          subject.run(trace, S.self, settings), expected, within: bound, "settings \(described(settings))"))
    }
    return "max relative error \(short(worst)) over \(steps) steps, \(subject.probes.count) settings"
  }

  /// Weights that are kept for the test, of every probe.
  static let testedWeights = Check(
    name: "tested-weights",
    meaning: "the weights that are tested in the place of the others are those of the naive form",
    applies: { $0.testedSlot != nil }
  ) { subject in
    var worst = 0.0
    for settings in subject.probes {
      // The last step is there to see the state before it.
      let trace = subject.trace(seed: seed, steps: 9)
      var reference = try subject.type.init(settings).reference()
      _ = trace.prefix(8).runReference(&reference)
      guard let expected = reference.tested else {
        throw Failure("the naive form has no weights for the test")
      }
      var found: [[Double]] = []
      _ = try subject.run(trace, Double.self, settings) { driver in
        guard driver.stepCount == 8 else { return }
        let none = trace.matrices(trace.values, Double.self)
        found = driver.tested(none).map(\.array)
      }
      worst = max(worst, try demandClose(found, expected, within: 1e-12, "settings \(described(settings))"))
    }
    return "relative error \(short(worst)), \(subject.probes.count) settings"
  }

  /// Instruction sets, plain loops, and OpenBLAS where it is installed.
  static let backendsAgree = Check(
    name: "backends-agree", meaning: "every backend gives the same weights up to rounding"
  ) { subject in
    var backends: [any Backend] = InstructionSet.supported.map { NativeBackend(instructionSet: $0) }
    backends.append(ReferenceBackend())
    if let library = try? CBLASBackend(library: "openblas") { backends.append(library) }
    let trace = subject.trace(seed: seed, steps: 5)
    let expected = try subject.run(trace, Double.self, subject.probe)
    var worst = 0.0
    for backend in backends {
      worst = max(
        worst,
        try demandClose(
          subject.run(trace, Double.self, subject.probe, on: backend), expected, within: 1e-11, backend.name))
    }
    return "max relative error \(short(worst)) over \(backends.map(\.name).joined(separator: ", "))"
  }

  static let sameBitsForAnyThreads = Check(
    name: "same-bits-for-any-threads", meaning: "the number of threads changes no bit"
  ) { subject in
    let wide = [
      ParameterInfo(name: "w", shape: [301, 133], role: .linearWeight, layer: "w"),
      ParameterInfo(name: "b", shape: [301], role: .bias, layer: "w"),
      ParameterInfo(name: "c", shape: [8, 4, 3, 3], role: .convolutionWeight, layer: "c"),
    ]
    let trace = subject.trace(seed: seed, steps: 3, wide)
    let one = try subject.run(trace, Float.self, subject.probe)
    for threads in [2, 7] {
      let other = try subject.run(trace, Float.self, subject.probe, threads: threads)
      try demand(other == one, "\(threads) threads give other bits than one")
    }
    return "1, 2 and 7 threads, \(trace.parameters.reduce(0) { $0 + $1.count }) parameters"
  }

  static func described(_ settings: [String: SettingValue]) -> String {
    settings.isEmpty
      ? "as by default" : settings.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " ")
  }

  /// Two significant digits.
  static func short(_ x: Double) -> String {
    if x == 0 || !x.isFinite { return "\(x)" }
    var (mantissa, exponent) = (x, 0)
    while abs(mantissa) < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    while abs(mantissa) >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    return "\((mantissa * 10).rounded() / 10)e\(exponent)"
  }
}
