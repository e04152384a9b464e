/* All coroutines of a loop. */
#ifndef FIBRIL_CORE_SCHEDULER_CROWD_H
#define FIBRIL_CORE_SCHEDULER_CROWD_H

#include "coroutine.h"

/* Calls each(coroutine, arg) for all that have not ended; it may end them. */
void fibril__coroutines_each(fibril_loop *loop,
                             void (*each)(fibril_coroutine *coroutine, void *arg), void *arg);
/* Who has that id; NULL: it has ended. */
const fibril_coroutine *fibril__coroutine_with_id(fibril_loop *loop, uint64_t id);

/* Marks what is in the ready queue as `listed`, or takes the marks off. */
void fibril__coroutines_mark_ready(fibril_loop *loop, bool listed);

#endif /* FIBRIL_CORE_SCHEDULER_CROWD_H */
