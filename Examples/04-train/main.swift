// Handwritten digits, three optimizers, the same weights and order of examples.
//
//     swift run -c release 04-train

import FisherKit

let data = try DataSplit.named("digits")
let network = try Network<Float>(input: [1, 8, 8], [.flatten, .linear(64), .relu, .linear(10)])
var options = TrainingOptions()
options.epochs = 5
options.batchSize = 16

let optimizers: [(String, any Optimizer)] = [
  ("SGD", SGD(lr: 0.03)), ("AdamW", AdamW(lr: 3e-3)), ("AdaFisher", AdaFisher()),
]
for (name, optimizer) in optimizers {
  let trainer = try Trainer(network, data, optimizer: optimizer, options: options, registry: .builtIn)
  let result = try trainer.run { event in
    if case .epoch(let report) = event {
      print(name, "epoch", report.epoch, "loss", report.trainLoss, "accuracy", report.test.accuracy ?? 0)
    }
  }
  precondition(result.bestTestAccuracy ?? 0 > 0.9, "\(name) has not learned the digits")
}
