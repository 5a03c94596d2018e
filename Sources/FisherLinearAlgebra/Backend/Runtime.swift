// What the runtime knows of the machine belongs to the public interface of linear algebra.

@_exported public import enum FisherRuntime.CPU
@_exported public import enum FisherRuntime.InstructionSet
@_exported public import struct FisherRuntime.MachineError
@_exported public import enum FisherRuntime.Threads
