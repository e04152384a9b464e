/* What the tests of kept polls share: both ends of a socket, a poll of the first, who waits. */
#ifndef FIBRIL_TEST_POLL_SCENE_H
#define FIBRIL_TEST_POLL_SCENE_H

#include "test.h"

#include <sys/socket.h>
#include <unistd.h>

#define BOTH (UV_READABLE | UV_WRITABLE)

typedef struct {
  fibril_loop *loop;
  int fds[2];
  fibril_poll *poll;
  int events, result; /* of wait_once */
} scene;

static inline void run(fibril_loop *loop, fibril_fn fn) {
  scene s = {.loop = loop, .events = UV_READABLE, .result = 1};
  if (!CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s.fds), 0)) return;
  CHECK_INT(fibril_loop_run_sync(loop, fn, &s, 0, NULL), 0);
  close(s.fds[0]);
  close(s.fds[1]);
}

static inline fibril_value wait_once(void *arg) {
  scene *s = arg;
  fibril_poll *poll = fibril_poll_ref(s->poll);
  s->result = fibril_poll_wait(poll, s->events);
  fibril_poll_unref(poll);
  return fibril_undefined();
}

static inline fibril_future *start_waiting(scene *s, int events) {
  s->events = events;
  s->result = 1;
  fibril_future *future = fibril_spawn(wait_once, s, NULL);
  CHECK(!fibril_future_done(future));
  return future;
}

static inline int end_of(scene *s, fibril_future *future) {
  fibril_await(future);
  fibril_future_unref(future);
  return s->result;
}

static inline void open_poll(scene *s) {
  CHECK_INT(fibril_poll_open(s->fds[0], &s->poll), 0);
}

static inline void send_byte(const scene *s) {
  CHECK_INT(write(s->fds[1], "x", 1), 1);
}

static inline void take_byte(const scene *s) {
  char byte;
  CHECK_INT(read(s->fds[0], &byte, 1), 1);
}

static inline void count_turn(uv_check_t *check) {
  ++*(int *)check->data;
}

static inline void ignore_handler(fibril_socket fd, int events, void *arg) {
  (void)fd;
  (void)events;
  (void)arg;
}

static inline fibril_value open_for_others(void *arg) {
  scene *s = arg;
  open_poll(s);
  fibril_poll_detach(s->poll);
  return fibril_undefined();
}

#endif /* FIBRIL_TEST_POLL_SCENE_H */
