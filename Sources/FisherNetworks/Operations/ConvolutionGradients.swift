import FisherCurvature
import FisherLinearAlgebra
import FisherRuntime

/// The backward pass of a convolution: for each group dW = Σ δ·patchesᵀ over the images, dx = fold(Wᵀ·δ).
///
/// The images are cut into at most ``parts`` parts, as their number says and not the threads; the parts' sums of dW are
/// added in order.
struct ConvolutionGradients<Scalar: KernelScalar> {
  let layer: ConvolutionOperation<Scalar>
  let call: NodeCall<Scalar>
  static var parts: Int { 16 }

  private var geometry: ConvolutionGeometry { layer.geometry }

  func run() {
    let wanted = call.parameterGradients
    if wanted == nil && call.inputGradient == nil { return }
    let products = (call.samples + layer.imagesPerProduct - 1) / layer.imagesPerProduct
    let perPart = (products + Self.parts - 1) / Self.parts
    let parts = (products + perPart - 1) / perPart
    let size = geometry.outputs * geometry.patchSize
    Scratch.with(wanted == nil ? 0 : parts * size, of: Scalar.self) { sums in
      Parallel.perform(parts, threads: call.threads) { part in
        for product in part * perPart..<min(products, (part + 1) * perPart) {
          add(product, isFirst: product == part * perPart, wanted == nil ? nil : sums + part * size)
        }
      }
      if let wanted { Self.total(sums, parts, size, to: wanted[0].base, threads: call.threads) }
    }
  }

  /// The images of one product.
  private func add(_ product: Int, isFirst: Bool, _ sum: UnsafeMutablePointer<Scalar>?) {
    let first = product * layer.imagesPerProduct
    let images = min(layer.imagesPerProduct, call.samples - first)
    let columns = images * geometry.positions
    Scratch.with((geometry.patchSize + layer.outputs) * columns, of: Scalar.self) { scratch in
      for group in 0..<geometry.groups {
        let δ = outputGradient(first, images, group, scratch + geometry.patchSize * columns)
        if let sum {
          let target = layer.matrix(sum, geometry.outputs, geometry.patchSize)
            .block(group * layer.outputs, 0, rows: layer.outputs, columns: geometry.patchSize)
          let patches = layer.patches(call.input, first, images, group, scratch)
          gemm(
            Gemm(alpha: 1, a: δ, b: patches.transposed, beta: isFirst ? 0 : 1, c: target), on: call.backend,
            threads: call.threads)
        }
        guard let inputGradient = call.inputGradient else { continue }
        let patches = layer.matrix(scratch, geometry.patchSize, columns)
        gemm(
          Gemm(
            alpha: 1, a: layer.rows(of: call.parameters[0], group).transposed, b: δ, beta: 0, c: patches),
          on: call.backend, threads: call.threads)
        for i in 0..<images {
          let image = inputGradient.base + ((first + i) * inputGradient.rowStride + group * layer.pixels)
          if !call.addsInputGradient { image.update(repeating: 0, count: layer.pixels) }
          Patches(geometry: geometry)
            .fold(scratch + i * geometry.positions, stride: columns, into: image)
        }
      }
    }
  }

  /// δ of some images side by side, outputs of the group × (images · positions): a copy if there are several.
  private func outputGradient(
    _ first: Int, _ images: Int, _ group: Int, _ staging: UnsafeMutablePointer<Scalar>
  ) -> MatrixPointer<Scalar> {
    let (positions, rows) = (geometry.positions, layer.outputs)
    let source = call.outputGradient.base + (first * call.outputGradient.rowStride + group * rows * positions)
    if images == 1 { return layer.matrix(source, rows, positions).readOnly }
    for i in 0..<images {
      for o in 0..<rows {
        (staging + (o * images + i) * positions).update(
          from: source + (i * call.outputGradient.rowStride + o * positions), count: positions)
      }
    }
    return layer.matrix(staging, rows, images * positions).readOnly
  }

  /// target ← Σ of the parts' sums, in order.
  @specialized(where Scalar == Float) @specialized(where Scalar == Double)
  private static func total(
    _ sums: UnsafePointer<Scalar>, _ parts: Int, _ size: Int, to target: UnsafeMutablePointer<Scalar>,
    threads: Int
  ) {
    Stretches.perform(size, threads: threads) { range in
      let i = range.lowerBound
      for part in 0..<parts {
        accumulate(sums + (part * size + i), into: target + i, count: range.count, adds: part > 0)
      }
    }
  }
}
