import FisherCurvature
import FisherLinearAlgebra
import FisherNetworks
public import FisherOptimizers
import FisherRuntime
import Foundation

extension Trainer {
  /// Begins with weights of another run instead of random ones: fine-tuning.
  ///
  /// Parameters and running averages are found by their names. Those that the pattern leaves out keep their first
  /// values, a new last layer, say; all others must be in the file, with the same shape and finite. Numbers of the other
  /// element type are converted.
  ///
  /// - Parameters:
  ///   - path: a `weights.safetensors`, or the folder of a checkpoint that holds one.
  ///   - pattern: which names are loaded.
  /// - Returns: the names of what was loaded.
  /// - Throws: ``FileError``; then nothing has changed.
  /// - Precondition: no step has been taken.
  @discardableResult
  public func loadWeights(
    from path: String, matching pattern: NamePattern = NamePattern("*")
  ) throws(FileError) -> [String] {
    require(
      driver.stepCount == 0,
      "Trainer: weights are loaded before the first step, not after \(driver.stepCount)")
    var isDirectory: ObjCBool = false
    let isFolder =
      FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    let path = isFolder ? path + "/" + Checkpoint.weightsName : path
    let file = try Safetensors(contentsOf: path)
    var (values, statistics, loaded) = (values, workspace.statistics, [String]())
    for (i, parameter) in network.parameters.enumerated() where pattern.matches(parameter.name) {
      values[i] = try file.finite(
        parameter.name, parameter.shape, rows: parameter.rows, columns: parameter.columns, from: path)
      loaded.append(parameter.name)
    }
    for (i, name) in network.statisticNames.enumerated() where pattern.matches(name) {
      let count = statistics[i].columns
      statistics[i] = try file.finite(name, [count], rows: 1, columns: count, from: path)
      loaded.append(name)
    }
    guard !loaded.isEmpty else {
      throw FileError(
        path, "the pattern fits none of " + network.parameters.map(\.name).joined(separator: ", "))
    }
    self.values = values
    workspace.statistics = statistics
    return loaded
  }
}

extension Safetensors {
  /// A tensor of this shape, converted to the element type.
  fileprivate func finite<S: KernelScalar>(
    _ name: String, _ shape: [Int], rows: Int, columns: Int, from path: String
  ) throws(FileError) -> Matrix<S> {
    guard let stored = self.shape(name) else {
      throw FileError(path, "it has no \(name); there are " + names.prefix(20).joined(separator: ", "))
    }
    guard stored == shape else { throw FileError(path, "\(name) is \(stored), this network needs \(shape)") }
    let elements: [S]
    if let same = matrix(name, rows: rows, columns: columns, of: S.self) {
      elements = same.array
    } else if let single = matrix(name, rows: rows, columns: columns, of: Float.self) {
      elements = single.array.map { S($0) }
    } else {
      elements = (matrix(name, rows: rows, columns: columns, of: Double.self)?.array ?? []).map { S($0) }
    }
    guard elements.count == rows * columns, elements.allSatisfy(\.isFinite) else {
      throw FileError(path, "\(name) holds numbers that are not finite in \(S.self)")
    }
    return Matrix(elements, rows: rows, columns: columns)
  }
}
