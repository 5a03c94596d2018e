public import FisherLinearAlgebra
import FisherRuntime
import Foundation

/// A tensor in a file: its element type, shape and bytes.
package struct StoredTensor: Equatable {
  package let type: String
  package let shape: [Int]
  package let bytes: [UInt8]

  package init(type: String, shape: [Int], bytes: [UInt8]) {
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }
}

/// A safetensors file in memory: named tensors and a table of texts, as Python's `safetensors` reads and writes it.
///
/// Eight bytes of little-endian length, a JSON header, then the tensors one after the other. `Float` is F32, `Double`
/// is F64.
public struct Safetensors: Equatable, Sendable {
  package var tensors: [String: StoredTensor] = [:]
  public var metadata: [String: String] = [:]

  public init() {}

  /// The names of the tensors, sorted.
  public var names: [String] { tensors.keys.sorted() }

  /// The shape of a tensor; nil if there is none of this name.
  public func shape(_ name: String) -> [Int]? { tensors[name]?.shape }

  /// Stores a matrix, row-major, under a shape of as many elements.
  public mutating func set<S: KernelScalar>(_ name: String, _ matrix: Matrix<S>, shape: [Int]? = nil) {
    let shape = shape ?? [matrix.rows, matrix.columns]
    require(
      shape.reduce(1, *) == matrix.count,
      "Safetensors: \(matrix.rows)×\(matrix.columns) as \(shape) for \(name)")
    let bytes = matrix.withSpan { span in span.withUnsafeBytes { [UInt8]($0) } }
    tensors[name] = StoredTensor(type: Self.type(S.self), shape: shape, bytes: bytes)
  }

  /// The tensor of a name as a matrix; nil if there is none, or if its element type or number of elements differs.
  public func matrix<S: KernelScalar>(_ name: String, rows: Int, columns: Int, of _: S.Type = S.self)
    -> Matrix<S>?
  {
    guard let tensor = tensors[name], tensor.type == Self.type(S.self),
      tensor.bytes.count == rows * columns * MemoryLayout<S>.stride
    else { return nil }
    let elements = tensor.bytes.withUnsafeBytes { raw in
      (0..<rows * columns).map { raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<S>.stride, as: S.self) }
    }
    return Matrix(elements, rows: rows, columns: columns)
  }

  static func type<S: KernelScalar>(_: S.Type) -> String { S.self == Float.self ? "F32" : "F64" }
}

extension StoredTensor: Sendable {}
