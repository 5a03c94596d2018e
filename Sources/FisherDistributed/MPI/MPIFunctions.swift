/// The functions of a library that are called. Every handle is a register's content.
struct MPIFunctions {
  typealias Bytes = UnsafeMutableRawPointer
  typealias Counts = UnsafePointer<Int32>
  typealias Result = UnsafeMutablePointer<Int32>
  typealias Handle = Int

  let initialize: @convention(c) (Bytes?, Bytes?, Int32, Result) -> Int32
  let setErrorHandler: @convention(c) (Handle, Handle) -> Int32
  let rank: @convention(c) (Handle, Result) -> Int32
  let size: @convention(c) (Handle, Result) -> Int32
  let barrier: @convention(c) (Handle) -> Int32
  let broadcast: @convention(c) (Bytes?, Int32, Handle, Int32, Handle) -> Int32
  /// Its first argument is an address or the number that says "in place".
  let allGather: @convention(c) (Int, Int32, Handle, Bytes?, Counts, Counts, Handle, Handle) -> Int32
  let allToAll:
    @convention(c) (UnsafeRawPointer?, Counts, Counts, Handle, Bytes?, Counts, Counts, Handle, Handle) ->
      Int32
  let allReduce: @convention(c) (Int, Bytes?, Int32, Handle, Handle, Handle) -> Int32
  let abort: @convention(c) (Handle, Int32) -> Int32
  let finalize: @convention(c) () -> Int32
  private let errorText: @convention(c) (Int32, UnsafeMutablePointer<CChar>, Result) -> Int32

  init(_ library: MPILibrary) throws(CommunicationError) {
    initialize = try library.function("MPI_Init_thread")
    setErrorHandler = try library.function("MPI_Comm_set_errhandler")
    rank = try library.function("MPI_Comm_rank")
    size = try library.function("MPI_Comm_size")
    barrier = try library.function("MPI_Barrier")
    broadcast = try library.function("MPI_Bcast")
    allGather = try library.function("MPI_Allgatherv")
    allToAll = try library.function("MPI_Alltoallv")
    allReduce = try library.function("MPI_Allreduce")
    abort = try library.function("MPI_Abort")
    finalize = try library.function("MPI_Finalize")
    errorText = try library.function("MPI_Error_string")
  }

  /// - Throws: ``CommunicationError/function(_:code:text:)`` unless the code says success.
  func check(_ name: String, _ code: Int32) throws(CommunicationError) {
    if code == 0 { return }
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { text in
      text.initialize(repeating: 0)
      var count: Int32 = 0
      return errorText(code, text.baseAddress!, &count) == 0 ? String(cString: text.baseAddress!) : ""
    }
    throw .function(name, code: Int(code), text: text)
  }
}
