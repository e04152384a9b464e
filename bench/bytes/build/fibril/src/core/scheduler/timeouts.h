/* Timeouts on the loop's clock. */
#ifndef FIBRIL_CORE_SCHEDULER_TIMEOUTS_H
#define FIBRIL_CORE_SCHEDULER_TIMEOUTS_H

#include "scheduler.h"

#define FIBRIL__NS_PER_MS 1000000.0

/* `deadline` in nanoseconds of uv_hrtime; *timeout has to stay where it is until the timeout is
 * over, and changes when the timeout is moved. */
int fibril__timeout_add(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                        fibril_timeout *timeout);
/* ms as nanoseconds from now, or UINT64_MAX for what uv_hrtime never reaches. */
uint64_t fibril__deadline(double ms);

#endif /* FIBRIL_CORE_SCHEDULER_TIMEOUTS_H */
