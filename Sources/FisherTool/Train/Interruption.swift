import FisherRuntime
import Synchronization

/// The user, or the system, wants a run to end: Ctrl-C or a polite kill. The run ends behind the step that it is in; a
/// second signal ends it at once.
struct Interruption: Error {
  let signal: Int32

  /// As shells say it.
  var status: Int32 { 128 + signal }

  private static let received = Atomic<Int32>(0)

  /// Starts to listen. A signal that is ignored already, as in the background of a script, stays so.
  static func listen() {
    received.store(0, ordering: .relaxed)
    for signal in [SIGINT, SIGTERM] {
      var action = sigaction()
      sigaction(signal, nil, &action)
      if unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1 { continue }
      action = sigaction()
      action.__sigaction_handler.sa_handler = { Interruption.received.store($0, ordering: .relaxed) }
      // The next one finds the usual handler.
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
      sigaction(signal, &action, nil)
    }
  }

  /// Leaves it to the first of several ranks, which the same signal reaches.
  static func ignore() {
    for signal in [SIGINT, SIGTERM] { FisherRuntime.signal(signal, SIG_IGN) }
  }

  /// - Throws: ``Interruption`` if a signal came.
  static func check() throws(Interruption) {
    let signal = received.load(ordering: .relaxed)
    if signal != 0 { throw Interruption(signal: signal) }
  }
}
