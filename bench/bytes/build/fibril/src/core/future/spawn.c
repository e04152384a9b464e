/* Coroutines whose result is a future. */
#include "../scheduler/run.h"
#include "../scheduler/scope.h"
#include "clients.h"
#include "failures.h"
#include "future.h"

/* Settling it runs callbacks, by when the coroutine is to be gone. */
static bool end_settling(fibril_coroutine *coroutine, fibril_value result) {
  fibril_future *future = coroutine->ended_arg;
  struct fibril__failures *failures = fibril__futures_of(future->loop)->failures;
  bool pending = future->state == FIBRIL__PENDING;
  if (FIBRIL__UNLIKELY(failures != NULL) && pending && fibril__is_error(result))
    fibril__failures_add(failures, future, fibril__name(coroutine));
  fibril__coroutine_release(coroutine);
  future->coroutine = NULL;
  if (pending)
    fibril__future_settle(future, result);
  else
    fibril_value_free(result);
  fibril_future_unref(future);
  return true;
}

static void set_future(fibril_coroutine *coroutine, fibril_future *future) {
  future->coroutine = coroutine;
  fibril__coroutine_on_end_with(coroutine, end_settling, fibril_future_ref(future));
}

fibril_future *fibril_loop_spawn(fibril_loop *loop, fibril_fn fn, void *arg,
                                 const fibril_spawn_options *options) {
  fibril_coroutine *child;
  fibril_future *future = fibril_future_new(loop);
  int err = future == NULL ? UV_ENOMEM : fibril__coroutine_new(loop, fn, arg, options, &child);
  if (err != 0) {
    if (future != NULL) fibril_future_unref(future);
    return fibril__future_failed(err);
  }
  set_future(child, future);
  fibril__start(loop, child);
  return future;
}

fibril_future *fibril_spawn(fibril_fn fn, void *arg, const fibril_spawn_options *options) {
  fibril_coroutine *self = fibril__self();
  return self == NULL ? fibril__future_failed(FIBRIL_ENOTCOROUTINE)
                      : fibril_loop_spawn(self->loop, fn, arg, options);
}

int fibril_cancel(fibril_future *future) {
  if (future->state == FIBRIL__SETTLED) return FIBRIL_EALREADY;
  if (future->coroutine == NULL) return fibril_future_set_error(future, UV_ECANCELED);
  fibril__coroutine_cancel(future->coroutine);
  return 0;
}
