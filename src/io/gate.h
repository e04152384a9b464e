/* The gate to libuv's thread pool: all fibril loops of the process together never occupy more than
 * half of its threads, so that the host's own work goes on. Jobs pass in the order in which they
 * came. */
#ifndef FIBRIL_IO_GATE_H
#define FIBRIL_IO_GATE_H

#include "../core/core.h"

/* Waits for a token. 0 with a token, UV_ECANCELED without. `self` is running and may wait.
 * Suspends. */
int fibril__gate_enter(fibril_coroutine *self, const char *what);

/* Gives a token back; who waits longest gets it. On a loop's thread, on any stack. */
void fibril__gate_leave(const fibril_loop *loop);

#endif /* FIBRIL_IO_GATE_H */
