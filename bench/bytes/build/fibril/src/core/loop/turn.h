#ifndef FIBRIL_CORE_LOOP_TURN_H
#define FIBRIL_CORE_LOOP_TURN_H

#include "fibril.h"

void fibril__turn_init(fibril_loop *loop);
/* Runs the coroutines that are ready, a snapshot, in the turn of the host that made them so. Not an
 * iteration: stops at the first callback or moment. */
size_t fibril__loop_run_turn(fibril_loop *loop);

#endif /* FIBRIL_CORE_LOOP_TURN_H */
