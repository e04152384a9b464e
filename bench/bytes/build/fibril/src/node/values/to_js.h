/* C's values as JavaScript's. */
#ifndef FIBRIL_NODE_VALUES_TO_JS_H
#define FIBRIL_NODE_VALUES_TO_JS_H

#include "../env/env.h"

/* NULL when Node can't make the value; an exception of its own may be pending then. User's
 * JavaScript may run meanwhile (Error.prepareStackTrace): what JavaScript and C share is written
 * afterwards. */
napi_value fibril__to_js(fibril__env *self, fibril_value value);
/* An array of them. As fibril__to_js. */
napi_value fibril__array_to_js(fibril__env *self, const napi_value *items, size_t count);
/* A description of an error for the runtime's makeError; FIBRIL__CALL_ERROR or _THROWN in *kind.
 * NULL stands for the error that no memory is left. No exception is pending afterwards. */
napi_value fibril__error_to_js(fibril__env *self, fibril_value error, int *kind);

/* fibril__result_to_js of what is neither undefined nor a number. */
int fibril__boxed_result_to_js(fibril__env *self, fibril_value value, napi_value *out);

/* How a result, which is taken, crosses: its kind; a number in *number, what else is not undefined
 * in *out. */
static inline int fibril__result_to_js(fibril__env *self, fibril_value value, double *number,
                                       napi_value *out) {
  uint64_t kind = value.tag & FIBRIL__KIND;
  *out = NULL;
  if (kind == FIBRIL_UNDEFINED) return FIBRIL__CALL_UNDEFINED;
  if (kind != FIBRIL_NUMBER) return fibril__boxed_result_to_js(self, value, out);
  *number = value.as.number;
  return FIBRIL__CALL_NUMBER;
}

/* The result of a call that JavaScript made, taken: its status is set, last of all. */
static inline napi_value fibril__give_result(fibril__env *self, fibril_value value) {
  double number = 0;
  napi_value out;
  int kind = fibril__result_to_js(self, value, &number, &out);
  fibril__env_set_result(self, kind, number);
  return out;
}

#endif /* FIBRIL_NODE_VALUES_TO_JS_H */
