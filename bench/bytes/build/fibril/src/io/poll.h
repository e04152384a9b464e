/* Kept polls, for who waits for a descriptor under a name of its own. */
#ifndef FIBRIL_IO_POLL_H
#define FIBRIL_IO_POLL_H

#include "../core/scheduler/wait.h"

/* fibril_poll_wait, which reports call what `kind` says; its `describe` is
 * fibril__poll_describe. */
int fibril__poll_wait(fibril_poll *poll, int events, const fibril__wait_kind *kind);
void fibril__poll_describe(const fibril__wait *wait, fibril__wait_report *report);

#endif /* FIBRIL_IO_POLL_H */
