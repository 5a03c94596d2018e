import KernelTemplates

// A reflector H = I − τ·v·vᵀ with vₚ = 1 at the pivot p, for which H·x = β·eₚ: β = −sign(xₚ)·‖x‖, v = x/(xₚ − β) elsewhere,
// τ = (β − xₚ)/β. With x = 0 but for the pivot, H = I.

/// The numbers of a reflector whose vector has replaced x.
struct Reflector<S: KernelScalar> {
  var beta: S
  var tau: S

  /// Replaces x by v.
  @inline(__always)
  init(_ x: UnsafeMutablePointer<S>, count: Int, pivot: Int, _ kernels: any KernelSet<S>.Type) {
    let alpha = x[pivot]
    x[pivot] = 0
    let rest = VectorPointer(UnsafePointer(x), count: count)
    let squares = kernels.sum(.products, rest, rest)
    let total = squares + alpha * alpha
    // Squares that underflowed are below u² of this bound.
    let least = S.leastNormalMagnitude / (S.ulpOfOne * S.ulpOfOne)
    if !(total >= least && total.isFinite) && (alpha != 0 || kernels.iamax(rest) >= 0) {
      self.init(rescaling: x, count: count, pivot: pivot, alpha, kernels)
      return
    }
    self.init(x, count: count, pivot: pivot, alpha, squares, kernels)
  }

  @inline(__always)
  private init(
    _ x: UnsafeMutablePointer<S>, count: Int, pivot: Int, _ alpha: S, _ squares: S,
    _ kernels: any KernelSet<S>.Type
  ) {
    defer { x[pivot] = 1 }
    if squares == 0 {
      (beta, tau) = (alpha, 0)
      for i in 0..<count { x[i] = 0 }
      return
    }
    let norm = (squares + alpha * alpha).squareRoot()
    beta = alpha > 0 ? -norm : norm
    tau = (beta - alpha) / beta
    kernels.scal(1 / (alpha - beta), MutableVectorPointer(x, count: count))
  }

  /// x multiplied by the power of two that brings its largest element near 1: squares neither overflow nor underflow.
  @inline(never)
  private init(
    rescaling x: UnsafeMutablePointer<S>, count: Int, pivot: Int, _ alpha: S,
    _ kernels: any KernelSet<S>.Type
  ) {
    let rest = VectorPointer(UnsafePointer(x), count: count)
    let index = kernels.iamax(rest)
    let largest = max(abs(alpha), index < 0 ? 0 : abs(x[index]))
    let unit =
      largest.isFinite && largest > 0 ? S(sign: .plus, exponent: largest.exponent, significand: 1) : 1
    // 1 / unit may overflow for subnormal numbers: divide, which is exact for a power of two.
    for i in 0..<count { x[i] /= unit }
    self.init(x, count: count, pivot: pivot, alpha / unit, kernels.sum(.products, rest, rest), kernels)
    beta *= unit
  }
}
