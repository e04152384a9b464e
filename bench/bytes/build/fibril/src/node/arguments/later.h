/* Large bytes are copied a piece in each turn of the loop: arguments before the function begins,
 * results when it has ended. */
#ifndef FIBRIL_NODE_ARGUMENTS_LATER_H
#define FIBRIL_NODE_ARGUMENTS_LATER_H

#include "../values/bytes.h"
#include "arguments.h"
#include "error.h"

/* So much of a call's bytes is copied at once; what does not fit waits. */
#define FIBRIL__AT_ONCE ((size_t)1 << 20)

/* A buffer of as many bytes, into which fibril__args_complete copies them; an error. Owned. */
fibril_value fibril__later_new(fibril_args *args, const fibril__place *place,
                               const fibril__bytes *bytes);
/* Copies all that waits, in a coroutine: undefined, or the error that the call fails with. One call
 * of an environment copies at a time, the others wait in their order. */
fibril_value fibril__args_complete(fibril_args *args);
/* A result that JavaScript would have to get a copy of, as that copy; or the result as it is, which
 * then is copied when it crosses. In a coroutine; what comes is its own, or owned. */
fibril_value fibril__result_copied(fibril__env *self, fibril_value result);
/* What has not been copied won't be. */
void fibril__later_drop(fibril_args *args);

#endif /* FIBRIL_NODE_ARGUMENTS_LATER_H */
