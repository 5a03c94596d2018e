public import FisherRuntime

// What the runtime knows of the machine belongs to the public interface of linear algebra.
public typealias CPU = FisherRuntime.CPU
public typealias InstructionSet = FisherRuntime.InstructionSet
public typealias MachineError = FisherRuntime.MachineError
public typealias Threads = FisherRuntime.Threads
