/// What the blocked loops want to know of the caches: every bound that depends on them has its name here.
///
/// The fractions were found by measurement, see docs/kernels.md. The upper limits are for machines whose caches are
/// shared with others, who cannot be seen: a virtual machine often reports the third-level cache of the whole processor.
public struct CacheModel: Sendable, Equatable {
  /// Bytes of the first-level data cache, and of the second and the third level.
  public let first: Int
  public let second: Int
  public let third: Int

  /// - Parameter caches: levels by the names `L1d`, `L2`, `L3`; a level that is missing is taken for small.
  public init(_ caches: [(level: String, bytes: Int)]) {
    func bytes(_ level: String, least: Int) -> Int {
      max(caches.first { $0.level == level }?.bytes ?? least, least)
    }
    first = bytes("L1d", least: 32 << 10)
    second = bytes("L2", least: 256 << 10)
    third = bytes("L3", least: 4 * second)
  }

  /// This machine's, or those that `FISHER_CACHES` names: `32K,512K,16M` for the three levels.
  ///
  /// They decide what is packed and in which order blocks are visited, never a bit of a result. An invalid
  /// `FISHER_CACHES` ends the process with one line on standard error and exit status 2.
  public static let machine = MachineError.exiting { () throws(MachineError) in
    try selected(Environment["FISHER_CACHES"])
  }

  /// This machine's, or those that `forced` names (the value of `FISHER_CACHES`).
  ///
  /// - Throws: ``MachineError`` if it is not three sizes, none smaller than the one before.
  package static func selected(_ forced: String?) throws(MachineError) -> CacheModel {
    guard let forced else { return CacheModel(CPU.caches) }
    let sizes = forced.split(separator: ",", omittingEmptySubsequences: false).map {
      CPU.parseSize(String($0)) ?? 0
    }
    guard sizes.count == 3, sizes[0] >= 1 << 10, sizes[0] <= sizes[1], sizes[1] <= sizes[2] else {
      throw MachineError(
        "FISHER_CACHES is '\(forced)', not three sizes from the first level on, such as 32K,512K,16M")
    }
    return CacheModel(Array(zip(["L1d", "L2", "L3"], sizes)))
  }

  /// An operand of this size stays in the first-level cache while others stream through it.
  public var staysInFirst: Int { first / 2 }

  /// So much may pass through the first-level cache before what came earlier has left it; an operand of this size fits it.
  public var fitsFirst: Int { min(first, 32 << 10) }

  /// Rows that span more than this are copied before they are read many times: they would meet in few sets of the
  /// first-level cache, and in many pages.
  public var spansFirst: Int { 2 * fitsFirst }

  /// A share of the second-level cache that leaves room for what streams past.
  public var shareOfSecond: Int { min(second / 2, 256 << 10) }

  /// The packed block of A, which stays in the second-level cache while panels of B stream past: nearly all of a small one.
  public var blockOfA: Int { min(second / 8 * 7, 448 << 10) }

  /// An operand of this size comes from the third level or from memory, whatever was done before.
  public var exceedsSecond: Int { 4 * max(second, 1 << 20) }

  /// Packed B, or sums that several threads keep: a share of the third-level cache.
  public var shareOfThird: Int { min(third / 4, 8 << 20) }

  /// The third level is that of a few cores and answers soon. A larger one is spread over a whole processor.
  public var thirdIsNear: Bool { third <= 64 << 20 }

  /// More than this comes from memory, whatever was done before: a third level that is larger has more cores to serve.
  public var exceedsThird: Int { min(third, 32 << 20) }
}
