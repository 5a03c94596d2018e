import FisherLinearAlgebra
import FisherRuntime

/// softmax(Q·Kᵀ/√d)·V for every head (Vaswani et al. 2017), on rows q, k, v side by side: positions × 3·width become
/// positions × width. Head h has the columns h·d ..< (h + 1)·d of each third, d = width/heads.
///
/// A layer without parameters: those that make q, k and v, and mix the heads, are linear layers before and behind it. The
/// weights P of one head, positions × positions, are the largest temporary; nothing is kept, the backward pass forms them
/// again. With `isCausal`, position t sees the positions up to t. A number that is not finite anywhere in a sample's head
/// may make all outputs of that head NaN, those of earlier positions too.
///
/// In training, M ⊙ P stands for P behind the softmax: an element of M is 0 with probability `dropRate` and 1/(1 − `dropRate`)
/// otherwise, by the word of its place (sample, head, position, position seen) in a random sequence of (seed of the pass,
/// place in the network), so that M is never stored.
struct AttentionOperation<Scalar: KernelScalar>: Operation {
  let heads: Int
  let width: Int
  let positions: Int
  let isCausal: Bool
  /// Turns q and k by their positions; nil for positions that are no part of the product.
  let rotation: RotaryPositions<Scalar>?
  /// Of the weights, in training.
  let dropRate: Double

  private var size: Int { width / heads }
  private var scale: Scalar { 1 / Scalar(size).squareRoot() }

  /// Two products forward, of which each costs two backward.
  var productFlops: Double { 4 * Double(positions * positions) * Double(width) }

  /// O = (M ⊙ P)·V.
  func forward(_ call: NodeCall<Scalar>) {
    forEachHead(call) { sample, head in
      withOperands(call.input.base, sample, head) { x in
        withWeights(x, call) { P in
          drop(P, sample, head, call)
          multiply(1, P.readOnly, x.v, 0, part(call.output.base, sample, head, stride: width), call)
        }
      }
    }
  }

  /// With dP = M ⊙ dO·Vᵀ and Ṡ = P ⊙ (dP − rows' sums of P ⊙ dP): dV = (M ⊙ P)ᵀ·dO, dQ = Ṡ·K/√d, dK = Ṡᵀ·Q/√d.
  func backward(_ call: NodeCall<Scalar>) {
    guard let target = call.inputGradient else { return }
    forEachHead(call) { sample, head in
      let dO = part(call.outputGradient.base, sample, head, stride: width).readOnly
      withOperands(call.input.base, sample, head) { x in
        withWeights(x, call) { P in
          withSquare { S in
            multiply(1, dO, x.v.transposed, 0, S, call)
            drop(S, sample, head, call)
            Self.project(P.readOnly, S.base, rows: positions)
            drop(P, sample, head, call)
            let third = { (i: Int) in part(target.base + i * width, sample, head, stride: 3 * width) }
            multiply(1, P.readOnly.transposed, dO, call.inputBeta, third(2), call)
            rotateBack(third(0), call.inputBeta) { multiply(scale, S.readOnly, x.k, $1, $0, call) }
            rotateBack(third(1), call.inputBeta) { multiply(scale, S.readOnly.transposed, x.q, $1, $0, call) }
          }
        }
      }
    }
  }

  /// Ȯ = (M ⊙ Ṗ)·V + (M ⊙ P)·V̇ with Ṗ = P ⊙ (Ṡ − rows' sums of P ⊙ Ṡ), Ṡ = (Q̇·Kᵀ + Q·K̇ᵀ)/√d.
  func pushForward(_ call: NodeCall<Scalar>) {
    guard let tangent = call.inputTangent else { return call.outputTangent.fill(0) }
    forEachHead(call) { sample, head in
      let target = part(call.outputTangent.base, sample, head, stride: width)
      withOperands(call.input.base, sample, head) { x in
        withOperands(tangent.base, sample, head) { dx in
          withWeights(x, call) { P in
            withSquare { S in
              multiply(scale, dx.q, x.k.transposed, 0, S, call)
              multiply(scale, x.q, dx.k.transposed, 1, S, call)
              Self.project(P.readOnly, S.base, rows: positions)
              drop(S, sample, head, call)
              drop(P, sample, head, call)
              multiply(1, S.readOnly, x.v, 0, target, call)
              multiply(1, P.readOnly, dx.v, 1, target, call)
            }
          }
        }
      }
    }
  }

  /// One head of one sample.
  private struct Operands {
    let q: MatrixPointer<Scalar>
    let k: MatrixPointer<Scalar>
    let v: MatrixPointer<Scalar>
  }

  private func forEachHead(_ call: NodeCall<Scalar>, _ body: (_ sample: Int, _ head: Int) -> Void) {
    let tasks = call.samples * heads
    let isSmall = tasks * positions * positions * size < 16384
    Parallel.perform(tasks, threads: isSmall ? 1 : call.threads) { body($0 / heads, $0 % heads) }
  }

  /// The columns of a head in rows of a sample that are `stride` elements long.
  private func part(
    _ base: UnsafeMutablePointer<Scalar>, _ sample: Int, _ head: Int, stride: Int
  ) -> MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(
      base + (sample * positions * stride + head * size), rows: positions, columns: size, rowStride: stride,
      columnStride: 1)
  }

  /// Q, K and V where they lie, or Q and K turned by their positions.
  private func withOperands(
    _ base: UnsafePointer<Scalar>, _ sample: Int, _ head: Int, _ body: (Operands) -> Void
  ) {
    let thirds = (0..<3).map { part(base.mutable + $0 * width, sample, head, stride: 3 * width).readOnly }
    guard let rotation else { return body(Operands(q: thirds[0], k: thirds[1], v: thirds[2])) }
    let count = positions * size
    Scratch.with(2 * count, of: Scalar.self) { turned in
      rotation.turn(thirds[0], to: turned, forward: true)
      rotation.turn(thirds[1], to: turned + count, forward: true)
      body(Operands(q: compact(turned).readOnly, k: compact(turned + count).readOnly, v: thirds[2]))
    }
  }

  /// target ← β·target + what `product` writes, turned back if q and k were turned.
  private func rotateBack(
    _ target: MutableMatrixPointer<Scalar>, _ β: Scalar,
    _ product: (MutableMatrixPointer<Scalar>, _ β: Scalar) -> Void
  ) {
    guard let rotation else { return product(target, β) }
    Scratch.with(2 * positions * size, of: Scalar.self) { room in
      let back = room + positions * size
      product(compact(room), 0)
      rotation.turn(compact(room).readOnly, to: back, forward: false)
      for t in 0..<positions {
        accumulate(back + t * size, into: target.base + t * target.rowStride, count: size, adds: β != 0)
      }
    }
  }

  private func compact(_ base: UnsafeMutablePointer<Scalar>) -> MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(base, rows: positions, columns: size, rowStride: size, columnStride: 1)
  }

  private func withSquare(_ body: (MutableMatrixPointer<Scalar>) -> Void) {
    Scratch.with(positions * positions, of: Scalar.self) { room in
      body(
        MutableMatrixPointer(room, rows: positions, columns: positions, rowStride: positions, columnStride: 1)
      )
    }
  }

  /// P = softmax(Q·Kᵀ/√d), row by row.
  private func withWeights(
    _ x: Operands, _ call: NodeCall<Scalar>, _ body: (MutableMatrixPointer<Scalar>) -> Void
  ) {
    withSquare { P in
      multiply(scale, x.q, x.k.transposed, 0, P, call)
      if isCausal { Self.hideLater(P.base, rows: positions) }
      call.backend.softmax(P.readOnly, to: P, sums: nil)
      body(P)
    }
  }

  /// W ← M ⊙ W with the M of this head in training, else W.
  private func drop(
    _ W: MutableMatrixPointer<Scalar>, _ sample: Int, _ head: Int, _ call: NodeCall<Scalar>
  ) {
    guard dropRate > 0, case .training(let seed) = call.mode else { return }
    let square = positions * positions
    DropoutOperation<Scalar>.drop(
      W.base, count: square, from: (sample * heads + head) * square,
      RandomStream(seed, 3, UInt64(call.index)), rate: dropRate)
  }

  /// c ← α·a·b + β·c
  private func multiply(
    _ α: Scalar, _ a: MatrixPointer<Scalar>, _ b: MatrixPointer<Scalar>, _ β: Scalar,
    _ c: MutableMatrixPointer<Scalar>, _ call: NodeCall<Scalar>
  ) {
    gemm(Gemm(alpha: α, a: a, b: b, beta: β, c: c), on: call.backend, threads: call.threads)
  }

  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func hideLater(_ P: UnsafeMutablePointer<Scalar>, rows n: Int) {
    for t in 0..<n { (P + (t * n + t + 1)).update(repeating: -.infinity, count: n - t - 1) }
  }

  /// S ← P ⊙ (S − sums of the rows of P ⊙ S): the Jacobian of softmax, which is symmetric.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func project(_ P: MatrixPointer<Scalar>, _ S: UnsafeMutablePointer<Scalar>, rows n: Int) {
    for t in 0..<n {
      let at = t * n
      SoftmaxOperation<Scalar>.pull(P.base + at, UnsafePointer(S + at), S + at, n, adds: false)
    }
  }
}
