public import FisherOptimizers

/// All checks, and what they make of optimizers and of mutants.
public enum Battery {
  static let checks: [Check] = facts + agreement + declared + behaviour

  private static let facts: [Check] = [.factsAreComplete, .bounds]
  private static let agreement: [Check] = [
    .matchesReference, .matchesReferenceInFloat, .testedWeights, .backendsAgree, .sameBitsForAnyThreads,
    .resume,
    .stateChanges, .stateStaysInSize, .wrapping,
  ]
  private static let declared: [Check] =
    Invariance.allCases.map(Check.invariance) + Promise.allCases.map(Check.promise)
    + [
      .decayAsDeclared, .constantGradients, .unitsAsDeclared, .orderOfParameters, .missingGradients, .groups,
    ]
  private static let behaviour: [Check] = [
    .zeroGradients, .refusesNonFinite, .nonFiniteCaptures, .smallShapes, .zeroLearningRate,
    .descendsOnLeastSquares, .steadyState, .costAsDeclared,
  ]

  /// The names of all checks, with what they mean.
  public static var list: [(name: String, meaning: String)] {
    (checks + [.fastEnough]).map { ($0.name, $0.meaning) }
  }

  /// Runs every check that the optimizer's facts call for.
  ///
  /// - Parameters:
  ///   - subject: the optimizer with its record.
  ///   - timed: also whether it is fast enough, which is the only check that a busy machine can change.
  ///   - progress: called with each finding as it comes.
  public static func verify(
    _ subject: Subject, timed: Bool = false, progress: (Finding) -> Void = { _ in }
  ) -> [Finding] {
    (checks + (timed ? [.fastEnough] : [])).filter { $0.applies(subject.record) }.map { check in
      let finding = run(check, subject)
      progress(finding)
      return finding
    }
  }

  /// The first check that rejects a mutant; nil if the battery does not notice it.
  ///
  /// - Parameters:
  ///   - mutation: the fault.
  ///   - type: the optimizer that is made faulty.
  ///   - dropped: the names of checks that the battery shall do without, to see whether they are needed.
  public static func rejection(
    of mutation: Mutation, _ type: any Optimizer.Type, without dropped: Set<String> = []
  ) -> Finding? {
    rejection(of: mutation, Subject(type), without: dropped)
  }

  /// The first check that rejects a mutant, from runs of the naive form that the subject remembers.
  public static func rejection(
    of mutation: Mutation, _ right: Subject, without dropped: Set<String> = []
  ) -> Finding? {
    let subject = right.mutated(by: mutation)
    let checks = checks + (mutation.isTimed ? [.fastEnough] : [])
    let ordered =
      checks.filter { $0.name == mutation.noticedBy } + checks.filter { $0.name != mutation.noticedBy }
    for check in ordered where check.applies(subject.record) && !dropped.contains(check.name) {
      let finding = run(check, subject)
      if !finding.passed { return finding }
    }
    return nil
  }

  private static func run(_ check: Check, _ subject: Subject) -> Finding {
    do {
      return Finding(check: check.name, passed: true, detail: try check.run(subject))
    } catch {
      return Finding(check: check.name, passed: false, detail: "\(error)")
    }
  }
}
