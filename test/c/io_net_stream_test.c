/* Streams: what holds for every kind, tried with pairs of the system's, with TCP and with
 * descriptors that were adopted. */
#include "test.h"

#include "../../src/core/loop/loop.h"
#include "../../src/io/net/uv_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static int code_of(fibril_future *future) {
  fibril_value value = fibril_await(future);
  return fibril_is_error(value) ? fibril_error_code(value) : (int)fibril_value_number(value);
}

/* ---- Pairs ---- */

static int make_pipe_pair(fibril_stream *out[2]) {
  return fibril_pipe_pair(out);
}

/* Nobody reads ahead of these. */
static int make_adopted_pair(fibril_stream *out[2]) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return uv_translate_sys_error(errno);
  int err = fibril_stream_adopt(fds[0], &out[0]);
  return err != 0 ? err : fibril_stream_adopt(fds[1], &out[1]);
}

/* The system would let its buffers grow to tens of megabytes. */
#define TCP_BUFFER (64 * 1024)

static int make_tcp_pair(fibril_stream *out[2]) {
  fibril_listener *listener;
  struct sockaddr_in address;
  fibril_listen_options options = {
      .size = sizeof options,
      .connection = {.send_buffer = TCP_BUFFER, .receive_buffer = TCP_BUFFER}};
  int size = TCP_BUFFER;
  int err = fibril_tcp_listen("127.0.0.1", 0, &options, &listener);
  if (err != 0) return err;
  uv_ip4_addr("127.0.0.1", fibril_listener_port(listener), &address);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return UV_ECONNREFUSED;
  err = fibril__uv_stream_of(UV_TCP, fd, true, &out[0]);
  if (err == 0) err = fibril_listener_accept(listener, &out[1]);
  fibril_listener_close(listener);
  return err;
}

typedef int (*pair_fn)(fibril_stream *out[2]);
static const pair_fn pairs[] = {make_pipe_pair, make_tcp_pair, make_adopted_pair};
#define PAIRS (sizeof pairs / sizeof pairs[0])

typedef struct {
  void (*scene)(fibril_stream *a, fibril_stream *b);
  pair_fn make;
} play;

static fibril_value play_scene(void *arg) {
  const play *one = arg;
  fibril_stream *ends[2];
  if (CHECK_INT(one->make(ends), 0)) one->scene(ends[0], ends[1]);
  return fibril_undefined();
}

static void with_every_pair(fibril_loop *loop, void (*scene)(fibril_stream *a, fibril_stream *b)) {
  for (size_t i = 0; i < PAIRS; i++) {
    play one = {scene, pairs[i]};
    CHECK_INT(fibril_loop_run_sync(loop, play_scene, &one, 0, NULL), 0);
  }
}

#define PAIR_TEST(name)                                         \
  static void scene_##name(fibril_stream *a, fibril_stream *b); \
  LOOP_TEST(name) {                                             \
    with_every_pair(loop, scene_##name);                        \
  }                                                             \
  static void scene_##name(fibril_stream *a, fibril_stream *b)

/* What a coroutine beside does: its future is of the function's result. */
typedef struct {
  fibril_stream *stream;
  size_t length;
  int64_t result;
  char *data;
} doing;

static fibril_value read_once(void *arg) {
  doing *self = arg;
  char buffer[64];
  self->result = fibril_stream_read(self->stream, buffer, sizeof buffer);
  return fibril_number((double)self->result);
}

static fibril_value write_much(void *arg) {
  doing *self = arg;
  char *data = malloc(self->length);
  for (size_t i = 0; i < self->length; i++) data[i] = (char)(i * 7 >> 3);
  self->result = fibril_stream_write(self->stream, data, self->length);
  free(data); /* nobody uses it any more */
  return fibril_number((double)self->result);
}

static bool drain(fibril_stream *stream, size_t length, size_t at_once) {
  char *buffer = malloc(at_once);
  size_t at = 0;
  bool right = true;
  while (at < length) {
    int64_t count = fibril_stream_read(stream, buffer, at_once);
    if (!CHECK(count > 0)) break;
    for (int64_t i = 0; i < count; i++)
      if (buffer[i] != (char)((at + (size_t)i) * 7 >> 3)) right = false;
    at += (size_t)count;
  }
  free(buffer);
  return CHECK(right) && CHECK(at >= length);
}

/* ---- Reading and writing ---- */

PAIR_TEST(stream_gives_what_was_written_and_its_end) {
  char text[16] = "";
  CHECK_INT(fibril_stream_write(a, "hello", 5), 0);
  CHECK_INT(fibril_stream_written(a), 5);
  CHECK_INT(fibril_stream_read(b, text, 3), 3);
  CHECK_INT(fibril_stream_read(b, text + 3, 13), 2);
  CHECK_STR(text, "hello");
  CHECK_INT(fibril_stream_shutdown(a), 0);
  CHECK_INT(fibril_stream_shutdown(a), 0);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EPIPE);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 0);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 0);
  CHECK_INT(fibril_stream_write(b, "back", 4), 0);
  CHECK_INT(fibril_stream_read(a, text, sizeof text), 4);
  fibril_stream_close(b);
  CHECK_INT(fibril_stream_read(a, text, sizeof text), 0);
}

PAIR_TEST(stream_writes_all_to_who_reads_slowly) {
  doing writing = {.stream = a, .length = 5 * 1000 * 1000 + 3};
  fibril_future *future = fibril_spawn(write_much, &writing, NULL);
  for (int i = 0; i < 20; i++) fibril_moment();
  CHECK(!fibril_future_done(future)); /* back-pressure */
  CHECK(fibril_stream_written(a) < writing.length);
  drain(b, writing.length, 10007);
  CHECK_INT(code_of(future), 0);
  CHECK_INT(fibril_stream_written(a), writing.length);
  fibril_future_unref(future);
}

PAIR_TEST(stream_writes_several_pieces_in_order) {
  char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCD", text[64] = "";
  uv_buf_t buffers[40];
  for (int i = 0; i < 40; i++) buffers[i] = uv_buf_init(&letters[i], i % 2);
  CHECK_INT(fibril_stream_writev(a, buffers, 40), 0);
  CHECK_INT(fibril_stream_writev(a, buffers, 0), 0);
  CHECK_INT(fibril_stream_writev(a, NULL, 0), 0);
  CHECK_INT(fibril_stream_write(a, NULL, 0), 0);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 20);
  CHECK_STR(text, "13579bdfhjlnprtvxzBD");
}

PAIR_TEST(stream_refuses_bad_input) {
  char text[4];
  uv_buf_t bad = {.base = NULL, .len = 3};
  CHECK_INT(fibril_stream_read(a, NULL, 4), UV_EINVAL);
  CHECK_INT(fibril_stream_read(a, text, 0), UV_EINVAL);
  CHECK_INT(fibril_stream_tryread(a, NULL, 4), UV_EINVAL);
  CHECK_INT(fibril_stream_tryread(a, text, 0), UV_EINVAL);
  CHECK_INT(fibril_stream_write(a, NULL, 3), UV_EINVAL);
  CHECK_INT(fibril_stream_writev(a, NULL, 3), UV_EINVAL);
  CHECK_INT(fibril_stream_writev(a, &bad, 1), UV_EINVAL);
  CHECK_INT(fibril_stream_peer(a, NULL, 3), UV_EINVAL);
  CHECK_INT(fibril_stream_address(a, text, 0), UV_EINVAL);
  fibril_socket fd;
  fibril_value rest;
  CHECK_INT(fibril_stream_release(a, NULL, &rest), UV_EINVAL);
  CHECK_INT(fibril_stream_release(a, &fd, NULL), UV_EINVAL);
  CHECK_INT(fibril_stream_write(a, "fine", 4), 0);
  CHECK_INT(fibril_stream_read(b, text, 4), 4);
}

PAIR_TEST(stream_tries_to_read) {
  char text[8] = "";
  CHECK_INT(fibril_stream_tryread(b, text, sizeof text), UV_EAGAIN);
  CHECK_INT(fibril_stream_write(a, "now", 3), 0);
  int64_t count = UV_EAGAIN;
  while (count == UV_EAGAIN) {
    count = fibril_stream_tryread(b, text, sizeof text);
    if (count == UV_EAGAIN) fibril_moment();
  }
  CHECK_INT(count, 3);
  fibril_stream_close(a);
  do count = fibril_stream_tryread(b, text, sizeof text);
  while (count == UV_EAGAIN && fibril_moment() == 0);
  CHECK_INT(count, 0);
}

PAIR_TEST(stream_has_one_reader_and_one_writer) {
  char text[4];
  doing reading = {.stream = b}, writing = {.stream = a, .length = 4000000};
  fibril_future *reader = fibril_spawn(read_once, &reading, NULL);
  CHECK_INT(fibril_stream_read(b, text, 4), UV_EBUSY);
  CHECK_INT(fibril_stream_tryread(b, text, 4), UV_EBUSY);
  fibril_socket fd;
  fibril_value rest;
  CHECK_INT(fibril_stream_release(b, &fd, &rest), UV_EBUSY);
  fibril_future *writer = fibril_spawn(write_much, &writing, NULL);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EBUSY);
  CHECK_INT(fibril_stream_shutdown(a), UV_EBUSY);
  CHECK_INT(fibril_stream_release(a, &fd, &rest), UV_EBUSY);
  CHECK_INT(code_of(reader), 64);
  fibril_stream_close(b); /* what it had not read makes that a reset, or a broken pipe */
  int err = code_of(writer);
  CHECK(err == UV_ECONNRESET || err == UV_EPIPE);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EPIPE);
  CHECK_INT(fibril_stream_shutdown(a), UV_EPIPE);
  fibril_future_unref(reader);
  fibril_future_unref(writer);
}

/* ---- Cancelled, late ---- */

PAIR_TEST(stream_read_that_is_late_has_consumed_nothing) {
  char text[16] = "";
  fibril_deadline_push(2);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), UV_ETIMEDOUT);
  CHECK_INT(fibril_stream_write(a, "late", 4), UV_ETIMEDOUT); /* has not begun, and broke nothing */
  fibril_deadline_pop();
  CHECK_INT(fibril_stream_write(a, "there", 5), 0);
  fibril_moment();
  fibril_deadline_push(-1);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), UV_ETIMEDOUT); /* on the fast path, too */
  CHECK_INT(fibril_stream_tryread(b, text, sizeof text), UV_ETIMEDOUT);
  fibril_deadline_pop();
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 5);
  CHECK_STR(text, "there");
}

/* Deadlines that pass while a shutdown begins: each a little further away from its start. One that
 * has begun is on its way, and not asked for again. */
PAIR_TEST(stream_whose_shutdown_has_not_begun_can_be_shut_down) {
  char byte;
  int err = UV_ETIMEDOUT;
  for (int i = 0; i < 500 && err == UV_ETIMEDOUT; i++) {
    double left = i * 2e-6;
    CHECK_INT(fibril_deadline_push(0.02), 0);
    while (fibril_deadline_left() > left) {}
    err = fibril_stream_shutdown(a);
    fibril_deadline_pop();
  }
  if (err == UV_ETIMEDOUT) err = fibril_stream_shutdown(a);
  CHECK(err == 0 || err == UV_EPIPE);
  fibril_deadline_push(10000);
  CHECK_INT(fibril_stream_read(b, &byte, 1), 0);
  fibril_deadline_pop();
}

PAIR_TEST(stream_read_that_is_cancelled_has_consumed_nothing) {
  char text[16] = "";
  doing reading = {.stream = b};
  fibril_future *reader = fibril_spawn(read_once, &reading, NULL);
  fibril_moment();
  fibril_cancel(reader);
  CHECK_INT(fibril_stream_write(a, "kept", 4), 0);
  CHECK_INT(code_of(reader), UV_ECANCELED);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 4);
  CHECK_STR(text, "kept");
  fibril_future_unref(reader);
}

/* The bytes are there when it is cancelled: they are given. */
PAIR_TEST(stream_read_that_was_done_gives_its_bytes) {
  doing reading = {.stream = b};
  fibril_future *reader = fibril_spawn(read_once, &reading, NULL);
  CHECK_INT(fibril_stream_write(a, "done", 4), 0);
  fibril_loop *loop = fibril_loop_current();
  (void)loop;
  while (!fibril_future_done(reader)) fibril_moment();
  fibril_cancel(reader);
  CHECK_INT(reading.result, 4);
  fibril_future_unref(reader);
}

PAIR_TEST(stream_write_that_is_cancelled_breaks_the_write_side_only) {
  char text[8] = "";
  doing writing = {.stream = a, .length = 4000000};
  fibril_future *writer = fibril_spawn(write_much, &writing, NULL);
  fibril_moment();
  fibril_cancel(writer);
  CHECK_INT(code_of(writer), UV_ECANCELED);
  uint64_t written = fibril_stream_written(a);
  CHECK(written > 0 && written < writing.length);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EPIPE);
  CHECK_INT(fibril_stream_shutdown(a), UV_EPIPE);
  CHECK_INT(fibril_stream_write(b, "back", 4), 0);
  CHECK_INT(fibril_stream_read(a, text, sizeof text), 4);
  drain(b, written, 4096);
  fibril_future_unref(writer);
}

/* ---- Closing ---- */

PAIR_TEST(stream_that_is_closed_wakes_who_waits) {
  char text[4];
  doing reading = {.stream = a}, writing = {.stream = a, .length = 4000000};
  fibril_future *reader = fibril_spawn(read_once, &reading, NULL);
  fibril_future *writer = fibril_spawn(write_much, &writing, NULL);
  (void)b;
  fibril_moment();
  fibril_stream_ref(a);
  fibril_stream_close(a);
  fibril_stream_close(a);
  CHECK_INT(code_of(reader), UV_ECANCELED);
  CHECK_INT(code_of(writer), UV_ECANCELED);
  fibril_socket fd;
  fibril_value rest;
  CHECK_INT(fibril_stream_read(a, text, 4), UV_EBADF);
  CHECK_INT(fibril_stream_tryread(a, text, 4), UV_EBADF);
  CHECK_INT(fibril_stream_write(a, text, 4), UV_EBADF);
  CHECK_INT(fibril_stream_writev(a, NULL, 0), UV_EBADF);
  CHECK_INT(fibril_stream_shutdown(a), UV_EBADF);
  CHECK_INT(fibril_stream_release(a, &fd, &rest), UV_EBADF);
  CHECK_INT(fibril_stream_peer(a, text, 4), UV_EBADF);
  CHECK_INT(fibril_stream_address(a, text, 4), UV_EBADF);
  fibril_stream_abort(a);
  fibril_stream_detach(a);
  fibril_stream_hold(a);
  fibril_stream_unhold(a);
  fibril_stream_unref(a);
  fibril_future_unref(reader);
  fibril_future_unref(writer);
}

static fibril_value open_and_leave(void *arg) {
  fibril_stream *ends[2];
  CHECK_INT(fibril_pipe_pair(ends), 0);
  *(fibril_stream **)arg = fibril_stream_ref(ends[0]);
  fibril_stream_detach(ends[1]);
  fibril_stream_close(ends[1]);
  return fibril_undefined();
}

static fibril_value look_at_left(void *arg) {
  fibril_stream *left = NULL;
  char text[4];
  (void)arg;
  fibril_future *owner = fibril_spawn(open_and_leave, &left, NULL);
  fibril_await(owner);
  CHECK_INT(fibril_stream_read(left, text, 4), UV_EBADF);
  fibril_stream_unref(left);
  fibril_future_unref(owner);
  return fibril_undefined();
}

LOOP_TEST(stream_is_closed_at_its_coroutines_end) {
  CHECK_INT(fibril_loop_run_sync(loop, look_at_left, NULL, 0, NULL), 0);
}

static fibril_value detach_both(void *arg) {
  fibril_stream **ends = arg;
  CHECK_INT(fibril_pipe_pair(ends), 0);
  fibril_stream_detach(ends[0]);
  fibril_stream_detach(ends[1]);
  return fibril_undefined();
}

static fibril_value talk_detached(void *arg) {
  fibril_stream **ends = arg;
  char text[4];
  CHECK_INT(fibril_stream_write(ends[0], "abc", 3), 0);
  CHECK_INT(fibril_stream_read(ends[1], text, 4), 3);
  fibril_stream_close(ends[0]);
  return fibril_undefined();
}

/* The other one is the loop's to close. */
LOOP_TEST(stream_that_is_detached_outlives_its_coroutine) {
  fibril_stream *ends[2];
  CHECK_INT(fibril_loop_run_sync(loop, detach_both, ends, 0, NULL), 0);
  CHECK_INT(fibril_loop_run_sync(loop, talk_detached, ends, 0, NULL), 0);
}

static fibril_value open_four(void *arg) {
  (void)arg;
  for (size_t i = 0; i < PAIRS; i++) {
    fibril_stream *ends[2];
    if (!CHECK_INT(pairs[i](ends), 0)) continue;
    doing reading = {.stream = ends[0]};
    fibril_future *reader = fibril_spawn(read_once, &reading, NULL);
    fibril_stream_write(ends[0], "unread", 6);
    fibril_moment();
    fibril_stream_close(ends[0]);
    CHECK_INT(code_of(reader), UV_ECANCELED);
    fibril_future_unref(reader);
  }
  return fibril_undefined();
}

TEST(stream_may_be_left_to_its_loops_end) {
  uv_loop_t uv;
  fibril_loop *own;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  CHECK_INT(fibril_loop_run_sync(own, open_four, NULL, 0, NULL), 0);
  fibril_future *reader;
  fibril_stream *ends[2];
  CHECK_INT(fibril_loop_run_sync(own, detach_both, ends, 0, NULL), 0);
  doing reading = {.stream = fibril_stream_ref(ends[0])};
  reader = fibril_loop_spawn(own, read_once, &reading, NULL);
  fibril_future_unref(reader);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(reading.result, UV_ECANCELED);
  CHECK_INT(uv_loop_close(&uv), 0);
  fibril_stream_unref(ends[0]); /* its loop is gone */
}

/* ---- Who keeps the loop alive ---- */

static fibril_value read_unheld(void *arg) {
  doing *self = arg;
  fibril_stream *ends[2];
  if (!CHECK_INT(fibril_pipe_pair(ends), 0)) return fibril_undefined();
  self->stream = ends[0];
  fibril_stream_unhold(ends[0]);
  return read_once(self);
}

LOOP_TEST(stream_keeps_the_loop_alive_while_it_is_held) {
  doing reading = {.result = 1};
  fibril_future *future = fibril_loop_spawn(loop, read_unheld, &reading, NULL);
  CHECK_INT(uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT), 0); /* nothing is left to wait for */
  CHECK_INT(reading.result, 1);
  fibril_stream_hold(reading.stream);
  CHECK(uv_loop_alive(fibril_loop_uv(loop)));
  fibril_stream_unhold(reading.stream);
  CHECK(!uv_loop_alive(fibril_loop_uv(loop)));
  fibril_stream_hold(reading.stream);
  fibril_cancel(future);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK_INT(reading.result, UV_ECANCELED);
  fibril_future_unref(future);
}

/* ---- Turns ---- */

static fibril_value count_turns(void *arg) {
  int *turns = arg;
  while (fibril_moment() == 0) (*turns)++;
  return fibril_undefined();
}

PAIR_TEST(stream_lets_others_have_their_turn) {
  int turns = 0;
  char text[8];
  fibril_future *other = fibril_spawn(count_turns, &turns, NULL);
  for (int i = 0; i < 200; i++) CHECK_INT(fibril_stream_write(a, "12345678", 8), 0);
  CHECK_INT(turns, 3);
  fibril_moment();
  turns = 0;
  for (int i = 0; i < 200; i++) CHECK_INT(fibril_stream_read(b, text, 8), 8);
  CHECK(turns >= 3);
  fibril_cancel(other);
  fibril_await(other);
  fibril_future_unref(other);
}

/* ---- Descriptors ---- */

PAIR_TEST(stream_gives_its_descriptor_and_what_it_has_read_ahead) {
  fibril_socket fd = -1;
  fibril_value rest = fibril_undefined();
  char text[16] = "";
  CHECK_INT(fibril_stream_write(a, "before", 6), 0);
  CHECK_INT(fibril_stream_read(b, text, 2), 2);
  for (int i = 0; i < 3; i++) fibril_moment();
  CHECK_INT(fibril_stream_release(b, &fd, &rest), 0);
  size_t length = 0;
  const char *ahead = fibril_value_buffer(rest, &length);
  memcpy(text, ahead, length);
  CHECK_INT(fibril_stream_write(a, "after", 5), 0);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  ssize_t count = read(fd, text + length, sizeof text - length);
  CHECK(count > 0);
  CHECK(strncmp(text, "foreafter", 9) == 0);
  fibril_value_free(rest);
  close(fd);
}

static fibril_value adopt_all(void *arg) {
  int fds[2], pipes[2];
  fibril_stream *stream;
  (void)arg;
  CHECK_INT(fibril_stream_adopt(-1, &stream), UV_EBADF);
  CHECK_INT(fibril_stream_adopt(100000, &stream), UV_EBADF);
  CHECK_INT(fibril_stream_adopt(0, NULL), UV_EINVAL);
  int file = open("/dev/null", O_RDWR), udp = socket(AF_INET, SOCK_DGRAM, 0);
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_INT(fibril_stream_adopt(file, &stream), UV_EINVAL);
  CHECK_INT(fibril_stream_adopt(udp, &stream), UV_EINVAL);
  CHECK_INT(listen(listening, 1), 0);
  CHECK_INT(fibril_stream_adopt(listening, &stream), UV_EINVAL);
  CHECK_INT(fibril_tty_open(file, &stream), UV_EINVAL);
  CHECK_INT(fibril_tty_open(-1, &stream), UV_EBADF);
  CHECK_INT(fibril_tty_open(file, NULL), UV_EINVAL);
  CHECK_INT(close(file), 0); /* theirs still */
  CHECK_INT(close(udp), 0);
  CHECK_INT(close(listening), 0);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  fibril_poll *poll;
  CHECK_INT(fibril_poll_open(fds[0], &poll), 0);
  CHECK_INT(fibril_stream_adopt(fds[0], &stream), UV_EEXIST);
  CHECK_INT(fibril_tty_open(fds[0], &stream), UV_EEXIST);
  fibril_poll_close(poll);
  CHECK_INT(fibril_stream_adopt(fds[0], &stream), 0);
  fibril_stream *again;
  CHECK_INT(fibril_stream_adopt(fds[0], &again), UV_EEXIST);
  CHECK_INT(pipe(pipes), 0);
  fibril_stream *end;
  char text[4];
  CHECK_INT(fibril_stream_adopt(pipes[0], &end), 0);
  CHECK_INT(write(pipes[1], "xyz", 3), 3);
  CHECK_INT(fibril_stream_read(end, text, 4), 3);
  CHECK(fibril_stream_write(end, text, 3) < 0);
  CHECK_INT(fibril_stream_peer(end, text, 4), UV_ENOTSUP);
  fibril_stream *other;
  CHECK_INT(fibril_stream_adopt(dup(pipes[1]), &other), 0);
  CHECK_INT(fibril_stream_shutdown(other), 0); /* there is none before the close */
  close(pipes[1]);
  close(fds[1]);
  return fibril_undefined();
}

LOOP_TEST(stream_adopts_what_it_can_read_and_write) {
  CHECK_INT(fibril_loop_run_sync(loop, adopt_all, NULL, 0, NULL), 0);
}

static fibril_value put_flags_back(void *arg) {
  int fds[2];
  fibril_stream *stream;
  (void)arg;
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  int others = dup(fds[0]);
  CHECK_INT(fibril_stream_adopt(fds[0], &stream), 0);
  CHECK(fcntl(others, F_GETFL) & O_NONBLOCK);
  fibril_stream_close(stream);
  CHECK(!(fcntl(others, F_GETFL) & O_NONBLOCK));
  close(others);
  close(fds[1]);
  return fibril_undefined();
}

LOOP_TEST(stream_leaves_an_adopted_open_file_as_it_was) {
  CHECK_INT(fibril_loop_run_sync(loop, put_flags_back, NULL, 0, NULL), 0);
}

static fibril_value use_terminal(void *arg) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  fibril_stream *stream;
  char text[16] = "";
  (void)arg;
  if (!CHECK(master >= 0)) return fibril_undefined();
  CHECK_INT(grantpt(master), 0);
  CHECK_INT(unlockpt(master), 0);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  CHECK_INT(fibril_tty_open(slave, &stream), 0);
  CHECK_INT(write(master, "line\n", 5), 5);
  CHECK_INT(fibril_stream_read(stream, text, sizeof text), 5);
  CHECK_STR(text, "line\n");
  CHECK_INT(fibril_stream_write(stream, "out", 3), 0);
  fibril_stream_close(stream);
  close(master);
  return fibril_undefined();
}

/* The master of a pair: it neither blocks nor spins. */
static fibril_value use_master(void *arg) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  fibril_stream *stream;
  char text[16] = "";
  (void)arg;
  CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  CHECK_INT(fibril_tty_open(master, &stream), 0);
  CHECK_INT(fibril_stream_tryread(stream, text, sizeof text), UV_EAGAIN);
  CHECK_INT(fibril_stream_write(stream, "typed\n", 6), 0);
  CHECK_INT(read(slave, text, sizeof text), 6);
  struct termios raw; /* in a line that is too long the kernel drops what comes, and all is taken */
  CHECK_INT(tcgetattr(slave, &raw), 0);
  cfmakeraw(&raw);
  CHECK_INT(tcsetattr(slave, TCSANOW, &raw), 0);
  fibril_deadline_push(20);
  doing writing = {.stream = stream, .length = 1000000};
  CHECK_INT(fibril_value_number(write_much(&writing)), UV_ETIMEDOUT);
  fibril_deadline_pop();
  close(slave);
  return fibril_undefined();
}

LOOP_TEST(stream_of_a_terminals_master) {
  CHECK_INT(fibril_loop_run_sync(loop, use_master, NULL, 0, NULL), 0);
}

LOOP_TEST(stream_of_a_terminal) {
  CHECK_INT(fibril_loop_run_sync(loop, use_terminal, NULL, 0, NULL), 0);
}

/* ---- TCP ---- */

static fibril_value reset_one(void *arg) {
  fibril_stream *ends[2];
  char text[64];
  (void)arg;
  if (!CHECK_INT(make_tcp_pair(ends), 0)) return fibril_undefined();
  CHECK(fibril_stream_peer(ends[0], text, sizeof text) > 0);
  CHECK(strncmp(text, "127.0.0.1:", 10) == 0);
  char other[64];
  CHECK(fibril_stream_address(ends[1], other, sizeof other) > 0);
  CHECK_STR(text, other);
  CHECK_INT(fibril_stream_write(ends[0], "last words", 10), 0);
  for (int i = 0; i < 3; i++) fibril_moment();
  fibril_stream_abort(ends[0]);
  for (int i = 0; i < 3; i++) fibril_moment();
  CHECK_INT(fibril_stream_read(ends[1], text, sizeof text), 10); /* they came before */
  CHECK_INT(fibril_stream_read(ends[1], text, sizeof text), UV_ECONNRESET);
  CHECK_INT(fibril_stream_read(ends[1], text, sizeof text), UV_ECONNRESET);
  CHECK(fibril_stream_write(ends[1], "x", 1) < 0);
  return fibril_undefined();
}

LOOP_TEST(stream_of_tcp_is_reset) {
  CHECK_INT(fibril_loop_run_sync(loop, reset_one, NULL, 0, NULL), 0);
}

/* ---- Reading ahead ---- */

static fibril_value flood(void *arg) {
  fibril_stream *ends[2];
  (void)arg;
  if (!CHECK_INT(fibril_pipe_pair(ends), 0)) return fibril_undefined();
  char text[1];
  doing writing = {.stream = ends[0], .length = 3000000};
  fibril_future *writer = fibril_spawn(write_much, &writing, NULL);
  CHECK_INT(fibril_stream_read(ends[1], text, 1), 1);
  for (int i = 0; i < 100; i++) fibril_moment();
  const fibril__uv_stream *self = FIBRIL__CONTAINER(const fibril__uv_stream, stream, ends[1]);
  CHECK_INT(self->ahead_length, 64 * 1024);
  CHECK(!self->on);
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  fibril_sleep(50);
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec -
            before.ru_utime.tv_sec * 1000000 - before.ru_utime.tv_usec <
        40000); /* it rests */
  fibril_cancel(writer);
  fibril_await(writer);
  fibril_future_unref(writer);
  return fibril_undefined();
}

LOOP_TEST(stream_reads_ahead_so_much_and_no_more) {
  CHECK_INT(fibril_loop_run_sync(loop, flood, NULL, 0, NULL), 0);
}

/* Who got something and never reads again leaves a stream that rests. */
static fibril_value read_no_more(void *arg) {
  fibril_stream *ends[2];
  char text[2];
  (void)arg;
  if (!CHECK_INT(fibril_pipe_pair(ends), 0)) return fibril_undefined();
  doing reading = {.stream = ends[1]};
  fibril_future *reader = fibril_spawn(read_once, &reading, NULL);
  CHECK_INT(fibril_stream_write(ends[0], "first", 5), 0);
  CHECK_INT(code_of(reader), 5);
  CHECK_INT(fibril_stream_write(ends[0], "second", 6), 0);
  for (int i = 0; i < 5; i++) fibril_moment();
  const fibril__uv_stream *self = FIBRIL__CONTAINER(const fibril__uv_stream, stream, ends[1]);
  CHECK_INT(self->ahead_length, 6);
  CHECK_INT(fibril_stream_read(ends[1], text, 2), 2);
  fibril_future_unref(reader);
  return fibril_undefined();
}

LOOP_TEST(stream_reads_ahead_of_who_has_left) {
  CHECK_INT(fibril_loop_run_sync(loop, read_no_more, NULL, 0, NULL), 0);
}

/* ---- UNIX sockets ---- */

static fibril_value refuse_paths(void *arg) {
  fibril_stream *stream, *ends[2];
  char longest[200];
  (void)arg;
  memset(longest, 'x', sizeof longest);
  CHECK_INT(fibril_pipe_connect(NULL, 3, &stream), UV_EINVAL);
  CHECK_INT(fibril_pipe_connect("/tmp/x", FIBRIL_AUTO_LENGTH, NULL), UV_EINVAL);
  CHECK_INT(fibril_pipe_connect("", FIBRIL_AUTO_LENGTH, &stream), UV_EINVAL);
  CHECK_INT(fibril_pipe_connect("a\0b", 3, &stream), UV_EINVAL);
  CHECK_INT(fibril_pipe_connect(longest, sizeof longest, &stream), UV_ENAMETOOLONG);
  CHECK_INT(fibril_pipe_connect("/no/such/socket", FIBRIL_AUTO_LENGTH, &stream), UV_ENOENT);
  CHECK_INT(fibril_pipe_pair(NULL), UV_EINVAL);
  CHECK_INT(fibril_pipe_pair(ends), 0);
  return fibril_undefined();
}

LOOP_TEST(stream_of_a_path_that_is_none) {
  CHECK_INT(fibril_loop_run_sync(loop, refuse_paths, NULL, 0, NULL), 0);
}

/* ---- What the system refuses ---- */

static fibril_value run_out_of_descriptors(void *arg) {
  fibril_stream *ends[2], *more[2];
  struct rlimit limit, few;
  fibril_socket fd;
  fibril_value rest;
  (void)arg;
  CHECK_INT(fibril_pipe_pair(ends), 0);
  int last = dup(0);
  getrlimit(RLIMIT_NOFILE, &limit);
  few = limit;
  few.rlim_cur = (rlim_t)last + 1;
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
  CHECK_INT(fibril_pipe_pair(more), UV_EMFILE);
  CHECK_INT(fibril_stream_release(ends[0], &fd, &rest), UV_EMFILE);
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK_INT(fibril_stream_write(ends[0], "fine", 4), 0);
  close(last);
  return fibril_undefined();
}

LOOP_TEST(stream_without_a_descriptor) {
  CHECK_INT(fibril_loop_run_sync(loop, run_out_of_descriptors, NULL, 0, NULL), 0);
}

static fibril_value ask_after_reset(void *arg) {
  fibril_stream *ends[2];
  char text[64];
  (void)arg;
  if (!CHECK_INT(make_tcp_pair(ends), 0)) return fibril_undefined();
  fibril_stream_abort(ends[0]);
  CHECK_INT(fibril_stream_read(ends[1], text, sizeof text), UV_ECONNRESET);
  CHECK_INT(fibril_stream_peer(ends[1], text, sizeof text), UV_ENOTCONN);
  CHECK_INT(fibril_stream_shutdown(ends[1]), UV_ENOTCONN);
  return fibril_undefined();
}

LOOP_TEST(stream_of_tcp_after_its_reset) {
  CHECK_INT(fibril_loop_run_sync(loop, ask_after_reset, NULL, 0, NULL), 0);
}

TEST(stream_outside_of_a_loop) {
  fibril_stream *ends[2];
  int fds[2];
  CHECK_INT(fibril_pipe_pair(ends), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_pipe_connect("/tmp/x", FIBRIL_AUTO_LENGTH, ends), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  CHECK_INT(fibril_stream_adopt(fds[0], ends), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_tty_open(fds[0], ends), FIBRIL_ENOTCOROUTINE);
  close(fds[0]);
  close(fds[1]);
}
