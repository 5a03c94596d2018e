import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// One clause of the numerical contract, as a check that any backend can be put through.
///
/// A check returns what it found instead of failing at once: the same check must pass for every sound backend and
/// must reject the deliberately wrong ones of `Mutant`.
protocol Clause: Sendable {
  init()

  /// What the backend gets wrong.
  func violations<S: KernelScalar>(of backend: any Backend, _: S.Type) -> Violations
}

extension Clause {
  static var name: String { "\(Self.self)" }

  func violations(of backend: any Backend, _ kind: ScalarKind) -> Violations {
    switch kind {
    case .float: violations(of: backend, Float.self)
    case .double: violations(of: backend, Double.self)
    }
  }

  /// Fails the current test if the subject violates the clause.
  func expect(_ subject: Subject, sourceLocation: SourceLocation = #_sourceLocation) {
    let found = violations(of: subject.backend, subject.kind)
    #expect(found.isEmpty, "\(subject): \(Self.name)\n\(found)", sourceLocation: sourceLocation)
  }

  static func expect(_ subject: Subject, sourceLocation: SourceLocation = #_sourceLocation) {
    Self().expect(subject, sourceLocation: sourceLocation)
  }
}
