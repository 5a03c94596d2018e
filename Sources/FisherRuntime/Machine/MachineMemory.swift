/// The memory of this machine, and what does not fit into it.
package enum MachineMemory {
  /// The bytes that this process can have at most: those of the machine, or fewer if the container has a limit.
  package static let bytes: Int = {
    let pages = Int(sysconf(Int32(_SC_PHYS_PAGES)))
    var least = max(1, pages) * Int(sysconf(Int32(_SC_PAGESIZE)))
    #if os(Linux)
      for text in ControlGroup.texts("memory.max")
        + [readSmallFile("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
        .compactMap(\.self)
      {
        if let limit = Int(text[...].trimmed), limit > 0 { least = min(least, limit) }
      }
    #endif
    return least
  }()

  /// Why that many bytes cannot be had, or nil if they can: `needs 75.0 TB of memory, this machine has 25.2 GB`.
  ///
  /// - Parameter bytes: a `Double`, whose products do not overflow.
  package static func shortage(_ bytes: Double) -> String? {
    if bytes <= Double(Self.bytes) { return nil }
    return "needs \(text(bytes)) of memory, this machine has \(text(Double(Self.bytes)))"
  }

  /// `25.2 GB`
  package static func text(_ bytes: Double) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var (value, unit) = (bytes, 0)
    while value >= 1000 && unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
