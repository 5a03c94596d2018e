/// The element types of the library: `Float` and `Double`.
public protocol KernelScalar: BinaryFloatingPoint & SIMDScalar & Sendable & BitwiseCopyable & Codable {}

extension Float: KernelScalar {}
extension Double: KernelScalar {}
