import FisherLinearAlgebra
import FisherRuntime
import FisherTestSupport
import Foundation
import Testing

private let natives = InstructionSet.supported.map { NativeBackend(instructionSet: $0) }
/// FISHER_EXHAUSTIVE names one instruction set to be measured for an hour or so.
private let exhaustive = ProcessInfo.processInfo.environment["FISHER_EXHAUSTIVE"]
private let isExhaustive = exhaustive != nil

/// All functions stay within two ulps: every 4099th Float, or with FISHER_EXHAUSTIVE every one.
@Test(arguments: natives, ElementwiseFunction.allCases)
func functionsOfFloatAreWithinTwoUlps(backend: NativeBackend, function: ElementwiseFunction) {
  if let exhaustive, backend.instructionSet.rawValue != exhaustive { return }
  let worst = worstOfFloat(backend, function, step: isExhaustive ? 1 : 4099)
  if isExhaustive { print("\(backend.name) Float \(function.rawValue): \(worst)") }
  #expect(worst.worst <= 2, "\(worst)")
}

private func worstOfFloat(_ backend: NativeBackend, _ function: ElementwiseFunction, step: UInt64) -> UlpError
{
  var worst = UlpError()
  var (x, y) = ([Float](repeating: 0, count: 4096), [Float](repeating: 0, count: 4096))
  var pattern: UInt64 = 0
  while pattern <= UInt32.max {
    for i in x.indices {
      x[i] = Float(bitPattern: UInt32(truncatingIfNeeded: min(pattern + UInt64(i) * step, 0xFFFF_FFFF)))
    }
    pattern += step * UInt64(x.count)
    backend.map(function, x, to: &y, count: x.count)
    for i in x.indices { worst.add(y[i], function.value(at: Double(x[i])), at: x[i]) }
  }
  return worst
}

/// The same for 160,000 doubles: spread over all exponents, over −50 … 50, and near the roots.
@Test(arguments: natives, ElementwiseFunction.allCases)
func functionsOfDoubleAreWithinTwoUlps(backend: NativeBackend, function: ElementwiseFunction) {
  if let exhaustive, backend.instructionSet.rawValue != exhaustive { return }
  var (worst, generator) = (UlpError(), Generator(seed: Seed.first))
  let rounds = isExhaustive ? 20_000 : 40
  var (x, y) = ([Double](repeating: 0, count: 4096), [Double](repeating: 0, count: 4096))
  for round in 0..<rounds {
    for i in x.indices {
      let uniform: Double = generator.uniform()
      switch round % 4 {
      case 0: x[i] = Double(bitPattern: generator.next())
      case 1: x[i] = 50 * uniform
      case 2: x[i] = 800 * uniform
      default: x[i] = function == .log ? 1 + 0.5 * uniform * uniform : 2 * uniform
      }
    }
    backend.map(function, x, to: &y, count: x.count)
    for i in x.indices { worst.add(y[i], function.value(at: Wide(x[i])), at: x[i]) }
  }
  if isExhaustive { print("\(backend.name) Double \(function.rawValue): \(worst)") }
  #expect(worst.worst <= 2, "\(worst), seed \(Seed.first)")
}

@Test(arguments: natives, ElementwiseFunction.allCases)
func functionsKeepSpecialValues(backend: NativeBackend, function: ElementwiseFunction) {
  check(Float.self)
  check(Double.self)
  func check<S: KernelScalar>(_: S.Type) {
    let x: [S] = [.nan, .infinity, -.infinity, 0, -0.0, -1, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    var y = x
    backend.map(function, x, to: &y, count: x.count)
    for (x, y) in zip(x, y) {
      let exact = S(function.value(at: Double(x)))
      #expect(
        (exact.isNaN && y.isNaN) || abs(exact - y) <= 2 * exact.ulp || exact == y,
        "\(function) of \(x) is \(y)")
      if x == 0 { #expect(y.sign == exact.sign, "\(function) of \(x) is \(y)") }
    }
  }
}

/// Every count from 0: the same bits as alone, in place as well, and nothing behind the end is touched.
@Test(arguments: natives, ElementwiseFunction.allCases)
func functionsTakeAnyCount(backend: NativeBackend, function: ElementwiseFunction) {
  check(Float.self)
  check(Double.self)
  func check<S: KernelScalar>(_: S.Type) {
    var generator = Generator(seed: 1)
    let x: [S] = (0..<70).map { _ in 2 + 2 * generator.uniform() }
    let alone = x.map { x in
      var y: S = 0
      backend.map(function, [x], to: &y, count: 1)
      return y
    }
    for count in 0...67 {
      var y = [S](repeating: .sentinel, count: 70)
      backend.map(function, x, to: &y, count: count)
      #expect(
        y.prefix(count).elementsEqual(alone.prefix(count))
          && y.dropFirst(count).allSatisfy { $0.bits == S.sentinel.bits })
      var inPlace = x
      inPlace.withUnsafeMutableBufferPointer { p in
        backend.map(function, p.baseAddress!, to: p.baseAddress!, count: count)
      }
      #expect(inPlace.prefix(count).elementsEqual(alone.prefix(count)))
    }
  }
}

/// dy·f′(x), plain and added, within a few roundings of the definition.
@Test(arguments: natives, ElementwiseFunction.allCases)
func derivativesMatchTheDefinition(backend: NativeBackend, function: ElementwiseFunction) {
  check(Float.self)
  check(Double.self)
  func check<S: KernelScalar>(_: S.Type) {
    var generator = Generator(seed: 2)
    let n = 1003
    let x: [S] = (0..<n).map { _ in
      function == .log ? 0.1 + 3 * abs(generator.uniform()) : 9 * generator.uniform()
    }
    let dy: [S] = (0..<n).map { _ in generator.uniform() }
    let start: [S] = (0..<n).map { _ in generator.uniform() }
    var (y, dx, sum) = (x, x, start)
    backend.map(function, x, to: &y, count: n)
    backend.multiplyDerivative(function, x: x, y: y, dy: dy, to: &dx, adds: false, count: n)
    backend.multiplyDerivative(function, x: x, y: y, dy: dy, to: &sum, adds: true, count: n)
    for i in 0..<n {
      let slope = function.derivative(at: Double(x[i]))
      let tolerance = 12 * S.unitRoundoff * max(1, abs(slope)) * abs(Double(dy[i]))
      #expect(abs(Double(dx[i]) - Double(dy[i]) * slope) <= tolerance, "\(function) at \(x[i])")
      #expect(sum[i] == start[i] + dx[i])
    }
  }
}

/// The bits of functions and of softmax are those of every other instruction set with FMA.
@Test func elementwiseBitsDoNotDependOnTheVectors() {
  let fused = natives.filter { $0.instructionSet != .portable }
  guard let first = fused.first else { return }
  var generator = Generator(seed: 3)
  let x: [Float] = (0..<999).map { _ in 9 * generator.uniform() }
  for other in fused.dropFirst() {
    for function in ElementwiseFunction.allCases {
      var (a, b) = (x, x)
      first.map(function, x, to: &a, count: x.count)
      other.map(function, x, to: &b, count: x.count)
      #expect(zip(a, b).allSatisfy { $0.bits == $1.bits }, "\(function)")
    }
    #expect(softmax(first, x, rows: 3).y == softmax(other, x, rows: 3).y)
  }
}
