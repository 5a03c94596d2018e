import FisherLinearAlgebra
import FisherRuntime

extension ConvolutionGeometry {
  /// What each output position sees: for every sample, group and position a row of ``patchSize`` inputs, zeros where
  /// the kernel reaches beyond the image.
  ///
  /// - Parameter images: one row a sample, channels × height × width.
  @specialized(where S == Float) @specialized(where S == Double)
  func unfolded<S: KernelScalar>(_ images: Matrix<S>, threads: Int) -> Matrix<S> {
    let images = images.compacted()
    var patches = Matrix<S>(rows: images.rows * groups * positions, columns: patchSize)
    images.withPointer { images in
      patches.withMutablePointer { patches in
        let (source, target) = (images.base, patches.base)
        let inputs = channels * height * width
        let size = groups * positions * patchSize
        Parallel.perform(images.rows, threads: threads) { n in
          for group in 0..<groups {
            unfold(
              source + n * inputs + group * (channels / groups) * height * width,
              target + n * size + group * positions * patchSize)
          }
        }
      }
    }
    return patches
  }

  /// The patches of one group of one image.
  @inline(__always)
  private func unfold<S: KernelScalar>(_ image: UnsafePointer<S>, _ patches: UnsafeMutablePointer<S>) {
    var out = patches
    for oy in 0..<outputHeight {
      for ox in 0..<outputWidth {
        for channel in 0..<channels / groups {
          for ky in 0..<kernelHeight {
            let y = oy * stride + ky * dilation - padding
            for kx in 0..<kernelWidth {
              let x = ox * strideAcross + kx * dilation - paddingAcross
              if y >= 0, y < height, x >= 0, x < width {
                out.pointee = image[(channel * height + y) * width + x]
              }
              out += 1
            }
          }
        }
      }
    }
  }
}
