import FisherLinearAlgebra
import FisherNetworks
import FisherRuntime
import FisherTestSupport
import Testing

/// After the first steps no memory for elements is taken, whatever the layer, also for a smaller last batch.
@Test(arguments: NetworkCase.all)
func stepsTakeNoMemory(subject: NetworkCase) throws {
  let problem = try Problem(subject, samples: 40, seed: Seed.first)
  let network = try subject.network(Float.self)
  let workspace = network.makeWorkspace(threads: 1)
  let values = problem.values(network)
  let inputs = problem.inputs(Float.self)
  let part = inputs[rows: 0..<33, columns: 0...]
  let positions = network.output.positions
  let labels: Labels<Float> = .classes(problem.classes)
  let partLabels: Labels<Float> = .classes(Array(problem.classes.prefix(33 * positions)))
  var gradients = network.zeros()
  func steps() {
    for (inputs, labels) in [(inputs, labels), (part, partLabels)] {
      workspace.forward(values, inputs, labels, mode: subject.mode)
      workspace.backward(values, into: &gradients)
      workspace.updateStatistics()
    }
  }
  // Scratch within scratch within scratch: each step may find out about one more level.
  for _ in 0..<4 { steps() }
  let before = AllocationCount.current
  steps()
  #expect(AllocationCount.current == before)
}
