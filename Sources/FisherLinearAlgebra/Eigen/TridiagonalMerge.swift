import FisherRuntime
import KernelTemplates

// One merge. With the eigenvectors of T₁ and T₂, T is diag(d) + ρ·z·zᵀ, z from the last row of Z₁ and the first of Z₂.
// What deflates (z_j too small, or two d so near that a rotation makes one z vanish) is an eigenpair as it is. The others
// are the roots λ of the secular equation; with
//
//     ŵ_j² = Πᵢ(λᵢ − d_j) / Π_{i≠j}(dᵢ − d_j)
//
// the roots are exact for ŵ, and the vectors ŵ_j/(d_j − λᵢ) are orthogonal to working precision. Their product with the old
// vectors skips the zero blocks: rows that lie in Z₁ only, in both, in Z₂ only, are grouped.

/// Joins two neighbouring blocks.
struct TridiagonalMerge<S: KernelScalar> {
  let parent: TridiagonalEigen<S>
  let low: Int
  /// The orders of T₁ and T₂.
  let upper: Int
  let lower: Int
  let beta: Double
  /// 2·m² elements for the old rows and the new vectors in their terms.
  let scratch: UnsafeMutablePointer<S>
  /// 8·m and 4·m elements.
  let numbers: UnsafeMutablePointer<Double>
  let indices: UnsafeMutablePointer<Int>

  var m: Int { upper + lower }
  var d: UnsafeMutablePointer<Double> { parent.d + low }
  var order: UnsafeMutablePointer<Int> { parent.order + low }
  var z: MutableMatrixPointer<S> { parent.z.block(low, low, rows: m, columns: m) }
  var kernels: any KernelSet<S>.Type { parent.kernels }
  var rho: Double { 2 * abs(beta) }

  // The arrays in `numbers` and `indices`.
  var weight: UnsafeMutablePointer<Double> { numbers }
  var poles: UnsafeMutablePointer<Double> { numbers + m }
  var poleWeights: UnsafeMutablePointer<Double> { numbers + 2 * m }
  var squares: UnsafeMutablePointer<Double> { numbers + 3 * m }
  var origins: UnsafeMutablePointer<Double> { numbers + 4 * m }
  var offsets: UnsafeMutablePointer<Double> { numbers + 5 * m }
  var products: UnsafeMutablePointer<Double> { numbers + 6 * m }
  var newValues: UnsafeMutablePointer<Double> { numbers + 7 * m }
  /// Rows by ascending pole; then those that remain, and from the end those deflated.
  var sorted: UnsafeMutablePointer<Int> { indices }
  var kept: UnsafeMutablePointer<Int> { indices + m }
  /// 0: in Z₁ only, 1: both, 2: in Z₂ only.
  var kind: UnsafeMutablePointer<Int> { indices + 2 * m }
  /// Where the row of each pole lies among the old rows.
  var position: UnsafeMutablePointer<Int> { indices + 3 * m }

  /// - Returns: whether all roots were found.
  func run() -> Bool {
    prepare()
    let count = deflate()
    let groups = gather(count)
    if count > 0 {
      if !solve(count) { return false }
      formVectors(count)
      multiply(count, groups)
    }
    finish(count)
    return true
  }

  /// z, scaled to length 1, and the rows by ascending d.
  private func prepare() {
    let sign = beta < 0 ? -1.0 : 1.0
    for j in 0..<m {
      let value = j < upper ? Double(z[j, upper - 1]) : sign * Double(z[j, upper])
      weight[j] = value * 0.5.squareRoot()
      kind[j] = j < upper ? 0 : 2
    }
    var (i, j) = (0, 0)
    for t in 0..<m {
      let takesUpper =
        j == lower || (i < upper && d[order[i]] <= d[upper + order[upper + j]])
      sorted[t] = takesUpper ? order[i] : upper + order[upper + j]
      if takesUpper { i += 1 } else { j += 1 }
    }
  }

  /// Keeps the poles that take part, in ascending order; the rows of the others are at the end of `kept`.
  private func deflate() -> Int {
    var largest = 0.0
    for j in 0..<m { largest = max(largest, abs(d[j]), abs(weight[j])) }
    let tolerance = 4 * Double(S.ulpOfOne) * largest
    var (count, deflated, pending) = (0, m, -1)
    func deflateRow(_ j: Int) {
      deflated -= 1
      kept[deflated] = j
    }
    func keep(_ j: Int) {
      kept[count] = j
      poles[count] = d[j]
      poleWeights[count] = weight[j]
      squares[count] = weight[j] * weight[j]
      count += 1
    }
    for t in 0..<m {
      let j = sorted[t]
      if rho * abs(weight[j]) <= tolerance {
        deflateRow(j)
        continue
      }
      if pending >= 0 {
        if rotateAway(pending, j, tolerance) { deflateRow(pending) } else { keep(pending) }
      }
      pending = j
    }
    if pending >= 0 { keep(pending) }
    return count
  }

  /// Rotates rows i and j, whose poles are neighbours, so that the weight of i vanishes, if that disturbs T by no more
  /// than the tolerance.
  private func rotateAway(_ i: Int, _ j: Int, _ tolerance: Double) -> Bool {
    let length = (weight[i] * weight[i] + weight[j] * weight[j]).squareRoot()
    let (c, s) = (weight[j] / length, -weight[i] / length)
    if abs((d[j] - d[i]) * c * s) > tolerance { return false }
    weight[j] = length
    weight[i] = 0
    if kind[i] != kind[j] { kind[j] = 1 }
    var pair = z.block(i, 0, rows: 2, columns: m)
    pair.rowStride *= j - i
    var rotation = PlaneRotation(c: S(c), s: S(-s))
    kernels.rotateRows(pair, &rotation, count: 1)
    let (p, q) = (d[i], d[j])
    d[i] = p * c * c + q * s * s
    d[j] = p * s * s + q * c * c
    return true
  }

  /// Copies the old rows: those that take part, by kind, then those deflated. Returns how many are of kind 0 and 1.
  private func gather(_ count: Int) -> (first: Int, both: Int) {
    var sizes = (0, 0)
    for t in 0..<count {
      if kind[kept[t]] == 0 { sizes.0 += 1 } else if kind[kept[t]] == 1 { sizes.1 += 1 }
    }
    var (a, b, c) = (0, sizes.0, sizes.0 + sizes.1)
    let old = old
    for t in 0..<m {
      let row = kept[t]
      var place = t
      if t < count {
        switch kind[row] {
        case 0: (place, a) = (a, a + 1)
        case 1: (place, b) = (b, b + 1)
        default: (place, c) = (c, c + 1)
        }
        position[t] = place
      }
      (old.base + place * m).update(from: z.base + row * z.rowStride, count: m)
    }
    return sizes
  }

  private var old: MutableMatrixPointer<S> {
    MutableMatrixPointer(scratch, rows: m, columns: m, rowStride: m, columnStride: 1)
  }

  /// The rows of the new vectors in terms of the old ones.
  private func coordinates(_ count: Int) -> MutableMatrixPointer<S> {
    MutableMatrixPointer(
      scratch + m * m, rows: count, columns: count, rowStride: count, columnStride: 1)
  }

  /// The roots, and the weights for which they are exact.
  private func solve(_ count: Int) -> Bool {
    let equation = SecularEquation(
      d: poles, squares: squares, count: count, rho: rho, kernels: parent.secularKernels)
    let parts = Partition(count, limit: 32)
    Parallel.perform(parts.parts, threads: threads(count)) { part in
      for i in parts.range(part) {
        let root = equation.root(i)
        origins[i] = root.map { poles[$0.origin] } ?? .nan
        offsets[i] = root?.offset ?? 0
        newValues[i] = origins[i] + offsets[i]
      }
    }
    for i in 0..<count where origins[i].isNaN { return false }
    Parallel.perform(parts.parts, threads: threads(count)) { part in
      refineWeights(count, parts.start(part), parts.start(part) + parts.size(part))
    }
    return true
  }

  /// ŵ of the poles from `start` to `end`.
  private func refineWeights(_ count: Int, _ start: Int, _ end: Int) {
    let kernels = parent.secularKernels
    for j in start..<end { products[j] = 1 }
    for i in 0..<count {
      let (pole, origin, offset) = (poles[i], origins[i], offsets[i])
      let inside = min(max(i, start), end)
      kernels.secularFactors(
        products + start, poles + start, count: inside - start, origin: origin, offset: offset, pole: pole)
      let behind = i < start ? start : min(max(i + 1, start), end)
      kernels.secularFactors(
        products + behind, poles + behind, count: end - behind, origin: origin, offset: offset, pole: pole)
      if i >= start && i < end { products[i] *= offset - (pole - origin) }
    }
    for j in start..<end {
      let size = max(0, products[j]).squareRoot()
      squares[j] = poleWeights[j] < 0 ? -size : size
    }
  }

  /// The unit vectors ŵ_j/(d_j − λᵢ).
  private func formVectors(_ count: Int) {
    let parts = Partition(count, limit: 32)
    let u = coordinates(count)
    Parallel.perform(parts.parts, threads: threads(count)) { part in
      ThreadContext.current.withScratch(count, of: Double.self) { vector in
        for i in parts.range(part) {
          let squared = parent.secularKernels.secularVector(
            vector, squares, poles, count: count, origin: origins[i], offset: offsets[i])
          let scale = 1 / squared.squareRoot()
          let row = u.base + i * count
          for t in 0..<count { row[position[t]] = S(vector[t] * scale) }
        }
      }
    }
  }

  /// The new rows: the part in the columns of Z₁ from rows of kinds 0 and 1, the rest from kinds 1 and 2.
  private func multiply(_ count: Int, _ groups: (first: Int, both: Int)) {
    let u = coordinates(count).readOnly
    let left = groups.first + groups.both
    let old = old.readOnly
    Product(
      Gemm(
        alpha: 1, a: u.block(0, 0, rows: count, columns: left),
        b: old.block(0, 0, rows: left, columns: upper), beta: 0,
        c: z.block(0, 0, rows: count, columns: upper))
    ).run(kernels, threads: parent.threads)
    let right = count - groups.first
    Product(
      Gemm(
        alpha: 1, a: u.block(0, groups.first, rows: count, columns: right),
        b: old.block(groups.first, upper, rows: right, columns: lower), beta: 0,
        c: z.block(0, upper, rows: count, columns: lower))
    ).run(kernels, threads: parent.threads)
  }

  /// Puts the deflated rows behind the new ones and orders all eigenvalues.
  private func finish(_ count: Int) {
    let old = old
    for t in count..<m {
      (z.base + t * z.rowStride).update(from: old.base + t * m, count: m)
      newValues[t] = d[kept[t]]
    }
    for t in 0..<m { d[t] = newValues[t] }
    // The roots ascend; those deflated nearly descend, because they were put there from the end.
    for t in 0..<m {
      let row = t < count ? t : m - 1 - (t - count)
      var place = t
      while place > 0 && d[order[place - 1]] > d[row] {
        order[place] = order[place - 1]
        place -= 1
      }
      order[place] = row
    }
  }

  /// Threads for work of about count² divisions.
  private func threads(_ count: Int) -> Int { count >= 128 ? parent.threads : 1 }
}
