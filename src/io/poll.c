/* Waiting for a file descriptor. */
#include "io.h"

#include <math.h>
#include <stdlib.h>

/* On the heap: libuv needs the handle for longer than the wait. */
typedef struct {
  uv_poll_t handle;
  fibril_loop *loop;
  fibril__wait *wait;
  int events;
} poller;

static void on_poll(uv_poll_t *handle, int status, int events) {
  poller *self = handle->data;
  /* So libuv calls a descriptor with an error, a refused connection for instance. What error it is,
   * the next read or write says. */
  if (status == UV_EBADF) events = self->events;
  fibril__wake(self->wait, status < 0 && status != UV_EBADF ? status : events);
}

static void on_timeout(void *arg) {
  fibril__wake(arg, UV_ETIMEDOUT);
}

static void on_closed(uv_handle_t *handle) {
  poller *self = handle->data;
  fibril__loop_handle_closed(self->loop);
  free(self);
}

static int poller_new(fibril_loop *loop, int fd, fibril__wait *wait, poller **out) {
  poller *self = malloc(sizeof *self);
  if (self == NULL) return UV_ENOMEM;
  int err = uv_poll_init(loop->uv, &self->handle, fd);
  if (err != 0) {
    free(self);
    return err;
  }
  loop->open_handles++;
  self->handle.data = self;
  self->loop = loop;
  self->wait = wait;
  *out = self;
  return 0;
}

static int start(poller *self, int events, double timeout, fibril_timeout *timer) {
  self->events = events;
  int err = uv_poll_start(&self->handle, events, on_poll);
  if (err != 0 || timeout < 0) return err;
  return fibril__timeout_add(self->loop, fibril__deadline(timeout), on_timeout, self->wait, timer);
}

int fibril_poll_fd(int fd, int events, double timeout) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  int known = UV_READABLE | UV_WRITABLE | UV_DISCONNECT | UV_PRIORITIZED;
  if (events == 0 || (events & ~known) != 0 || isnan(timeout)) return UV_EINVAL;
  if (fd < 0) return UV_EBADF;
  fibril__poll_wait w = {{.what = fibril__what_poll, .cancel = fibril__wait_cancel_now}, fd};
  poller *poll;
  err = poller_new(self->loop, fd, &w.wait, &poll);
  if (err != 0) return err;
  fibril_timeout timer = 0;
  int result = start(poll, events, timeout, &timer);
  if (result == 0) result = fibril__wait_until_woken(self, &w.wait);
  if (timer != 0) fibril_loop_remove_timeout(self->loop, timer);
  uv_close((uv_handle_t *)&poll->handle, on_closed);
  return result;
}
