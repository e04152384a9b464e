/* Waiting for a file descriptor: one that is kept, and for a single wait. */
#include "poll.h"

#include "handle.h"

#include "../core/loop/descriptors.h"
#include "../core/scheduler/timeouts.h"

#include <math.h>
#include <stdlib.h>

static bool known_events(int events) {
  int known = UV_READABLE | UV_WRITABLE | UV_DISCONNECT | UV_PRIORITIZED;
  return events != 0 && (events & ~known) == 0;
}

/* ---- One that is kept ---- */

/* The system goes on watching between waits, so that the next one costs no call of it. What comes
 * when nobody waits for it is watched no more until somebody does. */
struct fibril_poll {
  fibril__handle handle;
  fibril__watcher watcher;
  int wanted[2]; /* by who waits */
  bool gone;     /* the descriptor */
};

typedef struct {
  fibril__request request;
  const fibril_poll *poll;
} kept_wait;

void fibril__poll_describe(const fibril__wait *wait, fibril__wait_report *report) {
  const kept_wait *self = FIBRIL__CONTAINER(const kept_wait, request.wait, wait);
  report->fd = self->poll->watcher.fd;
  report->unheld = self->request.unheld;
}

static const fibril__wait_kind kept_kind = {.name = "poll", .describe = fibril__poll_describe};

static int wanted_by(const fibril_poll *self, int which) {
  return fibril__handle_waiting(&self->handle, which) == NULL ? 0 : self->wanted[which];
}

static void tell_kept(fibril_poll *self, int which, int status) {
  fibril__request *request = fibril__handle_waiting(&self->handle, which);
  if (request != NULL) fibril__request_end(request, status);
}

/* The number may become another one's. */
static void lose_kept(fibril_poll *self) {
  self->gone = true;
  for (int i = 0; i < 2; i++) tell_kept(self, i, UV_EBADF);
}

static void on_kept_ready(fibril__watcher *watcher, int events) {
  fibril_poll *self = FIBRIL__CONTAINER(fibril_poll, watcher, watcher);
  if (events < 0) {
    lose_kept(self);
    return;
  }
  int wanted[] = {wanted_by(self, FIBRIL__READER), wanted_by(self, FIBRIL__WRITER)};
  int unwanted = events & ~(wanted[0] | wanted[1]);
  if (unwanted != 0) fibril__watcher_change(watcher, watcher->events & ~unwanted);
  for (int i = 0; i < 2; i++)
    if ((wanted[i] & events) != 0) tell_kept(self, i, wanted[i] & events);
}

static void on_kept_replaced(fibril__watcher *watcher) {
  fibril__watcher_stop(watcher);
  lose_kept(FIBRIL__CONTAINER(fibril_poll, watcher, watcher));
}

static void close_kept(fibril__handle *handle) {
  fibril__watcher_give_back(&FIBRIL__CONTAINER(fibril_poll, handle, handle)->watcher);
}

static void free_kept(fibril__handle *handle) {
  free(FIBRIL__CONTAINER(fibril_poll, handle, handle));
}

static const fibril__handle_type kept_type = {.close = close_kept, .free = free_kept};

int fibril_poll_open(fibril_socket fd, fibril_poll **out) {
  if (out == NULL) return UV_EINVAL;
  if (fd < 0) return UV_EBADF;
  fibril_poll *self = calloc(1, sizeof *self);
  if (self == NULL) return UV_ENOMEM;
  int err = fibril__handle_init(&self->handle, &kept_type);
  if (err != 0) {
    free(self);
    return err;
  }
  self->watcher = (fibril__watcher){.loop = self->handle.loop,
                                    .fd = fd,
                                    .steady = true,
                                    .unheld = true,
                                    .ready = on_kept_ready,
                                    .replaced = on_kept_replaced};
  fibril__handle_ref(
      &self->handle); /* who had the number before hears of it, and may do anything */
  err = fibril__watcher_start(&self->watcher);
  if (err == 0)
    *out = self;
  else
    fibril__handle_close(&self->handle);
  fibril__handle_unref(&self->handle);
  return err;
}

static bool stop_kept(fibril__request *request) {
  (void)request;
  return true;
}

/* Whoever waits for both directions is the reader and the writer. */
static int begin_kept(fibril_poll *self, fibril__request *request, int events,
                      const fibril__wait_kind *kind) {
  bool writes = (events & UV_WRITABLE) != 0, reads = (events & ~UV_WRITABLE) != 0;
  int which = reads ? FIBRIL__READER : FIBRIL__WRITER;
  if (writes && self->handle.waits[FIBRIL__WRITER] != NULL) return UV_EBUSY;
  int err = fibril__handle_begin(&self->handle, which, request, kind, stop_kept);
  if (err != 0) return err;
  if (writes) self->handle.waits[FIBRIL__WRITER] = request;
  if (reads) self->wanted[FIBRIL__READER] = events;
  if (writes) self->wanted[FIBRIL__WRITER] = events;
  return 0;
}

int fibril__poll_wait(fibril_poll *self, int events, const fibril__wait_kind *kind) {
  kept_wait wait = {.poll = self};
  if (!known_events(events)) return UV_EINVAL;
  int err = fibril__handle_check(&self->handle);
  if (err != 0) return err;
  if (self->gone) return UV_EBADF;
  err = begin_kept(self, &wait.request, events, kind);
  if (err != 0) return err;
  fibril__watcher *watcher = &self->watcher;
  if ((watcher->events & events) != events)
    fibril__watcher_change(watcher, watcher->events | events);
  fibril__handle_ref(&self->handle);
  int result = fibril__request_wait(&wait.request, 0);
  for (int i = 0; i < 2; i++)
    if (self->handle.waits[i] == &wait.request) self->handle.waits[i] = NULL;
  fibril__handle_unref(&self->handle);
  return result;
}

int fibril_poll_wait(fibril_poll *self, int events) {
  return fibril__poll_wait(self, events, &kept_kind);
}

FIBRIL__HANDLE_FUNCTIONS(poll, fibril_poll)

/* ---- A single wait ---- */

typedef struct {
  fibril__watcher watcher;
  fibril__request request;
  fibril_timeout timer; /* 0: none */
} polling;

static void describe_poll(const fibril__wait *wait, fibril__wait_report *report) {
  report->fd = FIBRIL__CONTAINER(const polling, request.wait, wait)->watcher.fd;
}

static const fibril__wait_kind poll_kind = {.name = "poll", .describe = describe_poll};

static void on_descriptor_ready(fibril__watcher *watcher, int events) {
  fibril__request_end(&FIBRIL__CONTAINER(polling, watcher, watcher)->request, events);
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
  if (!known_events(events) || isnan(timeout)) return UV_EINVAL;
  if (fd < 0) return UV_EBADF;
  fibril_loop *loop = self->request.waiter->loop;
  self->watcher = (fibril__watcher){.loop = loop,
                                    .fd = fd,
                                    .events = events,
                                    .steady = true,
                                    .ready = on_descriptor_ready,
                                    .replaced = on_descriptor_replaced};
  int err = fibril__watcher_start(&self->watcher);
  if (err != 0 || timeout < 0) return err;
  err = fibril__timeout_add(loop, fibril__deadline(timeout), on_poll_timeout, &self->request,
                            &self->timer);
  if (err != 0) fibril__watcher_stop(&self->watcher);
  return err;
}

int fibril_poll_fd(fibril_socket fd, int events, double timeout) {
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
