/* Waiting for futures. */
#include "../scheduler/timeouts.h"
#include "../scheduler/wait.h"
#include "future.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
  fibril__wait wait;
  fibril__callback callback;
  fibril_future *future;
} future_wait;

static void describe_future(const fibril__wait *wait, fibril__wait_report *report) {
  report->on = FIBRIL__CONTAINER(const future_wait, wait, wait)->future->coroutine;
}

static const fibril__wait_kind future_kind = {.name = "future", .describe = describe_future};

static void wake_timed_out(void *arg) {
  fibril__wake(arg, UV_ETIMEDOUT);
}

static void wake_by_future(fibril_future *future, void *arg) {
  (void)future;
  fibril__wake(arg, 0);
}

/* Waits for a pending future; `timeout` < 0: none. Its result, also when it was settled while the
 * wait was about to end early; else *err says how that ended. When nobody else has the future any
 * more, it leaves its result to the coroutine. */
FIBRIL__INLINE fibril_value await_pending(fibril_coroutine *self, fibril_future *future,
                                          double timeout, int *err) {
  fibril_timeout timer = 0;
  future_wait w = {.wait = {.kind = &future_kind, .cancel = fibril__wait_cancel_now},
                   .callback = {.fn = wake_by_future, .arg = &w.wait},
                   .future = future};
  if (timeout >= 0) {
    *err =
        fibril__timeout_add(self->loop, fibril__deadline(timeout), wake_timed_out, &w.wait, &timer);
    if (*err != 0) return fibril__error_code(*err);
  }
  fibril_future_ref(future);
  fibril__future_watch(future, &w.callback);
  *err = fibril__wait_in(self, &w.wait, FIBRIL__WAITING);
  if (timer != 0) fibril_loop_remove_timeout(self->loop, timer);
  fibril__future_unwatch(future, &w.callback);
  if (future->state == FIBRIL__SETTLED) *err = 0;
  if (FIBRIL__UNLIKELY(*err == UV_ECANCELED)) future->read = true; /* who waited has been told */
  fibril_value value = *err != 0 ? fibril__error_code(*err) : fibril_future_result(future);
  if (FIBRIL__UNLIKELY(future->refs == 1)) value = fibril__value_keep(fibril_value_dup(value));
  fibril_future_unref(future);
  return value;
}

/* Who is told that it is cancelled hears of no future any more: what that fails with later is not
 * unread. */
__attribute__((noinline)) static fibril_value refuse_await(fibril_future *future, int err) {
  if (err == UV_ECANCELED && future->state == FIBRIL__PENDING) future->read = true;
  return fibril__error_code(err);
}

FIBRIL__INLINE fibril_value await_inline(fibril_future *future, double timeout) {
  if (future == NULL) return fibril__error_code(FIBRIL_EBADYIELD);
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (FIBRIL__UNLIKELY(err != 0)) return refuse_await(future, err);
  return future->state == FIBRIL__SETTLED ? fibril_future_result(future)
                                          : await_pending(self, future, timeout, &err);
}

fibril_value fibril_await(fibril_future *future) {
  return await_inline(future, -1);
}

fibril_value fibril_await_timeout(fibril_future *future, double timeout) {
  if (isnan(timeout) || timeout < 0) return fibril__error_code(UV_EINVAL);
  return await_inline(future, timeout);
}

/* One after the other takes as long as all at once: the last one decides. Of one that is done the
 * result counts, also when the wait for another one has ended early. */
fibril_value fibril_await_all(fibril_future *const *futures, size_t count) {
  fibril_coroutine *self = fibril__self();
  fibril_value first_error = fibril_undefined();
  int err = fibril__wait_check(self);
  if (err != 0) return fibril__error_code(err);
  for (size_t i = 0; i < count; i++) {
    fibril_value value = fibril__error_code(FIBRIL_EBADYIELD);
    if (futures[i] != NULL && futures[i]->state == FIBRIL__SETTLED) {
      value = fibril_future_result(futures[i]);
    } else if (futures[i] != NULL) {
      err = fibril__wait_check(self);
      value = err != 0 ? fibril__error_code(err) : await_pending(self, futures[i], -1, &err);
      if (err != 0) return value;
    }
    if (fibril__is_error(value) && !fibril__is_error(first_error)) first_error = value;
  }
  return first_error;
}

/* ---- The first of many ---- */

#define ANY_ON_STACK 16

typedef struct {
  fibril__wait wait;
  fibril_future *first;
} any_wait;

static const fibril__wait_kind any_kind = {.name = "any future"};

static void wake_by_first(fibril_future *future, void *arg) {
  any_wait *any = arg;
  if (any->first == NULL) any->first = future;
  fibril__wake(&any->wait, 0);
}

/* Waits with `callbacks`, one a future, none of which is done. */
static int wait_for_any(fibril_coroutine *self, fibril_future *const *futures, size_t count,
                        fibril__callback *callbacks) {
  any_wait any = {.wait = {.kind = &any_kind, .cancel = fibril__wait_cancel_now}};
  for (size_t i = 0; i < count; i++) {
    callbacks[i] = (fibril__callback){.fn = wake_by_first, .arg = &any};
    fibril__future_watch(fibril_future_ref(futures[i]), &callbacks[i]);
  }
  int index = fibril__wait_until_woken(self, &any.wait);
  for (size_t i = count; any.first != NULL && i-- > 0;)
    if (futures[i] == any.first) index = (int)i;
  for (size_t i = count; i-- > 0;) {
    fibril__future_unwatch(futures[i], &callbacks[i]);
    if (index == UV_ECANCELED) futures[i]->read = true;
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
