/// Arithmetic on sizes from outside, which may be anything.
package enum Size {
  /// The product of sizes; nil if one is negative or the product is above a limit.
  package static func product(_ factors: [Int], atMost limit: Int = .max) -> Int? {
    if factors.contains(where: { $0 < 0 }) { return nil }
    // A zero makes the product 0, whatever stands before it.
    if factors.contains(0) { return 0 }
    var product = 1
    for factor in factors {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      if overflow || next > limit { return nil }
      product = next
    }
    return product
  }
}
