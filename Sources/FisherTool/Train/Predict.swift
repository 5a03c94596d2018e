import FisherCommandLine
import FisherKit
import FisherRuntime

/// `fisher predict`: what stored weights say to examples, as CSV.
enum Predict {
  static let help = """
    usage: fisher predict FOLDER [OPTIONS]

    What a run that fisher train --checkpoint FOLDER has stored says to examples, a line each: the likeliest class and its
    probability, or the numbers of a regression. Without --input, to its own test data, with the targets beside.
    The data it was trained with have to be where they were: inputs are normalised as they were.

      --input    a CSV file with the features alone, in the order of the training data
      --threads  \(Threads.available) by default
      --plugin, --backend  as the run was started, if it was started with one

    example: fisher predict run --input new.csv
    """

  /// - Returns: the exit status.
  static func run(_ words: [String]) throws(UsageError) -> Int32 {
    let arguments = try Arguments(words, options: StoredRun.options + ["input"])
    return try StoredRun.answer(arguments, command: "predict") { Question(input: arguments.value("input")) }
  }

  private struct Question: StoredRun.Question {
    let input: String?

    func ask<S: KernelScalar>(_ trainer: Trainer<S>, _ data: DataSplit) throws {
      let outputs =
        try input.map { trainer.predict(try Dataset.rows(ofCSV: $0, width: data.train.shape.count)) }
        ?? trainer.predict(data.test)
      switch data.test.targets {
      case .classes(let classes, _):
        Self.printClasses(outputs, data.test, known: input == nil ? classes : nil)
      case .values(let values, let width):
        Self.printNumbers(outputs, data.test.targetNames, known: input == nil ? (values, width) : nil)
      case .inputs: Self.printNumbers(outputs, nil, known: nil)
      }
    }

    /// An answer for each position of an example, separated by spaces.
    private static func printClasses<S: KernelScalar>(_ outputs: Matrix<S>, _ data: Dataset, known: [Int]?) {
      let (answers, classes) = (data.answers, data.outputCount / data.answers)
      func name(_ label: Int) -> String { data.classNames.map { $0[label] } ?? "\(label)" }
      print("class,probability" + (known == nil ? "" : ",target"))
      for i in 0..<outputs.rows {
        let row = outputs.row(i).array.map(Double.init)
        let best = (0..<answers).map { t -> (label: Int, probability: Double) in
          let z = row[t * classes..<(t + 1) * classes]
          let place = z.indices.max { z[$0] < z[$1] } ?? z.startIndex
          return (place - z.startIndex, 1 / z.reduce(0) { $0 + exp($1 - z[place]) })
        }
        let target = known.map { known in
          "," + (0..<answers).map { name(known[i * answers + $0]) }.joined(separator: " ")
        }
        let columns = [
          best.map { name($0.label) }, best.map { fixed($0.probability, 4) },
        ].map { $0.joined(separator: " ") }
        print(columns.joined(separator: ",") + (target ?? ""))
      }
    }

    /// Quoted where it would not be one field.
    private static func field(_ text: String) -> String {
      text.contains { "\",;\t\r\n".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }

    private static func printNumbers<S: KernelScalar>(
      _ outputs: Matrix<S>, _ names: [String]?, known: (values: [Float], width: Int)?
    ) {
      let ends =
        names?.map { " " + $0 } ?? (outputs.columns == 1 ? [""] : (0..<outputs.columns).map { "\($0)" })
      let titles = (known == nil ? ["output"] : ["output", "target"]).flatMap { start in
        ends.map { Self.field(start + $0) }
      }
      print(titles.joined(separator: ","))
      for i in 0..<outputs.rows {
        let known = known.map { known in
          known.values[i * known.width..<(i + 1) * known.width].map { "\($0)" }
        }
        print((outputs.row(i).array.map { "\($0)" } + (known ?? [])).joined(separator: ","))
      }
    }
  }
}
