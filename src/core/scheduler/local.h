/* What belongs to a coroutine and ends with it: what it deferred, and its local values. */
#ifndef FIBRIL_CORE_SCHEDULER_LOCAL_H
#define FIBRIL_CORE_SCHEDULER_LOCAL_H

#include "coroutine.h"

void fibril__locals_release(fibril_coroutine *coroutine);

#endif /* FIBRIL_CORE_SCHEDULER_LOCAL_H */
