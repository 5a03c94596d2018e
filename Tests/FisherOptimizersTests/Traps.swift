import Testing

/// The message with which a process has stopped contains all of these texts.
func expectMessage(
  _ result: ExitTest.Result?, _ parts: String..., at location: SourceLocation = #_sourceLocation
) {
  let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  for part in parts {
    #expect(message.contains(part), "the message is: \(message)", sourceLocation: location)
  }
}
