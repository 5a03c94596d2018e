/// What a thread makes of results that lie below the smallest normal number.
///
/// Momentum of a unit that has died, or of a token that is not seen again, shrinks by a factor a step. With gradual underflow
/// it becomes subnormal and stays so for good, because the least numbers round back to themselves; and each vector
/// operation on a subnormal number takes many processors a hundred cycles and more.
package enum Underflow: Sendable {
  /// To subnormal numbers, as IEEE 754 has it: what every thread begins with.
  case gradual
  /// To zero. On x86 of results alone, on ARM of operands too.
  case toZero

  /// That of the calling thread. The tasks of a parallel region have that of their caller.
  package static var current: Underflow { ThreadContext.current.underflow }

  /// Sets that of the calling thread, which takes a thousand cycles if it was another.
  ///
  /// Not inlined: no arithmetic of the caller may pass it.
  ///
  /// - Returns: the former one, to be set again.
  @inline(never) @discardableResult
  package static func set(_ underflow: Underflow) -> Underflow {
    let context = ThreadContext.current
    if context.underflow == underflow { return underflow }
    var environment = fenv_t()
    fegetenv(&environment)
    environment.flushesToZero = underflow == .toZero
    fesetenv(&environment)
    defer { context.underflow = underflow }
    return context.underflow
  }

  /// What the processor does on the calling thread.
  static var ofProcessor: Underflow {
    var environment = fenv_t()
    fegetenv(&environment)
    return environment.flushesToZero ? .toZero : .gradual
  }
}

extension fenv_t {
  #if arch(x86_64)
    /// FTZ of MXCSR.
    fileprivate var flushesToZero: Bool {
      get { __mxcsr & 1 << 15 != 0 }
      set { if newValue { __mxcsr |= 1 << 15 } else { __mxcsr &= ~(1 << 15) } }
    }
  #elseif arch(arm64)
    /// FZ of FPCR.
    fileprivate var flushesToZero: Bool {
      get { __fpcr & 1 << 24 != 0 }
      set { if newValue { __fpcr |= 1 << 24 } else { __fpcr &= ~(1 << 24) } }
    }
  #else
    fileprivate var flushesToZero: Bool {
      get { false }
      set {}
    }
  #endif
}
