import FisherRuntime

/// The terminal at standard output.
enum Terminal {
  /// How many characters fit on a line; 80 if it does not say.
  static var columns: Int {
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return 80
  }
}
