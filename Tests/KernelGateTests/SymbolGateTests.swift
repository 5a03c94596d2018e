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

  /// Kernels, and updates, whose streaming stores are intrinsics.
  @Test(arguments: kernelModules + ["FisherOptimizers", "FisherPluginFirstOrder", "FisherPluginAdaFisher"])
  func intrinsicsAreInlined(_ module: String) throws {
    let objects = SymbolGate.objects(of: module)
    try #require(!objects.isEmpty, "no object file of \(module) beside the tests")
    let output = try SymbolGate.run("objdump", ["-d", "-r", "--no-show-raw-insn"], objects)
    #expect(output.contains(module), "objdump shows nothing of \(module)")
    let callers = IntrinsicGate.callers(in: output)
    #expect(callers.isEmpty, "\(module) calls intrinsics in \(callers.sorted())")
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

@Test func theGateSeesCallsOfIntrinsics() {
  let output = """
    0000000000000000 <_mm_stream_ps>:
       0:\tmovntps %xmm0,(%rdi)
    0000000000000010 <$s4unit10VectorUnitAadEP3addTW>:
      12:\tcall   17 <x>
    \t\t\t13: R_X86_64_PLT32\t.text._mm512_add_ps-0x4
    0000000000000020 <$s4unit0D3SetAadEP3runTW>:
      22:\tcall   27 <x>
    \t\t\t23: R_X86_64_PLT32\t.text._mm512_add_ps-0x4
    0000000000000030 <$s4unit6updateyyF>:
      32:\tcall   0 <_mm_stream_ps>
    Disassembly of section .text._mm512_set1_pd:
    0000000000000040 <$s4unit5plainyyF>:
      42:\tcall   30 <$s4unit6updateyyF>
    0000000000000050 <$s4unit5otheryyF>:
    \t\t\t53: R_X86_64_PLT32\t_mm_stream_pd-0x4
    """
  #expect(
    IntrinsicGate.callers(in: output)
      == ["$s4unit0D3SetAadEP3runTW", "$s4unit6updateyyF", "$s4unit5otheryyF"])
}
