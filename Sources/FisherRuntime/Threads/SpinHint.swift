import Builtin

/// Tells the core that the thread waits in a loop: it saves power and leaves its shared parts to the core's other thread.
@inline(__always)
func spinHint() {
  #if arch(x86_64) || arch(i386)
    Builtin.int_x86_sse2_pause()
  #elseif arch(arm64)
    Builtin.int_aarch64_hint((1 as Int32)._value)
  #endif
}
