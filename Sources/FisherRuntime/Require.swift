/// Stops the program with a message when `condition` does not hold.
///
/// `precondition` drops its message in optimised builds, and the shapes in the message are what the caller needs.
/// The message is built only on the way out.
@inlinable @inline(__always)
package func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
  if !condition { stop(message(), file: file, line: line) }
}

@usableFromInline @inline(never)
package func stop(_ message: String, file: StaticString, line: UInt) -> Never {
  fatalError(message, file: file, line: line)
}
