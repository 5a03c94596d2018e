import Testing

#if arch(x86_64)
  private let kernelModules = ["AVX512Kernels", "AVX2Kernels", "PortableKernels"]
#else
  private let kernelModules = ["PortableKernels"]
#endif

#if os(Linux)
  /// No kernel module may emit a weak symbol that is not its own.
  @Test(arguments: kernelModules)
  func kernelModulesEmitOnlyTheirOwnWeakSymbols(_ module: String) throws {
    let objects = SymbolGate.objects(of: module)
    try #require(!objects.isEmpty, "no object file of \(module) beside the tests")
    let output = try SymbolGate.nm(objects)
    let defined = SymbolGate.symbols(in: output).filter { $0.type != "U" }
    #expect(defined.contains { $0.name.contains(module) }, "nm shows nothing of \(module)")
    let foreign = SymbolGate.foreign(SymbolGate.weakSymbols(in: output), module: module)
    #expect(foreign.isEmpty, "\(module) emits weak symbols of others: \(foreign.map(\.name))")
  }
#endif

@Test func theGateRejectsForeignWeakSymbols() {
  let output = """
    0000000000000000 V __swift_reflection_version
    0000000000000010 W $s13AVX512Kernels0A5FloatO4moreyyF
    0000000000000880 W $sS2dSBsWl
    0000000000000000 V $sSa12_endMutationyyFSf_Tg5
    0000000000000020 T $sS2fSBsWl
                     U $sSdN
    0000000000000008 V symbolic Sd
    """
  let foreign = SymbolGate.foreign(SymbolGate.weakSymbols(in: output), module: "AVX512Kernels")
  #expect(foreign.map(\.name) == ["$sS2dSBsWl", "$sSa12_endMutationyyFSf_Tg5"])
}

@Test(arguments: ["W", "V", "w", "v", "u"])
func theGateKnowsEveryWeakLetter(_ letter: String) {
  let symbols = SymbolGate.weakSymbols(in: "0000000000000010 \(letter) $sSa6appendyyxnFSf_Tg5")
  #expect(SymbolGate.foreign(symbols, module: "AVX512Kernels").count == 1)
}

@Test func codeCannotPassAsData() {
  let symbols = ["symbolic Sd", "got.$ss5SIMD8VMn", "__swift_reflection_version"].map {
    Symbol(type: "W", name: $0)
  }
  #expect(SymbolGate.foreign(symbols, module: "AVX512Kernels") == symbols)
}

@Test func theGateTellsModulesApart() {
  let avx2 = Symbol(type: "W", name: "$s11AVX2Kernels0A5FloatO4moreyyF")
  #expect(SymbolGate.foreign([avx2], module: "AVX512Kernels") == [avx2])
  #expect(SymbolGate.foreign([avx2], module: "AVX2Kernels").isEmpty)
}
