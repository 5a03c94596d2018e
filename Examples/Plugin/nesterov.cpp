// An optimizer in C++: Nesterov's momentum in the form of Sutskever et al. (ICML 2013), with decoupled weight decay.
//
//   m <- beta m + g;  theta <- theta - alpha (beta m + g + gamma theta)
//
//     c++ -std=c++17 -O3 -shared -fPIC -I Sources/FisherPluginABI Examples/Plugin/nesterov.cpp -o libnesterov.so
//     fisher verify --plugin ./libnesterov.so --mutants
//     fisher train --plugin ./libnesterov.so --optimizer nesterov

#include "fisher_plugin.h"

enum { LR, BETA, DECAY };

/// One loop for both precisions. Elements are independent: the library calls it with pieces that lie in the cache.
template <typename Scalar>
static int32_t update(const fisher_parameter *p, Scalar *value, const Scalar *gradient, Scalar *const *state) {
  const Scalar alpha = Scalar(p->settings[LR] * p->schedule), beta = Scalar(p->settings[BETA]);
  const Scalar gamma = Scalar(p->settings[DECAY]);
  Scalar *m = state[0];
  for (int64_t i = 0; i < p->rows * p->columns; ++i) {
    m[i] = beta * m[i] + gradient[i];
    value[i] -= alpha * (beta * m[i] + gradient[i] + gamma * value[i]);
  }
  return 0;
}

/// The same once more, from the definition: m is the sum of the past gradients, each with its power of beta.
static int32_t reference(const fisher_parameter *p, double *value, const double *gradient, double *const *state) {
  const double alpha = p->settings[LR] * p->schedule, beta = p->settings[BETA], gamma = p->settings[DECAY];
  for (int64_t i = 0; i < p->rows * p->columns; ++i) {
    const double m = beta * state[0][i] + gradient[i];
    const double lookahead = beta * m + gradient[i];
    const double decayed = (1 - alpha * gamma) * value[i];
    value[i] = decayed - alpha * lookahead;
    state[0][i] = m;
  }
  return 0;
}

static const fisher_hyperparameter settings[] = {
    {"lr", "learning rate alpha", "ours", 0.01, FISHER_POSITIVE, 0, 0, 0},
    {"beta", "beta of the momentum", "Sutskever et al. 2013", 0.9, FISHER_HALF_OPEN, 0, 0, 1},
    {"weightDecay", "gamma", "ours", 0, FISHER_NON_NEGATIVE, 0, 0, 0}};

static const double probes[] = {0.1, 0.5, 0.25};
static const char *const slots[] = {"m"};

int32_t fisher_plugin(uint32_t index, fisher_optimizer *optimizer) {
  if (index > 0) return 1;
  fisher_optimizer o = {};
  o.magic = FISHER_PLUGIN_MAGIC;
  o.version = FISHER_PLUGIN_VERSION;
  o.size = sizeof o;
  o.name = "nesterov";
  o.title = "Nesterov's momentum";
  o.summary = "Gradient descent with momentum that looks ahead.";
  o.paper = "Sutskever, Martens, Dahl & Hinton: On the Importance of Initialization and Momentum, ICML 2013";
  o.hyperparameters = settings;
  o.hyperparameter_count = 3;
  o.probes = probes;
  o.probe_count = 1;
  o.facts = FISHER_ELEMENT_PERMUTATION | FISHER_SIGN | FISHER_ROTATION | FISHER_DECOUPLED_DECAY | FISHER_ELEMENTWISE;
  o.slots = slots;
  o.slot_count = 1;
  o.update_f32 = update<float>;
  o.update_f64 = update<double>;
  o.reference = reference;
  *optimizer = o;
  return 0;
}
