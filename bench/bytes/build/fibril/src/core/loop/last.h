/* The last coroutine of a loop that closes, for who has to clean up after all others. */
#ifndef FIBRIL_CORE_LOOP_LAST_H
#define FIBRIL_CORE_LOOP_LAST_H

#include "fibril.h"

/* Every other one has ended: begins it, once. False: there is none. */
bool fibril__last_begin(fibril_loop *loop);

#endif /* FIBRIL_CORE_LOOP_LAST_H */
