import FisherLinearAlgebra
import FisherRuntime
import KernelTemplates

/// A double-precision number that counts what is done with it: additions, multiplications, divisions and roots.
///
/// An optimizer is written for any element type, so it runs with this one, and its operations are counted as it carries
/// them out. Only within ``counting(_:)``, one thread at a time. It has no kernels: products come from a backend of loops.
struct Counted: Hashable, BitwiseCopyable, Codable, Sendable {
  var value: Double

  init(_ value: Double) { self.value = value }

  /// The operations so far. Written under the lock of ``FlopMeter/exclusively(_:)`` alone.
  nonisolated(unsafe) static var operations = 0

  private static func count(_ value: Double) -> Counted {
    operations += 1
    return Counted(value)
  }

  static func + (a: Counted, b: Counted) -> Counted { count(a.value + b.value) }
  static func - (a: Counted, b: Counted) -> Counted { count(a.value - b.value) }
  static func * (a: Counted, b: Counted) -> Counted { count(a.value * b.value) }
  static func / (a: Counted, b: Counted) -> Counted { count(a.value / b.value) }

  static func += (a: inout Counted, b: Counted) { a = a + b }
  static func -= (a: inout Counted, b: Counted) { a = a - b }
  static func *= (a: inout Counted, b: Counted) { a = a * b }
  static func /= (a: inout Counted, b: Counted) { a = a / b }

  mutating func formSquareRoot() { self = Self.count(value.squareRoot()) }

  mutating func addProduct(_ a: Counted, _ b: Counted) { self += a * b }
}

extension Counted: KernelScalar {
  static func _kernels(_ instructionSet: InstructionSet) -> any KernelSet<Counted>.Type {
    fatalError("Counted: an optimizer must compute on the backend of its step")
  }

  var _double: Double { value }
}

// Everything below is that of `Double`.

extension Counted: BinaryFloatingPoint {
  typealias Exponent = Int
  typealias RawSignificand = UInt64
  typealias RawExponent = UInt

  init(sign: FloatingPointSign, exponentBitPattern: UInt, significandBitPattern: UInt64) {
    value = Double(
      sign: sign, exponentBitPattern: exponentBitPattern, significandBitPattern: significandBitPattern)
  }
  init(sign: FloatingPointSign, exponent: Int, significand: Counted) {
    value = Double(sign: sign, exponent: exponent, significand: significand.value)
  }
  init(signOf a: Counted, magnitudeOf b: Counted) { value = Double(signOf: a.value, magnitudeOf: b.value) }
  init<Source: BinaryInteger>(_ source: Source) { value = Double(source) }
  init?<Source: BinaryInteger>(exactly source: Source) {
    guard let value = Double(exactly: source) else { return nil }
    self.value = value
  }
  init(_ source: Float) { value = Double(source) }
  init<Source: BinaryFloatingPoint>(_ source: Source) { value = Double(source) }
  init(integerLiteral value: Int) { self.value = Double(value) }
  init(floatLiteral value: Double) { self.value = value }

  static var exponentBitCount: Int { Double.exponentBitCount }
  static var significandBitCount: Int { Double.significandBitCount }
  static var nan: Counted { Counted(Double.nan) }
  static var signalingNaN: Counted { Counted(Double.signalingNaN) }
  static var infinity: Counted { Counted(Double.infinity) }
  static var greatestFiniteMagnitude: Counted { Counted(Double.greatestFiniteMagnitude) }
  static var pi: Counted { Counted(Double.pi) }
  static var leastNormalMagnitude: Counted { Counted(Double.leastNormalMagnitude) }
  static var leastNonzeroMagnitude: Counted { Counted(Double.leastNonzeroMagnitude) }
  static var ulpOfOne: Counted { Counted(Double.ulpOfOne) }

  var exponentBitPattern: UInt { value.exponentBitPattern }
  var significandBitPattern: UInt64 { value.significandBitPattern }
  var binade: Counted { Counted(value.binade) }
  var significandWidth: Int { value.significandWidth }
  var ulp: Counted { Counted(value.ulp) }
  var sign: FloatingPointSign { value.sign }
  var exponent: Int { value.exponent }
  var significand: Counted { Counted(value.significand) }
  var magnitude: Counted { Counted(value.magnitude) }
  var nextUp: Counted { Counted(value.nextUp) }
  var isNormal: Bool { value.isNormal }
  var isFinite: Bool { value.isFinite }
  var isZero: Bool { value.isZero }
  var isSubnormal: Bool { value.isSubnormal }
  var isInfinite: Bool { value.isInfinite }
  var isNaN: Bool { value.isNaN }
  var isSignalingNaN: Bool { value.isSignalingNaN }
  var isCanonical: Bool { value.isCanonical }

  mutating func negate() { value.negate() }
  mutating func round(_ rule: FloatingPointRoundingRule) { value.round(rule) }
  mutating func formRemainder(dividingBy other: Counted) { value.formRemainder(dividingBy: other.value) }
  mutating func formTruncatingRemainder(dividingBy other: Counted) {
    value.formTruncatingRemainder(dividingBy: other.value)
  }
  func isEqual(to other: Counted) -> Bool { value == other.value }
  func isLess(than other: Counted) -> Bool { value < other.value }
  func isLessThanOrEqualTo(_ other: Counted) -> Bool { value <= other.value }
  func distance(to other: Counted) -> Counted { Counted(other.value - value) }
  func advanced(by n: Counted) -> Counted { Counted(value + n.value) }
}

extension Counted: SIMDScalar {
  typealias SIMDMaskScalar = Int64
  typealias SIMD2Storage = Lanes<Lane>
  typealias SIMD4Storage = Lanes<SIMD2Storage>
  typealias SIMD8Storage = Lanes<SIMD4Storage>
  typealias SIMD16Storage = Lanes<SIMD8Storage>
  typealias SIMD32Storage = Lanes<SIMD16Storage>
  typealias SIMD64Storage = Lanes<SIMD32Storage>

  struct Lane: SIMDStorage {
    var element = Counted(0.0)

    var scalarCount: Int { 1 }

    subscript(_: Int) -> Counted {
      get { element }
      set { element = newValue }
    }
  }

  /// Twice as many lanes as the halves have.
  struct Lanes<Half: SIMDStorage>: SIMDStorage where Half.Scalar == Counted {
    typealias Scalar = Counted
    var low = Half()
    var high = Half()

    var scalarCount: Int { 2 * low.scalarCount }

    subscript(i: Int) -> Counted {
      get { i < low.scalarCount ? low[i] : high[i - low.scalarCount] }
      set {
        let half = low.scalarCount
        if i < half { low[i] = newValue } else { high[i - half] = newValue }
      }
    }
  }
}
