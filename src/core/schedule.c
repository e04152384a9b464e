/* Callbacks and timeouts of the loop. Answers to Tornado's add_callback, add_future, call_later,
 * call_at, remove_timeout. */
#include "core.h"

#include <math.h>
#include <stdlib.h>

/* ---- The ready queue ---- */

#define RING_FIRST 64

static int resize(fibril_loop *loop, size_t places) {
  fibril__task **ring = calloc(places, sizeof(*ring));
  if (ring == NULL) return UV_ENOMEM;
  for (uint64_t i = loop->dequeued; i != loop->enqueued; i++)
    ring[i & (places - 1)] = loop->ring[i & loop->mask];
  free(loop->ring);
  loop->ring = ring;
  loop->mask = places - 1;
  return 0;
}

int fibril__ring_grow(fibril_loop *loop) {
  return resize(loop, loop->ring == NULL ? RING_FIRST : (loop->mask + 1) * 2);
}

/* Only to a quarter and less, so that it does not grow again at once. */
void fibril__ring_shrink(fibril_loop *loop) {
  size_t places = RING_FIRST;
  while (places <= 2 * (loop->coroutines + loop->callbacks)) places *= 2;
  if (places <= (loop->mask + 1) / 4) (void)resize(loop, places); /* or it stays as it is */
}

/* ---- Callbacks ---- */

typedef struct {
  fibril__task task;
  fibril_cb callback;
  void *arg;
} callback_task;

static void run_callback(fibril__task *task) {
  callback_task *entry = FIBRIL__CONTAINER(callback_task, task, task);
  fibril_cb callback = entry->callback;
  void *arg = entry->arg;
  free(entry);
  callback(arg);
}

int fibril_loop_add_callback(fibril_loop *loop, fibril_cb callback, void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  callback_task *entry = fibril__reserve(loop) == 0 ? malloc(sizeof *entry) : NULL;
  if (entry == NULL) return UV_ENOMEM;
  *entry = (callback_task){{NULL, run_callback}, callback, arg};
  loop->callbacks++;
  fibril__enqueue(loop, &entry->task);
  return 0;
}

typedef struct {
  fibril__task task;
  fibril_loop *loop;
  fibril_future *future;
  fibril_future_cb callback;
  void *arg;
} future_task;

static void run_future_callback(fibril__task *task) {
  future_task *entry = FIBRIL__CONTAINER(future_task, task, task);
  entry->callback(entry->future, entry->arg);
  fibril_future_unref(entry->future);
  free(entry);
}

static void enqueue_future_task(fibril_future *future, void *arg) {
  future_task *entry = arg;
  (void)future;
  fibril__enqueue(entry->loop, &entry->task);
}

int fibril_loop_add_future(fibril_loop *loop, fibril_future *future, fibril_future_cb callback,
                           void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  future_task *entry = fibril__reserve(loop) == 0 ? malloc(sizeof *entry) : NULL;
  if (entry == NULL) return UV_ENOMEM;
  *entry = (future_task){{NULL, run_future_callback}, loop, future, callback, arg};
  int err = 0;
  if (future->state == FIBRIL__SETTLED)
    fibril__enqueue(loop, &entry->task);
  else
    err = fibril_future_add_done_callback(future, enqueue_future_task, entry, NULL);
  if (err != 0) {
    free(entry);
    return err;
  }
  loop->callbacks++;
  fibril_future_ref(future);
  return 0;
}

/* ---- Timeouts ---- */

#define NS_PER_MS 1000000.0

uint64_t fibril__deadline(double ms) {
  double ns = ms <= 0 ? 0 : ceil(ms * NS_PER_MS);
  uint64_t now = uv_hrtime();
  return ns >= (double)(UINT64_MAX - now) ? UINT64_MAX : now + (uint64_t)ns;
}

static void on_timer(uv_timer_t *timer) {
  fibril_loop *loop = timer->data;
  loop->armed = 0;
  fibril__loop_activate(loop); /* the check phase is sure to come at once */
}

/* Sets libuv's timer for the next deadline: the time that is left, in whole milliseconds, which is
 * how libuv polls. It fires too early when the loop's cached clock is behind; then the iteration
 * finds nothing due and sets it again. */
void fibril__loop_arm(fibril_loop *loop) {
  uint64_t next = fibril__timers_next(&loop->timers);
  if (next == loop->armed || uv_is_closing((uv_handle_t *)&loop->timer)) return;
  loop->armed = next;
  if (next == 0) {
    uv_timer_stop(&loop->timer);
    return;
  }
  uint64_t now = uv_hrtime(), left = next <= now ? 0 : next - now;
  uv_timer_start(&loop->timer, on_timer, left / 1000000 + (left % 1000000 != 0), 0);
}

static int add_timeout(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                       fibril_timeout *timeout, fibril_timeout *home) {
  *timeout = fibril__timers_add(&loop->timers, deadline, callback, arg, home);
  if (*timeout == 0) return UV_ENOMEM;
  if (loop->armed == 0 || deadline < loop->armed) fibril__loop_arm(loop);
  return 0;
}

int fibril__timeout_add(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                        fibril_timeout *timeout) {
  return add_timeout(loop, deadline, callback, arg, timeout, timeout);
}

/* Its handle may be anywhere. */
static int call_at(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                   fibril_timeout *timeout) {
  fibril_timeout unused;
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  return add_timeout(loop, deadline, callback, arg, timeout == NULL ? &unused : timeout, NULL);
}

int fibril_loop_call_later(fibril_loop *loop, double ms, fibril_cb callback, void *arg,
                           fibril_timeout *timeout) {
  if (isnan(ms)) return UV_EINVAL;
  return call_at(loop, fibril__deadline(ms), callback, arg, timeout);
}

int fibril_loop_call_at(fibril_loop *loop, double when, fibril_cb callback, void *arg,
                        fibril_timeout *timeout) {
  if (isnan(when)) return UV_EINVAL;
  double ns = when <= 0 ? 1 : ceil(when * NS_PER_MS);
  return call_at(loop, ns >= (double)UINT64_MAX ? UINT64_MAX : (uint64_t)ns, callback, arg,
                 timeout);
}

void fibril_loop_remove_timeout(fibril_loop *loop, fibril_timeout timeout) {
  if (fibril__timers_remove(&loop->timers, timeout)) fibril__loop_arm(loop);
}

double fibril_loop_now(const fibril_loop *loop) {
  (void)loop;
  return (double)uv_hrtime() / NS_PER_MS;
}
