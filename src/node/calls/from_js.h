/* Calls from JavaScript: each runs a coroutine, at whose end its slot is settled. */
#ifndef FIBRIL_NODE_CALLS_FROM_JS_H
#define FIBRIL_NODE_CALLS_FROM_JS_H

#include "../arguments/arguments.h"

/* How many settled slots cross with one call. */
#define FIBRIL__BATCH 1024

/* The environment's part. */
typedef struct fibril__calls {
  fibril__exports exports;
  uint32_t capacity;               /* of both, a power of two */
  fibril_coroutine **pending;      /* by slot: of the calls that have not ended */
  struct fibril__settled *settled; /* a ring of those that have ended */
  uint32_t first, count;           /* in it */
  bool settling;                   /* a batch is: JavaScript reads the shared arrays */
  /* Shared with JavaScript: a batch. */
  int32_t *slots;
  uint8_t *kinds;
  double *numbers;
  napi_ref shared[3]; /* keep them */
} fibril__calls;

static inline fibril__calls *fibril__calls_of(fibril__env *self) {
  return (fibril__calls *)self;
}

bool fibril__calls_native(fibril__env *self, napi_value native);
void fibril__calls_free(fibril__env *self);

/* ---- The native functions behind what is exported ---- */

napi_value fibril__call_begin(napi_env env, napi_callback_info info);
/* The same for a method that was called on `receiver`. */
napi_value fibril__call_begin_on(const fibril__export *callee, const napi_value *argv,
                                 fibril__instance *receiver);

/* Runs fn on the loop's stack, and frees the arguments; the result is owned. */
fibril_value fibril__call_here(fibril__env *self, fibril_args *args);
/* A call of a synchronous function on `receiver`, NULL: none, from its arguments to its result. */
napi_value fibril__call_now_on(const fibril__export *callee, const fibril__given *given,
                               fibril__instance *receiver);
/* What JavaScript gets at once of a result, which is taken: an error is thrown. */
napi_value fibril__give_now(fibril__env *self, fibril_value result);

/* As fibril_export_with. */
int fibril__export_function(fibril_module *module, const fibril__export_spec *spec);

/* ---- Slots ---- */

/* The slot that JavaScript has taken for the call that it makes. */
static inline uint32_t fibril__calls_slot(fibril__env *self) {
  return (uint32_t)self->status[FIBRIL__STATUS_SLOT];
}
/* For who settles a slot that is not a call's: makes room for it, and settles it with the next
 * batch; callable on any stack. */
bool fibril__calls_reserve(fibril__env *self, uint32_t slot);
void fibril__calls_settle(fibril__env *self, uint32_t slot, fibril_value result);
/* Tells JavaScript of all that have been settled; drops them when the environment ends. On the
 * loop's stack, in a handle scope. */
void fibril__calls_flush(fibril__env *self);
void fibril__calls_drop(fibril__env *self);

/* Whether something is ready that need not wait for the next poll. */
static inline bool fibril__calls_turn(fibril__env *self) {
  return fibril__queued(self->loop) > 0 || fibril__calls_of(self)->count > 0;
}
/* Before C returns to JavaScript that looks for that. */
static inline void fibril__calls_note_turn(fibril__env *self) {
  fibril__env_set_status(self, FIBRIL__STATUS_TURN, fibril__calls_turn(self));
}

#endif /* FIBRIL_NODE_CALLS_FROM_JS_H */
