/* JavaScript's values as C's. The results are owned. */
#ifndef FIBRIL_NODE_VALUES_FROM_JS_H
#define FIBRIL_NODE_VALUES_FROM_JS_H

#include "../env/env.h"

/* Into a scalar, string (UTF-8), buffer (lent or copied) or reference. */
fibril_value fibril__from_js(fibril__env *self, napi_value value);
/* The same, but what can't come back as it was becomes a reference. */
fibril_value fibril__from_js_exact(fibril__env *self, napi_value value);
fibril_value fibril__string_from_js(fibril__env *self, napi_value value);

#endif /* FIBRIL_NODE_VALUES_FROM_JS_H */
