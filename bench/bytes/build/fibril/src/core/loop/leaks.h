/* The report of leaks, for who asked for it: coroutines that have not ended when their loop does,
 * and futures that failed and were never read. */
#ifndef FIBRIL_CORE_LOOP_LEAKS_H
#define FIBRIL_CORE_LOOP_LEAKS_H

#include "fibril.h"

/* If the environment asks for it. */
void fibril__leaks_begin(fibril_loop *loop);
/* Once. */
void fibril__leaks_report(fibril_loop *loop);

#endif /* FIBRIL_CORE_LOOP_LEAKS_H */
