import FisherRuntime
import FisherTestSupport
import Testing

/// A copy changes the elements at its place, all of them and no others.
@Test(arguments: 0...3, 0...3)
func aCopyFillsItsPlace(_ place: Int, _ count: Int) {
  let source = (0..<count).map { Double($0) + 1 }
  var numbers = [Double](repeating: 0, count: place + count + 2)
  var target = numbers.mutableSpan
  target.copy(source.span, at: place)
  #expect(numbers == [Double](repeating: 0, count: place) + source + [0, 0])
  #expect([Double](copying: source.span) == source)
}

@Test(.ownThread) func copiesBeyondTheRoomTrap() async {
  await #expect(processExitsWith: .failure) {
    var numbers = [Float](repeating: 0, count: 3)
    var target = numbers.mutableSpan
    target.copy([1, 2].span, at: 2)
  }
}
