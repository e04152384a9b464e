/* Answers to Tornado's Future. */
#include "future.h"

#include "clients.h"
#include "failures.h"

#include <stdlib.h>

#define FREE_FUTURES_MAX 4096

/* ---- Shared failed futures: what functions that return a future return when they can't make one
 * ---- */

/* Immutable: `loop` is NULL, and every function checks that before it writes. */
#define FAILED(name, error_code)                         \
  static fibril_future name = {.state = FIBRIL__SETTLED, \
                               .value = {FIBRIL_ERROR, {.integer = error_code}}}
FAILED(failed_enomem, UV_ENOMEM);
FAILED(failed_einval, UV_EINVAL);
FAILED(failed_closed, FIBRIL_ECLOSED);
FAILED(failed_notcoroutine, FIBRIL_ENOTCOROUTINE);
FAILED(failed_type, FIBRIL_ETYPE);

fibril_future *fibril__future_failed(int code) {
  switch (code) {
    case UV_EINVAL: return &failed_einval;
    case FIBRIL_ECLOSED: return &failed_closed;
    case FIBRIL_ENOTCOROUTINE: return &failed_notcoroutine;
    case FIBRIL_ETYPE: return &failed_type;
    default: return &failed_enomem;
  }
}

/* ---- Life ---- */

void fibril__futures_init(fibril_loop *loop) {
  FIBRIL__FIFO_INIT(&fibril__futures_of(loop)->settled);
}

void fibril__futures_close(fibril_loop *loop) {
  fibril__futures *all = fibril__futures_of(loop);
  while (all->free != NULL) {
    fibril_future *future = all->free;
    all->free = future->next;
    free(future);
  }
}

void fibril__future_init(fibril_loop *loop, fibril_future *future) {
  future->loop = loop;
  future->refs = 1;
  future->state = FIBRIL__PENDING;
  future->read = false;
  future->held = false;
  future->queued = false;
  future->first = future->last = NULL;
  future->coroutine = NULL;
  fibril__loop_ref(loop);
}

fibril_future *fibril_future_new(fibril_loop *loop) {
  fibril__futures *all = fibril__futures_of(loop);
  fibril_future *future = all->free;
  if (FIBRIL__LIKELY(future != NULL)) {
    all->free = future->next;
    all->free_count--;
  } else {
    future = malloc(sizeof *future);
    if (future == NULL) return NULL;
  }
  fibril__future_init(loop, future);
  return future;
}

fibril_future *fibril_future_ref(fibril_future *future) {
  if (future->loop != NULL) future->refs++;
  return future;
}

int fibril_future_hold(fibril_future *future) {
  if (future->state == FIBRIL__SETTLED) return FIBRIL_EALREADY;
  if (!future->held) fibril__loop_hold(future->loop);
  future->held = true;
  return 0;
}

static void release_hold(fibril_future *future) {
  if (future->held) fibril__loop_release(future->loop);
  future->held = false;
}

/* Logs a result that is an error and goes unread. */
static void result_unread(fibril_loop *loop, fibril_value result) {
  /* Who cancelled knows. */
  if (fibril__is_error(result) && fibril_error_code(result) != UV_ECANCELED)
    fibril__loop_log(loop, "a future failed and nobody read its error",
                     fibril__value_borrow(result));
}

/* Whether only the coroutine whose result it would be still has it, and needs it no more than
 * anybody else: a crowd of those would keep the heap full of futures. */
static bool nobody_asks(const fibril_future *future) {
  const fibril_coroutine *coroutine = future->coroutine;
  return future->refs == 1 && coroutine != NULL &&
         (coroutine->state == FIBRIL__WAITING || coroutine->state == FIBRIL__SUSPENDED) &&
         future->state == FIBRIL__PENDING && future->first == NULL && !future->held &&
         fibril__futures_of(future->loop)->failures == NULL;
}

static bool end_unread(fibril_coroutine *coroutine, fibril_value result) {
  result_unread(coroutine->loop, result);
  fibril_value_free(result);
  return false;
}

static bool end_ignored(fibril_coroutine *coroutine, fibril_value result) {
  (void)coroutine;
  fibril_value_free(result);
  return false;
}

/* Its result, if it is an error, is logged at its end, unless that has been said to be no loss. */
static void detach(fibril_future *future) {
  fibril__coroutine_on_end_with(future->coroutine, future->read ? end_ignored : end_unread, NULL);
}

void fibril_future_unref(fibril_future *future) {
  fibril_loop *loop = future->loop;
  if (loop == NULL) return;
  fibril__futures *all = fibril__futures_of(loop);
  if (--future->refs > 0) {
    if (!nobody_asks(future)) return;
    detach(future);
    future->refs = 0;
  } else if (future->state == FIBRIL__PENDING && future->first != NULL) {
    /* Nobody can settle it any more, and whoever waits for it has to hear of that. */
    future->refs = 1;
    fibril_future_set_error(future, UV_ECANCELED);
    fibril_future_unref(future);
    return;
  }
  if (FIBRIL__UNLIKELY(all->failures != NULL)) fibril__failures_freed(all->failures, future);
  if (future->state == FIBRIL__SETTLED) {
    if (!future->read) result_unread(loop, future->value);
    fibril_value_free(future->value);
  } else {
    release_hold(future);
  }
  if (loop->state != FIBRIL__CLOSED && all->free_count < FREE_FUTURES_MAX) {
    future->next = all->free;
    all->free = future;
    all->free_count++;
  } else {
    free(future);
  }
  fibril__loop_unref(loop);
}

void fibril_future_ignore(fibril_future *future) {
  if (future == NULL) return;
  future->read = true;
  fibril_future_unref(future);
}

void fibril__future_destroy(fibril_future *future) {
  if (future->state == FIBRIL__SETTLED) fibril_value_free(future->value);
  fibril__loop_unref(future->loop);
}

bool fibril_future_done(const fibril_future *future) {
  return future->state == FIBRIL__SETTLED;
}

fibril_value fibril_future_result(fibril_future *future) {
  if (future->state != FIBRIL__SETTLED) return fibril__error_code(FIBRIL_EPENDING);
  if (future->loop != NULL) future->read = true;
  return fibril__value_borrow(future->value);
}

/* ---- Callbacks ---- */

void fibril__future_watch(fibril_future *future, fibril__callback *callback) {
  callback->watched = true;
  FIBRIL__LIST_ADD(future, callback);
}

void fibril__future_unwatch(fibril_future *future, fibril__callback *callback) {
  if (!callback->watched) return;
  callback->watched = false;
  FIBRIL__LIST_REMOVE(future, callback);
}

static void run_first_callback(fibril_future *future) {
  fibril__callback *callback = future->first;
  fibril_future_cb fn = callback->fn;
  void *arg = callback->arg;
  fibril__future_unwatch(future, callback);
  if (callback->id != 0) free(callback);
  fn(future, arg);
}

static void enqueue_settled(fibril__futures *all, fibril_future *future) {
  future->queued = true;
  fibril_future_ref(future);
  FIBRIL__FIFO_ADD(&all->settled, future);
}

/* Runs what is to be run, iteratively, in the order that recursion would have: what a callback
 * settles comes before the callbacks that are left. On the loop's stack. A callback may turn the
 * loop: then the rest is run there. */
static void run_callbacks(void *arg) {
  fibril_loop *loop = arg;
  fibril__futures *all = fibril__futures_of(loop);
  fibril__visit visit = fibril__visit_begin(loop);
  fibril__loop_ref(loop);
  all->running_callbacks = true;
  while (all->settled.first != NULL || all->settling != NULL) {
    if (all->settled.first != NULL) {
      *all->settled.tail = all->settling;
      all->settling = all->settled.first;
      FIBRIL__FIFO_INIT(&all->settled);
    }
    fibril_future *future = all->settling;
    if (future->first != NULL) {
      if (future->first->next != NULL || future->next != NULL) fibril__loop_activate(loop);
      run_first_callback(future);
    } else {
      all->settling = future->next;
      future->queued = false;
      fibril_future_unref(future);
    }
  }
  all->running_callbacks = false;
  fibril__visit_end(loop, visit);
  fibril__loop_unref(loop);
}

void fibril__loop_run_callbacks(fibril_loop *loop) {
  if (fibril__futures_of(loop)->running_callbacks) run_callbacks(loop);
}

/* True while only waits are registered: those may run on any stack. */
static bool only_waits(const fibril_future *future) {
  for (const fibril__callback *callback = future->first; callback != NULL;
       callback = callback->next)
    if (callback->id != 0) return false;
  return true;
}

void fibril__future_settle(fibril_future *future, fibril_value owned) {
  fibril_loop *loop = future->loop;
  fibril__futures *all = fibril__futures_of(loop);
  future->value = owned;
  future->state = FIBRIL__SETTLED;
  release_hold(future);
  if (future->first == NULL) return;
  if (all->running_callbacks || !only_waits(future)) {
    enqueue_settled(all, future);
    if (!all->running_callbacks) fibril_on_loop(run_callbacks, loop);
    return;
  }
  while (future->first != NULL) run_first_callback(future);
}

static void settle_by_hand(fibril_future *future, fibril_value owned) {
  struct fibril__failures *failures = fibril__futures_of(future->loop)->failures;
  if (FIBRIL__UNLIKELY(failures != NULL) && fibril__is_error(owned))
    fibril__failures_add(failures, future, "");
  fibril__future_settle(future, owned);
}

int fibril_future_set_result(fibril_future *future, fibril_value value) {
  value = fibril_value_take(value);
  if (future->state == FIBRIL__SETTLED) {
    fibril_value_free(value);
    return FIBRIL_EALREADY;
  }
  settle_by_hand(future, value);
  return 0;
}

int fibril_future_set_error(fibril_future *future, int code) {
  return fibril_future_set_result(future, fibril__error_code(code));
}

typedef struct {
  fibril_future *future;
  fibril_future_cb callback;
  void *arg;
} call_now;

static void do_call_now(void *data) {
  call_now *call = data;
  fibril_loop *loop = call->future->loop;
  if (loop == NULL) {
    call->callback(call->future, call->arg);
    return;
  }
  fibril__loop_ref(loop);
  fibril__visit visit = fibril__visit_begin(loop);
  call->callback(call->future, call->arg);
  fibril__visit_end(loop, visit);
  fibril__loop_unref(loop);
}

int fibril_future_add_done_callback(fibril_future *future, fibril_future_cb callback, void *arg,
                                    uint64_t *id) {
  if (id != NULL) *id = 0;
  /* One that is settling right now still has callbacks before this one. */
  if (future->state == FIBRIL__SETTLED && !(future->queued && future->first != NULL)) {
    call_now call = {future, callback, arg};
    fibril_on_loop(do_call_now, &call);
    return 0;
  }
  fibril__callback *entry = malloc(sizeof *entry);
  if (entry == NULL) return UV_ENOMEM;
  entry->fn = callback;
  entry->arg = arg;
  entry->id = ++fibril__futures_of(future->loop)->next_callback_id;
  fibril__future_watch(future, entry);
  if (id != NULL) *id = entry->id;
  return 0;
}

int fibril_future_remove_done_callback(fibril_future *future, uint64_t id) {
  if (id == 0) return UV_ENOENT;
  for (fibril__callback *callback = future->first; callback != NULL; callback = callback->next) {
    if (callback->id != id) continue;
    fibril__future_unwatch(future, callback);
    free(callback);
    return 0;
  }
  return UV_ENOENT;
}

static void copy_outcome(fibril_future *from, void *arg) {
  fibril_future *to = arg;
  fibril_value value = fibril_future_result(from);
  if (to->state == FIBRIL__PENDING) settle_by_hand(to, fibril_value_dup(value));
  fibril_future_unref(to);
}

int fibril_future_chain(fibril_future *from, fibril_future *to) {
  fibril_future_ref(to);
  int err = fibril_future_add_done_callback(from, copy_outcome, to, NULL);
  if (err != 0) fibril_future_unref(to);
  return err;
}
