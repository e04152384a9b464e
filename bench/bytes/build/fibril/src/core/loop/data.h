/* What a loop's user keeps with it. */
#ifndef FIBRIL_CORE_LOOP_DATA_H
#define FIBRIL_CORE_LOOP_DATA_H

#include "fibril.h"

/* The end: it is released, and none is taken any more. On the loop's stack. */
void fibril__loop_data_end(fibril_loop *loop);

#endif /* FIBRIL_CORE_LOOP_DATA_H */
