import Foundation
import Testing

/// Plugins that take whole steps, and the examples that ship.
@Suite struct PluginStepTests {
  static let examples = BuiltPlugin.root.appendingPathComponent("Examples/Plugin")

  /// What makes a shared library of C or C++ here; nil if nothing does.
  static func compiler(_ names: [String], _ options: [String]) -> [String]? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let found = names.first { name in
      folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }
    if found == nil { print("skipped: there is no compiler named \(names.joined(separator: " or "))") }
    return found.map { [$0, "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"] + options }
  }

  static let c = compiler(["cc", "clang"], ["-std=c11"])

  /// Builds C from a text and lends the library.
  static func withPlugin(_ source: String, _ body: (BuiltPlugin) throws -> Void) throws {
    guard let c else { return }
    let folder = try Folder()
    let plugin = try BuiltPlugin(
      URL(fileURLWithPath: try folder.write("plugin.c", source)), name: "Plugin", compiler: c)
    defer { plugin.remove() }
    try body(plugin)
  }

  @Test func kroneckerFactorsInCAreVerifiedAndTrain() throws {
    guard let c = Self.c else { return }
    let plugin = try BuiltPlugin(Self.examples.appendingPathComponent("kfac.c"), name: "kfac", compiler: c)
    defer { plugin.remove() }
    let certificate = try Fisher(["verify", "--plugin", plugin.path, "--mutants", "--untimed"])
    #expect(certificate.status == 0, "\(certificate.output) \(certificate.error)")
    for check in ["cost-as-declared", "invariance-rotation-of-units", "stale inverse", "swapped factors"] {
      #expect(certificate.output.contains(check), "\(check) did not run")
    }
    let run = try Fisher([
      "train", "--plugin", plugin.path, "--optimizer", "kfac-c", "--epochs", "2", "--json", "-",
    ])
    #expect(run.status == 0 && run.output.contains("\"bestTestAccuracy\""), "\(run.error)")
  }

  @Test func momentumInPlusPlusIsVerifiedAndTrains() throws {
    guard let compiler = Self.compiler(["c++", "clang++"], ["-std=c++17"]) else { return }
    let source = Self.examples.appendingPathComponent("nesterov.cpp")
    let plugin = try BuiltPlugin(source, name: "nesterov", compiler: compiler)
    defer { plugin.remove() }
    let certificate = try Fisher(["verify", "--plugin", plugin.path, "--mutants", "--untimed"])
    #expect(certificate.status == 0, "\(certificate.output) \(certificate.error)")
    #expect(certificate.output.contains("passed  decay-as-declared"))
    let run = try Fisher([
      "train", "--plugin", plugin.path, "--optimizer", "nesterov", "--epochs", "1", "--json", "-",
    ])
    #expect(run.status == 0 && run.output.contains("\"optimizer\":\"nesterov\""), "\(run.error)")
  }

  /// Every routine against plain loops, for float and double, dense layers and convolutions. The check of the cost cannot
  /// hold: a step tries everything.
  @Test func routinesAgreeWithLoops() throws {
    try Self.withPlugin(pluginThatTriesRoutines) { plugin in
      let certificate = try Fisher(["verify", "--plugin", plugin.path, "--untimed"])
      let failed = certificate.output.split(separator: "\n").filter { $0.contains("FAILED") }
      #expect(failed.count == 2 && failed[0].contains("cost-as-declared"), "\(certificate.output)")
      #expect(certificate.output.contains("passed  matches-reference-float"), "\(certificate.output)")
      for model in [["--model", "cnn-small"], []] {
        let run = try Fisher(
          ["train", "--plugin", plugin.path, "--optimizer", "trial", "--epochs", "1", "--json", "-"] + model)
        #expect(run.status == 0, "\(model): \(run.error)")
        #expect(run.output.contains("routines tried"), "events are not reported: \(run.output)")
      }
    }
  }

  /// What a plugin asks for that cannot be ends the process with its shapes, and the name of the plugin.
  @Test func shapesThatDoNotFitAreNamed() throws {
    for (call, message) in [
      (
        "f->gemm(s, 1, s->tensors[0].gradient, 0, s->tensors[0].gradient, 0, 0, s->tensors[0].value)",
        "gemm: A is "
      ),
      ("f->potrf(s, s->tensors[0].value)", "potrf: a plugin's matrix is "),
      ("f->state(s, \"nobody\", \"m\", 1, 1)", "state: 'nobody' is no tensor and no layer of this step"),
      (
        "f->state(s, 0, \"m\", 1, 1); f->state(s, 0, \"m\", 2, 1)",
        "asks for 2×1 elements, and before for 1×1"
      ),
      ("f->input_rows(s, 99, 0)", "input_rows: layer 99 of "),
      (
        "f->average_input_factor(s, 0, s->tensors[0].value, 0, 0)",
        "the step was not given what passes through layer"
      ),
    ] {
      let source = Self.small(step: "const fisher_routines *f = s->routines; \(call); return 0;")
      try Self.withPlugin(source) { plugin in
        let run = try Fisher(["train", "--plugin", plugin.path, "--optimizer", "small", "--epochs", "1"])
        #expect(run.status != 0 && run.error.contains(message), "\(call): \(run.error)")
        let last = run.error.split(separator: "\n").last.map(String.init) ?? ""
        #expect(last.hasSuffix("ended the process in step of 'small'"), "\(call): \(run.error)")
      }
    }
  }

  /// A refusal leaves state and weights: the next steps go on from the same bits.
  @Test func refusedStepsLeaveNothing() throws {
    let source = Self.small(
      step: """
        fisher_matrix m = s->routines->state(s, 0, "m", 1, 1);
        float *x = m.data;
        if (s->element_size != 4) return 0;
        if (*x != (float)(s->number - 1)) return 9;
        *x = (float)s->number;
        s->routines->add(s, -0.01, s->tensors[0].gradient, 1, s->tensors[0].value);
        return s->number == 3 ? 5 : 0;
        """)
    try Self.withPlugin(source) { plugin in
      let run = try Fisher(["train", "--plugin", plugin.path, "--optimizer", "small", "--epochs", "1"])
      #expect(run.status == 1 && run.error.contains("small: step 3: the plugin returned 5"), "\(run.error)")
    }
  }

  /// A plugin by the step around one piece of C.
  static func small(step: String, table: String = "", names: String = "") -> String {
    """
    #include "fisher_plugin.h"
    static int32_t step(const fisher_step *s) { \(step) }
    static int32_t reference(const fisher_step *s) { return s ? 0 : 1; }
    static const fisher_hyperparameter settings[] = {
        {"lr", "rate", "ours", 0.1, FISHER_POSITIVE, 0, 0, 0},
        {"weightDecay", "decay", "ours", 0, FISHER_NON_NEGATIVE, 0, 0, 0},
        {"period", "steps", "ours", 5, FISHER_COUNT, 0, 1, 0}};
    \(names)
    int32_t fisher_plugin(uint32_t index, fisher_optimizer *o) {
      if (index > 0) return 1;
      o->magic = FISHER_PLUGIN_MAGIC; o->version = FISHER_PLUGIN_VERSION; o->size = sizeof *o;
      o->name = "small"; o->title = "Small"; o->summary = "Small."; o->paper = "none";
      o->hyperparameters = settings; o->hyperparameter_count = 3;
      o->step = step; o->reference_step = reference; o->state_size = "1";
      \(table)
      return 0;
    }
    """
  }

  @Test func faultsOfTheSecondVersionAreNamed() throws {
    let names = """
      static const char *const odd[] = {"a b"};
      static const double probe[] = {0.1, 0, 2.5};
      static const fisher_cost cost[] = {{FISHER_PER_PARAMETER, 0, "2*Q", "P"}}, scope[] = {{9, 0, "P", "P"}};
      static int32_t update(const fisher_parameter *p, float *v, const float *g, float *const *s) { return p && v && g && s; }
      """
    for (table, message) in [
      ("o->reference_step = 0;", "optimizer 'small' has no reference_step"),
      ("o->update_f32 = update;", "it has a step and update functions or slots; it must be one or the other"),
      ("o->needs = 64;", "its needs have unknown flags: 0x40"),
      ("o->roles = 256;", "its roles have unknown flags: 0x100"),
      ("o->facts = 1024;", "its facts have unknown flags: 0x400"),
      ("o->reserved_2 = 1;", "the reserved field of the table is not 0"),
      (
        "o->facts = FISHER_COUPLED_DECAY | FISHER_DECOUPLED_DECAY;",
        "its decay is declared coupled and decoupled"
      ),
      (
        "o->facts = FISHER_COUPLED_DECAY; o->hyperparameter_count = 1;",
        "optimizer 'small' has no hyper-parameter weightDecay"
      ),
      ("o->momentum = \"beta\";", "its momentum 'beta' is none of its hyper-parameters"),
      (
        "o->momentum = \"lr\"; o->facts = FISHER_EQUAL_STEPS;",
        "its steps are declared equal and a geometric sum"
      ),
      (
        "o->probes = probe; o->probe_count = 1;",
        "probe 0 sets period to 2.5; it must be an integer of at least 1"
      ),
      ("o->probe_count = 1;", "optimizer 'small' has no probes"),
      ("o->costs = cost; o->cost_count = 1;", "the flops of cost 0 are '2*Q', which is no formula"),
      ("o->costs = scope; o->cost_count = 1;", "the scope of cost 0 is 9"),
      ("o->derived_slots = odd; o->derived_slot_count = 1;", "the name for slot 0 is 'a b'"),
      ("o->fallback = \"\";", "its fallback is empty"),
      ("o->version = 1; o->size = 104;", "optimizer 'small' has no update_f32"),
    ] {
      try Self.withPlugin(
        Self.small(
          step: "return s ? 0 : 1;", table: table,
          names: names.replacing("static ", with: "__attribute__((unused)) static "))
      ) { plugin in
        let run = try Fisher(["verify", "--plugin", plugin.path, "--untimed"])
        #expect(run.status == 2 && run.error.contains(message), "\(table): \(run.error)")
        #expect(run.error.split(separator: "\n").count == 1, "\(table): \(run.error)")
      }
    }
  }

  /// The table of version 1 as it was published, filled by a library that knows no other.
  @Test func librariesOfTheFirstVersionAreLoaded() throws {
    let source = """
      #include <stdint.h>
      typedef struct { const char *name, *meaning, *source; double value; int32_t range, reserved; double low, high; } setting;
      typedef struct { const char *name, *role; int64_t rows, columns, step; double schedule; const double *settings; } parameter;
      typedef int32_t (*f32)(const parameter *, float *, const float *, float *const *);
      typedef int32_t (*f64)(const parameter *, double *, const double *, double *const *);
      typedef struct {
        uint32_t magic, version; uint64_t size; const char *name, *title, *summary, *paper;
        const setting *settings; uint32_t setting_count, facts; const char *const *slots; uint32_t slot_count, reserved;
        f32 update_f32; f64 update_f64, reference;
      } optimizer;
      static const setting settings[] = {{"lr", "rate", "ours", 0.1, 0, 0, 0, 0}};
      #define DESCEND(T) for (int64_t i = 0; i < p->rows * p->columns; ++i) v[i] -= (T)(p->settings[0] * p->schedule) * g[i]; return s == 0
      static int32_t single(const parameter *p, float *v, const float *g, float *const *s) { DESCEND(float); }
      static int32_t naive(const parameter *p, double *v, const double *g, double *const *s) { DESCEND(double); }
      int32_t fisher_plugin(uint32_t index, optimizer *o) {
        if (index > 0) return 1;
        *o = (optimizer){0x52485346u, 1, sizeof *o, "first", "First", "Descends.", "none", settings, 1, 10, 0, 0, 0, single, naive, naive};
        return 0;
      }
      """.replacing("return s == 0", with: "return (void)s, 0")
    try Self.withPlugin(source) { plugin in
      let certificate = try Fisher(["verify", "--plugin", plugin.path, "--untimed"])
      #expect(certificate.status == 0, "\(certificate.output) \(certificate.error)")
    }
  }
}
