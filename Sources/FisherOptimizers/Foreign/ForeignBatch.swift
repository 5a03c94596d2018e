import FisherCurvature
import FisherLinearAlgebra
import FisherPluginABI
import FisherRuntime

/// A step as C sees it: parameters with new values, and what passed through their layers. Lives as long as the call.
struct ForeignBatch<S: KernelScalar> {
  let parameters: [ParameterInfo]
  /// The layers of the parameters, in their order.
  let layers: [String]
  /// θ: lent to be written, so nobody else may hold them.
  var values: [Matrix<S>]
  /// None in a step that does not need them.
  let gradients: [Matrix<S>]
  /// By the labels: of the data, drawn. Empty where they were not asked for.
  let captures: [[String: LayerCapture<S>]]
  let outputGradients: OutputGradients<S>?

  init(
    _ parameters: [ParameterInfo], values: [Matrix<S>], gradients: [Matrix<S>],
    captures: [[String: LayerCapture<S>]], outputGradients: OutputGradients<S>?
  ) {
    self.parameters = parameters
    self.values = values
    self.gradients = gradients
    self.captures = captures
    self.outputGradients = outputGradients
    var layers: [String] = []
    for parameter in parameters {
      if let layer = parameter.layer, !layers.contains(layer) { layers.append(layer) }
    }
    self.layers = layers
  }

  /// Calls a function of the plugin.
  ///
  /// - Parameter settings: the hyper-parameters as numbers.
  /// - Returns: what it returns, 0 if it has worked.
  mutating func call(
    _ function: fisher_step_function, settings: [Double], number: Int, schedule: Double, threads: Int,
    loss: Double, samples: Int, host: ForeignHost, routines: UnsafePointer<fisher_routines>
  ) -> Int32 {
    let memory = CMemory()
    let tensors = memory.list(parameters.indices.map { tensor($0, memory) })
    let layers = memory.list(layers.map { layer($0, memory) })
    var step = fisher_step(
      size: UInt64(MemoryLayout<fisher_step>.size), host: Unmanaged.passUnretained(host).toOpaque(),
      element_size: Int32(MemoryLayout<S>.size), threads: Int32(threads), number: Int64(number),
      schedule: schedule, settings: memory.list(settings), loss: loss,
      samples: Int64(samples), tensor_count: UInt32(parameters.count),
      layer_count: UInt32(self.layers.count), tensors: tensors, layers: layers,
      logit_gradients: outputGradients.map { memory.lend($0.values) } ?? .none,
      logit_to_sum: outputGradients?.scaleToSum ?? 0, routines: routines)
    defer { withExtendedLifetime((self, memory, host)) {} }
    return function(&step)
  }

  private mutating func tensor(_ p: Int, _ memory: CMemory) -> fisher_tensor {
    let parameter = parameters[p]
    // Unique from here on: it was taken for this step.
    _ = values[p].withMutablePointer { $0.base }
    return fisher_tensor(
      name: memory.text(parameter.name), role: parameter.role.bit,
      layer: parameter.layer.flatMap { layers.firstIndex(of: $0) }.map(Int32.init) ?? -1,
      dimensions: Int64(parameter.shape.count), shape: memory.list(parameter.shape.map(Int64.init)),
      value: fisher_matrix(values[p]), gradient: gradients.isEmpty ? .none : memory.lend(gradients[p]))
  }

  private func layer(_ name: String, _ memory: CMemory) -> fisher_layer {
    func place(_ isWanted: (ParameterRole) -> Bool) -> Int32 {
      parameters.firstIndex { $0.layer == name && isWanted($0.role) }.map(Int32.init) ?? -1
    }
    let found = captures.map { $0[name] }
    let capture = found.compactMap { $0 }.first
    var layer = fisher_layer()
    layer.name = memory.text(name)
    layer.weight = place { $0 != .bias && $0 != .normShift }
    layer.bias = place { $0 == .bias || $0 == .normShift }
    layer.kind = capture?.kind.code ?? (layer.weight < 0 ? -1 : parameters[Int(layer.weight)].role.layerCode)
    layer.mixes_samples = capture?.mixesSamples == true ? 1 : 0
    layer.samples = Int64(capture?.sampleCount ?? 0)
    layer.positions = Int64(capture?.positions ?? 0)
    if case .convolution(let geometry, _)? = capture?.kind { layer.geometry = geometry.numbers }
    layer.inputs = capture.map { memory.lend($0.inputs) } ?? .none
    let gradients = found.map { $0?.outputGradients }
    layer.output_gradients = pair(gradients.map { $0.map { memory.lend($0.values) } ?? .none }, .none)
    layer.to_sum = pair(gradients.map { $0?.scaleToSum ?? 0 }, 0)
    layer.to_mean = pair(gradients.map { $0?.scaleToMean ?? 0 }, 0)
    return layer
  }

  private func pair<T>(_ list: [T], _ nothing: T) -> (T, T) {
    (list.first ?? nothing, list.count > 1 ? list[1] : nothing)
  }
}

/// Strings, lists and matrices in the form of C, freed together.
final class CMemory {
  private var blocks: [UnsafeMutableRawPointer] = []
  private var matrices: [Any] = []

  /// The elements of a matrix, without gaps in its rows.
  func lend<S>(_ matrix: Matrix<S>) -> fisher_matrix {
    let matrix = matrix.columnStride == 1 ? matrix : matrix.compacted()
    matrices.append(matrix)
    return fisher_matrix(matrix)
  }

  func text(_ string: String) -> UnsafePointer<CChar> {
    UnsafePointer(list(string.utf8CString.map { $0 }))
  }

  func list<T>(_ elements: [T]) -> UnsafeMutablePointer<T> {
    let copy = UnsafeMutablePointer<T>.allocate(capacity: max(1, elements.count))
    copy.initialize(from: elements, count: elements.count)
    blocks.append(copy)
    return copy
  }

  deinit { for block in blocks { block.deallocate() } }
}

extension LayerKind {
  fileprivate var code: Int32 {
    switch self {
    case .linear: return Int32(FISHER_LINEAR)
    case .convolution: return Int32(FISHER_CONVOLUTION)
    case .batchNorm: return Int32(FISHER_BATCH_NORM)
    case .layerNorm: return Int32(FISHER_LAYER_NORM)
    case .embedding: return Int32(FISHER_TOKENS)
    }
  }
}

extension ParameterRole {
  /// `FISHER_LINEAR_WEIGHT` and others.
  var bit: Int32 { 1 << Int32(Self.allCases.firstIndex(of: self)!) }

  /// The kind of the layer whose weight this is, if nothing else is known of it.
  fileprivate var layerCode: Int32 {
    switch self {
    case .linearWeight: return Int32(FISHER_LINEAR)
    case .convolutionWeight: return Int32(FISHER_CONVOLUTION)
    case .embedding: return Int32(FISHER_TOKENS)
    case .bias, .normScale, .normShift, .plain: return -1
    }
  }
}

extension ConvolutionGeometry {
  fileprivate var numbers: (Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64) {
    (
      Int64(channels), Int64(height), Int64(width), Int64(outputs), Int64(kernelHeight), Int64(kernelWidth),
      Int64(stride), Int64(padding), Int64(dilation), Int64(groups)
    )
  }
}
