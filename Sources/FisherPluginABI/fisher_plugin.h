/* An optimizer in a shared library: what `fisher --plugin PATH` loads. C, C++, Rust, or Swift of any version.

   A library exports one function, `fisher_plugin`, which describes its optimizers one after the other. Each updates
   one parameter at a time, in place: a row-major matrix of `rows` x `columns`, with state of the same shape.

   All of it is checked when the library is loaded: at most 64 optimizers, with at most 64 hyper-parameters and 64 slots
   each; names of at most 64 letters, digits, - and _, a letter first and no name twice; other texts of at most 4096
   bytes of UTF-8; defaults inside of their ranges; no slot named `average`. The reference must take a first step. */

#ifndef FISHER_PLUGIN_H
#define FISHER_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FISHER_PLUGIN_MAGIC 0x52485346u /* "FSHR" in memory */
#define FISHER_PLUGIN_VERSION 1u

/* The values that a hyper-parameter may take: x > 0, x >= 0, low <= x < high, low <= x <= high. */
enum { FISHER_POSITIVE = 0, FISHER_NON_NEGATIVE = 1, FISHER_HALF_OPEN = 2, FISHER_CLOSED = 3 };

/* What the optimizer declares about itself, and is held to by `fisher verify`. */
enum {
  FISHER_LOSS_SCALE = 1,          /* multiplying the loss by a constant changes nothing */
  FISHER_ELEMENT_PERMUTATION = 2, /* elements are independent of their places */
  FISHER_UNIT_PERMUTATION = 4,    /* rows and columns are independent of their order */
  FISHER_SIGN = 8,                /* a parameter of the other sign gets the update of the other sign */
  FISHER_ROTATION = 16,           /* rotating rows and columns rotates the update */
  FISHER_DEPENDS_ON_STEP = 32     /* not an invariance: the update depends on the number of the step */
};

typedef struct fisher_hyperparameter {
  const char *name;
  const char *meaning;
  const char *source; /* where the default comes from */
  double value;       /* the default */
  int32_t range;
  int32_t reserved; /* 0 */
  double low, high;
} fisher_hyperparameter;

/* One parameter in one step. Nothing here outlives the call. */
typedef struct fisher_parameter {
  const char *name;
  const char *role; /* linearWeight, convolutionWeight, bias, normScale, normShift, embedding, plain */
  int64_t rows, columns;
  int64_t step;           /* from 1 */
  double schedule;        /* multiplies the learning rate */
  const double *settings; /* in the order of the hyper-parameters */
} fisher_parameter;

/* Updates value and state[0] ... state[slots - 1], which start at zero. Not 0: the step is refused, and nothing of it
   happens. May be called on any thread. */
typedef int32_t (*fisher_update_f32)(const fisher_parameter *, float *value, const float *gradient, float *const *state);
typedef int32_t (*fisher_update_f64)(const fisher_parameter *, double *value, const double *gradient,
                                     double *const *state);

/* All pointers stay valid as long as the process runs. */
typedef struct fisher_optimizer {
  uint32_t magic;   /* FISHER_PLUGIN_MAGIC */
  uint32_t version; /* FISHER_PLUGIN_VERSION */
  uint64_t size;    /* sizeof(fisher_optimizer) */
  const char *name; /* lower-case letters, digits and -; on the command line */
  const char *title;
  const char *summary;
  const char *paper;
  const fisher_hyperparameter *hyperparameters; /* one of them is named lr */
  uint32_t hyperparameter_count;
  uint32_t facts; /* FISHER_LOSS_SCALE and others, added up */
  const char *const *slots;
  uint32_t slot_count;
  uint32_t reserved; /* 0 */
  fisher_update_f32 update_f32;
  fisher_update_f64 update_f64;
  fisher_update_f64 reference; /* the same by the plainest loops: what the other two are compared with */
} fisher_optimizer;

/* The entry point: fills `optimizer` with the one of this index and returns 0, or returns 1 if there is none. */
int32_t fisher_plugin(uint32_t index, fisher_optimizer *optimizer);

#ifdef __cplusplus
}
#endif

#endif
