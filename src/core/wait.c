/* Waiting: the one way a coroutine leaves the processor, and the awaits that need nothing but the
 * core. */
#include "core.h"

#include <math.h>
#include <stdlib.h>

/* At teardown a coroutine that was refused this many waits is not going to end. */
#define REFUSALS_MAX 10000

/* ---- The wait ---- */

static inline bool may_wait(const fibril_coroutine *self) {
  if (FIBRIL__UNLIKELY(self == NULL)) return false;
  return FIBRIL__LIKELY(self->hindered == 0);
}

/* What a coroutine gets that can't simply wait. */
__attribute__((noinline)) static int look_closer(fibril_coroutine *self) {
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  fibril_loop *loop = self->loop;
  int hindrance = fibril__hindrance(self);
  if (loop->state == FIBRIL__OPEN || hindrance == FIBRIL_ENOTCOROUTINE) return hindrance;
  if (hindrance == 0)
    fibril__grace_begin(loop);
  else if (++self->root->refusals >= REFUSALS_MAX)
    fibril__fatal(
        "coroutine \"%s\" goes on waiting although its loop is closing: every wait gives it UV_ECANCELED, "
        "on which it has to clean up and return",
        fibril__name(self->root));
  return hindrance;
}

int fibril__wait_check(fibril_coroutine *self) {
  return FIBRIL__LIKELY(may_wait(self)) ? 0 : look_closer(self);
}

int fibril__wait_ended_early(const fibril_coroutine *self) {
  return fibril__hindrance(self) == UV_ETIMEDOUT ? UV_ETIMEDOUT : UV_ECANCELED;
}

__attribute__((always_inline)) static inline void leave(fibril_coroutine *self) {
  fibril__switch(&self->context, &self->loop->frame->context);
}

/* Inline, and so are the awaits: one call from the coroutine's function to the switch is what
 * fibril__forget_returns counts on. */
__attribute__((always_inline)) static inline int wait_in(fibril_coroutine *self, fibril__wait *wait,
                                                         uint8_t state) {
  fibril_coroutine *root = self->root;
  if (wait->woken) return wait->status;
  wait->coroutine = self;
  wait->since = uv_now(self->loop->uv);
  root->wait = wait;
  self->state = state;
  leave(self);
  root->wait = NULL;
  if (FIBRIL__UNLIKELY(wait->status == UV_ECANCELED)) return fibril__wait_ended_early(self);
  return wait->status;
}

int fibril__wait_until_woken(fibril_coroutine *self, fibril__wait *wait) {
  return wait_in(self, wait, FIBRIL__WAITING);
}

void fibril__wake(fibril__wait *wait, int status) {
  if (wait->woken) return;
  wait->woken = true;
  wait->status = status;
  fibril_coroutine *coroutine = wait->coroutine;
  if (coroutine == NULL) return;
  coroutine->state = FIBRIL__ACTIVE;
  fibril__enqueue(coroutine->loop, &coroutine->task);
}

void fibril__wait_cancel_now(fibril__wait *wait) {
  fibril__wake(wait, UV_ECANCELED);
}

/* ---- Plain switches ---- */

int fibril_suspend(void) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  fibril__wait wait = {.what = "resume", .cancel = fibril__wait_cancel_now};
  return wait_in(self, &wait, FIBRIL__SUSPENDED);
}

/* A coroutine that passes again and again comes back to where another has just left: its returns
 * are predicted. */
int fibril_pass(void) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (FIBRIL__UNLIKELY(err != 0)) return err;
  fibril__enqueue(self->loop, &self->task);
  leave(self);
  return 0;
}

/* After a turn of the loop no return is predicted, and the fewer there are the better: it comes
 * back by a jump, with the 0 that lies in the control block. */
int fibril_moment(void) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (FIBRIL__UNLIKELY(err != 0)) return err;
  self->momentary = true;
  self->result.tag = 0;
  fibril__enqueue(self->loop, &self->task);
  return fibril__switch_status(&self->context, &self->loop->frame->context);
}

/* ---- Sleep ---- */

static void wake_wait(void *arg) {
  fibril__wake(arg, 0);
}

static void wake_timed_out(void *arg) {
  fibril__wake(arg, UV_ETIMEDOUT);
}

int fibril_sleep(double ms) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  if (!(ms >= 0 && ms <= 9007199254740992.0)) return UV_EINVAL;
  fibril_timeout timeout;
  fibril__wait wait = {.what = "sleep", .cancel = fibril__wait_cancel_now};
  err = fibril__timeout_add(self->loop, fibril__deadline(ms), wake_wait, &wait, &timeout);
  if (err != 0) return err;
  err = wait_in(self, &wait, FIBRIL__WAITING);
  if (err != 0) fibril_loop_remove_timeout(self->loop, timeout);
  return err;
}

/* ---- Futures ---- */

const char fibril__what_future[] = "future";

typedef struct {
  fibril__wait wait;
  fibril__callback callback;
  fibril_future *future;
} future_wait;

const fibril_coroutine *fibril__wait_for_whom(const fibril__wait *wait) {
  return FIBRIL__CONTAINER(const future_wait, wait, wait)->future->coroutine;
}

static void wake_by_future(fibril_future *future, void *arg) {
  (void)future;
  fibril__wake(arg, 0);
}

/* Registers a wait with a future; `timeout` < 0: none. The status the wait ended with. */
__attribute__((always_inline)) static inline int
wait_for_future(fibril_coroutine *self, fibril_future *future, double timeout) {
  fibril_timeout timer = 0;
  future_wait w = {.wait = {.what = fibril__what_future, .cancel = fibril__wait_cancel_now},
                   .callback = {.fn = wake_by_future, .arg = &w.wait},
                   .future = future};
  if (timeout >= 0) {
    int err =
        fibril__timeout_add(self->loop, fibril__deadline(timeout), wake_timed_out, &w.wait, &timer);
    if (err != 0) return err;
  }
  fibril_future_ref(future);
  fibril__future_watch(future, &w.callback);
  int status = wait_in(self, &w.wait, FIBRIL__WAITING);
  if (timer != 0) fibril_loop_remove_timeout(self->loop, timer);
  fibril__future_unwatch(future, &w.callback);
  fibril_future_unref(future);
  return status;
}

__attribute__((always_inline)) static inline fibril_value await(fibril_future *future,
                                                                double timeout) {
  if (future == NULL) return fibril__error_code(FIBRIL_EBADYIELD);
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err == 0 && future->state != FIBRIL__SETTLED) err = wait_for_future(self, future, timeout);
  return err != 0 ? fibril__error_code(err) : fibril_future_result(future);
}

fibril_value fibril_await(fibril_future *future) {
  return await(future, -1);
}

fibril_value fibril_await_timeout(fibril_future *future, double timeout) {
  if (isnan(timeout) || timeout < 0) return fibril__error_code(UV_EINVAL);
  return await(future, timeout);
}

fibril_value fibril_await_all(fibril_future *const *futures, size_t count) {
  fibril_value first_error = fibril_undefined();
  int err = fibril__wait_check(fibril__self());
  if (err != 0) return fibril__error_code(err);
  /* One after the other takes as long as all at once: the last one decides. */
  for (size_t i = 0; i < count; i++) {
    fibril_value value = fibril_await(futures[i]);
    if (!fibril__is_error(value)) continue;
    if (futures[i] != NULL && futures[i]->state != FIBRIL__SETTLED) return value;
    if (!fibril__is_error(first_error)) first_error = value;
  }
  return first_error;
}

/* ---- The first of many ---- */

#define ANY_ON_STACK 16

typedef struct {
  fibril__wait wait;
  fibril_future *first;
} any_wait;

static void wake_by_first(fibril_future *future, void *arg) {
  any_wait *any = arg;
  if (any->first == NULL) any->first = future;
  fibril__wake(&any->wait, 0);
}

/* Waits with `callbacks`, one a future, none of which is done. */
static int wait_for_any(fibril_coroutine *self, fibril_future *const *futures, size_t count,
                        fibril__callback *callbacks) {
  any_wait any = {.wait = {.what = "any future", .cancel = fibril__wait_cancel_now}};
  for (size_t i = 0; i < count; i++) {
    callbacks[i] = (fibril__callback){.fn = wake_by_first, .arg = &any};
    fibril__future_watch(fibril_future_ref(futures[i]), &callbacks[i]);
  }
  int index = fibril__wait_until_woken(self, &any.wait);
  for (size_t i = count; i-- > 0;) {
    if (index >= 0 && futures[i] == any.first) index = (int)i;
    fibril__future_unwatch(futures[i], &callbacks[i]);
    fibril_future_unref(futures[i]);
  }
  return index;
}

int fibril_await_any(fibril_future *const *futures, size_t count) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  if (count == 0 || count > INT32_MAX) return UV_EINVAL;
  for (size_t i = 0; i < count; i++)
    if (futures[i] == NULL) return FIBRIL_EBADYIELD;
  for (size_t i = 0; i < count; i++)
    if (futures[i]->state == FIBRIL__SETTLED) return (int)i;

  fibril__callback on_stack[ANY_ON_STACK], *callbacks = on_stack;
  if (count > ANY_ON_STACK) {
    callbacks = malloc(count * sizeof *callbacks);
    if (callbacks == NULL) return UV_ENOMEM;
  }
  int index = wait_for_any(self, futures, count, callbacks);
  if (callbacks != on_stack) free(callbacks);
  return index;
}
