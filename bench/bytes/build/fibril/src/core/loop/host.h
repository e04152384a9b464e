/* The scheduler's host: handles in a libuv loop. */
#ifndef FIBRIL_CORE_LOOP_HOST_H
#define FIBRIL_CORE_LOOP_HOST_H

#include "fibril.h"

#include "../scheduler/scheduler.h"

/* As the scheduler asks for it. */
bool fibril__host_activate(fibril_loop *loop);
void fibril__host_arm(fibril_loop *loop);

void fibril__handles_init(fibril_loop *loop);
/* Has free stacks given back when there are many. */
void fibril__handles_trim(fibril_loop *loop);
/* Nothing is to be done before the next event. */
void fibril__handles_rest(fibril_loop *loop);
void fibril__handles_close(fibril_loop *loop);

/* A handle or request that has to be over before the loop is; from the close callback of the last
 * one the loop ends. */
void fibril__loop_handle_opened(fibril_loop *loop);
void fibril__loop_handle_closed(fibril_loop *loop);
void fibril__handle_on_closed(uv_handle_t *handle); /* of one whose `data` is the loop */

/* Whether nothing that is put into its ready queue runs any more. */
bool fibril__loop_is_gone(const fibril_loop *loop);

#endif /* FIBRIL_CORE_LOOP_HOST_H */
