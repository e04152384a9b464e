/* What belongs to a coroutine and ends with it: what it deferred, and its local values. */
#ifndef FIBRIL_CORE_SCHEDULER_LOCAL_H
#define FIBRIL_CORE_SCHEDULER_LOCAL_H

#include "coroutine.h"

void fibril__locals_release(fibril_coroutine *coroutine);

/* Where the running coroutine keeps its value of that key, NULL when it is new; for lists, which
 * change without being replaced. `release` is called at its end, also where NULL is left in it,
 * when all that was deferred has run. NULL: there is no memory. */
void **fibril__local_slot(fibril_coroutine *self, const void *key, void (*release)(void *value));

#endif /* FIBRIL_CORE_SCHEDULER_LOCAL_H */
