import FisherRuntime

/// Says which plugin was at work when its code ends the process, by a signal or by `exit`.
///
/// The last line on standard error then names the plugin and the call. It is prepared before the call, because a signal
/// handler may neither allocate nor lock, and belongs to the calling thread, on which a fault is delivered.
enum PluginCall {
  /// A line that is ready to be written. Its memory stays, as the code of the plugin does.
  struct Line: Sendable {
    // Sendable: nobody writes to it.
    nonisolated(unsafe) fileprivate let text: UnsafeMutablePointer<CChar>

    /// - Parameter call: `update_f32 of 'signum'`
    init(_ path: String, _ call: String) {
      text = strdup("fisher: plugin \(quoted(path, atMost: 4096)) ended the process in \(oneLine(call))\n")
    }
  }

  /// Calls into a plugin.
  static func perform<R>(_ line: Line, _ body: () -> R) -> R {
    _ = watch
    let outer = pthread_getspecific(key)
    pthread_setspecific(key, line.text)
    defer { pthread_setspecific(key, outer) }
    return body()
  }

  /// Under which every thread keeps the line of the call that it is in.
  nonisolated(unsafe) private static var key: pthread_key_t = 0

  private static let signals = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP]

  /// What was done about each signal before: a table with a fixed place, for the handler.
  nonisolated(unsafe) private static let former = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)

  /// Installs the handlers, once.
  private static let watch: Void = {
    pthread_key_create(&key, nil)
    #if canImport(Glibc)
      // A stack of its own, so that it also runs when the plugin has used up the thread's.
      let size = 64 << 10
      var stack = stack_t()
      stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
      stack.ss_size = size
      sigaltstack(&stack, nil)
      for signal in signals {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { PluginCall.handle($0) }
        action.sa_flags = SA_ONSTACK
        sigaction(signal, &action, former + Int(signal))
      }
    #endif
    atexit {
      guard let line = pthread_getspecific(PluginCall.key) else { return }
      fflush(nil)
      PluginCall.write(line)
      _exit(1)
    }
  }()

  /// The handler. After it the signal does what it would have done without it.
  private static func handle(_ signal: Int32) {
    if let line = pthread_getspecific(key) {
      write(line)
      var action = sigaction()
      sigaction(signal, &action, nil)
    } else {
      sigaction(signal, former + Int(signal), nil)
    }
    raise(signal)
  }

  private static func write(_ line: UnsafeMutableRawPointer) {
    _ = FisherRuntime.write(STDERR_FILENO, line, strlen(line.assumingMemoryBound(to: CChar.self)))
  }
}
