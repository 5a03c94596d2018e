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

  /// This machine's.
  public static let machine = CacheModel(CPU.caches)

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

  /// More than this comes from memory, whatever was done before, even if no one else uses the third level.
  public var wholeThird: Int { third }
}
