/* Decoding what has types in it: arrays, tuples, maps, sets, and objects. */
#ifndef FIBRIL_NODE_ARGUMENTS_CONTAINERS_H
#define FIBRIL_NODE_ARGUMENTS_CONTAINERS_H

#include "decode.h"

/* One of those that `type` has of FIBRIL__CONTAINERS; *is: whether it is. */
napi_value fibril__decode_container(fibril__decoder *d, const fibril__place *place,
                                    const fibril__type *type, napi_value value, bool *is,
                                    fibril_value *out);
/* An object with any keys; *is: whether it is one. */
napi_value fibril__decode_dictionary(fibril__decoder *d, const fibril__place *place,
                                     const fibril__type *type, napi_value value, bool *is,
                                     fibril_value *out);
/* An object with named properties. */
napi_value fibril__decode_record(fibril__decoder *d, const fibril__place *place,
                                 const fibril__type *type, napi_value value, fibril_value *out);
/* One property of `object`, which is NULL when it was left out. An exception that a getter throws
 * is the error. */
napi_value fibril__decode_property(fibril__decoder *d, const fibril__place *place,
                                   const fibril__parameter *property, napi_value object,
                                   fibril_value *out);

#endif /* FIBRIL_NODE_ARGUMENTS_CONTAINERS_H */
