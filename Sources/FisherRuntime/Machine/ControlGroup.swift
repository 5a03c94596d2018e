/// The limits that a container sets.
enum ControlGroup {
  /// The texts of a file in the version 2 group of this process and in all groups above it.
  static func texts(_ file: String) -> [String] {
    var path = Threads.parseGroup(readSmallFile("/proc/self/cgroup") ?? "") ?? "/"
    var texts: [String] = []
    while true {
      if let text = readSmallFile("/sys/fs/cgroup" + path + "/" + file) { texts.append(text) }
      if path == "/" || path.isEmpty { return texts }
      path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
  }
}
