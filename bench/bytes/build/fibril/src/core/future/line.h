/* Coroutines that wait in line for something that others in the loop give them: the ground of
 * sync.c and channel.c. */
#ifndef FIBRIL_CORE_LINE_H
#define FIBRIL_CORE_LINE_H

#include "../scheduler/wait.h"
#include "../value/list.h"

/* One that waits, on its own stack. */
struct fibril__waiter {
  fibril__wait wait;
  fibril_line *line; /* NULL: taken off */
  fibril__waiter *next, *prev;
  fibril_value value; /* the channel's: owned */
};

/* Waits until fibril__line_next has taken the waiter off; `timeout` in milliseconds, < 0: none. 0,
 * UV_ETIMEDOUT, UV_ECANCELED, UV_EINVAL, UV_ENOMEM or FIBRIL_ENOTCOROUTINE. */
int fibril__line_wait(fibril_line *line, fibril__waiter *waiter, const fibril__wait_kind *kind,
                      double timeout);

/* The same however often the coroutine is cancelled. */
void fibril__line_insist(fibril_line *line, fibril__waiter *waiter, const fibril__wait_kind *kind);

/* Takes off who waits longest, or gives NULL. Its wait ends with `status`. */
fibril__waiter *fibril__line_next(fibril_line *line, int status);

#endif /* FIBRIL_CORE_LINE_H */
