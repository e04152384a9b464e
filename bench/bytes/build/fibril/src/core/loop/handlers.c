/* Answers to Tornado's add_handler, update_handler, remove_handler. */
#include "handlers.h"

#include "loop.h"

#include <stdlib.h>

typedef struct {
  fibril__watcher watcher;
  fibril_handler handler;
  void *arg;
} handler;

static void on_handler_ready(fibril__watcher *watcher, int events) {
  handler *self = FIBRIL__CONTAINER(handler, watcher, watcher);
  fibril_loop *loop = watcher->loop;
  fibril__loop_ref(loop);
  fibril__visit visit = fibril__visit_begin(loop);
  self->handler(watcher->fd, events, self->arg);
  fibril__visit_end(loop, visit);
  fibril__loop_unref(loop);
}

static fibril__watcher *find_handler(const fibril_loop *loop, int fd) {
  fibril__watcher *watcher = fibril__watcher_find(loop, fd);
  return watcher != NULL && watcher->ready == on_handler_ready ? watcher : NULL;
}

static void tell_gone(void *watcher) {
  on_handler_ready(watcher, UV_EBADF);
}

/* It hears of it, unless it has. */
static void on_handler_replaced(fibril__watcher *watcher) {
  bool heard = watcher->serial == 0 && !watcher->lost;
  fibril__watcher_stop(watcher);
  if (!heard) fibril_on_loop(tell_gone, watcher);
  free(FIBRIL__CONTAINER(handler, watcher, watcher));
}

static void drop_handler(fibril__watcher *watcher) {
  fibril__watcher_give_back(watcher);
  free(FIBRIL__CONTAINER(handler, watcher, watcher));
}

static bool valid(int events) {
  return events != 0 &&
         (events & ~(UV_READABLE | UV_WRITABLE | UV_DISCONNECT | UV_PRIORITIZED)) == 0;
}

int fibril_loop_add_handler(fibril_loop *loop, fibril_socket fd, int events, fibril_handler fn,
                            void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  if (fd < 0) return UV_EBADF;
  if (!valid(events)) return UV_EINVAL;
  handler *self = malloc(sizeof *self);
  if (self == NULL) return UV_ENOMEM;
  *self = (handler){.watcher = {.loop = loop,
                                .fd = fd,
                                .events = events,
                                .ready = on_handler_ready,
                                .replaced = on_handler_replaced},
                    .handler = fn,
                    .arg = arg};
  int err = fibril__watcher_start(&self->watcher);
  if (err != 0) free(self);
  return err;
}

int fibril_loop_update_handler(fibril_loop *loop, fibril_socket fd, int events) {
  fibril__watcher *watcher = find_handler(loop, fd);
  if (watcher == NULL) return UV_ENOENT;
  if (!valid(events)) return UV_EINVAL;
  fibril__watcher_change(watcher, events);
  return 0;
}

int fibril_loop_remove_handler(fibril_loop *loop, fibril_socket fd) {
  fibril__watcher *watcher = find_handler(loop, fd);
  if (watcher != NULL) drop_handler(watcher);
  return 0;
}

static void hold_handler(fibril_loop *loop, fibril_socket fd, bool held) {
  fibril__watcher *watcher = find_handler(loop, fd);
  if (watcher != NULL) fibril__watcher_hold(watcher, held);
}

void fibril_loop_hold_handler(fibril_loop *loop, fibril_socket fd) {
  hold_handler(loop, fd, true);
}

void fibril_loop_unhold_handler(fibril_loop *loop, fibril_socket fd) {
  hold_handler(loop, fd, false);
}

void fibril__handlers_close(fibril_loop *loop) {
  fibril__descriptors_close(loop, drop_handler);
}
