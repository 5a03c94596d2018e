import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// One clause of the numerical contract, as a check that any backend can be put through.
///
/// A check returns what it found instead of failing at once: the same check must pass for every sound backend and
/// must reject deliberately wrong ones.
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

/// What a factorization refuses a matrix for; nil if it does not.
func error(_ body: () throws -> Void) -> FactorizationError? {
  do {
    try body()
  } catch let error as FactorizationError {
    return error
  } catch {
    Issue.record(error)
  }
  return nil
}

/// A clause that goes through all backends at once, because what it expects is expensive and the same for all of them.
protocol SharedClause: Sendable {
  init()

  /// What any of the backends gets wrong.
  func violations<S: KernelScalar>(of backends: [any Backend], _: S.Type) -> Violations
}

extension SharedClause {
  /// Fails the current test if a backend violates the clause for the element type.
  static func expect(
    _ kind: ScalarKind, of targets: [BackendUnderTest] = backendsUnderTest(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let backends = targets.map(\.backend)
    let found =
      switch kind {
      case .float: Self().violations(of: backends, Float.self)
      case .double: Self().violations(of: backends, Double.self)
      }
    #expect(found.isEmpty, "\(Self.self) \(kind.rawValue)\n\(found)", sourceLocation: sourceLocation)
  }
}
