import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// y = activation(W ∗ x + b), a two-dimensional cross-correlation: for each group, the product of the weight's rows and
/// the patches of the images.
///
/// Images are channels × height × width. Several small images share one product, so that its vectors are full.
struct ConvolutionOperation<Scalar: KernelScalar>: Operation {
  let geometry: ConvolutionGeometry
  let hasBias: Bool
  let rectifier: Rectifier<Scalar>

  var kind: LayerKind? { .convolution(geometry, hasBias: hasBias) }
  var productFlops: Double { 2 * Double(geometry.positions * geometry.outputs * geometry.patchSize) }

  var parameters: [OperationParameter] {
    let g = geometry
    let taps = g.kernelHeight * g.kernelWidth
    let weight = OperationParameter(
      name: "weight", shape: [g.outputs, g.channels / g.groups, g.kernelHeight, g.kernelWidth],
      role: .convolutionWeight,
      initial: .weight(fanIn: g.patchSize, fanOut: g.outputs / g.groups * taps))
    let bias = OperationParameter(
      name: "bias", shape: [g.outputs], role: .bias, initial: .bias(fanIn: g.patchSize))
    return hasBias ? [weight, bias] : [weight]
  }

  func forward(_ call: NodeCall<Scalar>) {
    convolve(
      call, call.input, call.parameters[0], bias: hasBias ? call.parameters[1].base : nil, rectifier,
      adds: false, call.output)
  }

  func backward(_ call: NodeCall<Scalar>) {
    rectifier.gradient(
      call.outputGradient, output: call.output.readOnly, channels: geometry.outputs,
      sums: hasBias ? call.parameterGradients?[1].base : nil, on: call.backend, threads: call.threads)
    ConvolutionGradients(layer: self, call: call).run()
  }

  /// ẏ = activation′ ⊙ (Ẇ ∗ x + ḃ + W ∗ ẋ)
  func pushForward(_ call: NodeCall<Scalar>) {
    convolve(
      call, call.input, call.parameterTangents[0], bias: hasBias ? call.parameterTangents[1].base : nil,
      .none,
      adds: false, call.outputTangent)
    if let tangent = call.inputTangent {
      convolve(call, tangent, call.parameters[0], bias: nil, .none, adds: true, call.outputTangent)
    }
    rectifier.gradient(
      call.outputTangent, output: call.output.readOnly, channels: geometry.outputs, sums: nil,
      on: call.backend, threads: call.threads)
  }

  /// Images of one product: enough for 128 columns.
  var imagesPerProduct: Int { max(1, 128 / geometry.positions) }
  /// Outputs of a group.
  var outputs: Int { geometry.outputs / geometry.groups }
  /// Pixels of a group's channels.
  var pixels: Int { geometry.channels / geometry.groups * geometry.height * geometry.width }

  /// y ← activation(W ∗ x + b), or y ← y + W ∗ x if `adds`.
  private func convolve(
    _ call: NodeCall<Scalar>, _ x: MatrixPointer<Scalar>, _ weight: MatrixPointer<Scalar>,
    bias: UnsafePointer<Scalar>?, _ rectifier: Rectifier<Scalar>, adds: Bool,
    _ y: MutableMatrixPointer<Scalar>
  ) {
    let products = (call.samples + imagesPerProduct - 1) / imagesPerProduct
    Parallel.perform(products, threads: call.threads) { product in
      let first = product * imagesPerProduct
      let images = min(imagesPerProduct, call.samples - first)
      let columns = images * geometry.positions
      Scratch.with((geometry.patchSize + outputs) * columns, of: Scalar.self) { scratch in
        let staging = scratch + geometry.patchSize * columns
        for group in 0..<geometry.groups {
          let bias: Epilogue<Scalar>.Bias =
            bias.map { .column(VectorPointer($0 + group * outputs, count: outputs)) } ?? .none
          let target = y.base + (first * y.rowStride + group * outputs * geometry.positions)
          // One image's outputs lie together, those of several do not.
          let isDirect = images == 1
          gemm(
            Gemm(
              alpha: 1, a: rows(of: weight, group), b: patches(x, first, images, group, scratch),
              beta: isDirect && adds ? 1 : 0, c: matrix(isDirect ? target : staging, outputs, columns),
              epilogue: Epilogue(bias: bias, activation: rectifier.activation)), on: call.backend,
            threads: call.threads)
          if !isDirect { unstage(staging, images, adds: adds, to: target, y.rowStride) }
        }
      }
    }
  }

  /// The patches of some images side by side: in scratch, or the image itself.
  func patches(
    _ x: MatrixPointer<Scalar>, _ first: Int, _ images: Int, _ group: Int,
    _ scratch: UnsafeMutablePointer<Scalar>
  ) -> MatrixPointer<Scalar> {
    let (positions, unfolding) = (geometry.positions, Patches(geometry: geometry))
    let source = x.base + (first * x.rowStride + group * pixels)
    if images == 1 && unfolding.isImage {
      return matrix(source.mutable, geometry.patchSize, positions).readOnly
    }
    let columns = images * positions
    for i in 0..<images {
      unfolding.unfold(source + i * x.rowStride, to: scratch + i * positions, stride: columns)
    }
    return matrix(scratch, geometry.patchSize, columns).readOnly
  }

  /// A group's rows of the weight: outputs × patch.
  func rows<P>(of weight: MatrixPointer<P>, _ group: Int) -> MatrixPointer<P> {
    weight.block(group * outputs, 0, rows: outputs, columns: geometry.patchSize)
  }

  func matrix(
    _ base: UnsafeMutablePointer<Scalar>, _ rows: Int, _ columns: Int
  ) -> MutableMatrixPointer<Scalar> {
    MutableMatrixPointer(base, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
  }

  /// outputs × (images · positions) → images × (outputs · positions)
  private func unstage(
    _ staging: UnsafePointer<Scalar>, _ images: Int, adds: Bool, to target: UnsafeMutablePointer<Scalar>,
    _ rowStride: Int
  ) {
    let positions = geometry.positions
    for i in 0..<images {
      for o in 0..<outputs {
        accumulate(
          staging + (o * images + i) * positions, into: target + (i * rowStride + o * positions),
          count: positions, adds: adds)
      }
    }
  }
}

extension UnsafePointer {
  /// For a routine that takes a writable pointer and does not write.
  var mutable: UnsafeMutablePointer<Pointee> { UnsafeMutablePointer(mutating: self) }
}
