import FisherLinearAlgebra
import FisherOptimizers
import FisherTraining

extension Check {
  /// A problem whose solution is known and has loss 0, as it comes from a network.
  static let descendsOnLeastSquares = Check(
    name: "descends",
    meaning: "with its defaults, the method brings down a convex loss whose least value is 0"
  ) { subject in
    var generator = KeyedGenerator(seed)
    let X = Matrix<Double>(rows: 24, columns: 6) { _, _ in generator.uniform() }
    let W = Matrix<Double>(rows: 4, columns: 6) { _, _ in generator.uniform() }
    var problem = try LinearProblem(X: X, Y: X.multiplied(by: W.transposed), hasBias: subject.treatsBiases)
    problem.values = problem.network.initialValues(seed: 1)
    let first = problem.pass(.gradients).loss
    try problem.run(subject, subject.record.replaced, steps: 300)
    let last = problem.pass(.gradients).loss
    try demand(last < 0.97 * first, "the loss goes from \(short(first)) to \(short(last)) in 300 steps")
    return "loss from \(short(first)) to \(short(last)) in 300 steps"
  }
}
