/// How many threads an operation may use.
public enum Threads {
  /// The default budget of every operation.
  public static var available: Int { 1 }
}
