import FisherRuntime
import Testing

@Suite struct NumberTextTests {
  @Test func integersInTheirRange() throws {
    #expect(try NumberText.integer("17") == 17)
    #expect(try NumberText.integer("+17"[...]) == 17)
    #expect(try NumberText.integer("-3", from: -5, to: 5) == -3)
    #expect(try NumberText.integer("9223372036854775807", from: 0, to: .max) == .max)
  }

  @Test(arguments: [
    ("0", "'0' is not an integer of at least 1"), ("", "'' is not an integer of at least 1"),
    ("1.5", "'1.5' is not an integer of at least 1"), ("-1", "'-1' is not an integer of at least 1"),
    ("1000000000001", "'1000000000001' is not an integer from 1 to 1000000000000"),
    ("99999999999999999999", "'99999999999999999999' is not an integer from 1 to 1000000000000"),
    ("-99999999999999999999", "'-99999999999999999999' is not an integer of at least 1"),
    ("1\n2", "'1\\n2' is not an integer of at least 1"), ("٣", "'٣' is not an integer of at least 1"),
    (
      String(repeating: "x", count: 1000),
      "'" + String(repeating: "x", count: 60) + "…' is not an integer of at least 1"
    ),
  ])
  func otherTextsAreNoIntegers(text: String, message: String) {
    let error = #expect(throws: NumberError.self) { try NumberText.integer(text) }
    #expect(error?.description == message)
  }

  @Test func smallLimitsAreAlwaysSaid() {
    let error = #expect(throws: NumberError.self) { try NumberText.integer("x", to: 7) }
    #expect(error?.description == "'x' is not an integer from 1 to 7")
  }

  @Test func realsInTheirRange() throws {
    #expect(try NumberText.real("1e-3", .positive) == 1e-3)
    #expect(try NumberText.real("-0", .nonNegative) == 0)
    #expect(try NumberText.real("0.000e5", .closed(0, 1)) == 0)
    #expect(try NumberText.real("-2", .any) == -2)
    #expect(try NumberText.real("5e-324", .positive) == .leastNonzeroMagnitude)
  }

  @Test(arguments: [
    ("0", RealRange.positive, "'0' is not a number above 0"),
    ("-1", .nonNegative, "'-1' is not a number of at least 0"),
    ("1", .halfOpen(0, 1), "'1' is not a number from 0 below 1"),
    ("1.5", .closed(-0.5, 1), "'1.5' is not a number from -0.5 to 1"),
    ("inf", .positive, "'inf' is not a number above 0"), ("nan", .any, "'nan' is not a finite number"),
    ("1e400", .any, "'1e400' is not a finite number"), ("1e-400", .any, "'1e-400' is not a finite number"),
    ("", .any, "'' is not a finite number"), ("1,5", .any, "'1,5' is not a finite number"),
  ])
  func otherTextsAreNoReals(text: String, range: RealRange, message: String) {
    let error = #expect(throws: NumberError.self) { try NumberText.real(text, range) }
    #expect(error?.description == message)
  }

  @Test func numbersAsPeopleWriteThem() {
    #expect(
      [1.0, -3, 0.5, -.nan, 1e300, .infinity].map(shortest) == ["1", "-3", "0.5", "nan", "1e+300", "inf"])
  }
}

@Suite struct SizeTests {
  @Test func productsOrNothing() {
    #expect(Size.product([]) == 1 && Size.product([3, 5]) == 15)
    #expect(Size.product([.max, .max, 0]) == 0 && Size.product([-1, 0]) == nil)
    #expect(Size.product([.max, 2]) == nil && Size.product([.max, 1]) == .max)
    #expect(Size.product([153_092_023, 92737, 649_657]) == .max)
    #expect(Size.product([153_092_023, 92737, 649_657], atMost: .max - 16) == nil)
  }

  @Test func shortagesNameBothSizes() {
    #expect(MachineMemory.bytes > 1_000_000 && MachineMemory.shortage(1e6) == nil)
    #expect(MachineMemory.shortage(75e18)?.hasPrefix("needs 75.0 EB of memory, this machine has ") == true)
    #expect(MachineMemory.text(999) == "999.0 B" && MachineMemory.text(25_170_000_000) == "25.2 GB")
  }
}

@Suite struct SpellingTests {
  @Test func distances() {
    #expect(Spelling.distance("gemm", "gemm") == 0 && Spelling.distance("gem", "gemm") == 1)
    #expect(Spelling.distance("kitten", "sitting") == 3 && Spelling.distance("", "abc") == 3)
    #expect(Spelling.distance("benhc", "bench") == 1 && Spelling.distance("abc", "") == 3)
  }

  @Test(arguments: [
    ("gem", "; did you mean gemm?"), ("syrk2", "; did you mean syrk?"), ("GEMM", "; did you mean gemm?"),
    ("zzz", "; there are: gemm, syrk, lion"), ("muon", "; there are: gemm, syrk, lion"),
    ("", "; there are: gemm, syrk, lion"), ("lino", "; did you mean lion?"),
  ])
  func onlyNearNamesAreNamed(word: String, hint: String) {
    #expect(Spelling.hint(for: word, among: ["gemm", "syrk", "lion"]) == hint)
  }

  @Test func prefixesStandBeforeEveryName() {
    #expect(Spelling.hint(for: "typ", among: ["type", "batch"], prefix: "--") == "; did you mean --type?")
  }
}
