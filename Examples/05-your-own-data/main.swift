// Numbers of your own: two noisy spirals, told apart by a small network.
//
//     swift run -c release 05-your-own-data

import FisherKit
import Foundation

/// Points of both arms in turn, the same for the same seed.
func spirals(_ count: Int, seed: UInt64) -> Dataset {
  var generator = KeyedGenerator(seed)
  var (rows, classes): ([[Float]], [Int]) = ([], [])
  for i in 0..<count {
    let arm = i % 2
    let turn = 0.5 + 5 * generator.unit()
    let angle = turn + (arm == 0 ? 0 : Double.pi)
    let radius = turn / 5 + 0.04 * generator.unit()
    rows.append([Float(radius * cos(angle)), Float(radius * sin(angle))])
    classes.append(arm)
  }
  return Dataset(
    name: "spirals", shape: ExampleShape(channels: 2), rows: rows, classes: classes, classCount: 2)
}

let data = DataSplit(train: spirals(1000, seed: 1), test: spirals(300, seed: 2))
let network = try Network<Float>(input: [2], [.linear(32), .relu, .linear(32), .relu, .linear(2)])
var options = TrainingOptions()
options.epochs = 40
options.batchSize = 32
let trainer = try Trainer(network, data, optimizer: AdamW(lr: 1e-2), options: options)
let result = try trainer.run()
print("best test accuracy", result.bestTestAccuracy ?? 0)
precondition(result.bestTestAccuracy ?? 0 > 0.9)
