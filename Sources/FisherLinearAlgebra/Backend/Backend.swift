public import KernelTemplates

public typealias MatrixPointer = KernelTemplates.MatrixPointer
public typealias MutableMatrixPointer = KernelTemplates.MutableMatrixPointer
public typealias VectorPointer = KernelTemplates.VectorPointer
public typealias MutableVectorPointer = KernelTemplates.MutableVectorPointer
public typealias Gemm = KernelTemplates.Gemm
public typealias Epilogue = KernelTemplates.Epilogue
public typealias Activation = KernelTemplates.Activation
public typealias Divisor = KernelTemplates.Divisor
public typealias Triangle = KernelTemplates.Triangle
public typealias Syrk = KernelTemplates.Syrk
public typealias Symm = KernelTemplates.Symm
public typealias Gemv = KernelTemplates.Gemv

/// Where the routines of linear algebra are carried out: a value that is passed to each operation.
///
/// The operands are bare pointers with strides and have been checked by the caller: shapes agree, no output
/// overlaps an operand, counts are not negative. A conformance checks nothing again, never retains a pointer, and
/// uses at most `threads` threads.
public protocol Backend:
  Sendable, BatchedOperations, CholeskyOperations, EigenOperations, ElementwiseOperations, LUOperations,
  QROperations,
  TriangularOperations
{
  /// The name in reports: `native avx512`, `reference`, `cblas OpenBLAS 0.3.21`.
  var name: String { get }

  /// C ← activation(α·A·B + β·C + bias); see ``Gemm``.
  func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int)

  /// Many products of any shapes in one call. No output may overlap another product's operands.
  func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int)

  /// `count` products of one shape, product i at `i` times the batch strides (in elements) from the operands of `first`.
  ///
  /// An input may have batch stride 0 and so be shared by all products.
  func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int)

  /// One triangle of C ← α·A·Aᵀ + β·C; see ``Syrk``.
  func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int)

  /// C ← α·A·B + β·C with A symmetric; see ``Symm``.
  func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int)

  /// y ← α·A·x + β·y; see ``Gemv``.
  func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int)

  /// A ← A + α·x·yᵀ.
  func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int)

  /// Σ xᵢ·yᵢ.
  func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S

  /// y ← α·x + y. With α = 0, x is not read.
  func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>)

  /// x ← α·x. With α = 0, x is not read and becomes 0.
  func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>)

  /// √Σ xᵢ², without overflow or underflow in between. Infinite if an element is, NaN if one is NaN.
  func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S

  /// Σ |xᵢ|.
  func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S

  /// The first index of the largest |xᵢ|, the first NaN if there is one, nil for an empty vector.
  func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int?

  /// Copies a matrix into another of the same shape, whatever the strides: also the transposition.
  func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>)
}
