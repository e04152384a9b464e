/* What JavaScript asks of an iterator. */
#ifndef FIBRIL_NODE_ITERATORS_REQUEST_H
#define FIBRIL_NODE_ITERATORS_REQUEST_H

#include "iterator.h"

bool fibril__iterators_native(fibril__env *self, napi_value native);
/* Makes one of the arguments of an exported generator: what JavaScript knows it by. */
napi_value fibril__iterator_begin(napi_env env, napi_callback_info info);
/* The same for a method that was called on `receiver`. */
napi_value fibril__iterator_begin_on(const fibril__export *callee, const napi_value *argv,
                                     fibril__instance *receiver);

#endif /* FIBRIL_NODE_ITERATORS_REQUEST_H */
