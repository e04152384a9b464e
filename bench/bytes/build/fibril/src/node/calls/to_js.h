/* Calls of JavaScript functions from C. */
#ifndef FIBRIL_NODE_CALLS_TO_JS_H
#define FIBRIL_NODE_CALLS_TO_JS_H

#include "from_js.h"

typedef struct fibril__js_place fibril__js_place;

/* The environment's part: who waits for JavaScript. */
typedef struct fibril__js_waits {
  fibril__calls calls;
  fibril__js_place *places;
  uint32_t capacity;
  uint32_t free; /* the first free place; `capacity`: none */
} fibril__js_waits;

static inline fibril__js_waits *fibril__js_waits_of(fibril__env *self) {
  return (fibril__js_waits *)self;
}

bool fibril__js_waits_native(fibril__env *self, napi_value native);
/* No promise will be settled any more. */
void fibril__js_waits_end(fibril__env *self);
void fibril__js_waits_free(fibril__env *self);

/* Who waits for what a JavaScript function, or the promise that it returned, gives. */
typedef struct fibril__js_wait fibril__js_wait;
struct fibril__js_wait {
  uint64_t id;
  fibril__env *env;
  /* Told once, on the loop's stack; `result` is owned. The wait is to be unlinked then. */
  void (*settled)(fibril__js_wait *wait, fibril_value result);
};

typedef struct fibril__invocation {
  fibril__env *env;
  fibril_value function;
  const fibril_value *args; /* borrowed */
  size_t count;
  const fibril__js_wait *wait; /* linked; NULL: nobody waits, not even for a promise's end */
  bool forget;                 /* what is thrown is uncaught, what is rejected unhandled */
  bool pending;                /* out: `wait` will be told */
  fibril_value result;         /* out, unless it is pending: owned */
} fibril__invocation;

/* 0 or UV_ENOMEM. */
int fibril__js_wait_link(fibril__env *self, fibril__js_wait *wait);
void fibril__js_wait_unlink(fibril__js_wait *wait);
/* Calls the function; on any stack. A promise that is settled already may be told of before this
 * returns. */
void fibril__invoke(fibril__invocation *call);
/* The environment of a function value: 0, FIBRIL_ETYPE, or FIBRIL_ECLOSED when it has ended. */
int fibril__function_env(fibril_value function, fibril__env **env);

#endif /* FIBRIL_NODE_CALLS_TO_JS_H */
