// An optimizer in a library of its own: momentum whose sign alone counts (Bernstein et al., ICML 2018).
//
//   m ← β·m + (1 − β)·g;  θ ← θ − α·sign(m)
//
//     swiftc -O -emit-library -module-name Signum -I Sources/FisherPluginABI Examples/Plugin/Signum.swift -o libsignum.so
//     fisher verify --plugin ./libsignum.so
//     fisher train --plugin ./libsignum.so --optimizer signum

import FisherPluginABI

/// The update as it runs: one loop over the elements, for both precisions.
@inline(__always)
func update<S: BinaryFloatingPoint>(
  _ parameter: fisher_parameter, _ value: UnsafeMutablePointer<S>, _ gradient: UnsafePointer<S>,
  _ m: UnsafeMutablePointer<S>
) {
  let (α, β) = (S(parameter.settings[0] * parameter.schedule), S(parameter.settings[1]))
  let rest = S(1 - parameter.settings[1])
  for i in 0..<Int(parameter.rows * parameter.columns) {
    m[i] = β * m[i] + rest * gradient[i]
    value[i] -= α * (m[i] > 0 ? 1 : m[i] < 0 ? -1 : 0)
  }
}

/// The same once more, from the definition, to compare with.
func reference(
  _ parameter: fisher_parameter, _ value: UnsafeMutablePointer<Double>, _ gradient: UnsafePointer<Double>,
  _ m: UnsafeMutablePointer<Double>
) {
  for i in 0..<Int(parameter.rows) {
    for j in 0..<Int(parameter.columns) {
      let place = i * Int(parameter.columns) + j
      let average = parameter.settings[1] * m[place] + (1 - parameter.settings[1]) * gradient[place]
      if average != 0 {
        value[place] -= parameter.settings[0] * parameter.schedule * average / average.magnitude
      }
      m[place] = average
    }
  }
}

/// Strings and lists that live as long as the process.
func text(_ string: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
}

func list<T>(_ elements: [T]) -> UnsafePointer<T> {
  let copy = UnsafeMutablePointer<T>.allocate(capacity: elements.count)
  copy.initialize(from: elements, count: elements.count)
  return UnsafePointer(copy)
}

@_cdecl("fisher_plugin")
public func plugin(_ index: UInt32, _ optimizer: UnsafeMutablePointer<fisher_optimizer>) -> Int32 {
  if index > 0 { return 1 }
  var table = fisher_optimizer()
  table.magic = UInt32(FISHER_PLUGIN_MAGIC)
  table.version = UInt32(FISHER_PLUGIN_VERSION)
  table.size = UInt64(MemoryLayout<fisher_optimizer>.size)
  table.name = text("signum")
  table.title = text("Signum")
  table.summary = text("Moves every coordinate by α along the sign of its momentum.")
  table.paper = text("Bernstein, Wang, Azizzadenesheli & Anandkumar: signSGD, ICML 2018")
  table.hyperparameters = list([
    fisher_hyperparameter(
      name: text("lr"), meaning: text("learning rate α"), source: text("Bernstein et al. 2018"), value: 1e-4,
      range: Int32(FISHER_POSITIVE), reserved: 0, low: 0, high: 0),
    fisher_hyperparameter(
      name: text("beta"), meaning: text("β of the average of g"), source: text("Bernstein et al. 2018"),
      value: 0.9, range: Int32(FISHER_HALF_OPEN), reserved: 0, low: 0, high: 1),
  ])
  table.hyperparameter_count = 2
  table.facts = UInt32(FISHER_LOSS_SCALE | FISHER_ELEMENT_PERMUTATION | FISHER_SIGN | FISHER_ELEMENTWISE)
  table.slots = list([text("m")])
  table.slot_count = 1
  table.update_f32 = { parameter, value, gradient, state in
    update(parameter!.pointee, value!, gradient!, state![0]!)
    return 0
  }
  table.update_f64 = { parameter, value, gradient, state in
    update(parameter!.pointee, value!, gradient!, state![0]!)
    return 0
  }
  table.reference = { parameter, value, gradient, state in
    reference(parameter!.pointee, value!, gradient!, state![0]!)
    return 0
  }
  optimizer.initialize(to: table)
  return 0
}
