/* A request: one operation that a coroutine waits for, whoever carries it out: libuv, a thread of
 * the pool, the loop's epoll set. It lives on the waiting coroutine's stack.
 *
 *     int err = fibril__request_begin(&self.request, &connect_kind, stop_connect);
 *     if (err != 0) return err;
 *     return fibril__request_wait(&self.request, uv_tcp_connect(..., on_connect));
 *
 * and fibril__request_end(&self->request, status) where the operation has ended, on_connect here.
 * What it gives beyond a status is in the struct around the request. An operation that completed
 * gives its result, also when it was asked to stop before; who was cancelled hears of it at the
 * next wait.
 *
 * `stop` is called once at most, on any stack, when the waiting coroutine is cancelled or late. It
 * says whether the wait is over:
 * - true: it can be given up at once (a poll, a queued job, a reader who waits for data), and the
 *   request ends with UV_ECANCELED. Nobody may use the request's memory after that.
 * - false: it uses that memory and has been asked to end (uv_cancel, uv_close of its handle), or
 *   can't be: it is waited for. Its callback ends the request, with UV_ECANCELED if that is what
 *   libuv says.
 * - An operation that owns all the memory it uses, a lookup for one, forgets the request and gives
 *   true; alone, it is counted with fibril__loop_handle_opened until its callback comes.
 *
 * NULL: nothing can be done, it is waited for. */
#ifndef FIBRIL_IO_REQUEST_H
#define FIBRIL_IO_REQUEST_H

#include "../core/loop/host.h"
#include "../core/loop/post.h"
#include "../core/scheduler/wait.h"

typedef struct fibril__request fibril__request;
typedef bool (*fibril__stop_fn)(fibril__request *request);

struct fibril__request {
  fibril__wait wait;
  fibril_coroutine *waiter;
  fibril__stop_fn stop;
  bool asked;  /* to stop */
  bool unheld; /* it does not keep the loop alive */
};

/* The `cancel` of every request's wait. */
void fibril__request_cancel(fibril__wait *wait);

/* Whether the running coroutine may wait: 0, or what the call that asks has to give. From 0 on the
 * request holds the loop, until it ends; fibril__request_wait comes next. */
static inline int fibril__request_begin(fibril__request *request, const fibril__wait_kind *kind,
                                        fibril__stop_fn stop) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (FIBRIL__UNLIKELY(err != 0)) return err;
  *request = (fibril__request){
      .wait = {.kind = kind, .cancel = fibril__request_cancel}, .waiter = self, .stop = stop};
  fibril__loop_hold(self->loop);
  return 0;
}

/* Whether one that has begun keeps the loop alive; it does at first. */
static inline void fibril__request_hold(fibril__request *request, bool held) {
  if (request->wait.woken || request->unheld != held) return;
  request->unheld = !held;
  (held ? fibril__loop_hold : fibril__loop_release)(request->waiter->loop);
}

/* Of one whose coroutine was cancelled, or became late, while it was started: starting may tell
 * others of something on the loop's stack. What the request then ends with. */
int fibril__request_look_again(fibril__request *request);

/* `started`: what starting the operation gave. 0: waits, and gives what the request ended with, at
 * once if it has; UV_ECANCELED is UV_ETIMEDOUT after a deadline. Else nothing was started, and that
 * is the result. */
static inline int fibril__request_wait(fibril__request *request, int started) {
  fibril_coroutine *self = request->waiter;
  if (FIBRIL__UNLIKELY(started != 0)) {
    if (!request->unheld) fibril__loop_release(self->loop);
    return started;
  }
  if (FIBRIL__UNLIKELY(self->hindered != 0)) return fibril__request_look_again(request);
  return fibril__wait_until_woken(self, &request->wait);
}

/* On the loop's thread, any stack, also while it is started. The first call counts. */
void fibril__request_end(fibril__request *request, int status);

#endif /* FIBRIL_IO_REQUEST_H */
