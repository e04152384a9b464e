/* JavaScript's values that C holds, and what JavaScript threw. */
#ifndef FIBRIL_NODE_VALUES_REFERENCES_H
#define FIBRIL_NODE_VALUES_REFERENCES_H

#include "../env/env.h"

/* Strings, bigints and symbols sit in an array of one. */
typedef struct fibril__reference fibril__reference;
struct fibril__reference {
  fibril__box box;
  fibril__env *owner;
  napi_ref ref;
  napi_ref resource; /* a function's AsyncResource */
  bool wrapped;
  bool callable;
  fibril__reference *next;
};

/* The results are owned. */
fibril_value fibril__reference_new(fibril__env *self, napi_value value);
/* Deletes those that nobody has any more. */
void fibril__references_delete(fibril__env *self);
/* What JavaScript threw, as an error of FIBRIL_EEXCEPTION. */
fibril_value fibril__exception_from_js(fibril__env *self, napi_value exception);
/* The same of the pending exception. Where Node refused a call without one: FIBRIL_ECLOSED when the
 * environment ends, else UV_ENOMEM. */
fibril_value fibril__take_failure(fibril__env *self);

#endif /* FIBRIL_NODE_VALUES_REFERENCES_H */
