import FisherPluginABI

/// The memory that a plugin's step may ask for.
protocol ForeignMemory: AnyObject {
  /// State as the last step has left it, at first zeros; what is written to it becomes the new one.
  func state(_ owner: String?, _ slot: String, _ rows: Int, _ columns: Int) -> fisher_matrix
  /// Undefined elements, for this step.
  func temporary(_ owner: String?, _ name: String, _ rows: Int, _ columns: Int) -> fisher_matrix
}

/// What else the library does for it; ``fisher_routines`` says what.
protocol ForeignAlgebra: ForeignMemory {
  func count(_ event: String)
  func inputRows(_ layer: Int, _ sharing: Int32) -> fisher_matrix
  func outputRows(_ layer: Int, _ labels: Int32, _ sharing: Int32) -> fisher_matrix
  func averageInputFactor(_ layer: Int, _ a: fisher_matrix, keep: Double, _ sharing: Int32)
  func averageOutputFactor(
    _ layer: Int, _ labels: Int32, _ g: fisher_matrix, keep: Double, _ sharing: Int32)
  func add(_ α: Double, _ x: fisher_matrix, _ β: Double, _ y: fisher_matrix)
  func dot(_ x: fisher_matrix, _ y: fisher_matrix) -> Double
  func gemm(
    _ α: Double, _ a: fisher_matrix, _ transposeA: Bool, _ b: fisher_matrix, _ transposeB: Bool, _ β: Double,
    _ c: fisher_matrix)
  func syrk(_ α: Double, _ a: fisher_matrix, _ transposeA: Bool, _ β: Double, _ c: fisher_matrix)
  func potrf(_ a: fisher_matrix) -> Int
  func potri(_ l: fisher_matrix)
  func trsm(_ α: Double, _ l: fisher_matrix, transposed: Bool, right: Bool, _ b: fisher_matrix)
  func eigen(_ a: fisher_matrix, _ values: fisher_matrix) -> Bool
  func inverseRoot(_ a: fisher_matrix, order: Int, ε: Double) -> Bool
  func invert(_ a: [fisher_matrix], dampings: [Double]) -> [Bool]
  func invertStack(_ count: Int, _ a: fisher_matrix, damping: Double) -> [Int]
  func kronecker(_ left: fisher_matrix, _ x: fisher_matrix, _ right: fisher_matrix, _ y: fisher_matrix)
}

/// What stands behind `host` of a step.
final class ForeignHost {
  let memory: any ForeignMemory
  let algebra: (any ForeignAlgebra)?

  /// - Parameter algebra: not for references.
  init(_ memory: any ForeignMemory, algebra: (any ForeignAlgebra)? = nil) {
    self.memory = memory
    self.algebra = algebra
  }
}

private typealias StepPointer = UnsafePointer<fisher_step>?

private func host(_ step: StepPointer) -> ForeignHost {
  guard let step, let host = step.pointee.host else {
    fatalError("a plugin calls a routine without its step")
  }
  return Unmanaged<ForeignHost>.fromOpaque(host).takeUnretainedValue()
}

private func algebra(_ step: StepPointer) -> any ForeignAlgebra { host(step).algebra! }

private func name(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }

extension fisher_routines {
  /// What a step is given. Never freed, as the code of the plugin.
  nonisolated(unsafe) static let all: UnsafePointer<fisher_routines> = {
    let table = UnsafeMutablePointer<fisher_routines>.allocate(capacity: 1)
    table.initialize(to: memoryAlone.pointee)
    table.pointee.addLayers()
    table.pointee.addProducts()
    table.pointee.addFactorizations()
    return UnsafePointer(table)
  }()

  /// What a reference is given.
  nonisolated(unsafe) static let memoryAlone: UnsafePointer<fisher_routines> = {
    var routines = fisher_routines()
    routines.size = UInt64(MemoryLayout<fisher_routines>.size)
    routines.state = { host($0).memory.state(name($1), name($2) ?? "", Int($3), Int($4)) }
    routines.temporary = { host($0).memory.temporary(name($1), name($2) ?? "", Int($3), Int($4)) }
    let table = UnsafeMutablePointer<fisher_routines>.allocate(capacity: 1)
    table.initialize(to: routines)
    return UnsafePointer(table)
  }()

  private mutating func addLayers() {
    count = { algebra($0).count(name($1) ?? "") }
    input_rows = { algebra($0).inputRows(Int($1), $2) }
    output_rows = { algebra($0).outputRows(Int($1), $2, $3) }
    average_input_factor = { algebra($0).averageInputFactor(Int($1), $2, keep: $3, $4) }
    average_output_factor = { algebra($0).averageOutputFactor(Int($1), $2, $3, keep: $4, $5) }
  }

  private mutating func addProducts() {
    add = { algebra($0).add($1, $2, $3, $4) }
    dot = { algebra($0).dot($1, $2) }
    gemm = { algebra($0).gemm($1, $2, $3 != 0, $4, $5 != 0, $6, $7) }
    syrk = { algebra($0).syrk($1, $2, $3 != 0, $4, $5) }
    kronecker = { algebra($0).kronecker($1, $2, $3, $4) }
  }

  private mutating func addFactorizations() {
    potrf = { Int64(algebra($0).potrf($1)) }
    potri = { algebra($0).potri($1) }
    trsm = { algebra($0).trsm($1, $2, transposed: $3 != 0, right: $4 != 0, $5) }
    eigen = { algebra($0).eigen($1, $2) ? 0 : 1 }
    inverse_root = { algebra($0).inverseRoot($1, order: Int($2), ε: $3) ? 0 : 1 }
    invert = { step, count, a, dampings, failed in
      let range = 0..<Int(count)
      let bad = algebra(step).invert(range.map { a![$0] }, dampings: range.map { dampings![$0] })
      if let failed { for i in range { failed[i] = bad[i] ? 1 : 0 } }
      return Int64(bad.count { $0 })
    }
    invert_stack = { step, count, a, damping, failed in
      let bad = algebra(step).invertStack(Int(count), a, damping: damping)
      if let failed {
        for i in 0..<Int(count) { failed[i] = 0 }
        for i in bad { failed[i] = 1 }
      }
      return Int64(bad.count)
    }
  }
}
