import FisherKit
import FisherLinearAlgebra
import Foundation
import Testing

/// Optimizers of shared libraries in a driver of this process.
@Suite struct PluginDriverTests {
  /// Momentum by pieces, which refuses gradients above 99.
  private static let elementwise = """
    #include "fisher_plugin.h"
    #define UPDATE(T) \\
      const T alpha = (T)(p->settings[0] * p->schedule); \\
      for (int64_t i = 0; i < p->rows * p->columns; ++i) { \\
        if (gradient[i] > 99) return 3; \\
        state[0][i] = (T)0.5 * state[0][i] + gradient[i]; \\
        value[i] -= alpha * state[0][i]; \\
      } \\
      return 0
    static int32_t single(const fisher_parameter *p, float *value, const float *gradient, float *const *state) { UPDATE(float); }
    static int32_t naive(const fisher_parameter *p, double *value, const double *gradient, double *const *state) { UPDATE(double); }
    static const fisher_hyperparameter settings[] = {{"lr", "rate", "ours", 0.125, FISHER_POSITIVE, 0, 0, 0}};
    static const char *const slots[] = {"m"};
    int32_t fisher_plugin(uint32_t index, fisher_optimizer *o) {
      if (index > 1) return 1;
      o->magic = FISHER_PLUGIN_MAGIC; o->version = FISHER_PLUGIN_VERSION; o->size = sizeof *o;
      o->name = index ? "whole" : "pieces"; o->title = "Momentum"; o->summary = "Momentum."; o->paper = "none";
      o->hyperparameters = settings; o->hyperparameter_count = 1; o->slots = slots; o->slot_count = 1;
      o->facts = index ? 0 : FISHER_ELEMENTWISE;
      o->update_f32 = single; o->update_f64 = naive; o->reference = naive;
      return 0;
    }
    """

  /// A matrix of several pieces, whose rows end within them.
  private static let parameter = ParameterInfo(name: "w", shape: [50, 1777], role: .plain)

  private func numbers(_ rows: Int, _ columns: Int, _ seed: Int) -> Matrix<Float> {
    Matrix(rows: rows, columns: columns) { Float((($0 * 31 + $1 * 17 + seed * 7) % 64) - 31) / 32 }
  }

  /// Weights after three steps.
  private func run(
    _ type: any Optimizer.Type, threads: Int, gradient: (Int) -> Matrix<Float>
  ) throws -> Matrix<Float> {
    var driver = try OptimizerDriver<Float>(type.init(), parameters: [Self.parameter], threads: threads)
    var values = [numbers(50, 1777, 9)]
    for t in 0..<3 {
      var gradients = [gradient(t)]
      _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
    }
    return values[0]
  }

  /// However a parameter is cut and laid out, its elements have the same bits.
  @Test func piecesAreTheWhole() throws {
    try PluginStepTests.withPlugin(Self.elementwise) { plugin in
      let types = try PluginLibrary.load(plugin.path)
      let whole = try run(types[1], threads: 1) { numbers(50, 1777, $0) }
      for threads in [1, 2, 7] {
        #expect(try run(types[0], threads: threads) { numbers(50, 1777, $0) } == whole)
        let strided = try run(types[0], threads: threads) { t in
          var wide = numbers(50, 1800, 5)
          wide[rows: 0..., columns: 11..<1788] = numbers(50, 1777, t)
          return wide[rows: 0..., columns: 11..<1788]
        }
        #expect(strided == whole, "\(threads) threads, rows with gaps")
      }
    }
  }

  /// What a piece refuses, or leaves not finite, changes nothing of any other.
  @Test func aPieceRefusesTheStep() throws {
    try PluginStepTests.withPlugin(Self.elementwise) { plugin in
      let types = try PluginLibrary.load(plugin.path)
      for (type, bad) in [(types[0], Float(100)), (types[1], 100), (types[0], .infinity), (types[0], .nan)] {
        var driver = try OptimizerDriver<Float>(type.init(), parameters: [Self.parameter], threads: 2)
        var values = [numbers(50, 1777, 1)]
        var good = [numbers(50, 1777, 2)]
        _ = try driver.step(values: &values, gradients: &good, objective: PlainObjective<Float>())
        let (before, state) = (values, driver.state)
        var gradients = [numbers(50, 1777, 3)]
        gradients[0][49, 1776] = bad
        do {
          _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
          Issue.record("\(bad) was taken")
        } catch {
          let expected = bad == 100 ? "w: the plugin returned 3" : "the gradient of w is not finite"
          #expect("\(error)".contains(expected), "\(bad): \(error)")
        }
        #expect(values == before && driver.state.tensors == state.tensors && driver.stepCount == 1)
      }
    }
  }

  /// State of another run, of another shape, is refused by its name.
  @Test func stateOfAnotherShapeIsRefused() throws {
    let source = PluginStepTests.small(
      step: "s->routines->state(s, s->tensors[0].name, \"m\", 2, 3); return 0;")
    try PluginStepTests.withPlugin(source) { plugin in
      let type = try #require(try PluginLibrary.load(plugin.path).first)
      var driver = try OptimizerDriver<Float>(type.init(), parameters: [Self.parameter], threads: 1)
      var state = driver.state
      state.tensors[SlotKey("w", "m")] = Matrix(rows: 3, columns: 2)
      driver.restore(state)
      var (values, gradients) = ([numbers(50, 1777, 1)], [numbers(50, 1777, 2)])
      do {
        _ = try driver.step(values: &values, gradients: &gradients, objective: PlainObjective<Float>())
        Issue.record("the state was taken")
      } catch { #expect("\(error)".contains("w/m: the state of 3×2 is asked for as 2×3"), "\(error)") }
    }
  }
}
