import FisherRuntime

/// The three ways in which MPI libraries write their handles.
public enum MPIInterface: String, Sendable {
  /// That of the standard since MPI 5.0: a handle is a pointer that holds a small number.
  case standard = "MPI 5 standard ABI"
  /// That of MPICH and its relatives, Intel's among them: a handle is an integer of 32 bits.
  case mpich = "MPICH ABI"
  /// That of Open MPI: a handle is the address of a variable of the library.
  case openMPI = "Open MPI ABI"
}

/// The handles that are used, each as the content of a register: MPICH reads its lower half.
struct MPIHandles: Sendable {
  let world: Int
  let byte: Int
  let float: Int
  let double: Int
  let sum: Int
  let errorsReturn: Int
  let inPlace: Int
  /// Calls come from any thread, one at a time.
  let serialized: Int32

  static let standard = MPIHandles(
    world: 0x101, byte: 0x247, float: 0x210, double: 0x214, sum: 0x21, errorsReturn: 0x143, inPlace: 1,
    serialized: 2048)

  static let mpich = MPIHandles(
    world: 0x4400_0000, byte: 0x4C00_010D, float: 0x4C00_040A, double: 0x4C00_080B, sum: 0x5800_0003,
    errorsReturn: 0x5400_0001, inPlace: -1, serialized: 2)

  /// The addresses of the library's variables; nil if one is missing.
  static func openMPI(_ address: (String) -> UnsafeMutableRawPointer?) -> MPIHandles? {
    func handle(_ name: String) -> Int? { address("ompi_mpi_" + name).map { Int(bitPattern: $0) } }
    guard let world = handle("comm_world"), let byte = handle("byte"), let float = handle("float"),
      let double = handle("double"), let sum = handle("op_sum"), let errors = handle("errors_return")
    else { return nil }
    return MPIHandles(
      world: world, byte: byte, float: float, double: double, sum: sum, errorsReturn: errors, inPlace: 1,
      serialized: 2)
  }
}
