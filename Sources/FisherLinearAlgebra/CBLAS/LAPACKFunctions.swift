// LAPACK's routines of one element type, under their Fortran names. Integers go by address: a callee with 32-bit integers
// looks only at their low halves, and what it writes is read as one. Characters have a hidden length at the end of the
// arguments, which LAPACK never looks at for single letters.

/// The LAPACK functions of one element type, each nil if the library lacks it.
struct LAPACKFunctions: Sendable {
  typealias Letter = UnsafePointer<CChar>
  typealias Integer = UnsafePointer<Int>
  typealias Memory = UnsafeMutableRawPointer
  typealias Info = UnsafeMutablePointer<Int>

  /// uplo, n, A, lda, info; potri has the same
  typealias Potrf = @convention(c) (Letter, Integer, Memory, Integer, Info) -> Void
  /// uplo, n, right-hand sides, A, lda, B, ldb, info
  typealias Potrs =
    @convention(c) (Letter, Integer, Integer, Memory, Integer, Memory, Integer, Info) -> Void
  /// jobz, uplo, n, A, lda, w, work, lwork, iwork, liwork, info
  typealias Syevd =
    @convention(c) (Letter, Letter, Integer, Memory, Integer, Memory, Memory, Integer, Memory, Integer, Info)
    ->
    Void
  /// m, n, A, lda, pivots, info
  typealias Getrf = @convention(c) (Integer, Integer, Memory, Integer, Memory, Info) -> Void
  /// trans, n, right-hand sides, A, lda, pivots, B, ldb, info
  typealias Getrs =
    @convention(c) (Letter, Integer, Integer, Memory, Integer, Memory, Memory, Integer, Info) -> Void
  /// n, A, lda, pivots, work, lwork, info
  typealias Getri = @convention(c) (Integer, Memory, Integer, Memory, Memory, Integer, Info) -> Void
  /// norm, n, A, lda, ‖A‖, rcond, work, iwork, info
  typealias Gecon =
    @convention(c) (Letter, Integer, Memory, Integer, Memory, Memory, Memory, Memory, Info) -> Void
  /// m, n, A, lda, tau, work, lwork, info
  typealias Geqrf = @convention(c) (Integer, Integer, Memory, Integer, Memory, Memory, Integer, Info) -> Void
  /// m, n, A, lda, permutation, tau, work, lwork, info
  typealias Geqp3 =
    @convention(c) (Integer, Integer, Memory, Integer, Memory, Memory, Memory, Integer, Info) -> Void
  /// side, trans, m, n, k, A, lda, tau, C, ldc, work, lwork, info
  typealias Ormqr =
    @convention(c) (
      Letter, Letter, Integer, Integer, Integer, Memory, Integer, Memory, Memory, Integer, Memory, Integer,
      Info
    ) -> Void

  let potrf: Potrf?
  let potri: Potrf?
  let potrs: Potrs?
  let syevd: Syevd?
  let getrf: Getrf?
  let getrs: Getrs?
  let getri: Getri?
  let gecon: Gecon?
  let geqrf: Geqrf?
  let geqp3: Geqp3?
  let ormqr: Ormqr?

  /// Binds the functions of the element type `type`, `s` or `d`; appends the names of those missing.
  init(type: String, in symbols: CBLASSymbols, missing: inout [String]) {
    func bind<F>(_ name: String) -> F? { symbols.bind(name, &missing) }
    potrf = bind("\(type)potrf_")
    potri = bind("\(type)potri_")
    potrs = bind("\(type)potrs_")
    syevd = bind("\(type)syevd_")
    getrf = bind("\(type)getrf_")
    getrs = bind("\(type)getrs_")
    getri = bind("\(type)getri_")
    gecon = bind("\(type)gecon_")
    geqrf = bind("\(type)geqrf_")
    geqp3 = bind("\(type)geqp3_")
    ormqr = bind("\(type)ormqr_")
  }

  /// What a routine wrote to `info`, whatever the width of its integers.
  static func outcome(_ info: Int) -> Int { Int(Int32(truncatingIfNeeded: info)) }
}
