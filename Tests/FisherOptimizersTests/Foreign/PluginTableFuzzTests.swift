import FisherOptimizers
import FisherPluginABI
import FisherTestSupport
import Testing

/// Tables of plugins with anything in them that can be read: an error, or an optimizer that hangs together.
@Suite struct PluginTableFuzzTests {
  /// Memory that a table points at, valid as long as this lives.
  private final class Room {
    private var texts: [UnsafeMutablePointer<CChar>] = []
    let hyperparameters = UnsafeMutablePointer<fisher_hyperparameter>.allocate(capacity: 64)
    let slots = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: 64)
    let costs = UnsafeMutablePointer<fisher_cost>.allocate(capacity: 4)
    let probes = UnsafeMutablePointer<Double>.allocate(capacity: 256)

    func text(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
      for (i, byte) in bytes.enumerated() { copy[i] = CChar(bitPattern: byte) }
      copy[bytes.count] = 0
      texts.append(copy)
      return UnsafePointer(copy)
    }

    deinit {
      for text in texts { text.deallocate() }
      hyperparameters.deallocate()
      slots.deallocate()
      costs.deallocate()
      probes.deallocate()
    }
  }

  private static let names = ["adamish", "lr", "beta", "m", "average", "a/b", "", "x y", "lR", "ü"].map {
    Array($0.utf8)
  }

  private static let numbers: [Double] = [
    0, -0.0, 1, -1, 0.5, 1e300, .leastNonzeroMagnitude, .nan, .infinity, -.infinity, .greatestFiniteMagnitude,
  ]

  private static func entry(
    _ room: Room, _ mutator: inout Mutator, _ generator: inout Generator, name: [UInt8]
  ) -> fisher_hyperparameter {
    var text: UnsafePointer<CChar>? { generator.next() & 63 == 0 ? nil : room.text(mutator.next()) }
    let isOdd = generator.next() & 3 == 0
    return fisher_hyperparameter(
      name: room.text(isOdd ? mutator.next() : name), meaning: text, source: text,
      value: isOdd ? generator.pick(numbers) : 0.5,
      range: isOdd ? Int32.random(in: -1...6, using: &generator) : 2,
      reserved: generator.next() & 63 == 0 ? 1 : 0, low: isOdd ? generator.pick(numbers) : 0,
      high: isOdd ? generator.pick(numbers) : 1)
  }

  private static let formulas = ["P", "2*I*J^2 + J^3/s1", "0", "N*", "J^99", "lr"].map { Array($0.utf8) }

  /// What version 1 does not know of; mostly nothing.
  private static func addSecondVersion(
    _ table: inout fisher_optimizer, _ room: Room, _ mutator: inout Mutator, _ generator: inout Generator
  ) {
    func odd(_ rate: UInt64) -> Bool { generator.next() % rate == 0 }
    func bits(_ count: UInt32) -> UInt32 { UInt32(truncatingIfNeeded: generator.next()) % (1 << count) }
    if odd(4) {
      (table.step, table.reference_step) = (odd(8) ? nil : { _ in 0 }, odd(8) ? nil : { _ in 0 })
      if !odd(4) {
        (table.update_f32, table.update_f64, table.reference, table.slot_count) = (nil, nil, nil, 0)
      }
      table.needs = odd(8) ? bits(8) : bits(5)
      table.roles = odd(8) ? bits(9) : bits(7)
    }
    if odd(8) { table.fallback = room.text(mutator.next()) }
    if odd(8) { table.state_size = room.text(mutator.next()) }
    if odd(8) { table.momentum = odd(2) ? room.text(mutator.next()) : room.text(Array("lr".utf8)) }
    if odd(4) {
      for i in 0..<4 {
        room.costs[i] = fisher_cost(
          scope: odd(16) ? -1 : Int32(bits(3)) % 6, reserved: odd(64) ? 1 : 0,
          flops: room.text(generator.pick(formulas)),
          elements: odd(16) ? nil : room.text(odd(4) ? mutator.next() : generator.pick(formulas)))
      }
      (table.costs, table.cost_count) = (odd(32) ? nil : UnsafePointer(room.costs), odd(32) ? .max : bits(2))
    }
    if odd(4) {
      for i in 0..<256 { room.probes[i] = odd(4) ? generator.pick(numbers) : 0.5 }
      (table.probes, table.probe_count) = (
        odd(32) ? nil : UnsafePointer(room.probes), odd(32) ? .max : bits(2)
      )
    }
    if odd(8) {
      (table.derived_slots, table.derived_slot_count) = (
        UnsafePointer(room.slots), odd(16) ? .max : bits(2)
      )
    }
    table.reserved_2 = odd(64) ? 1 : 0
  }

  @Test func anyTableIsReadOrRefused() throws {
    var accepted = 0
    for batch in 0..<10 {
      let seed = Seed.first &+ UInt64(batch)
      print("fuzz plugin tables: FISHER_SEED=\(seed), 10000 inputs")
      var generator = Generator(seed: seed)
      var mutator = Mutator(seed: seed, corpus: Self.names)
      for _ in 0..<10_000 {
        let room = Room()
        var table = fisher_optimizer()
        func odd(_ rate: UInt64) -> Bool { generator.next() % rate == 0 }
        func text() -> UnsafePointer<CChar>? {
          odd(64) ? nil : room.text(odd(2) ? Self.names[0] : mutator.next())
        }
        table.magic = odd(64) ? 0 : UInt32(FISHER_PLUGIN_MAGIC)
        let isFirst = odd(4)
        table.version = odd(64) ? .max : isFirst ? 1 : UInt32(FISHER_PLUGIN_VERSION)
        table.size =
          odd(64) ? .max : isFirst ? ForeignTable.firstSize : UInt64(MemoryLayout<fisher_optimizer>.size)
        (table.name, table.title, table.summary, table.paper) = (text(), text(), text(), text())
        let count = Int.random(in: 0...3, using: &generator)
        for i in 0..<64 {
          room.hyperparameters[i] = Self.entry(
            room, &mutator, &generator, name: Self.names[i == 0 ? 1 : 2])
          room.slots[i] = odd(64) ? nil : room.text(odd(4) ? mutator.next() : Array("s\(i)".utf8))
        }
        table.hyperparameters = odd(64) ? nil : UnsafePointer(room.hyperparameters)
        table.hyperparameter_count = odd(32) ? .max : UInt32(count)
        table.facts = odd(16) ? UInt32(truncatingIfNeeded: generator.next()) : 1
        table.slots = odd(64) ? nil : UnsafePointer(room.slots)
        table.slot_count = odd(32) ? 65 : UInt32(count)
        table.reserved = odd(64) ? 7 : 0
        table.update_f32 = odd(64) ? nil : { _, _, _, _ in 0 }
        table.update_f64 = { _, _, _, _ in 0 }
        table.reference = odd(64) ? nil : { _, _, _, _ in 0 }
        Self.addSecondVersion(&table, room, &mutator, &generator)
        do {
          let read = try ForeignTable(table, from: "x.so")
          let settings = try Settings(read.record)
          precondition(settings.number("lr").isFinite && Set(read.slots).count == read.slots.count)
          precondition(read.numbers(of: settings).count == read.record.hyperparameters.count)
          for probe in read.record.probes { _ = try Settings(read.record, probe) }
          _ = "\(read.record.cost) \(read.record.needs)"
          accepted += 1
        } catch { precondition(!"\(error)".isEmpty) }
        withExtendedLifetime(room) {}
      }
    }
    #expect(accepted > 1000)
  }

  /// An entry point that never ends, or that says the same twice.
  @Test func anyEntryPointEnds() {
    var table = fisher_optimizer()
    table.magic = 7
    #expect(throws: PluginError.foreign(path: "x.so")) {
      try PluginLibrary.tables(
        { _, target in
          target?.pointee = table
          return 0
        }, of: "x.so")
    }
    #expect(throws: PluginError.empty(path: "x.so")) { try PluginLibrary.tables({ _, _ in 1 }, of: "x.so") }
  }
}
