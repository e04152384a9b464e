/* A gigabyte in one write to who reads slowly, leaves it in the middle, or never reads. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "scale.h"

#include <stdlib.h>
#include <sys/mman.h>

#define GIB ((size_t)1 << 30)
#define MIB ((size_t)1 << 20)
#define ROOM (64 * 1024)
#define FLAT (4.0 * (double)MIB) /* of the process; what is on the way is the system's */

/* Zeros: every page is the same one of the system's, though some count each. */
static char *gigabyte;

typedef struct {
  fibril_stream *writer, *reader;
  int written; /* what the write has given */
  double before, most;
} scene;

static int connect_tcp(fibril_stream *ends[2]) {
  fibril_listener *listener;
  int err = fibril_tcp_listen("127.0.0.1", 0, NULL, &listener);
  if (err != 0) return err;
  err = fibril_tcp_connect("127.0.0.1", fibril_listener_port(listener), NULL, &ends[0]);
  if (err == 0) err = fibril_listener_accept(listener, &ends[1]);
  fibril_listener_close(listener);
  return err;
}

static int connect_unix(fibril_stream *ends[2]) {
  return fibril_pipe_pair(ends);
}

static void measure(scene *self) {
  double now = resident() - self->before;
  if (now > self->most) self->most = now;
}

static fibril_value write_all(void *arg) {
  scene *self = arg;
  self->written = fibril_stream_write(self->writer, gigabyte, GIB);
  if (self->written == 0) self->written = fibril_stream_shutdown(self->writer);
  return fibril_undefined();
}

/* Reads so many bytes, or to the end, and lets the loop turn between two reads. */
static uint64_t read_slowly(scene *self, uint64_t most) {
  static char room[ROOM];
  uint64_t total = 0;
  for (int reads = 0; total < most; reads++) {
    int64_t count = fibril_stream_read(self->reader, room, sizeof room);
    CHECK(count >= 0);
    if (count <= 0) break;
    total += (uint64_t)count;
    if (reads % 256 == 0) measure(self);
    fibril_moment();
  }
  return total;
}

/* ---- Scenes ---- */

static void all_of_it(scene *self) {
  fibril_future *future = fibril_spawn(write_all, self, NULL);
  CHECK_INT(read_slowly(self, UINT64_MAX), GIB);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(self->written, 0);
  CHECK_INT(fibril_stream_written(self->writer), GIB);
}

/* What had been handed over before comes; then there is no more. */
static void cancelled_in_the_middle(scene *self) {
  fibril_future *future = fibril_spawn(write_all, self, NULL);
  uint64_t came = read_slowly(self, 100 * MIB);
  fibril_cancel(future);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(self->written, UV_ECANCELED);
  CHECK_INT(fibril_stream_write(self->writer, "x", 1), UV_EPIPE);
  fibril_stream_ref(self->writer);
  fibril_stream_close(self->writer);
  came += read_slowly(self, UINT64_MAX);
  CHECK_INT(came, fibril_stream_written(self->writer));
  CHECK(came >= 100 * MIB && came < GIB);
  fibril_stream_unref(self->writer);
}

/* Late, with a window of nothing. */
static void never_read(scene *self) {
  CHECK_INT(fibril_deadline_push(200), 0);
  write_all(self);
  CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  CHECK_INT(self->written, UV_ETIMEDOUT);
  measure(self);
  CHECK(fibril_stream_written(self->writer) < 100 * MIB);
}

typedef struct {
  const char *name;
  int (*connect)(fibril_stream *ends[2]);
  void (*play)(scene *self);
} play;

static fibril_value run(void *arg) {
  const play *one = arg;
  fibril_stream *ends[2];
  if (!CHECK_INT(one->connect(ends), 0)) return fibril_undefined();
  scene self = {.writer = ends[0], .reader = ends[1], .before = resident()};
  one->play(&self);
  note("%s: at most %.2f MB more", one->name, self.most / 1e6);
  CHECK(self.most <= FLAT);
  fibril_stream_close(ends[1]);
  return fibril_undefined();
}

static void run_with_both(fibril_loop *loop, const char *const names[2],
                          void (*scene_of)(scene *self)) {
  gigabyte = mmap(NULL, GIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!CHECK(gigabyte != MAP_FAILED)) return;
  madvise(gigabyte, GIB, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < GIB; at += 4096)
    ((volatile const char *)gigabyte)[at]; /* counted before */
  play plays[2] = {{names[0], connect_tcp, scene_of}, {names[1], connect_unix, scene_of}};
  for (int i = 0; i < 2; i++) CHECK_INT(fibril_loop_run_sync(loop, run, &plays[i], 0, NULL), 0);
  munmap(gigabyte, GIB);
}

LOOP_TEST(a_gigabyte_in_one_write_comes_to_a_slow_reader) {
  static const char *const names[] = {"a gigabyte by TCP", "a gigabyte by a UNIX socket"};
  run_with_both(loop, names, all_of_it);
}

LOOP_TEST(a_gigabyte_in_one_write_is_cancelled_in_the_middle) {
  static const char *const names[] = {"cancelled, by TCP", "cancelled, by a UNIX socket"};
  run_with_both(loop, names, cancelled_in_the_middle);
}

LOOP_TEST(a_gigabyte_to_who_never_reads_takes_no_memory) {
  static const char *const names[] = {"never read, by TCP", "never read, by a UNIX socket"};
  run_with_both(loop, names, never_read);
}
