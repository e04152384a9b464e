/* Handlers of file descriptors, by number. */
#ifndef FIBRIL_CORE_LOOP_HANDLERS_H
#define FIBRIL_CORE_LOOP_HANDLERS_H

#include "fibril.h"

void fibril__handlers_close(fibril_loop *loop);

#endif /* FIBRIL_CORE_LOOP_HANDLERS_H */
