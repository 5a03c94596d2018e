import FisherRuntime
import Testing

@Test func quotasAreInCores() {
  #expect(Threads.parseQuota("200000 100000\n") == 2)
  #expect(Threads.parseQuota("150000 100000") == 1.5)
  #expect(Threads.parseQuota("max 100000") == nil)
  #expect(Threads.parseQuota("-1 100000") == nil)
  #expect(Threads.parseQuota("") == nil)
}

@Test func groupsOfVersionTwo() {
  #expect(Threads.parseGroup("12:cpu:/a\n0::/user/slice\n") == "/user/slice")
  #expect(Threads.parseGroup("12:cpu:/a\n") == nil)
}

@Test func threadsAreBoundedByTheQuota() throws {
  #expect(try Threads.budget(nil, cores: 8, quota: nil) == 8)
  #expect(try Threads.budget(nil, cores: 8, quota: 1.5) == 2)
  #expect(try Threads.budget(nil, cores: 2, quota: 16) == 2)
  #expect(try Threads.budget(nil, cores: 8, quota: 0.25) == 1)
  #expect(try Threads.budget("3", cores: 8, quota: 1) == 3)
  #expect(throws: MachineError.self) { try Threads.budget("0", cores: 8, quota: nil) }
  #expect(throws: MachineError.self) { try Threads.budget("many", cores: 8, quota: nil) }
}

@Test func instructionSetsFollowFeatureBits() {
  let v3 = Set(InstructionSet.avx2.requiredFeatures)
  let v4 = Set(InstructionSet.avx512.requiredFeatures)
  #if arch(x86_64)
    #expect(InstructionSet.supported(by: []) == [.portable])
    #expect(InstructionSet.supported(by: v3) == [.portable, .avx2])
    #expect(InstructionSet.supported(by: v4) == [.portable, .avx2, .avx512])
    for feature in v3 { #expect(InstructionSet.supported(by: v4.subtracting([feature])) == [.portable]) }
    for feature in v4.subtracting(v3) {
      #expect(InstructionSet.supported(by: v4.subtracting([feature])) == [.portable, .avx2])
    }
  #else
    #expect(InstructionSet.supported(by: v4) == [.portable])
  #endif
}

@Test func forcedInstructionSetsMustBeSupported() throws {
  #expect(try InstructionSet.selected(nil, supported: [.portable, .avx2]) == .avx2)
  #expect(try InstructionSet.selected("portable", supported: [.portable, .avx2]) == .portable)
  let error = #expect(throws: MachineError.self) {
    try InstructionSet.selected("avx512", supported: [.portable, .avx2])
  }
  #expect(error?.description.contains("portable, avx2") == true)
  #expect(throws: MachineError.self) { try InstructionSet.selected("sse9", supported: [.portable]) }
}

@Test func processorFieldsAndSizes() {
  let text =
    "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx avx2\n\nprocessor\t: 1\nflags\t: fpu\n"
  #expect(CPU.field("model name", of: text) == "Some CPU @ 2 GHz")
  #expect(CPU.parseFeatures(text) == ["fpu", "avx", "avx2"])
  #expect(CPU.parseSize("48K\n") == 48 << 10)
  #expect(CPU.parseSize("32M") == 32 << 20)
  #expect(CPU.parseSize("none") == nil)
}

@Test func forcedCachesAreThreeGrowingSizes() throws {
  let zen3 = try CacheModel.selected("32K,512K,16M")
  #expect((zen3.first, zen3.second, zen3.third) == (32 << 10, 512 << 10, 16 << 20))
  #expect(zen3.thirdIsNear)
  #expect(try !CacheModel.selected("48K,2M,260M").thirdIsNear)
  #expect(try CacheModel.selected(nil) == CacheModel(CPU.caches))
  for text in [
    "", "32K", "32K,512K", "32K,512K,16M,1G", "32K,16K,16M", "32K,,16M", "a,b,c", "-1,2,3", "32,64,128",
  ] {
    let error = #expect(throws: MachineError.self) { try CacheModel.selected(text) }
    #expect(error?.description.contains("32K,512K,16M") == true)
  }
}
