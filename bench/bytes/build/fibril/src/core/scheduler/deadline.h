/* How long a part of a coroutine may take. */
#ifndef FIBRIL_CORE_SCHEDULER_DEADLINE_H
#define FIBRIL_CORE_SCHEDULER_DEADLINE_H

#include "coroutine.h"

/* All that are left. */
void fibril__deadlines_drop(fibril_coroutine *coroutine);

#endif /* FIBRIL_CORE_SCHEDULER_DEADLINE_H */
