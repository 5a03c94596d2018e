import FisherDistributed
import FisherLinearAlgebra
import FisherOptimizers

extension Trainer {
  /// A hash of all that the next step depends on: weights, running averages and the optimizer's state.
  public var fingerprint: UInt64 {
    var hash = BitHash()
    for matrix in values + statistics { hash.add(matrix) }
    hash.add(state.fingerprint)
    return hash.value
  }

  /// - Throws: `StepRefusal` if a rank has other bits than the first, or is gone.
  func checkRanks() throws(StepRefusal) {
    let other: Int?
    do { other = try communicator.firstRank(differingIn: fingerprint) } catch { throw StepRefusal(error) }
    if let other {
      throw .interrupted(
        reason: "rank \(other) has other weights or state than rank 0 after step \(driver.stepCount)")
    }
  }

  /// What a clock says differs from rank to rank, and all have to decide alike.
  func ofFirstRank(_ number: Double) throws(StepRefusal) -> Double {
    var numbers = [number]
    do { try communicator.broadcast(&numbers) } catch { throw StepRefusal(error) }
    return numbers[0]
  }
}
