import Testing

/// Certificates and comparisons on the command line.
@Suite struct VerifyCommandTests {
  @Test func certificate() throws {
    let run = try Fisher(["verify", "adamw", "--untimed"])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.hasPrefix("AdamW: Loshchilov & Hutter"))
    #expect(run.output.contains("passed  matches-reference "))
    #expect(run.output.contains("all ") && !run.output.contains("FAILED"))
  }

  @Test func certificateAsJSON() throws {
    let run = try Fisher(["verify", "sgd", "--mutants", "--untimed", "--json", "-"])
    let lines = run.output.split(separator: "\n")
    #expect(run.status == 0 && lines.count > 15)
    #expect(lines.allSatisfy { $0.hasPrefix("{\"") && $0.hasSuffix("}") })
    #expect(lines.dropLast().allSatisfy { $0.contains("\"optimizer\":\"sgd\",\"check\":") })
    #expect(lines.last?.hasPrefix("{\"summary\":true,\"optimizer\":\"sgd\",\"checks\":") == true)
    #expect(lines.contains { $0.contains("rejects gradient descent in disguise") })
  }

  @Test func fidelity() throws {
    let run = try Fisher([
      "fidelity", "--optimizers", "sgd,ief,ngd", "--dampings", "1e-10", "--epochs", "1", "--samples", "12",
      "--batches", "1", "--json", "-",
    ])
    #expect(run.status == 0, "\(run.error)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.first?.contains("\"epoch\":1,\"optimizer\":\"sgd\",\"relativeGamma\":1") == true)
    // The exact natural gradient compared with itself.
    #expect(lines.last?.contains("\"cosine\":1") == true, "\(lines.last ?? "")")
  }

  @Test(arguments: [
    (["verify"], "verify takes one name, or all"), (["verify", "adamv"], "unknown optimizer 'adamv'"),
    (["verify", "sgd", "--mutant"], "did you mean --mutants?"),
    (["fidelity", "--epochs", "x"], "--epochs: 'x' is not an integer of at least 0"),
    (["fidelity", "--samples", "0"], "--samples: '0' is not an integer of at least 1"),
    (["fidelity", "--batches", "0"], "--batches: '0' is not an integer of at least 1"),
    (["fidelity", "--samples", "2000"], "--samples: at most the 1438 examples, not 2000"),
    (["fidelity", "--optimizers", "sdg"], "unknown optimizer 'sdg'"),
    (["fidelity", "--dampings", "-1"], "damping is '-1'; it must be a number"),
  ])
  func wrongUsage(_ arguments: [String], _ message: String) throws {
    let run = try Fisher(arguments)
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.error.contains(message) && run.error.split(separator: "\n").count == 1, "\(run.error)")
  }
}
