/// The LAPACK routines that loops over many matrices need besides those of ``CBLASFunctions``, each nil if the library
/// lacks it. Integers by address: the callee looks at their low halves.
struct CBLASBatchedRoutines: Sendable {
  typealias Input = UnsafeRawPointer
  typealias Output = UnsafeMutableRawPointer
  typealias Size = UnsafePointer<Int>

  /// m, n, A, lda, ipiv, info
  typealias Getrf = @convention(c) (Size, Size, Output, Size, Output, UnsafeMutablePointer<Int>) -> Void
  /// n, A, lda, ipiv, work, lwork, info
  typealias Getri =
    @convention(c) (Size, Output, Size, Input, Output, Size, UnsafeMutablePointer<Int>) -> Void
  /// uplo, n, nrhs, A, lda, B, ldb, info
  typealias Potrs =
    @convention(c) (
      UnsafePointer<CChar>, Size, Size, Input, Size, Output, Size, UnsafeMutablePointer<Int>
    ) -> Void

  let getrf: Getrf?
  let getri: Getri?
  let potrs: Potrs?

  /// Binds the routines of the element type `type`, `s` or `d`; appends the names of those missing.
  init(type: String, in symbols: CBLASSymbols, missing: inout [String]) {
    func bind<F>(_ name: String) -> F? {
      guard let address = symbols.address(of: name) else {
        missing.append(name)
        return nil
      }
      return unsafeBitCast(address, to: F.self)
    }
    getrf = bind("\(type)getrf_")
    getri = bind("\(type)getri_")
    potrs = bind("\(type)potrs_")
  }
}
