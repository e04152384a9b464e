/* Handlers of file descriptors, by number. Answers to Tornado's add_handler, update_handler,
 * remove_handler. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  uv_poll_t poll;
  fibril_loop *loop;
  int fd;
  fibril_handler handler;
  void *arg;
} watcher;

struct fibril__watchers {
  int count; /* of slots: one more than the largest descriptor seen */
  watcher *by_fd[];
};

static watcher *find(const fibril_loop *loop, int fd) {
  return loop->watchers != NULL && fd >= 0 && fd < loop->watchers->count ? loop->watchers->by_fd[fd]
                                                                         : NULL;
}

static int make_room(fibril_loop *loop, int fd) {
  int old = loop->watchers == NULL ? 0 : loop->watchers->count;
  if (fd < old) return 0;
  int count = fd < 32 ? 64 : fd > INT32_MAX / 2 ? INT32_MAX : fd * 2;
  struct fibril__watchers *watchers =
      realloc(loop->watchers, sizeof *watchers + (size_t)count * sizeof watchers->by_fd[0]);
  if (watchers == NULL) return UV_ENOMEM;
  memset(watchers->by_fd + old, 0, (size_t)(count - old) * sizeof watchers->by_fd[0]);
  watchers->count = count;
  loop->watchers = watchers;
  return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  watcher *self = poll->data;
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = self->loop;
  self->handler(self->fd, status < 0 ? status : events, self->arg);
  fibril__loop_here = here;
}

int fibril_loop_add_handler(fibril_loop *loop, int fd, int events, fibril_handler handler,
                            void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  if (fd < 0) return UV_EBADF;
  if (find(loop, fd) != NULL) return UV_EEXIST;
  int err = make_room(loop, fd);
  if (err != 0) return err;
  watcher *self = malloc(sizeof *self);
  if (self == NULL) return UV_ENOMEM;
  err = uv_poll_init(loop->uv, &self->poll, fd);
  if (err != 0) {
    free(self);
    return err;
  }
  loop->open_handles++;
  self->poll.data = self;
  self->loop = loop;
  self->fd = fd;
  self->handler = handler;
  self->arg = arg;
  loop->watchers->by_fd[fd] = self;
  err = uv_poll_start(&self->poll, events, on_poll);
  if (err != 0) fibril_loop_remove_handler(loop, fd);
  return err;
}

int fibril_loop_update_handler(fibril_loop *loop, int fd, int events) {
  watcher *self = find(loop, fd);
  return self == NULL ? UV_ENOENT : uv_poll_start(&self->poll, events, on_poll);
}

static void on_closed(uv_handle_t *handle) {
  watcher *self = handle->data;
  fibril__loop_handle_closed(self->loop);
  free(self);
}

int fibril_loop_remove_handler(fibril_loop *loop, int fd) {
  watcher *self = find(loop, fd);
  if (self == NULL) return 0;
  loop->watchers->by_fd[fd] = NULL;
  uv_close((uv_handle_t *)&self->poll, on_closed);
  return 0;
}

void fibril__handlers_close(fibril_loop *loop) {
  for (int fd = 0; loop->watchers != NULL && fd < loop->watchers->count; fd++)
    fibril_loop_remove_handler(loop, fd);
  free(loop->watchers);
  loop->watchers = NULL;
}
