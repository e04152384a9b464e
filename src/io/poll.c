/* Waiting for a file descriptor. */
#include "request.h"

#include "../core/loop/descriptors.h"
#include "../core/scheduler/timeouts.h"

#include <math.h>

typedef struct {
  fibril__watcher watcher;
  fibril__request request;
  fibril_timeout timer; /* 0: none */
} polling;

static void describe_poll(const fibril__wait *wait, fibril__wait_report *report) {
  report->fd = FIBRIL__CONTAINER(const polling, request.wait, wait)->watcher.fd;
}

static const fibril__wait_kind poll_kind = {.name = "poll", .describe = describe_poll};

/* What error is pending, a refused connection for instance, the next read or write says. */
static void on_descriptor_ready(fibril__watcher *watcher, int events) {
  polling *self = FIBRIL__CONTAINER(polling, watcher, watcher);
  bool pending = events < 0 && watcher->pending;
  fibril__request_end(&self->request, pending ? watcher->events : events);
}

static void on_descriptor_replaced(fibril__watcher *watcher) {
  fibril__watcher_stop(watcher);
  fibril__request_end(&FIBRIL__CONTAINER(polling, watcher, watcher)->request, UV_EBADF);
}

static void on_poll_timeout(void *request) {
  fibril__request_end(request, UV_ETIMEDOUT);
}

/* The watcher is stopped by who waits, as soon as that goes on. */
static bool stop_poll(fibril__request *request) {
  (void)request;
  return true;
}

static int start_poll(polling *self, int fd, int events, double timeout) {
  int known = UV_READABLE | UV_WRITABLE | UV_DISCONNECT | UV_PRIORITIZED;
  if (events == 0 || (events & ~known) != 0 || isnan(timeout)) return UV_EINVAL;
  if (fd < 0) return UV_EBADF;
  fibril_loop *loop = self->request.waiter->loop;
  self->watcher = (fibril__watcher){.loop = loop,
                                    .fd = fd,
                                    .events = events,
                                    .ready = on_descriptor_ready,
                                    .replaced = on_descriptor_replaced};
  int err = fibril__watcher_start(&self->watcher);
  if (err != 0 || timeout < 0) return err;
  err = fibril__timeout_add(loop, fibril__deadline(timeout), on_poll_timeout, &self->request,
                            &self->timer);
  if (err != 0) fibril__watcher_stop(&self->watcher);
  return err;
}

int fibril_poll_fd(int fd, int events, double timeout) {
  polling self;
  self.timer = 0;
  int err = fibril__request_begin(&self.request, &poll_kind, stop_poll);
  if (err != 0) return err;
  err = start_poll(&self, fd, events, timeout);
  int result = fibril__request_wait(&self.request, err);
  if (err != 0) return err;
  if (self.timer != 0) fibril_loop_remove_timeout(self.watcher.loop, self.timer);
  fibril__watcher_stop(&self.watcher);
  return result;
}
