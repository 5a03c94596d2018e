/// The rule that keeps loops of vectors fast: an intrinsic is an instruction, not a function that is called.
///
/// The compiler does not inline C's intrinsics into what it takes for a thunk, a witness or a closure that is passed on, and
/// says nothing: a product of a matrix and a vector took four times as long, an update twice. Only the witnesses of a
/// vector unit may call them, because specialised code names the unit's own functions.
enum IntrinsicGate {
  /// The functions that call an intrinsic, by what `objdump -d -r` prints of object files.
  static func callers(in output: String) -> Set<String> {
    var (callers, function) = (Set<String>(), "")
    for line in output.split(separator: "\n") {
      if line.hasSuffix(">:"), let start = line.firstIndex(of: "<") {
        function = String(line[line.index(after: start)...].dropLast(2))
      } else if line.contains("<_mm") || line.contains("R_X86_64") && line.contains(/[\t.]_mm/) {
        callers.insert(function)
      }
    }
    return callers.filter { !isWitnessOfUnit($0) && !$0.hasPrefix("_mm") }
  }

  /// The mangled name of a witness for one of the protocols of vector units, merged with an equal one or not.
  private static func isWitnessOfUnit(_ name: String) -> Bool {
    (name.contains("10VectorUnitAa") || name.contains("11GroupedUnitAa"))
      && (name.hasSuffix("TW") || name.hasSuffix("TWTm"))
  }
}
