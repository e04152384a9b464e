/* Kept polls: descriptors that are waited for again and again. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RUSAGE_THREAD */
#endif

#include "poll_scene.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* What the loop's own set costs, in the place of the system's function: that of libuv inside Node
 * does not come here. */
static int controls;

/* Hidden: what is linked with this finds it. */
__attribute__((visibility("hidden"))) int epoll_ctl(int set, int operation, int fd,
                                                    struct epoll_event *event) {
  controls++;
  return (int)syscall(SYS_epoll_ctl, set, operation, fd, event);
}

/* ---- What is waited for ---- */

static fibril_value wait_for_events(void *arg) {
  scene *s = arg;
  open_poll(s);
  fibril_future *waiting = start_waiting(s, UV_READABLE);
  send_byte(s);
  CHECK_INT(end_of(s, waiting), UV_READABLE);
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_READABLE); /* still */
  CHECK_INT(fibril_poll_wait(s->poll, BOTH), BOTH);
  take_byte(s);
  CHECK_INT(fibril_poll_wait(s->poll, BOTH), UV_WRITABLE);
  waiting = start_waiting(s, UV_READABLE);
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_WRITABLE);
  CHECK_INT(s->result, 1);
  CHECK_INT(shutdown(s->fds[1], SHUT_WR), 0);
  CHECK_INT(end_of(s, waiting), UV_READABLE);
  CHECK_INT(fibril_poll_wait(s->poll, UV_DISCONNECT), UV_DISCONNECT);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_waits_until_a_descriptor_is_ready) {
  run(loop, wait_for_events);
}

#define ROUNDS 100

static fibril_value answer(void *arg) {
  scene *s = arg;
  fibril_poll *poll;
  char byte;
  CHECK_INT(fibril_poll_open(s->fds[1], &poll), 0);
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_INT(fibril_poll_wait(poll, UV_READABLE), UV_READABLE);
    CHECK_INT(read(s->fds[1], &byte, 1), 1);
    send_byte(s);
  }
  return fibril_undefined();
}

static fibril_value ask(void *arg) {
  scene *s = arg;
  fibril_future *answering = fibril_spawn(answer, s, NULL);
  open_poll(s);
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_INT(write(s->fds[0], "x", 1), 1);
    CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_READABLE);
    take_byte(s);
    if (i > 0) continue;
    CHECK(controls > 0); /* the first ones: they are counted */
    controls = 0;
  }
  CHECK(controls < ROUNDS / 4); /* of sweeps, where the machine is slow */
  fibril_await(answering);
  fibril_future_unref(answering);
  return fibril_undefined();
}

LOOP_TEST(waits_of_a_kept_poll_cost_no_control_of_the_set) {
  run(loop, ask);
}

static double processor_ms(void) {
  struct rusage used;
  getrusage(RUSAGE_THREAD, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

/* Everything is ready, and nobody waits for it. */
static fibril_value leave_ready(void *arg) {
  scene *s = arg;
  uv_check_t check;
  int turns = 0;
  open_poll(s);
  send_byte(s);
  CHECK_INT(fibril_poll_wait(s->poll, BOTH), BOTH);
  uv_check_init(fibril_loop_uv(s->loop), &check);
  check.data = &turns;
  uv_check_start(&check, count_turn);
  double used = processor_ms();
  CHECK_INT(fibril_sleep(100), 0);
  CHECK(processor_ms() - used < 50);
  CHECK(turns < 20);
  CHECK_INT(shutdown(s->fds[1], SHUT_RDWR), 0); /* which the system always tells */
  CHECK_INT(fibril_sleep(50), 0);
  CHECK(turns < 30);
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_READABLE);
  uv_close((uv_handle_t *)&check, NULL);
  CHECK_INT(fibril_moment(), 0);
  return fibril_undefined();
}

LOOP_TEST(what_nobody_waits_for_costs_no_time) {
  run(loop, leave_ready);
}

/* ---- One of each at a time ---- */

static fibril_value wait_beside_others(void *arg) {
  scene *s = arg;
  char filler[4096] = {0};
  open_poll(s);
  fibril_future *reader = start_waiting(s, UV_READABLE);
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_EBUSY);
  CHECK_INT(fibril_poll_wait(s->poll, UV_DISCONNECT), UV_EBUSY);
  CHECK_INT(fibril_poll_wait(s->poll, BOTH), UV_EBUSY);
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_WRITABLE);
  scene other = *s;
  while (write(s->fds[0], filler, sizeof filler) > 0) continue;
  fibril_future *writer = start_waiting(&other, UV_WRITABLE);
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_EBUSY);
  CHECK_INT(fibril_poll_wait(s->poll, BOTH), UV_EBUSY);
  send_byte(s);
  CHECK_INT(end_of(s, reader), UV_READABLE);
  CHECK_INT(fibril_poll_wait(s->poll, BOTH), UV_EBUSY);
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_READABLE);
  while (recv(s->fds[1], filler, sizeof filler, MSG_DONTWAIT) > 0) continue;
  CHECK_INT(end_of(&other, writer), UV_WRITABLE);
  take_byte(s);
  fibril_future *both = start_waiting(s, UV_READABLE | UV_DISCONNECT);
  CHECK_INT(fibril_poll_wait(s->poll, BOTH), UV_EBUSY);
  send_byte(s);
  CHECK_INT(end_of(s, both), UV_READABLE);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_has_a_reader_and_a_writer) {
  run(loop, wait_beside_others);
}

static fibril_value have_descriptor_alone(void *arg) {
  scene *s = arg;
  fibril_poll *other;
  CHECK_INT(fibril_loop_add_handler(s->loop, s->fds[0], UV_READABLE, ignore_handler, NULL), 0);
  CHECK_INT(fibril_poll_open(s->fds[0], &other), UV_EEXIST);
  CHECK_INT(fibril_loop_remove_handler(s->loop, s->fds[0]), 0);
  open_poll(s);
  CHECK_INT(fibril_poll_open(s->fds[0], &other), UV_EEXIST);
  CHECK_INT(fibril_poll_fd(s->fds[0], UV_READABLE, 0), UV_EEXIST);
  CHECK_INT(fibril_loop_add_handler(s->loop, s->fds[0], UV_READABLE, ignore_handler, NULL),
            UV_EEXIST);
  CHECK_INT(fibril_loop_update_handler(s->loop, s->fds[0], UV_READABLE), UV_ENOENT);
  CHECK_INT(fibril_loop_remove_handler(s->loop, s->fds[0]), 0); /* it is none */
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_WRITABLE);
  fibril_poll_close(s->poll);
  CHECK_INT(fibril_poll_fd(s->fds[0], UV_WRITABLE, -1), UV_WRITABLE);
  open_poll(s);
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_WRITABLE);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_has_its_descriptor_alone) {
  run(loop, have_descriptor_alone);
}

/* ---- What can't be ---- */

static fibril_value open_wrongly(void *arg) {
  scene *s = arg;
  fibril_poll *none = NULL;
  int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  CHECK_INT(fibril_poll_open(s->fds[0], NULL), UV_EINVAL);
  CHECK_INT(fibril_poll_open(-1, &none), UV_EBADF);
  CHECK_INT(fibril_poll_open(file, &none), UV_EPERM);
  CHECK_INT(fcntl(file, F_GETFL) & O_NONBLOCK, 0);
  close(file);
  CHECK_INT(fibril_poll_open(file, &none), UV_EBADF);
  CHECK(none == NULL);
  open_poll(s);
  CHECK_INT(fibril_poll_wait(s->poll, 0), UV_EINVAL);
  CHECK_INT(fibril_poll_wait(s->poll, 1 << 20), UV_EINVAL);
  CHECK_INT(fibril_poll_wait(s->poll, -1), UV_EINVAL);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_says_what_it_cant_do) {
  scene s = {.loop = loop};
  run(loop, open_wrongly);
  CHECK_INT(fibril_poll_open(0, &s.poll), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, s.fds), 0);
  CHECK_INT(fibril_loop_run_sync(loop, open_for_others, &s, 0, NULL), 0);
  CHECK_INT(fibril_poll_wait(s.poll, UV_READABLE), FIBRIL_ENOTCOROUTINE);
  fibril_poll_ref(s.poll);
  fibril_poll_close(s.poll);
  fibril_poll_close(s.poll);
  CHECK_INT(fibril_poll_wait(s.poll, UV_READABLE), UV_EBADF);
  fibril_poll_unref(s.poll);
  close(s.fds[0]);
  close(s.fds[1]);
}

/* ---- Ends of waits ---- */

/* Runs before the loop's own check: between the poll and what it woke. */
typedef struct {
  uv_check_t check;
  scene *scene;
  fibril_future *waiting;
} meanwhile;

static void cancel_meanwhile(uv_check_t *check) {
  meanwhile *m = check->data;
  char byte;
  if (recv(m->scene->fds[0], &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1) return;
  fibril_cancel(m->waiting);
  uv_close((uv_handle_t *)check, NULL);
}

static fibril_value end_waits_early(void *arg) {
  scene *s = arg;
  open_poll(s);
  fibril_future *waiting = start_waiting(s, UV_READABLE);
  CHECK_INT(fibril_moment(), 0);
  fibril_cancel(waiting);
  CHECK_INT(end_of(s, waiting), UV_ECANCELED);
  fibril_deadline_push(5);
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_ETIMEDOUT);
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_ETIMEDOUT);
  fibril_deadline_pop();
  waiting = start_waiting(s, UV_READABLE);
  meanwhile m = {.scene = s, .waiting = waiting};
  uv_check_init(fibril_loop_uv(s->loop), &m.check);
  m.check.data = &m;
  uv_check_start(&m.check, cancel_meanwhile);
  send_byte(s);
  CHECK_INT(end_of(s, waiting), UV_READABLE);
  CHECK_INT(fibril_moment(), 0); /* libuv is done with the handle here */
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_READABLE);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_gives_the_events_that_came_before_a_cancellation) {
  run(loop, end_waits_early);
}

static void close_it(void *arg) {
  fibril_poll_close(((scene *)arg)->poll);
}

static fibril_value close_while_waiting(void *arg) {
  scene *s = arg;
  open_poll(s);
  fibril_poll *poll = fibril_poll_ref(s->poll);
  fibril_future *waiting = start_waiting(s, UV_READABLE);
  fibril_poll_close(s->poll);
  CHECK_INT(s->result, 1); /* who waited goes on in its turn */
  CHECK_INT(end_of(s, waiting), UV_ECANCELED);
  CHECK_INT(fibril_poll_wait(poll, UV_READABLE), UV_EBADF);
  fibril_poll_hold(poll);
  fibril_poll_unhold(poll);
  fibril_poll_detach(poll);
  fibril_poll_unref(poll);

  open_poll(s);
  waiting = start_waiting(s, UV_READABLE);
  CHECK_INT(fibril_loop_add_callback(s->loop, close_it, s), 0);
  CHECK_INT(end_of(s, waiting), UV_ECANCELED);

  open_poll(s);
  waiting = start_waiting(s, UV_READABLE);
  fibril_on_loop(close_it, s);
  CHECK_INT(end_of(s, waiting), UV_ECANCELED);

  open_poll(s);
  send_byte(s);
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_READABLE);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_that_is_closed_ends_its_waits) {
  run(loop, close_while_waiting);
}
