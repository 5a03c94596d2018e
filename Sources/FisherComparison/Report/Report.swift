import FisherCommandLine
import FisherKit
import FisherPages
import FisherRuntime

/// The page of a comparison: everything in it follows from the record.
package struct Report {
  let record: Record
  let options: ComparisonOptions
  package let workloads: [WorkloadSummary]

  package init(_ record: Record, _ options: ComparisonOptions) {
    self.record = record
    self.options = options
    workloads = options.workloads.map { WorkloadSummary($0, record, options) }
  }

  /// One file, without anything from elsewhere.
  package var html: String {
    let title = "Optimizers compared on " + options.workloads.map(\.name).joined(separator: ", ")
    let body = ["<h1>\(Page.escaped(title))</h1>", head, shortly] + workloads.map(section)
    return Page.html(title: title, body + [profile, method])
  }

  private var head: String {
    let runs = record.cells.count
    let machines = record.machines.joined(separator: "; ")
    return """
      <p>\(runs) runs of \(options.methods.count) methods, \(TimeLeft.text(record.seconds)) of computing, by fisher \
      \(packageVersion) on \(Page.escaped(machines)). Every method had the same weights, the same batches, and
      \(options.trials + 1) settings to try, the defaults among them; the one that was chosen was run with
      \(options.seeds) other seeds. The runs are in <a href="\(RecordFile.name)">\(RecordFile.name)</a>.</p>
      """
  }

  /// Who beats the baseline, who is beaten, and where nothing can be said.
  private var shortly: String {
    let items = workloads.map { workload -> String in
      func names(_ isWanted: (WorkloadSummary.Row) -> Bool) -> String {
        let found = workload.ranked.filter { !$0.summary.method.isPlacebo && isWanted($0) }
        return found.isEmpty ? "none" : found.map(\.summary.method.name).joined(separator: ", ")
      }
      let base = workload.rows.first { $0.summary.method.name == ComparisonOptions.baseline }
      let level = 0.05
      let faster = names { ($0.secondsProbability ?? 1) < level && ($0.ratio ?? 1) < 1 }
      let fewer = names { ($0.stepsProbability ?? 1) < level && $0.steps < (base?.steps ?? 0) }
      let slower = names { ($0.secondsProbability ?? 1) < level && ($0.ratio ?? 1) > 1 }
      return """
        <li><strong>\(workload.workload.name)</strong>: in fewer steps than tuned \(ComparisonOptions.baseline): \(fewer). \
        In less time: \(faster). In more time: \(slower).</li>
        """
    }
    return """
      <h2>In short</h2>
      <p>Against \(ComparisonOptions.baseline), tuned in the same way; by signed ranks over the seeds, adjusted for the
      number of methods, at a level of 5 %. Who is not named is not told apart by so many seeds, or was not measured:
      \(options.seeds) seeds that all agree have p = \(Figure.text(pow(2, 1 - Double(options.seeds)))) before the adjustment.</p>
      <ul>
      \(items.joined(separator: "\n"))
      </ul>
      """
  }

  private func section(_ workload: WorkloadSummary) -> String {
    let problem = workload.workload
    let charts = Charts(workload)
    let stops = workload.rows.compactMap { row in
      row.summary.firstStop.map { "<li>\(row.summary.method.name): \(Page.escaped($0))</li>" }
    }
    let stopped =
      stops.isEmpty ? "" : "<h3>Runs that ended early</h3><ul>\(stops.joined(separator: "\n"))</ul>"
    return """
      <h2>\(problem.name)</h2>
      <p>\(Page.escaped(problem.summary)) Batches of \(problem.batch), \(problem.budget) steps, \(problem.element.rawValue); \
      the target is a loss of the test data of \(Figure.text(problem.target)), looked at every \(problem.interval) steps.</p>
      \(Tables.results(workload).html)
      <h3>Curves</h3>
      <div class="charts">
      \(charts.lossOverSteps)
      \(charts.lossOverTime)
      \(charts.timeToTarget)
      \(charts.phases)
      \(charts.closeness)
      </div>
      <h3>Tuning</h3>
      \(Tables.tuning(workload).html)
      <div class="charts">
      \(charts.sensitivities.joined(separator: "\n"))
      </div>
      \(Tables.placebos(workload).map { "<h3>Placebos</h3>" + $0.html } ?? "")
      \(stopped)
      """
  }

  /// Over all workloads and seeds.
  private var profile: String {
    var costs: [[Double]] = Array(repeating: [], count: options.methods.count)
    for workload in workloads {
      for seed in 1...options.seeds {
        let times = workload.rows.map { row -> Double? in
          guard let outcome = row.summary.outcomes[seed], let time = row.summary.secondsPerStep else {
            return nil
          }
          return time * outcome.curve.steps(to: workload.workload.target)
        }
        // A problem that some have not finished yet is none.
        let isComplete = !zip(workload.rows, times).contains { row, time in
          time == nil && row.summary.secondsPerStep != nil
        }
        if isComplete { for (i, time) in times.enumerated() { costs[i].append(time ?? .infinity) } }
      }
    }
    let shown = options.methods.indices.filter { !options.methods[$0].isPlacebo }
    let profile = PerformanceProfile(costs: shown.map { costs[$0] })
    guard let problems = costs.first?.count, problems > 0 else { return "" }
    return """
      <h2>Over all workloads</h2>
      \(Charts.profile(profile, names: shown.map { options.methods[$0].name }, problems: problems))
      \(CommonSetting.table(workloads)?.html ?? "")
      """
  }

  private var method: String {
    let placebos = Set(options.methods.compactMap(\.control)).sorted { $0.rawValue < $1.rawValue }
      .map { "<li><strong>\($0.rawValue)</strong>: \($0.meaning).</li>" }
    return """
      <h2>What was measured, and how</h2>
      <ul>
      <li>Losses have the same bits on every machine with fused multiply-adds, for any number of threads and however busy the
      machine was. <code>fisher compare --check FOLDER</code> takes the runs again and says whether they hold.</li>
      <li>Times are steps times the seconds of a step. The step was measured apart from all training, part by part, the
      methods in turn, on random examples of the same shape; a part's time is the least of \(Measurement.rounds) rounds of
      whole cycles of the method's periods. Statistics and inversion are told apart by setting their periods beyond the
      measurement; what has no period counts as update. Placebos have the times of their methods.</li>
      <li>The learning rate is constant. It was looked for within a factor of 30 of the default, the damping within 100,
      evenly on a logarithmic scale, by the same random numbers for every method; all else is as the method's record has it.
      The setting with the fewest steps to the target was chosen on seed 0, which is not among the seeds of the results.
      Methods with two hyper-parameters had no more settings to try than those with one.</li>
      <li>The target is met when the loss of the test data is first at most the target. A run that did not meet it within its
      steps counts as infinite. The same test data served the search.</li>
      <li>Intervals: percentile bootstrap of the median over the seeds, 95 %, 2000 resamples. p: Wilcoxon's signed ranks over the
      seeds, exact, two-sided, adjusted by Holm. Attempts: the mean place of the first setting that meets the target, over
      all orders of the random settings that were tried.</li>
      <li>γ(Δ) = √(ΔᵀFΔ)/|Δᵀg| with the exact Fisher matrix F of a batch of training examples, in double precision, at the
      weights of \(ComparisonOptions.baseline) after a quarter of the steps with seed 0, mean over two batches; every method with its
      chosen setting and twenty steps of the same batch in its averages (Wu et al. 2024, equation 15). It is smallest for
      the natural gradient.</li>
      \(placebos.isEmpty ? "" : "<li>Placebos, tuned like all others:<ul>\(placebos.joined())</ul></li>")
      </ul>
      """
  }
}
