/* Answers to Tornado's call_later, call_at, remove_timeout, and whether they keep the loop alive.
 */
#include "timeouts.h"

#include <math.h>

uint64_t fibril__deadline(double ms) {
  double ns = ms <= 0 ? 0 : ceil(ms * FIBRIL__NS_PER_MS);
  uint64_t now = uv_hrtime();
  return ns >= (double)(UINT64_MAX - now) ? UINT64_MAX : now + (uint64_t)ns;
}

static int add_timeout(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                       fibril_timeout *timeout, fibril_timeout *home) {
  *timeout = fibril__timers_add(&loop->timers, deadline, callback, arg, home);
  if (*timeout == 0) return UV_ENOMEM;
  if (fibril__timers_next(&loop->timers) == deadline || loop->timers.unheld != 0)
    loop->host->arm(loop);
  return 0;
}

int fibril__timeout_add(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                        fibril_timeout *timeout) {
  return add_timeout(loop, deadline, callback, arg, timeout, timeout);
}

/* Its handle may be anywhere. */
static int call_timeout_at(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                           fibril_timeout *timeout) {
  fibril_timeout unused;
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  return add_timeout(loop, deadline, callback, arg, timeout == NULL ? &unused : timeout, NULL);
}

int fibril_loop_call_later(fibril_loop *loop, double ms, fibril_cb callback, void *arg,
                           fibril_timeout *timeout) {
  if (isnan(ms)) return UV_EINVAL;
  if (ms < 0) return fibril_loop_call_at(loop, fibril_loop_now(loop) + ms, callback, arg, timeout);
  return call_timeout_at(loop, fibril__deadline(ms), callback, arg, timeout);
}

int fibril_loop_call_at(fibril_loop *loop, double when, fibril_cb callback, void *arg,
                        fibril_timeout *timeout) {
  if (isnan(when)) return UV_EINVAL;
  double ns = when <= 0 ? 1 : ceil(when * FIBRIL__NS_PER_MS);
  return call_timeout_at(loop, ns >= (double)UINT64_MAX ? UINT64_MAX : (uint64_t)ns, callback, arg,
                         timeout);
}

void fibril_loop_remove_timeout(fibril_loop *loop, fibril_timeout timeout) {
  if (fibril__timers_remove(&loop->timers, timeout)) loop->host->arm(loop);
}

static void hold_timeout(fibril_loop *loop, fibril_timeout timeout, bool held) {
  fibril__timers_hold(&loop->timers, timeout, held);
  loop->host->arm(loop);
}

void fibril_loop_hold_timeout(fibril_loop *loop, fibril_timeout timeout) {
  hold_timeout(loop, timeout, true);
}

void fibril_loop_unhold_timeout(fibril_loop *loop, fibril_timeout timeout) {
  hold_timeout(loop, timeout, false);
}

double fibril_loop_now(const fibril_loop *loop) {
  (void)loop;
  return (double)uv_hrtime() / FIBRIL__NS_PER_MS;
}
