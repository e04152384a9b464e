/* What JavaScript calls of a class. */
#ifndef FIBRIL_NODE_CLASSES_BEGIN_H
#define FIBRIL_NODE_CLASSES_BEGIN_H

#include "class.h"

napi_value fibril__constructor_begin(napi_env env, napi_callback_info info);
napi_value fibril__getter_begin(napi_env env, napi_callback_info info);
napi_value fibril__method_begin(napi_env env, napi_callback_info info);
/* The same of a method that is synchronous. */
napi_value fibril__method_now(napi_env env, napi_callback_info info);
/* And of one that is a generator. */
napi_value fibril__generator_method_begin(napi_env env, napi_callback_info info);

#endif /* FIBRIL_NODE_CLASSES_BEGIN_H */
