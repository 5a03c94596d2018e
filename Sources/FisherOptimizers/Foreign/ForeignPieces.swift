import FisherCurvature
import FisherLinearAlgebra
import FisherPluginABI
import FisherRuntime
import Synchronization

extension ForeignStep {
  /// Stages an elementwise update: the plugin gets the parameter in pieces, on the threads of the step's one pass over
  /// memory.
  func stagePieces<S: KernelScalar>(
    of parameter: ParameterInfo, _ functions: ForeignUpdate, _ step: inout Step<S>
  ) {
    let (table, number, schedule) = (table, step.number, step.schedule)
    // Once for all pieces.
    let numbers = table.numbers(of: settings)
    let failure = ForeignFailure()
    step.stage(parameter, table.slots.map { $0 }, nil, nil, nil) { operands, range in
      table.withCall(parameter, numbers, number: number, schedule: schedule) { call in
        functions.named(elementSize: MemoryLayout<S>.size) {
          switch runPieces(of: range, operands, functions, call.pointee) {
          case .finite: return true
          case .notFinite: return false
          case .refused(let status):
            failure.report(status)
            return false
          }
        }
      }
    }
    step.complain { failure.status.map { "the plugin returned \($0)" } }
  }
}

private enum PieceOutcome {
  case finite, notFinite
  case refused(Int32)
}

/// Elements of a call: old and new values and state stay in the first level of cache between copy, call and check.
private let pieceCount = 1024

/// Copies old values and state to the place of the new ones, lets the plugin update them there, and looks whether all is
/// finite.
@specialized(where S == Float) @specialized(where S == Double)
private func runPieces<S: KernelScalar>(
  of range: Range<Int>, _ operands: UpdateOperands<S>, _ functions: ForeignUpdate, _ call: fisher_parameter
) -> PieceOutcome {
  var call = call
  call.rows = 1
  var states = [UnsafeMutableRawPointer?](repeating: nil, count: operands.slots.count)
  let hasGaps = operands.gradientStride != operands.columns
  var i = range.lowerBound
  while i < range.upperBound {
    var count = min(pieceCount, range.upperBound - i)
    var gradient = operands.gradient + i
    if hasGaps {
      let row = i / operands.columns
      count = min(count, (row + 1) * operands.columns - i)
      gradient += row * (operands.gradientStride - operands.columns)
    }
    call.columns = Int64(count)
    for (s, slot) in operands.slots.enumerated() { states[s] = copyAhead(slot, i, count) }
    let status = functions(
      &call, elementSize: MemoryLayout<S>.size, copyAhead(operands.value, i, count), gradient, states)
    if status != 0 { return .refused(status) }
    var zeros = Lanes<S>.zero
    mark(gradient, count, ahead: true, in: &zeros)
    if let new = operands.value.new { mark(new + i, count, ahead: false, in: &zeros) }
    for slot in operands.slots { if let new = slot.new { mark(new + i, count, ahead: false, in: &zeros) } }
    for lane in 0..<8 where zeros[lane].isNaN { return .notFinite }
    i += count
  }
  return .finite
}

/// Old elements, or zeros if there are none, in the place of the new ones.
@inline(__always)
private func copyAhead<S: KernelScalar>(
  _ tensor: UpdateTensor<S>, _ start: Int, _ count: Int
) -> UnsafeMutableRawPointer? {
  guard let new = tensor.new else { return nil }
  var i = start
  while i + 8 <= start + count {
    storeAhead(read(tensor, i, 8), to: new + i)
    i += 8
  }
  if i < start + count { store(read(tensor, i, start + count - i), to: new + i, start + count - i) }
  return UnsafeMutableRawPointer(new + start)
}

/// Makes lanes of `zeros` NaN where an element is not finite, without arithmetic that would count as the plugin's.
///
/// - Parameter ahead: prefetch what comes a piece later; not for what ``copyAhead(_:_:_:)`` has prefetched.
@inline(__always)
private func mark<S: KernelScalar>(
  _ p: UnsafePointer<S>, _ count: Int, ahead: Bool, in zeros: inout Lanes<S>
) {
  // Two sums, or each addition waits for the one before.
  var other = Lanes<S>.zero
  var i = 0
  while i + 16 <= count {
    if ahead { prefetchLine(p + (i + pieceCount)) }
    mark(load(p + i), in: &zeros)
    mark(load(p + i + 8), in: &other)
    i += 16
  }
  while i < count {
    mark(load(p + i, min(8, count - i)), in: &zeros)
    i += 8
  }
  mark(other, in: &zeros)
}

/// What a call on some thread has returned.
private final class ForeignFailure: Sendable {
  private let first = Mutex<Int32?>(nil)

  func report(_ status: Int32) { first.withLock { $0 = $0 ?? status } }

  var status: Int32? { first.withLock { $0 } }
}
