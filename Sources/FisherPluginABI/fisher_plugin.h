/* An optimizer in a shared library: what `fisher --plugin PATH` loads. C, C++, Rust, or Swift of any version.

   A library exports one function, `fisher_plugin`, which describes its optimizers one after the other. An optimizer
   is written in one of two forms:

   - by the parameter: `update_f32`, `update_f64` and `reference` update one parameter in place, a row-major matrix of
     `rows` x `columns`, with state of the same shape. With FISHER_ELEMENTWISE they get it in pieces, on several threads.
   - by the step: `step` and `reference_step` see all parameters at once, what passed through the layers, any state, and
     the library's routines of linear algebra. One text serves both precisions.

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
#define FISHER_PLUGIN_VERSION 2u        /* libraries of version 1 are loaded, too */

/* The values that a hyper-parameter may take: x > 0, x >= 0, low <= x < high, low <= x <= high, whole numbers x >= low,
   0 or 1. */
enum {
  FISHER_POSITIVE = 0,
  FISHER_NON_NEGATIVE = 1,
  FISHER_HALF_OPEN = 2,
  FISHER_CLOSED = 3,
  FISHER_COUNT = 4,
  FISHER_FLAG = 5
};

/* What the optimizer declares about itself, and is held to by `fisher verify`. */
enum {
  FISHER_LOSS_SCALE = 1,          /* multiplying the loss by a constant changes nothing */
  FISHER_ELEMENT_PERMUTATION = 2, /* elements are independent of their places */
  FISHER_UNIT_PERMUTATION = 4,    /* rows and columns are independent of their order */
  FISHER_SIGN = 8,                /* a parameter of the other sign gets the update of the other sign */
  FISHER_ROTATION = 16,           /* rotating rows and columns rotates the update */
  FISHER_DEPENDS_ON_STEP = 32,    /* not an invariance: the update depends on the number of the step */
  FISHER_EQUAL_STEPS = 64,        /* steps under a gradient that stays are all as long as the first */
  FISHER_COUPLED_DECAY = 128,     /* weightDecay adds to the gradient */
  FISHER_DECOUPLED_DECAY = 256,   /* weightDecay shrinks the weights beside the step */
  FISHER_ELEMENTWISE = 512        /* update functions may be called with pieces of a parameter, on several threads */
};

/* What a step must be given. Nothing else is computed. */
enum {
  FISHER_NEEDS_GRADIENTS = 1,
  FISHER_NEEDS_INPUTS = 2,
  FISHER_NEEDS_OUTPUT_GRADIENTS = 4, /* with the labels of the data */
  FISHER_NEEDS_LOGIT_GRADIENTS = 8,  /* by the network's outputs */
  FISHER_NEEDS_SAMPLED_LABELS = 16   /* a second backward pass, with labels drawn from the model */
};

/* Bits of the roles of parameters; in `roles`, those that a method treats. */
enum {
  FISHER_LINEAR_WEIGHT = 1,      /* outputs x inputs */
  FISHER_CONVOLUTION_WEIGHT = 2, /* outputs x (input channels of a group x taps down x taps across) */
  FISHER_BIAS = 4,
  FISHER_NORM_SCALE = 8,
  FISHER_NORM_SHIFT = 16,
  FISHER_EMBEDDING = 32,
  FISHER_PLAIN = 64
};

/* Kinds of layers. */
enum {
  FISHER_LINEAR = 0,      /* rows are samples x positions, columns are features */
  FISHER_CONVOLUTION = 1, /* rows are samples; columns are channels x height x width */
  FISHER_BATCH_NORM = 2,  /* rows are samples; columns are channels x area */
  FISHER_LAYER_NORM = 3,  /* rows are samples x positions */
  FISHER_TOKENS = 4       /* an embedding: one column holds the numbers of the tokens */
};

/* Labels of a backward pass, and what becomes of positions that share a weight (Eschenhagen et al. 2023). */
enum { FISHER_DATA = 0, FISHER_SAMPLED = 1 };
enum { FISHER_EXPAND = 0, FISHER_REDUCE = 1 };

typedef struct fisher_hyperparameter {
  const char *name;
  const char *meaning;
  const char *source; /* where the default comes from */
  double value;       /* the default */
  int32_t range;
  int32_t reserved; /* 0 */
  double low, high;
} fisher_hyperparameter;

/* --- By the parameter --- */

/* One parameter in one step, or with FISHER_ELEMENTWISE a piece of it, with one row. Nothing here outlives the call. */
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

/* --- By the step --- */

/* A row-major matrix of float or double, as the step says; element (i, j) is data[i * stride + j]. */
typedef struct fisher_matrix {
  void *data;
  int64_t rows, columns, stride;
} fisher_matrix;

typedef struct fisher_tensor {
  const char *name;
  int32_t role;  /* FISHER_LINEAR_WEIGHT and others */
  int32_t layer; /* its place among the layers; -1 if nothing was captured for it */
  int64_t dimensions;
  const int64_t *shape;
  fisher_matrix value;    /* read and written: a copy, which takes the place of the old one after the step */
  fisher_matrix gradient; /* of the mean loss; read alone */
} fisher_tensor;

/* What passed through a layer. Matrices that were not asked for have no data. All are read alone. */
typedef struct fisher_layer {
  const char *name;
  int32_t kind;         /* FISHER_LINEAR and others; -1: a normalization of which nothing was captured */
  int32_t weight, bias; /* their places among the tensors; -1 */
  int32_t mixes_samples; /* 1 if gradients of single samples do not exist */
  int64_t samples, positions;
  /* channels, height, width, outputs, kernel height, kernel width, stride, padding, dilation, groups of a convolution */
  int64_t geometry[10];
  fisher_matrix inputs;
  fisher_matrix output_gradients[2]; /* with the labels of the data, and drawn from the model */
  double to_sum[2], to_mean[2];      /* make them gradients of the sum of the losses, and of their mean */
} fisher_layer;

typedef struct fisher_routines fisher_routines;

/* Nothing here outlives the call, and its functions are called on its thread. */
typedef struct fisher_step {
  uint64_t size;        /* of this structure: it may grow at its end */
  void *host;           /* not yours */
  int32_t element_size; /* 4: matrices hold float, 8: double */
  int32_t threads;
  int64_t number;  /* from 1 */
  double schedule; /* multiplies the learning rate */
  const double *settings;
  double loss;
  int64_t samples; /* the terms of the mean loss */
  uint32_t tensor_count, layer_count;
  fisher_tensor *tensors;
  const fisher_layer *layers;
  fisher_matrix logit_gradients; /* one row a sample, or a sample and position */
  double logit_to_sum;
  const fisher_routines *routines;
} fisher_step;

/* Not 0: the step is refused, and nothing of it happens. */
typedef int32_t (*fisher_step_function)(const fisher_step *);

/* What the library does for a step. Shapes that do not fit end the process with a message. No result may overlap an
   operand unless it is said to be in place. Of symmetric matrices lower triangles are read. `reference_step` is given
   `state` and `temporary` alone. */
struct fisher_routines {
  uint64_t size; /* of this structure: it may grow at its end */

  /* State that is saved with the run: what the step before has left, at first zeros. What is written to it stays, if
     the step is not refused. The owner is the name of a tensor or a layer, or NULL for the method itself. */
  fisher_matrix (*state)(const fisher_step *, const char *owner, const char *slot, int64_t rows, int64_t columns);
  /* Memory for this step, whose elements are undefined. In a step, a name has one shape; so has a slot. */
  fisher_matrix (*temporary)(const fisher_step *, const char *owner, const char *name, int64_t rows, int64_t columns);
  /* Counts something that the numerics decided; it is reported at the end of a run. */
  void (*count)(const fisher_step *, const char *event);

  /* Rows h of a linear layer or convolution, without a 1 for the bias, patch by patch, and rows d of its output
     gradients in the scale of the backward pass. */
  fisher_matrix (*input_rows)(const fisher_step *, uint32_t layer, int32_t sharing);
  fisher_matrix (*output_rows)(const fisher_step *, uint32_t layer, int32_t labels, int32_t sharing);
  /* A <- keep A + (1 - keep) (mean of h h'), with a 1 in h if A has a row for the bias; G alike with d. Lower triangles. */
  void (*average_input_factor)(const fisher_step *, uint32_t layer, fisher_matrix a, double keep, int32_t sharing);
  void (*average_output_factor)(const fisher_step *, uint32_t layer, int32_t labels, fisher_matrix g, double keep,
                                int32_t sharing);

  /* y <- alpha x + beta y; y may be x. */
  void (*add)(const fisher_step *, double alpha, fisher_matrix x, double beta, fisher_matrix y);
  /* The sum of x_ij y_ij. */
  double (*dot)(const fisher_step *, fisher_matrix x, fisher_matrix y);
  /* C <- alpha op(A) op(B) + beta C, where op transposes if said. With beta = 0, C is not read. */
  void (*gemm)(const fisher_step *, double alpha, fisher_matrix a, int32_t transpose_a, fisher_matrix b,
               int32_t transpose_b, double beta, fisher_matrix c);
  /* C <- alpha op(A) op(A)' + beta C, the lower triangle. */
  void (*syrk)(const fisher_step *, double alpha, fisher_matrix a, int32_t transpose_a, double beta, fisher_matrix c);
  /* L in place of A = L L', the lower triangle; then the inverse of A, both triangles, in place of L. Of potrf the
     first pivot that is not positive, from 1; or 0. */
  int64_t (*potrf)(const fisher_step *, fisher_matrix a);
  void (*potri)(const fisher_step *, fisher_matrix l);
  /* B <- alpha op(L)^-1 B, or B <- alpha B op(L)^-1 if `right`. */
  void (*trsm)(const fisher_step *, double alpha, fisher_matrix l, int32_t transpose, int32_t right, fisher_matrix b);
  /* Eigenvectors of A in its columns, in place, with ascending eigenvalues, a matrix of one row. */
  int64_t (*eigen)(const fisher_step *, fisher_matrix a, fisher_matrix values);
  /* (A + epsilon I)^(-1/order), both triangles, in place. Not 0 if A is not finite. */
  int64_t (*inverse_root)(const fisher_step *, fisher_matrix a, int64_t order, double epsilon);
  /* (A_i + damping_i I)^-1 in place, both triangles, of matrices of any orders, all at once on all threads. One that is
     not positive definite stays as it was. The number of those; failed[i] is 1 for each, if `failed` is not NULL. */
  int64_t (*invert)(const fisher_step *, int64_t count, const fisher_matrix *a, const double *damping, int32_t *failed);
  /* The same for `count` small matrices of one order, one after the other in rows of `a`: thousands at once. */
  int64_t (*invert_stack)(const fisher_step *, int64_t count, fisher_matrix a, double damping, int32_t *failed);
  /* Y <- L X R. */
  void (*kronecker)(const fisher_step *, fisher_matrix left, fisher_matrix x, fisher_matrix right, fisher_matrix y);
};

/* What a step costs, in formulas like `2*I*J^2 + J^3/refreshPeriod`, by what they are counted for. P: elements of a
   parameter, or of a layer's parameters; I, J: outputs and inputs of a layer, the bias among them; R: the shorter side of
   a matrix; K: taps of a kernel; N: samples. A name of a whole hyper-parameter is a period. Flops are those of the
   routines above: what a library does itself cannot be counted. */
enum {
  FISHER_PER_PARAMETER = 0,
  FISHER_PER_DENSE_LAYER = 1,
  FISHER_PER_CONVOLUTION = 2,
  FISHER_PER_MATRIX = 3,
  FISHER_PER_VECTOR = 4,
  FISHER_PER_STEP = 5
};

typedef struct fisher_cost {
  int32_t scope;
  int32_t reserved; /* 0 */
  const char *flops;
  const char *elements; /* of parameters, directions and state that are read or written */
} fisher_cost;

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
  const char *const *slots; /* of a method by the parameter */
  uint32_t slot_count;
  uint32_t reserved; /* 0 */
  fisher_update_f32 update_f32;
  fisher_update_f64 update_f64;
  fisher_update_f64 reference; /* the same by the plainest loops: what the other two are compared with */

  /* Version 1 ends here. Zeros below are what it means. */
  fisher_step_function step;           /* instead of the three above */
  fisher_step_function reference_step; /* the same by the plainest loops, always in double */
  uint32_t needs;                      /* all that any step needs; 0: gradients */
  uint32_t roles;                      /* bits; 0: all. Other parameters go to the fallback */
  const char *fallback;                /* NULL: adamw */
  uint32_t (*needs_at)(int64_t number, const double *settings); /* of one step; NULL: `needs` */
  const char *state_size;              /* NULL: as many P as slots */
  const fisher_cost *costs;            /* none: what the slots of a method by the parameter take */
  uint32_t cost_count;
  uint32_t probe_count;                /* hyper-parameters with which it is compared with its reference; 0: defaults */
  const double *probes;                /* for each probe all hyper-parameters, in their order */
  const char *const *derived_slots;    /* slots that are computed from others now and then: inverses, roots, bases */
  uint32_t derived_slot_count;
  uint32_t reserved_2;                 /* 0 */
  const char *momentum;                /* steps under a gradient that stays are a geometric sum, with this factor */
} fisher_optimizer;

/* The entry point: fills `optimizer`, which holds zeros, with the one of this index and returns 0, or returns 1 if there
   is none. */
int32_t fisher_plugin(uint32_t index, fisher_optimizer *optimizer);

#ifdef __cplusplus
}
#endif

#endif
