/// The processor: its name, feature bits and caches.
public enum CPU {
  /// The model's name as the system reports it.
  public static var name: String {
    #if os(Linux)
      return field("model name", of: readSmallFile("/proc/cpuinfo") ?? "") ?? "unknown"
    #else
      return systemString("machdep.cpu.brand_string") ?? "unknown"
    #endif
  }

  /// The feature bits by their Linux names.
  public static var features: Set<String> {
    #if os(Linux)
      return parseFeatures(readSmallFile("/proc/cpuinfo") ?? "")
    #else
      let names = [
        "avx": "hw.optional.avx1_0", "avx2": "hw.optional.avx2_0", "fma": "hw.optional.fma",
        "bmi1": "hw.optional.bmi1", "bmi2": "hw.optional.bmi2", "f16c": "hw.optional.f16c",
        // Every processor with AVX2 that Apple shipped has these two, which have no name of their own.
        "abm": "hw.optional.avx2_0", "movbe": "hw.optional.avx2_0",
        "avx512f": "hw.optional.avx512f", "avx512bw": "hw.optional.avx512bw",
        "avx512cd": "hw.optional.avx512cd",
        "avx512dq": "hw.optional.avx512dq", "avx512vl": "hw.optional.avx512vl",
      ]
      return Set(names.filter { systemNumber($0.value) == 1 }.keys)
    #endif
  }

  /// The size in bytes of the first-level data cache and of the second and third level, as far as known.
  public static var caches: [(level: String, bytes: Int)] {
    #if os(Linux)
      var found: [(level: String, bytes: Int)] = []
      for index in 0..<8 {
        let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
        guard let level = readSmallFile(folder + "level"), let kind = readSmallFile(folder + "type"),
          let bytes = parseSize(readSmallFile(folder + "size") ?? "")
        else { continue }
        if kind.hasPrefix("Instruction") { continue }
        found.append(("L" + level.filter(\.isNumber) + (kind.hasPrefix("Data") ? "d" : ""), bytes))
      }
      return found
    #else
      return [("L1d", "hw.l1dcachesize"), ("L2", "hw.l2cachesize"), ("L3", "hw.l3cachesize")].compactMap {
        entry in
        systemNumber(entry.1).map { (entry.0, $0) }
      }
    #endif
  }

  /// The flags of the first processor in the text of /proc/cpuinfo.
  package static func parseFeatures(_ cpuinfo: String) -> Set<String> {
    Set(
      (field("flags", of: cpuinfo) ?? field("Features", of: cpuinfo) ?? "").split(separator: " ").map(
        String.init))
  }

  /// The value after the first `name :` in the text of /proc/cpuinfo.
  package static func field(_ name: String, of cpuinfo: String) -> String? {
    for line in cpuinfo.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].trimmed == name { return parts[1].trimmed }
    }
    return nil
  }

  /// Bytes from a size such as `48K` or `32M`.
  package static func parseSize(_ text: String) -> Int? {
    let digits = text.prefix(while: \.isNumber)
    guard let number = Int(digits) else { return nil }
    switch text.dropFirst(digits.count).first {
    case "K": return number << 10
    case "M": return number << 20
    case "G": return number << 30
    default: return number
    }
  }
}

extension Substring {
  /// Without the blanks at both ends.
  package var trimmed: String {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}

#if !os(Linux)
  /// An integer that `sysctlbyname` knows.
  func systemNumber(_ name: String) -> Int? {
    var value = 0
    var size = MemoryLayout<Int>.size
    return sysctlbyname(name, &value, &size, nil, 0) == 0 ? value : nil
  }

  /// A string that `sysctlbyname` knows.
  func systemString(_ name: String) -> String? {
    var size = 0
    guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
#endif
