import FisherRuntime

/// Seconds of a clock that only goes forward.
func seconds() -> Double { read(CLOCK_MONOTONIC) }

/// Seconds for which threads of this process had a core, all together.
func processorSeconds() -> Double { read(CLOCK_PROCESS_CPUTIME_ID) }

/// Waits until no thread of this process computes, 0.4 s at most.
///
/// The worker threads of a library may go on spinning after a call, in the hope of another one: those of OpenBLAS
/// 0.3.21 keep a core busy for 105 ms. They would compete with whoever is measured next.
func waitForQuiet() {
  for _ in 0..<200 {
    let start = processorSeconds()
    usleep(2000)
    if processorSeconds() - start < 0.0002 { return }
  }
}

/// Runs `call` for 30 ms before a sample on several threads.
///
/// After a pause the scheduler may wake the second thread on the first one's core and take some 10 ms to see that
/// another core is idle; until then both share one.
func warmUp(_ threads: Int, _ call: () -> Void) {
  let end = seconds() + (threads > 1 ? 0.03 : 0)
  repeat { call() } while seconds() < end
}

private func read(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
