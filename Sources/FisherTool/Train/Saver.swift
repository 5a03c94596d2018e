import FisherCommandLine
import FisherKit
import FisherRuntime

/// When checkpoints are written, and where.
struct Saver {
  let directory: String?
  private let every: Int?
  private let configuration: [String: String]

  /// Makes the folder ready.
  ///
  /// - Parameter resumed: the run that goes on, which may write into its own folder, and into others that hold no run or
  ///   an earlier state of the same one.
  /// - Throws: ``UsageError`` if another run would be overwritten, ``FileError`` if the folder cannot be written.
  init(_ arguments: Arguments, resumed: Checkpoint?, configuration: [String: String]) throws {
    directory = arguments.value("checkpoint") ?? arguments.value("resume")
    every = try arguments.count("checkpoint-steps")
    self.configuration = configuration
    guard let directory else { return }
    if !Self.isSameFolder(directory, arguments.value("resume")) {
      try Self.requireOwn(directory, resumed)
    }
    try Checkpoint.prepare(directory)
  }

  private static func requireOwn(_ directory: String, _ resumed: Checkpoint?) throws {
    guard Checkpoint.isPresent(in: directory) else { return }
    guard let resumed else {
      throw UsageError(
        "--checkpoint: \(directory) holds a run already; continue it with --resume, or take another folder")
    }
    let present = try Checkpoint(in: directory)
    if !present.isOfSameRun(as: resumed) {
      throw UsageError("--checkpoint: \(directory) holds another run; take another folder")
    }
    if present.stepCount > resumed.stepCount {
      throw UsageError(
        "--checkpoint: \(directory) holds the same run after \(present.stepCount) steps, --resume has \(resumed.stepCount)"
      )
    }
  }

  /// Whether two paths lead to one folder.
  private static func isSameFolder(_ a: String, _ b: String?) -> Bool {
    var (first, second) = (stat(), stat())
    guard let b, stat(a, &first) == 0, stat(b, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
  }

  /// Writes a checkpoint if it is time.
  func save<S: KernelScalar>(_ trainer: Trainer<S>, after event: TrainingEvent) throws(FileError) {
    if case .step(let steps, _, _) = event, every.map({ steps % $0 != 0 }) ?? true { return }
    try save(trainer)
  }

  /// Writes a checkpoint now.
  func save<S: KernelScalar>(_ trainer: Trainer<S>) throws(FileError) {
    guard let directory else { return }
    try trainer.save(to: directory, configuration: configuration)
  }
}
