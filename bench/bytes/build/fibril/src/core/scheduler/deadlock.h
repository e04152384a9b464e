/* A loop that closes cancels every wait. Some go on nevertheless, for children and for the mutex of
 * a condition: when nothing else is left, they wait for each other, for ever. */
#ifndef FIBRIL_CORE_SCHEDULER_DEADLOCK_H
#define FIBRIL_CORE_SCHEDULER_DEADLOCK_H

#include "coroutine.h"

/* Where nothing is ready: one of those that are left, if they only wait for each other; else NULL.
 * And the sentence that ends the process. */
const fibril_coroutine *fibril__deadlock_find(fibril_loop *loop);
_Noreturn void fibril__deadlock_die(const fibril_coroutine *stuck);

#endif /* FIBRIL_CORE_SCHEDULER_DEADLOCK_H */
