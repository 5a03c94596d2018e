/* K-FAC in C (Martens & Grosse, ICML 2015), for the weights of linear layers, with the library's routines:

     A <- rho A + (1 - rho) mean of h h',   G <- rho G + (1 - rho) mean of d d'    labels drawn from the model
     W <- W - alpha (G + sqrt(lambda) I)^-1 V (A + sqrt(lambda) I)^-1              inverses every `period` steps

     cc -O2 -shared -fPIC -I Sources/FisherPluginABI Examples/Plugin/kfac.c -lm -o libkfac-c.so
     fisher verify --plugin ./libkfac-c.so --mutants
     fisher train --plugin ./libkfac-c.so --optimizer kfac-c                                                      */

#include <math.h>
#include <stddef.h>

#include "fisher_plugin.h"

enum { LR, DAMPING, BETA, PERIOD };

static double kept(const fisher_step *s) { return fmin(1 - 1.0 / s->number, s->settings[BETA]); }
static int refreshes(const fisher_step *s) { return (s->number - 1) % (int64_t)s->settings[PERIOD] == 0; }

static int32_t step(const fisher_step *s) {
  const fisher_routines *f = s->routines;
  for (uint32_t l = 0; l < s->layer_count; ++l) {
    const char *layer = s->layers[l].name;
    fisher_tensor *w = &s->tensors[s->layers[l].weight];
    int64_t I = w->value.rows, J = w->value.columns;
    fisher_matrix A = f->state(s, layer, "A", J, J), G = f->state(s, layer, "G", I, I);
    fisher_matrix inverses[2] = {f->state(s, layer, "Ai", J, J), f->state(s, layer, "Gi", I, I)};
    f->average_input_factor(s, l, A, kept(s), FISHER_EXPAND);
    f->average_output_factor(s, l, FISHER_SAMPLED, G, kept(s), FISHER_EXPAND);
    if (refreshes(s)) {
      double lambda = sqrt(s->settings[DAMPING]), lambdas[2] = {lambda, lambda};
      f->add(s, 1, A, 0, inverses[0]);
      f->add(s, 1, G, 0, inverses[1]);
      if (f->invert(s, 2, inverses, lambdas, NULL) > 0) return 1;
    }
    fisher_matrix D = f->temporary(s, layer, "D", I, J);
    f->kronecker(s, inverses[1], w->gradient, inverses[0], D);
    f->add(s, -s->settings[LR] * s->schedule, D, 1, w->value);
  }
  return 0;
}

/* The same from the definition: sums of outer products, and elimination. */

#define AT(m, i, j) ((double *)(m).data)[(i) * (m).stride + (j)]

static void average(fisher_matrix M, double keep, fisher_matrix x, double weight) {
  for (int64_t i = 0; i < M.rows; ++i)
    for (int64_t j = 0; j < M.rows; ++j) {
      double sum = 0;
      for (int64_t n = 0; n < x.rows; ++n) sum += AT(x, n, i) * AT(x, n, j);
      AT(M, i, j) = keep * AT(M, i, j) + (1 - keep) * weight * sum;
    }
}

static void copy(fisher_matrix from, fisher_matrix to) {
  for (int64_t i = 0; i < from.rows; ++i)
    for (int64_t j = 0; j < from.columns; ++j) AT(to, i, j) = AT(from, i, j);
}

/* x <- (M + lambda I)^-1 x for `count` vectors, element i of vector k at x[i * across + k * along]; T is scratch. */
static void solve(fisher_matrix M, fisher_matrix T, double lambda, double *x, int64_t across, int64_t along,
                  int64_t count) {
  for (int64_t i = 0; i < M.rows; ++i)
    for (int64_t j = 0; j < M.rows; ++j) AT(T, i, j) = AT(M, i, j) + (i == j ? lambda : 0);
  for (int64_t p = 0; p < M.rows; ++p)
    for (int64_t i = 0; i < M.rows; ++i) {
      double factor = AT(T, i, p) / AT(T, p, p);
      if (i == p) continue;
      for (int64_t j = p; j < M.rows; ++j) AT(T, i, j) -= factor * AT(T, p, j);
      for (int64_t k = 0; k < count; ++k) x[i * across + k * along] -= factor * x[p * across + k * along];
    }
  for (int64_t i = 0; i < M.rows; ++i)
    for (int64_t k = 0; k < count; ++k) x[i * across + k * along] /= AT(T, i, i);
}

static int32_t reference(const fisher_step *s) {
  const fisher_routines *f = s->routines;
  for (uint32_t l = 0; l < s->layer_count; ++l) {
    const fisher_layer *layer = &s->layers[l];
    fisher_tensor *w = &s->tensors[layer->weight];
    int64_t I = w->value.rows, J = w->value.columns;
    fisher_matrix A = f->state(s, layer->name, "A", J, J), G = f->state(s, layer->name, "G", I, I);
    fisher_matrix Ad = f->state(s, layer->name, "Ad", J, J), Gd = f->state(s, layer->name, "Gd", I, I);
    fisher_matrix V = f->temporary(s, layer->name, "V", I, J), d = layer->output_gradients[FISHER_SAMPLED];
    double sum = layer->to_sum[FISHER_SAMPLED], mean = layer->to_mean[FISHER_SAMPLED], lambda = sqrt(s->settings[DAMPING]);
    average(A, kept(s), layer->inputs, mean / sum);
    average(G, kept(s), d, sum * sum / d.rows);
    if (refreshes(s)) copy(A, Ad), copy(G, Gd);
    copy(w->gradient, V);
    solve(Ad, f->temporary(s, layer->name, "TA", J, J), lambda, V.data, 1, J, I);
    solve(Gd, f->temporary(s, layer->name, "TG", I, I), lambda, V.data, J, 1, J);
    for (int64_t i = 0; i < I; ++i)
      for (int64_t j = 0; j < J; ++j) AT(w->value, i, j) -= s->settings[LR] * s->schedule * AT(V, i, j);
  }
  return 0;
}

static const fisher_hyperparameter settings[] = {
    {"lr", "learning rate alpha", "ours, from a grid on digits", 0.03, FISHER_POSITIVE, 0, 0, 0},
    {"damping", "lambda, its root for each factor", "ours, from a grid on digits", 0.1, FISHER_POSITIVE, 0, 0, 0},
    {"beta", "rho at most", "Martens & Grosse 2015, section 5", 0.95, FISHER_HALF_OPEN, 0, 0, 1},
    {"refreshPeriod", "steps between inverses", "Martens & Grosse 2015, section 8", 20, FISHER_COUNT, 0, 1, 0}};

static const fisher_cost costs[] = {
    {FISHER_PER_DENSE_LAYER, 0,
     "N*J^2 + N*J + N*I^2 + N*I + 2*I^2*J + 2*I*J^2 + 3*P + J^3/refreshPeriod + I^3/refreshPeriod",
     "3*P + 4*J^2 + 4*I^2"}};

static const double probes[] = {0.1, 0.5, 0.5, 2};
static const char *const derived[] = {"Ai", "Gi"};

int32_t fisher_plugin(uint32_t index, fisher_optimizer *o) {
  if (index > 0) return 1;
  *o = (fisher_optimizer){
      .magic = FISHER_PLUGIN_MAGIC, .version = FISHER_PLUGIN_VERSION, .size = sizeof *o,
      .name = "kfac-c", .title = "K-FAC in C", .summary = "Natural gradient with one Kronecker product a layer.",
      .paper = "Martens & Grosse: Optimizing Neural Networks with Kronecker-factored Approximate Curvature, ICML 2015",
      .hyperparameters = settings, .hyperparameter_count = 4, .facts = FISHER_UNIT_PERMUTATION | FISHER_SIGN | FISHER_ROTATION,
      .step = step, .reference_step = reference, .needs = FISHER_NEEDS_GRADIENTS | FISHER_NEEDS_INPUTS | FISHER_NEEDS_SAMPLED_LABELS,
      .roles = FISHER_LINEAR_WEIGHT, .state_size = "2*I^2 + 2*J^2 a layer", .costs = costs, .cost_count = 1,
      .probe_count = 1, .probes = probes, .derived_slots = derived, .derived_slot_count = 2};
  return 0;
}
