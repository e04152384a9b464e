/* What belongs to a coroutine and ends with it: what it deferred, and its local values. */
#ifndef FIBRIL_CORE_SCHEDULER_LOCAL_H
#define FIBRIL_CORE_SCHEDULER_LOCAL_H

#include "coroutine.h"

void fibril__locals_release(fibril_coroutine *coroutine);

/* Where the running coroutine keeps its value of that key, NULL when it is new; for lists, which
 * change without being replaced. `release` is called at its end, also where NULL is left in it,
 * when all that was deferred has run. NULL: there is no memory. */
void **fibril__local_slot(fibril_coroutine *self, const void *key, void (*release)(void *value));

/* Does now what the running coroutine has deferred last, if it is that. */
void fibril__defer_now(void (*release)(void *arg), void *arg);

/* From here on reports call the running coroutine's waits by this static name, of what is made of
 * others' waits; NULL: by none. Whether it is the outermost one, and counts: then it is ended by
 * fibril__within_end. */
bool fibril__within_begin(const char *name);
void fibril__within_end(void);
/* That name, or NULL. */
const char *fibril__within(const fibril_coroutine *coroutine);

#endif /* FIBRIL_CORE_SCHEDULER_LOCAL_H */
