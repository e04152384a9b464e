/* Examples of docs/c-api.md, run: what stands between "example: NAME" and "end" is shown there. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static fibril_value run(fibril_loop *loop, fibril_fn fn, void *arg) {
  fibril_value result;
  CHECK_INT(fibril_loop_run_sync(loop, fn, arg, 0, &result), 0);
  return result;
}

/* ---- Futures ---- */

typedef void (*lookup_cb)(int answer, void *arg);

/* As a library has it: the callback comes later. */
typedef struct {
  lookup_cb callback;
  void *arg;
} pending_lookup;

static pending_lookup started;

static void start_lookup(lookup_cb callback, void *arg) {
  started = (pending_lookup){callback, arg};
}

/* example: fibril_future_set_result */
static void on_looked_up(int answer, void *arg) {
  fibril_future *future = arg;
  fibril_future_set_result(future, fibril_number(answer));
  fibril_future_unref(future); /* the callback's reference */
}

static fibril_value look_up(void *arg) {
  (void)arg;
  fibril_future *future = fibril_future_new(fibril_loop_current());
  if (future == NULL) return fibril_error(UV_ENOMEM, NULL);
  fibril_future_hold(future); /* the process waits for the library */
  start_lookup(on_looked_up, fibril_future_ref(future));
  fibril_value answer = fibril_value_dup(fibril_await(future));
  fibril_future_unref(future);
  return answer;
}
/* end */

LOOP_TEST(reference_futures) {
  fibril_future *answer = fibril_loop_spawn(loop, look_up, NULL, NULL);
  started.callback(7, started.arg);
  while (!fibril_future_done(answer)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(fibril_value_number(fibril_future_result(answer)), 7);
  fibril_future_unref(answer);
}

/* ---- A program without Node ---- */

static fibril_value work_hard(void *arg) {
  (void)arg;
  int err = fibril_sleep(1);
  return err == 0 ? fibril_number(1) : fibril_error(err, NULL);
}

/* example: fibril_loop_run_sync */
/* A program of its own, without Node. */
static int run_program(void) {
  uv_loop_t uv;
  fibril_loop *loop;
  fibril_value result;
  int err = uv_loop_init(&uv);
  if (err == 0) err = fibril_loop_new(&uv, &loop);
  if (err != 0) return err;
  err = fibril_loop_run_sync(loop, work_hard, NULL, 0, &result);
  if (err == 0) err = fibril_error_code(result);
  fibril_value_free(result);
  fibril_loop_close(loop, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT); /* until it is closed */
  uv_loop_close(&uv);
  return err;
}
/* end */

TEST(reference_program) {
  CHECK_INT(run_program(), 0);
}

/* ---- Other threads ---- */

/* example: fibril_post */
typedef struct {
  fibril_poster *poster;
  fibril_future *future;
  uv_thread_t thread;
  double result;
} job;

static void on_ready(void *arg) { /* on the loop's thread */
  job *self = arg;
  uv_thread_join(&self->thread);
  fibril_future_set_result(self->future, fibril_number(self->result));
}

static void in_thread(void *arg) { /* on its own */
  job *self = arg;
  self->result = 42;
  fibril_post(self->poster, on_ready, self);
  fibril_poster_unref(self->poster);
}

static fibril_value wait_for_thread(void *arg) {
  fibril_loop *loop = fibril_loop_current();
  job self = {.poster = fibril_loop_poster(loop), .future = fibril_future_new(loop)};
  (void)arg;
  fibril_future_hold(self.future);
  uv_thread_create(&self.thread, in_thread, &self);
  fibril_mask(); /* the thread uses what is on this stack */
  fibril_value value = fibril_value_dup(fibril_await(self.future));
  fibril_unmask();
  fibril_future_unref(self.future);
  return value;
}
/* end */

LOOP_TEST(reference_threads) {
  CHECK_INT(fibril_value_number(run(loop, wait_for_thread, NULL)), 42);
}

/* ---- I/O ---- */

/* example: fibril_work_with */
typedef struct {
  const char *text;
  unsigned hash;
} hashing;

static void hash_in_pool(void *arg) { /* on a thread of the pool */
  hashing *self = arg;
  for (const char *c = self->text; *c != '\0'; c++) self->hash = self->hash * 31 + (unsigned)*c;
}

/* Not more than two of these at a time in this thread: locks belong to one loop. */
static _Thread_local fibril_sem at_once = {.value = 2};

static fibril_value hash(void *arg) {
  hashing self = {.text = arg};
  fibril_work_options options = {.size = sizeof options, .name = "hash", .limit = &at_once};
  int err = fibril_work_with(hash_in_pool, &self, &options);
  return err == 0 ? fibril_number(self.hash) : fibril_error(err, NULL);
}
/* end */

LOOP_TEST(reference_work) {
  CHECK_INT(fibril_value_number(run(loop, hash, "ab")), 'a' * 31 + 'b');
  CHECK_INT(at_once.value, 2);
}

/* example: fibril_poll_fd */
/* Reads from a pipe or a socket, at most `timeout` milliseconds later. */
static ssize_t read_when_ready(int fd, char *buffer, size_t size, double timeout) {
  int events = fibril_poll_fd(fd, UV_READABLE, timeout);
  return events < 0 ? events : read(fd, buffer, size);
}
/* end */

static fibril_value read_pipe(void *arg) {
  char buffer[8];
  return fibril_number((double)read_when_ready(*(int *)arg, buffer, sizeof buffer, 5));
}

LOOP_TEST(reference_poll) {
  int ends[2];
  CHECK_INT(pipe(ends), 0);
  CHECK_INT(fibril_value_number(run(loop, read_pipe, ends)), UV_ETIMEDOUT);
  CHECK_INT(write(ends[1], "four", 4), 4);
  CHECK_INT(fibril_value_number(run(loop, read_pipe, ends)), 4);
  close(ends[0]);
  close(ends[1]);
}

/* example: fibril_fs_read */
/* How many bytes a file has, read to its end. */
static fibril_value count_bytes(void *path) {
  char buffer[4096];
  int64_t length, total = 0;
  int fd = fibril_fs_open(path, O_RDONLY, 0);
  if (fd < 0) return fibril_error_uv(fd, "open", path);
  while ((length = fibril_fs_read(fd, buffer, sizeof buffer, -1)) > 0) total += length;
  fibril_fs_close(fd); /* acts also when the coroutine is cancelled */
  return length < 0 ? fibril_error_uv((int)length, "read", path) : fibril_number((double)total);
}
/* end */

LOOP_TEST(reference_files) {
  char name[] = "/tmp/fibril-reference-XXXXXX";
  int fd = mkstemp(name);
  CHECK(fd >= 0 && write(fd, "bytes", 5) == 5);
  close(fd);
  CHECK_INT(fibril_value_number(run(loop, count_bytes, name)), 5);
  unlink(name);
  fibril_value missing = run(loop, count_bytes, name);
  CHECK_INT(fibril_error_code(missing), UV_ENOENT);
  fibril_value_free(missing);
}

/* example: fibril_fs_readdir */
static void count_entry(const char *name, uv_dirent_type_t type, void *arg) {
  if (type == UV_DIRENT_DIR && name[0] != '.') *(int *)arg += 1;
}

static fibril_value count_folders(void *path) {
  int folders = 0, entries = fibril_fs_readdir(path, count_entry, &folders);
  return entries < 0 ? fibril_error_uv(entries, "scandir", path) : fibril_number(folders);
}
/* end */

LOOP_TEST(reference_folders) {
  CHECK(fibril_value_number(run(loop, count_folders, "/")) > 0);
}
