@_exported public import struct FisherRuntime.KeyedGenerator

/// What a key is for: the second word of it.
enum Purpose {
  static let order: UInt64 = 1
  static let augmentation: UInt64 = 2
  static let split: UInt64 = 3
  static let drawing: UInt64 = 4
  static let weights: UInt64 = 5
  static let masks: UInt64 = 6
  static let probes: UInt64 = 7
  static let recall: UInt64 = 8
  static let sorting: UInt64 = 9
}
