public import FisherLinearAlgebra
import FisherRuntime

/// A backend and what is expected of it.
public struct BackendUnderTest: Sendable, CustomStringConvertible {
  public let backend: any Backend
  /// An element's bits depend on its row, its column, k, α and β alone. Other people's libraries do not promise it.
  public let keepsBits: Bool
  /// Products use fused multiply-add: the bits agree with those of every other such instruction set.
  public let usesFMA: Bool

  public init(_ backend: any Backend, keepsBits: Bool, usesFMA: Bool = false) {
    self.backend = backend
    self.keepsBits = keepsBits
    self.usesFMA = usesFMA
  }

  public var description: String { backend.name }
}

/// Every backend that this machine can run: the one table that all contract tests go through.
public func backendsUnderTest() -> [BackendUnderTest] {
  [BackendUnderTest(ReferenceBackend(), keepsBits: true)] + nativeBackends() + installedLibraries()
}

/// The native kernels, once for each instruction set of this machine.
private func nativeBackends() -> [BackendUnderTest] {
  let instructionSets = InstructionSet.supported
  return instructionSets.map {
    BackendUnderTest(NativeBackend(instructionSet: $0), keepsBits: true, usesFMA: $0 != .portable)
  }
}

/// The CBLAS libraries that can be loaded.
private func installedLibraries() -> [BackendUnderTest] {
  guard let library = try? CBLASBackend(library: "openblas") else {
    print("CBLAS tests skipped: no OpenBLAS found; apt-get install libopenblas-dev installs it")
    return []
  }
  // The tests run at the same time, and the number of threads is a global setting of the library. On one thread OpenBLAS
  // 0.3.21 reads beyond a triangle in `strsm`, into the guard pages.
  library.pinThreads(2)
  return [BackendUnderTest(library, keepsBits: false)]
}

/// The element types, as values for tables.
public enum ScalarKind: String, Sendable, CaseIterable {
  case float = "Float"
  case double = "Double"
}

/// One row of the test table: a backend and an element type.
public struct Subject: Sendable, CustomStringConvertible {
  public let target: BackendUnderTest
  public let kind: ScalarKind

  public init(_ target: BackendUnderTest, _ kind: ScalarKind) {
    self.target = target
    self.kind = kind
  }

  public var backend: any Backend { target.backend }
  public var description: String { "\(target) \(kind.rawValue)" }

  /// Every backend with every element type.
  public static let all: [Subject] = backendsUnderTest().flatMap { target in
    ScalarKind.allCases.map { Subject(target, $0) }
  }

  /// Those that promise the same bits whatever the threads and the shape.
  public static var keepingBits: [Subject] { all.filter(\.target.keepsBits) }
}
