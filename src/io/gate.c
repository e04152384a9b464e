#include "gate.h"

#include <stdlib.h>

/* As libuv reads UV_THREADPOOL_SIZE. */
#define POOL_DEFAULT 4
#define POOL_MAX 1024

/* On the waiting coroutine's stack. Between being taken off the queue and `posted` having run it is
 * not touched by its own loop, which is what lets another thread hand it a token. */
typedef struct waiter waiter;
struct waiter {
  fibril__wait wait;
  fibril__posted posted;
  fibril_loop *loop;
  waiter *next, *prev;
  bool queued;
};

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static int tokens;
static waiter *first, *last;

static void init(void) {
  const char *text = getenv("UV_THREADPOOL_SIZE");
  int threads = text == NULL ? POOL_DEFAULT : atoi(text);
  if (threads < 1) threads = 1;
  if (threads > POOL_MAX) threads = POOL_MAX;
  tokens = threads < 2 ? 1 : threads / 2;
  if (uv_mutex_init(&mutex) != 0) fibril__fatal("no mutex for the thread pool's gate");
}

/* ---- The queue; under the mutex ---- */

static void push(waiter *w) {
  w->queued = true;
  w->next = NULL;
  w->prev = last;
  *(last == NULL ? &first : &last->next) = w;
  last = w;
}

static void take_off(waiter *w) {
  w->queued = false;
  *(w->prev == NULL ? &first : &w->prev->next) = w->next;
  *(w->next == NULL ? &last : &w->next->prev) = w->prev;
}

/* ---- Waiting ---- */

static void wake_with_token(fibril__posted *posted) {
  fibril__wake(&FIBRIL__CONTAINER(waiter, posted, posted)->wait, 0);
}

/* One that a token is on its way to ends with that. */
static void cancel(fibril__wait *wait) {
  waiter *w = FIBRIL__CONTAINER(waiter, wait, wait);
  uv_mutex_lock(&mutex);
  bool was_queued = w->queued;
  if (was_queued) take_off(w);
  uv_mutex_unlock(&mutex);
  if (was_queued) fibril__wake(wait, UV_ECANCELED);
}

static int wait_for_token(fibril_coroutine *self, waiter *w) {
  /* Nothing of this loop's need be in the pool: the token may come from another thread. */
  fibril__loop_hold(self->loop);
  int err = fibril__wait_until_woken(self, &w->wait);
  fibril__loop_release(self->loop);
  if (err == 0 && self->root->cancelled) {
    fibril__gate_leave(self->loop);
    err = UV_ECANCELED;
  }
  return err;
}

int fibril__gate_enter(fibril_coroutine *self, const char *what) {
  waiter w = {
      .wait = {.what = what, .cancel = cancel}, .posted.run = wake_with_token, .loop = self->loop};
  uv_once(&once, init);
  /* A token is free only while nobody waits. One that another thread hands over comes through this
   * loop's poster, so never before the switch. */
  uv_mutex_lock(&mutex);
  bool free_token = tokens > 0;
  if (free_token)
    tokens--;
  else
    push(&w);
  uv_mutex_unlock(&mutex);
  return free_token ? 0 : wait_for_token(self, &w);
}

void fibril__gate_leave(const fibril_loop *loop) {
  uv_mutex_lock(&mutex);
  waiter *w = first;
  if (w == NULL)
    tokens++;
  else
    take_off(w);
  uv_mutex_unlock(&mutex);
  if (w == NULL) return;
  if (w->loop == loop)
    fibril__wake(&w->wait, 0);
  else
    fibril__post(w->loop->poster, &w->posted);
}
