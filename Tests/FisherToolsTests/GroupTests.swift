import Foundation
import Testing

/// `--group`: parameters by name with settings, or an optimizer, of their own.
@Suite struct GroupTests {
  private static let model = ["train", "--model", "mlp:64-16-10", "--batch", "64", "--json", "-"]

  /// The result event of a run.
  private func result(_ arguments: [String]) throws -> [String: Any] {
    let run = try Fisher(Self.model + arguments)
    #expect(run.status == 0, "\(run.error)")
    return try #require(try run.lines().last)
  }

  private func hash(_ arguments: [String]) throws -> String {
    try #require(try result(arguments)["parametersHash"] as? String)
  }

  @Test func aGroupOfAllIsTheRun() throws {
    let epochs = ["--epochs", "2"]
    let sgd = try hash(["--optimizer", "sgd", "--set", "lr=0.03"] + epochs)
    #expect(try hash(["--optimizer", "sgd", "--group", "*:lr=0.03"] + epochs) == sgd)
    #expect(try hash(["--optimizer", "rmsprop", "--group", "*:optimizer=sgd,lr=0.03"] + epochs) == sgd)
    #expect(
      try hash(["--optimizer", "sgd", "--group", "*.bias:lr=0.03", "--group", "*:lr=0.03"] + epochs) == sgd)
    #expect(try hash(["--optimizer", "sgd", "--group", "*.bias:lr=0.03"] + epochs) != sgd)
  }

  @Test func theFirstThatFitsDecides() throws {
    let one = ["--optimizer", "sgd", "--epochs", "1"]
    let expected = try hash(one + ["--group", "*.bias:frozen", "--group", "*:lr=0.02"])
    #expect(
      try hash(one + ["--group", "*.bias:frozen", "--group", "*.bias:lr=9", "--group", "*:lr=0.02"])
        == expected)
    #expect(try hash(one + ["--group", "*:lr=0.02", "--group", "*.bias:frozen"]) != expected)
  }

  @Test func frozenParametersStay() throws {
    let frozen = ["--group", "*:frozen", "--epochs"]
    #expect(
      try hash(["--optimizer", "sgd"] + frozen + ["1"]) == hash(["--optimizer", "adam"] + frozen + ["2"]))
  }

  /// Who updates what is said before the first step, and stands in the log.
  @Test func theRoutingIsSaid() throws {
    let group = "*.bias:optimizer=lion,lr=0.001"
    let run = try Fisher(["train", "--epochs", "1", "--optimizer", "sgd", "--group", group])
    #expect(run.status == 0 && run.output.contains("group *.bias, lion"), "\(run.output)")
    let log = try Fisher(Self.model + ["--epochs", "1", "--group", group]).lines()
    #expect(log.first?["groups"] as? [String] == [group])
  }

  @Test func resumedRunsKeepTheirGroups() throws {
    let folder = try Folder()
    let groups = [
      "--optimizer", "sgd", "--schedule", "constant", "--group", "*.bias:frozen", "--group",
      "*:lr=0.02,momentum=0.8",
    ]
    let whole = try hash(groups + ["--epochs", "2"])
    _ = try hash(groups + ["--epochs", "1", "--checkpoint", folder.path + "/run"])
    let resumed = ["train", "--resume", folder.path + "/run", "--epochs", "2", "--json", "-"]
    let other = try Fisher(resumed + ["--group", "*.bias:lr=1"])
    #expect(other.status == 2 && other.error.contains("--group cannot be changed"), "\(other.error)")
    let run = try Fisher(resumed)
    #expect(run.status == 0, "\(run.error)")
    #expect(try run.lines().last?["parametersHash"] as? String == whole)
  }

  @Test(arguments: [
    ("x", "is none of PATTERN:name=value"), (":", "is none of PATTERN:name=value"),
    ("*.bias:lr", "--group: 'lr' is not of the form name=value"),
    ("*.bais:lr=1", "'*.bais' fits none of "), ("*.bias:lt=1", "did you mean lr?"),
    ("*.bias:lr=-1", "sgd: lr is"), ("*.bias:optimizer=loin", "did you mean lion?"),
    ("*.bias:lr=1e-60", "which is 0 in Float"),
  ])
  func wrongGroupsAreALine(group: String, message: String) throws {
    let run = try Fisher(["train", "--optimizer", "sgd", "--group", group])
    #expect(run.status == 2 && run.error.contains(message), "\(run.error)")
    #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
  }
}
