/* The ends of kept polls: descriptors that go away or are in error, owners and loops that end; and
 * what a poll leaves behind. */
#include "poll_scene.h"

#include "../../src/core/loop/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>

static bool is_blocking(int fd) {
  return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static unsigned holds(const scene *s) {
  return fibril__whole_of(s->loop)->post.holds;
}

/* ---- Descriptors that go away ---- */

static fibril_value close_descriptor(void *arg) {
  scene *s = arg;
  int kept = s->fds[0];
  for (int i = 0; i < 2; i++) {
    s->fds[0] = dup(kept);
    open_poll(s);
    fibril_future *waiting = start_waiting(s, UV_READABLE);
    CHECK_INT(fibril_moment(), 0);
    CHECK_INT(i == 0 ? fibril_fs_close(s->fds[0]) : close(s->fds[0]), 0);
    CHECK_INT(end_of(s, waiting), UV_EBADF);
    CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_EBADF);
    fibril_poll_close(s->poll);
  }
  s->fds[0] = dup(kept);
  open_poll(s);
  close(s->fds[0]); /* while nobody waits */
  CHECK_INT(fibril_poll_wait(s->poll, UV_READABLE), UV_EBADF);
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_EBADF);
  s->fds[0] = kept;
  return fibril_undefined();
}

LOOP_TEST(kept_poll_of_a_descriptor_that_is_closed_ends) {
  run(loop, close_descriptor);
}

/* Nobody waits when the number becomes another pipe's, in which something is. */
static fibril_value reuse_number(void *arg) {
  scene *s = arg;
  int other[2], kept = dup(s->fds[0]);
  fibril_poll *next;
  CHECK_INT(pipe(other), 0);
  CHECK_INT(write(other[1], "x", 1), 1);
  open_poll(s);
  fibril_poll *old = s->poll;
  CHECK_INT(dup2(other[0], s->fds[0]), s->fds[0]);
  CHECK_INT(fibril_poll_wait(old, UV_READABLE), UV_EBADF);
  CHECK_INT(fibril_poll_wait(old, UV_READABLE), UV_EBADF);
  CHECK_INT(fibril_poll_open(s->fds[0], &next), 0);
  CHECK_INT(fibril_poll_wait(next, UV_READABLE), UV_READABLE);
  fibril_poll_close(old);
  CHECK(!is_blocking(other[0])); /* `next` has it */
  CHECK_INT(fibril_poll_wait(next, UV_READABLE), UV_READABLE);
  fibril_poll_close(next);
  CHECK(is_blocking(other[0]));
  close(kept);
  close(other[0]);
  close(other[1]);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_tells_its_descriptor_from_the_next_of_its_number) {
  run(loop, reuse_number);
}

/* Somebody waits, and another poll is opened. */
static fibril_value replace_number(void *arg) {
  scene *s = arg;
  int other[2];
  fibril_poll *next;
  CHECK_INT(pipe(other), 0);
  open_poll(s);
  fibril_future *waiting = start_waiting(s, UV_READABLE);
  CHECK_INT(dup2(other[0], s->fds[0]), s->fds[0]);
  CHECK_INT(fibril_poll_open(s->fds[0], &next), 0);
  CHECK_INT(write(other[1], "x", 1), 1);
  CHECK_INT(fibril_poll_wait(next, UV_READABLE), UV_READABLE);
  CHECK_INT(end_of(s, waiting), UV_EBADF);
  fibril_poll_close(s->poll);
  CHECK_INT(fibril_poll_wait(next, UV_READABLE), UV_READABLE);
  close(other[0]);
  close(other[1]);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_whose_number_another_one_has_is_over) {
  run(loop, replace_number);
}

/* ---- Errors pending ---- */

static fibril_value poll_refused(void *arg) {
  (void)arg;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), error = 0;
  fibril_poll *poll;
  CHECK_INT(bind(server, (struct sockaddr *)&address, size), 0); /* and nobody listens */
  CHECK_INT(getsockname(server, (struct sockaddr *)&address, &size), 0);
  CHECK_INT(fibril_poll_open(fd, &poll), 0);
  CHECK(connect(fd, (struct sockaddr *)&address, size) == -1);
  CHECK_INT(fibril_poll_wait(poll, UV_WRITABLE), UV_WRITABLE);
  CHECK_INT(fibril_poll_wait(poll, BOTH), BOTH);
  size = sizeof error;
  CHECK_INT(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
  CHECK_INT(error, ECONNREFUSED);
  close(server);
  close(fd);
  return fibril_undefined();
}

/* The reader of a pipe has gone, for good; nobody waits for a while. */
static fibril_value poll_broken_pipe(void *arg) {
  scene *s = arg;
  uv_check_t check;
  int fds[2], turns = 0;
  fibril_poll *poll;
  CHECK_INT(pipe(fds), 0);
  CHECK_INT(fibril_poll_open(fds[1], &poll), 0);
  close(fds[0]);
  CHECK_INT(fibril_poll_wait(poll, UV_WRITABLE), UV_WRITABLE);
  uv_check_init(fibril_loop_uv(s->loop), &check);
  check.data = &turns;
  uv_check_start(&check, count_turn);
  CHECK_INT(fibril_sleep(50), 0);
  CHECK(turns < 20);
  CHECK_INT(fibril_poll_wait(poll, UV_WRITABLE), UV_WRITABLE);
  uv_close((uv_handle_t *)&check, NULL);
  CHECK_INT(fibril_moment(), 0);
  fibril_poll_close(poll);
  CHECK(is_blocking(fds[1]));
  close(fds[1]);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_of_a_descriptor_in_error_says_that_it_is_ready) {
  run(loop, poll_refused);
  run(loop, poll_broken_pipe);
}

/* ---- Whose it is ---- */

static void wait_deferred(void *arg) {
  fibril_mask();
  CHECK_INT(fibril_poll_wait(((scene *)arg)->poll, UV_WRITABLE), UV_WRITABLE);
  fibril_unmask();
}

static fibril_value use_deferred(void *arg) {
  CHECK_INT(fibril_defer(wait_deferred, arg), 0);
  open_poll(arg);
  return fibril_undefined();
}

static fibril_value own_for_others(void *arg) {
  open_poll(arg);
  fibril_suspend();
  return fibril_undefined();
}

static fibril_value end_owners(void *arg) {
  scene *s = arg;
  fibril_poll *kept;
  fibril_future *owner = fibril_spawn(own_for_others, s, NULL);
  fibril_future *waiting = start_waiting(s, UV_READABLE);
  kept = fibril_poll_ref(s->poll);
  fibril_cancel(owner);
  CHECK_INT(end_of(s, waiting), UV_ECANCELED);
  CHECK_INT(fibril_poll_wait(kept, UV_READABLE), UV_EBADF);
  fibril_poll_unref(kept);
  fibril_await(owner);
  fibril_future_unref(owner);

  fibril_future *deferring = fibril_spawn(use_deferred, s, NULL);
  fibril_await(deferring);
  fibril_future_unref(deferring);

  fibril_future *opener = fibril_spawn(open_for_others, s, NULL);
  CHECK(fibril_future_done(opener));
  fibril_future_unref(opener);
  CHECK_INT(fibril_poll_wait(s->poll, UV_WRITABLE), UV_WRITABLE);
  fibril_poll_close(s->poll);
  return fibril_undefined();
}

LOOP_TEST(kept_poll_belongs_to_its_coroutine_until_it_is_detached) {
  run(loop, end_owners);
}

/* ---- The loop's end ---- */

typedef struct {
  fibril_poster *poster;
  fibril_poll *poll;
  int result;
} late_opener;

static void open_late(void *arg) {
  late_opener *late = arg;
  late->result = fibril_poll_open(0, &late->poll);
}

/* Its last step is taken with the loop's: what it posts is called when all else has ended. */
static fibril_value post_at_the_end(void *arg) {
  late_opener *late = arg;
  fibril_suspend();
  CHECK_INT(fibril_post(late->poster, open_late, late), 0);
  return fibril_undefined();
}

static void on_closed(void *closed) {
  *(bool *)closed = true;
}

TEST(kept_polls_that_are_detached_end_with_the_loop) {
  uv_loop_t uv;
  scene s = {.events = UV_READABLE, .result = 1};
  bool closed = false;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &s.loop), 0);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, s.fds), 0);
  CHECK_INT(fibril_loop_run_sync(s.loop, open_for_others, &s, 0, NULL), 0);
  CHECK(!is_blocking(s.fds[0]));
  fibril_poll *kept = fibril_poll_ref(s.poll);
  fibril_future_unref(fibril_loop_spawn(s.loop, wait_once, &s, NULL));
  CHECK_INT(fibril_loop_close(s.loop, on_closed, &closed), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(closed);
  CHECK_INT(s.result, UV_ECANCELED);
  CHECK(is_blocking(s.fds[0]));
  fibril_poll_close(kept);
  CHECK_INT(fibril_poll_wait(kept, UV_READABLE), UV_EBADF);
  fibril_poll_unref(kept);
  CHECK_INT(uv_loop_close(&uv), 0);
  close(s.fds[0]);
  close(s.fds[1]);
}

TEST(no_kept_poll_is_opened_when_the_loop_ends) {
  uv_loop_t uv;
  fibril_loop *own;
  bool closed = false;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  late_opener late = {.poster = fibril_loop_poster(own)};
  fibril_future_unref(fibril_loop_spawn(own, post_at_the_end, &late, NULL));
  CHECK_INT(fibril_loop_close(own, on_closed, &closed), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(closed);
  CHECK_INT(late.result, FIBRIL_ECLOSED);
  fibril_poster_unref(late.poster);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* ---- O_NONBLOCK ---- */

static fibril_value put_back(void *arg) {
  scene *s = arg;
  int copy = dup(s->fds[0]);
  CHECK(is_blocking(copy));
  open_poll(s);
  CHECK(!is_blocking(copy));
  fibril_poll_close(s->poll);
  CHECK(is_blocking(copy));
  CHECK_INT(fibril_loop_add_handler(s->loop, s->fds[0], UV_READABLE, ignore_handler, NULL), 0);
  CHECK(!is_blocking(copy));
  CHECK_INT(fibril_loop_update_handler(s->loop, s->fds[0], UV_WRITABLE), 0);
  CHECK_INT(fibril_loop_remove_handler(s->loop, s->fds[0]), 0);
  CHECK(is_blocking(copy));
  CHECK_INT(fcntl(copy, F_SETFL, O_NONBLOCK), 0);
  open_poll(s);
  fibril_poll_close(s->poll);
  CHECK_INT(fibril_loop_add_handler(s->loop, s->fds[0], UV_READABLE, ignore_handler, NULL), 0);
  CHECK_INT(fibril_loop_remove_handler(s->loop, s->fds[0]), 0);
  CHECK(!is_blocking(copy));
  close(copy);
  return fibril_undefined();
}

LOOP_TEST(a_descriptor_waits_again_where_it_did_before) {
  run(loop, put_back);
}

/* ---- Holding the loop ---- */

static fibril_value hold_while_waiting(void *arg) {
  scene *s = arg;
  open_poll(s);
  unsigned before = holds(s);
  fibril_future *waiting = start_waiting(s, UV_READABLE);
  CHECK_INT(holds(s), before + 1);
  fibril_poll_unhold(s->poll);
  fibril_poll_unhold(s->poll);
  CHECK_INT(holds(s), before);
  fibril_poll_hold(s->poll);
  fibril_poll_hold(s->poll);
  CHECK_INT(holds(s), before + 1);
  send_byte(s);
  CHECK_INT(end_of(s, waiting), UV_READABLE);
  CHECK_INT(holds(s), before);
  take_byte(s);
  fibril_poll_unhold(s->poll);
  waiting = start_waiting(s, UV_READABLE);
  CHECK_INT(holds(s), before);
  fibril_cancel(waiting);
  CHECK_INT(end_of(s, waiting), UV_ECANCELED);
  fibril_poll_hold(s->poll);
  CHECK_INT(holds(s), before);
  return fibril_undefined();
}

static fibril_value wait_unheld(void *arg) {
  scene *s = arg;
  open_poll(s);
  fibril_poll_unhold(s->poll);
  s->result = fibril_poll_wait(s->poll, UV_READABLE);
  return fibril_undefined();
}

static void hear_nothing(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)error;
  (void)arg;
}

LOOP_TEST(kept_poll_holds_the_loop_while_somebody_waits) {
  scene s = {.loop = loop};
  run(loop, hold_while_waiting);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, s.fds), 0);
  fibril_loop_set_log(loop, hear_nothing, NULL);
  CHECK_INT(fibril_loop_run_sync(loop, wait_unheld, &s, 0, NULL), FIBRIL_ESTOPPED);
  CHECK_INT(s.result, UV_ECANCELED);
  close(s.fds[0]);
  close(s.fds[1]);
}
