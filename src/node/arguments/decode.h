/* What decodes arguments, as its parts see it. */
#ifndef FIBRIL_NODE_ARGUMENTS_DECODE_H
#define FIBRIL_NODE_ARGUMENTS_DECODE_H

#include "arguments.h"
#include "error.h"

/* A function of these gives NULL, or the error. What is taken is in *out then, and may be an error
 * value; or `failure` is one: no argument is to blame. */
typedef struct fibril__decoder fibril__decoder;
struct fibril__decoder {
  fibril__env *env;
  fibril_args *args;
  fibril_value failure; /* owned */
  /* For what has types in it. */
  napi_value (*value)(fibril__decoder *d, const fibril__place *place, const fibril__type *type,
                      napi_value value, napi_valuetype js, fibril_value *out);
  napi_value (*parameter)(fibril__decoder *d, const fibril__place *place,
                          const fibril__parameter *parameter, napi_value value, fibril_value *out);
};

static inline bool fibril__decode_failed(const fibril__decoder *d) {
  return fibril__is_error(d->failure);
}

/* What a call into JavaScript threw. NULL with a failure when Node refused the call. */
napi_value fibril__decode_thrown(fibril__decoder *d);
/* The error of a value that is not as `type` or `text` says. */
napi_value fibril__refuse_argument(fibril__decoder *d, int mistake, const fibril__place *place,
                                   const fibril__type *type, const char *text, napi_value value);
napi_value fibril__refuse_value(fibril__decoder *d, const fibril__place *place, const char *reason,
                                napi_value value);

#endif /* FIBRIL_NODE_ARGUMENTS_DECODE_H */
