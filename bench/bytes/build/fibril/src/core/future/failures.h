/* The book of futures that failed and have not been freed, for the report of leaks. */
#ifndef FIBRIL_CORE_FUTURE_FAILURES_H
#define FIBRIL_CORE_FUTURE_FAILURES_H

#include "fibril.h"

typedef struct fibril__failures fibril__failures;

/* Keeps it from now on: 0 or UV_ENOMEM. */
int fibril__failures_begin(fibril_loop *loop);
void fibril__failures_free(fibril__failures *failures);

/* A future has failed; `name` of the coroutine whose result it is, or "". */
void fibril__failures_add(fibril__failures *failures, fibril_future *future, const char *name);
void fibril__failures_freed(fibril__failures *failures, const fibril_future *future);

/* Calls each(name, error) for all that nobody has read, and that are not cancellations: from then
 * on they count as read. */
void fibril__failures_each(fibril__failures *failures,
                           void (*each)(const char *name, fibril_value error));

#endif /* FIBRIL_CORE_FUTURE_FAILURES_H */
