/// A plugin whose step holds every routine that it is given against plain loops, in both precisions, and refuses the step
/// with the line where one is wrong. Its update follows the gradient.
let pluginThatTriesRoutines = #"""
  #include <math.h>
  #include <stdio.h>
  #include "fisher_plugin.h"

  typedef fisher_matrix M;

  static double get(const fisher_step *s, M m, int64_t i, int64_t j) {
    int64_t k = i * m.stride + j;
    return s->element_size == 4 ? ((float *)m.data)[k] : ((double *)m.data)[k];
  }
  static void set(const fisher_step *s, M m, int64_t i, int64_t j, double x) {
    int64_t k = i * m.stride + j;
    if (s->element_size == 4) ((float *)m.data)[k] = (float)x; else ((double *)m.data)[k] = x;
  }
  /* Numbers that are exact in float, and differ. */
  static void fill(const fisher_step *s, M m, int seed) {
    for (int64_t i = 0; i < m.rows; ++i)
      for (int64_t j = 0; j < m.columns; ++j) set(s, m, i, j, ((i * 7 + j * 13 + seed * 5) % 16 - 7.5) / 8);
  }
  /* A block of a larger matrix: its rows have gaps. */
  static M matrix(const fisher_step *s, const char *name, int64_t rows, int64_t columns, int seed) {
    M m = s->routines->temporary(s, NULL, name, rows, columns + 3);
    m.columns = columns;
    fill(s, m, seed);
    return m;
  }
  /* x x' + n I, both triangles. */
  static M positive(const fisher_step *s, const char *name, int64_t n, int seed) {
    char root[32];
    snprintf(root, sizeof root, "root of %s", name);
    M x = matrix(s, root, n, n, seed), m = matrix(s, name, n, n, seed);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = i == j ? n : 0;
        for (int64_t k = 0; k < n; ++k) sum += get(s, x, i, k) * get(s, x, j, k);
        set(s, m, i, j, sum);
      }
    return m;
  }
  static int near(const fisher_step *s, double x, double y) {
    return fabs(x - y) <= (s->element_size == 4 ? 1e-4 : 1e-11) * (1 + fabs(y));
  }
  #define CHECK(x) do { if (!(x)) return __LINE__; } while (0)
  #define ALL(m) for (int64_t i = 0; i < (m).rows; ++i) for (int64_t j = 0; j < (m).columns; ++j)

  /* Whether a b is the identity. */
  static int inverse(const fisher_step *s, M a, double damping, M b) {
    ALL(a) {
      double sum = damping * get(s, b, i, j);
      for (int64_t k = 0; k < a.rows; ++k) sum += get(s, a, i, k) * get(s, b, k, j);
      if (!near(s, sum, i == j)) return 0;
    }
    return 1;
  }

  static int32_t products(const fisher_step *s) {
    const fisher_routines *f = s->routines;
    for (int t = 0; t < 4; ++t) {
      M a = t & 1 ? matrix(s, "at", 4, 5, 1) : matrix(s, "a", 5, 4, 1);
      M b = t & 2 ? matrix(s, "bt", 6, 4, 2) : matrix(s, "b", 4, 6, 2), c = matrix(s, "c", 5, 6, 3);
      f->gemm(s, 0.5, a, t & 1, b, t & 2, -2, c);
      ALL(c) {
        double sum = -2 * (((i * 7 + j * 13 + 15) % 16 - 7.5) / 8);
        for (int k = 0; k < 4; ++k)
          sum += 0.5 * (t & 1 ? get(s, a, k, i) : get(s, a, i, k)) * (t & 2 ? get(s, b, j, k) : get(s, b, k, j));
        CHECK(near(s, get(s, c, i, j), sum));
      }
    }
    for (int t = 0; t < 2; ++t) {
      M a = t ? matrix(s, "at", 4, 5, 1) : matrix(s, "a", 5, 4, 1), c = matrix(s, "cc", 5, 5, 3);
      f->syrk(s, 2, a, t, 1, c);
      ALL(c) {
        double sum = ((i * 7 + j * 13 + 15) % 16 - 7.5) / 8;
        for (int k = 0; k < 4 && j <= i; ++k)
          sum += 2 * (t ? get(s, a, k, i) * get(s, a, k, j) : get(s, a, i, k) * get(s, a, j, k));
        CHECK(near(s, get(s, c, i, j), sum));
      }
    }
    M x = matrix(s, "x", 3, 4, 1), y = matrix(s, "y", 3, 4, 2);
    double sum = 0;
    ALL(x) sum += get(s, x, i, j) * get(s, y, i, j);
    CHECK(near(s, f->dot(s, x, y), sum));
    const double weights[][2] = {{1, 0}, {3, 0}, {-1, 1}, {2, 0.5}, {0, 0}};
    for (int w = 0; w < 5; ++w) {
      fill(s, y, 2);
      f->add(s, weights[w][0], x, weights[w][1], y);
      ALL(y) CHECK(near(s, get(s, y, i, j), weights[w][0] * get(s, x, i, j)
                                                + weights[w][1] * (((i * 7 + j * 13 + 10) % 16 - 7.5) / 8)));
    }
    M l = matrix(s, "l", 3, 3, 4), r = matrix(s, "r", 4, 4, 5);
    f->kronecker(s, l, x, r, y);
    ALL(y) {
      double sum = 0;
      for (int p = 0; p < 3; ++p)
        for (int q = 0; q < 4; ++q) sum += get(s, l, i, p) * get(s, x, p, q) * get(s, r, q, j);
      CHECK(near(s, get(s, y, i, j), sum));
    }
    return 0;
  }

  static int32_t factorizations(const fisher_step *s) {
    const fisher_routines *f = s->routines;
    M a = positive(s, "spd", 7, 1), l = positive(s, "factor", 7, 1);
    CHECK(f->potrf(s, l) == 0);
    for (int64_t i = 0; i < 7; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (int64_t k = 0; k <= j; ++k) sum += get(s, l, i, k) * get(s, l, j, k);
        CHECK(near(s, sum, get(s, a, i, j)));
      }
    for (int t = 0; t < 4; ++t) {
      int right = t & 2, transposed = t & 1;
      M b = matrix(s, "rhs", 7, 7, 3);
      f->trsm(s, 2, l, transposed, right, b);
      ALL(b) {
        double sum = 0;
        for (int64_t k = 0; k < 7; ++k) {
          int64_t p = right ? k : i, q = right ? j : k;
          if (transposed) { int64_t swap = p; p = q; q = swap; }
          if (q <= p) sum += get(s, l, p, q) * (right ? get(s, b, i, k) : get(s, b, k, j));
        }
        CHECK(near(s, sum, 2 * (((i * 7 + j * 13 + 15) % 16 - 7.5) / 8)));
      }
    }
    f->potri(s, l);
    CHECK(inverse(s, a, 0, l));
    set(s, l, 4, 4, -1);
    CHECK(f->potrf(s, l) > 0);
    M v = positive(s, "vectors", 7, 1), values = matrix(s, "values", 1, 7, 0);
    CHECK(f->eigen(s, v, values) == 0);
    ALL(v) {
      double sum = 0;
      for (int64_t k = 0; k < 7; ++k) sum += get(s, a, i, k) * get(s, v, k, j);
      CHECK(near(s, sum, get(s, values, 0, j) * get(s, v, i, j)));
      CHECK(j == 0 || get(s, values, 0, j) >= get(s, values, 0, j - 1));
    }
    /* The root's inverse square is a + I: (x x) (a + I) = 1. */
    M root = positive(s, "power", 7, 1), square = matrix(s, "square", 7, 7, 0);
    CHECK(f->inverse_root(s, root, 2, 1) == 0);
    f->gemm(s, 1, root, 0, root, 0, 0, square);
    CHECK(inverse(s, a, 1, square));
    set(s, root, 0, 0, NAN);
    CHECK(f->inverse_root(s, root, 2, 1) != 0);
    M many[3] = {positive(s, "m0", 7, 1), positive(s, "m1", 3, 2), positive(s, "m2", 5, 3)};
    M b2 = positive(s, "b2", 5, 3);
    set(s, many[1], 0, 0, -9);
    double dampings[3] = {0, 0.5, 2};
    int32_t failed[3] = {7, 7, 7};
    CHECK(f->invert(s, 3, many, dampings, failed) == 1 && !failed[0] && failed[1] && !failed[2]);
    CHECK(inverse(s, a, 0, many[0]) && inverse(s, b2, 2, many[2]) && get(s, many[1], 0, 0) == -9);
    M stack = matrix(s, "stack", 12, 4, 0);
    for (int k = 0; k < 3; ++k) {
      M one = positive(s, "one", 4, k);
      ALL(one) set(s, stack, 4 * k + i, j, get(s, one, i, j));
    }
    set(s, stack, 4, 0, -9);
    CHECK(f->invert_stack(s, 3, stack, 0.25, failed) == 1 && !failed[0] && failed[1] && !failed[2]);
    for (int k = 0; k < 3; k += 2) {
      M one = positive(s, "one", 4, k), part = {(char *)stack.data + 4 * k * stack.stride * s->element_size, 4, 4, stack.stride};
      CHECK(inverse(s, one, 0.25, part));
    }
    return 0;
  }

  static int32_t layers(const fisher_step *s) {
    const fisher_routines *f = s->routines;
    for (uint32_t l = 0; l < s->layer_count; ++l) {
      const fisher_layer *layer = &s->layers[l];
      CHECK(layer->weight >= 0 && s->tensors[layer->weight].layer == (int32_t)l);
      CHECK(layer->bias < 0 || s->tensors[layer->bias].role == FISHER_BIAS);
      if (layer->kind > FISHER_CONVOLUTION) continue;
      const fisher_matrix h = f->input_rows(s, l, FISHER_EXPAND);
      for (int labels = 0; labels < 2; ++labels) {
        const fisher_matrix d = f->output_rows(s, l, labels, FISHER_EXPAND);
        double sum = layer->to_sum[labels], terms = sum / layer->to_mean[labels];
        int64_t groups = layer->kind == FISHER_CONVOLUTION ? layer->geometry[9] : 1;
        CHECK(h.columns == s->tensors[layer->weight].value.columns && h.rows == d.rows * groups && terms == s->samples);
        CHECK(layer->kind == FISHER_CONVOLUTION || (d.columns == s->tensors[layer->weight].value.rows
              && get(s, d, 1, 0) == get(s, layer->output_gradients[labels], 1, 0) && get(s, h, 1, 0) == get(s, layer->inputs, 1, 0)));
        char names[4][80];
        for (int k = 0; k < 4; ++k) snprintf(names[k], 80, "%d %s", k, layer->name);
        M A = matrix(s, names[0], h.columns + 1, h.columns + 1, 1), G = matrix(s, names[1], d.columns, d.columns, 2);
        M Ab = matrix(s, names[2], h.columns + 1, h.columns + 1, 1), Gb = matrix(s, names[3], d.columns, d.columns, 2);
        f->average_input_factor(s, l, A, 0.75, FISHER_EXPAND);
        f->average_output_factor(s, l, labels, G, 0.75, FISHER_EXPAND);
        for (int64_t i = 0; i < A.rows; ++i)
          for (int64_t j = 0; j <= i; ++j) {
            double total = 0;
            for (int64_t n = 0; n < h.rows; ++n)
              total += (i < h.columns ? get(s, h, n, i) : 1) * (j < h.columns ? get(s, h, n, j) : 1);
            CHECK(near(s, get(s, A, i, j), 0.75 * get(s, Ab, i, j) + 0.25 * total / terms / groups));
          }
        for (int64_t i = 0; i < G.rows; ++i)
          for (int64_t j = 0; j <= i; ++j) {
            double total = 0;
            for (int64_t n = 0; n < d.rows; ++n) total += sum * get(s, d, n, i) * sum * get(s, d, n, j);
            CHECK(near(s, get(s, G, i, j), 0.75 * get(s, Gb, i, j) + 0.25 * total / d.rows));
          }
      }
    }
    return 0;
  }

  static int32_t step(const fisher_step *s) {
    CHECK(s->size == sizeof *s && s->routines->size == sizeof *s->routines && s->layer_count > 0);
    int32_t line = products(s);
    if (!line) line = factorizations(s);
    if (!line) line = layers(s);
    if (line) return line;
    M count = s->routines->state(s, NULL, "steps", 1, 1);
    CHECK(get(s, count, 0, 0) == s->number - 1);
    set(s, count, 0, 0, (double)s->number);
    CHECK(s->routines->state(s, NULL, "steps", 1, 1).data == count.data);
    s->routines->count(s, "routines tried");
    for (uint32_t t = 0; t < s->tensor_count; ++t)
      s->routines->add(s, -s->settings[0] * s->schedule, s->tensors[t].gradient, 1, s->tensors[t].value);
    return 0;
  }

  static int32_t reference(const fisher_step *s) {
    for (uint32_t t = 0; t < s->tensor_count; ++t) {
      M value = s->tensors[t].value;
      ALL(value) set(s, value, i, j, get(s, value, i, j) - s->settings[0] * s->schedule * get(s, s->tensors[t].gradient, i, j));
    }
    return 0;
  }

  static const fisher_hyperparameter settings[] = {{"lr", "rate", "ours", 0.1, FISHER_POSITIVE, 0, 0, 0}};

  int32_t fisher_plugin(uint32_t index, fisher_optimizer *o) {
    if (index > 0) return 1;
    *o = (fisher_optimizer){.magic = FISHER_PLUGIN_MAGIC, .version = FISHER_PLUGIN_VERSION, .size = sizeof *o,
      .name = "trial", .title = "Trial", .summary = "Tries the routines.", .paper = "ours", .hyperparameters = settings,
      .hyperparameter_count = 1, .step = step, .reference_step = reference, .state_size = "1",
      .needs = 31, .roles = FISHER_LINEAR_WEIGHT | FISHER_CONVOLUTION_WEIGHT};
    return 0;
  }
  """#
