/// How many threads a call may use if it is not told otherwise.
public enum Threads {
  /// The cores this process may run on, bounded by the container's CPU quota; `FISHER_THREADS` overrides both.
  ///
  /// An invalid `FISHER_THREADS` ends the process with one line on standard error and exit status 2.
  public static let available = MachineError.exiting { () throws(MachineError) in
    try budget(Environment["FISHER_THREADS"], cores: cores, quota: quota)
  }

  /// The most threads that a call may be given.
  package static let most = 4096

  /// The cores that the scheduler gives to this process.
  public static var cores: Int {
    #if os(Linux)
      // glibc's module does not export the function, so it is looked up by name.
      typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32
      if let symbol = dlsym(nil, "sched_getaffinity") {
        var mask = [UInt64](repeating: 0, count: 128)
        let size = mask.count * MemoryLayout<UInt64>.size
        if unsafeBitCast(symbol, to: GetAffinity.self)(0, size, &mask) >= 0 {
          let count = mask.reduce(0) { $0 + $1.nonzeroBitCount }
          if count > 0 { return count }
        }
      }
    #endif
    return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }

  /// The container's CPU quota in cores; nil if there is none.
  public static var quota: Double? {
    #if os(Linux)
      // Version 2: the tightest quota between the process's own group and the root.
      if let tightest = ControlGroup.texts("cpu.max").compactMap(parseQuota).min() { return tightest }
      let v1 = "/sys/fs/cgroup/cpu/cpu.cfs_"
      if let quota = readSmallFile(v1 + "quota_us"), let period = readSmallFile(v1 + "period_us") {
        return parseQuota(quota[...].trimmed + " " + period[...].trimmed)
      }
    #endif
    return nil
  }

  /// The rule of ``available``, on given facts.
  package static func budget(_ forced: String?, cores: Int, quota: Double?) throws(MachineError) -> Int {
    if let forced {
      do { return try NumberText.integer(forced, to: most) } catch {
        throw MachineError("FISHER_THREADS: \(error)")
      }
    }
    guard let quota else { return cores }
    return max(1, Int(min(Double(cores), quota.rounded(.up))))
  }

  /// Cores from `quota period` in microseconds, the format of cpu.max; nil for `max` or −1, no limit.
  package static func parseQuota(_ text: String) -> Double? {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]), quota > 0, period > 0
    else { return nil }
    return quota / period
  }

  /// The path of the version 2 group in the text of /proc/self/cgroup: the line `0::/path`.
  package static func parseGroup(_ text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix("0::") {
      return String(line.dropFirst(3))
    }
    return nil
  }
}
