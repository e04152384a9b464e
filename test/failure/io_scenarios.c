/* src/io, with failing calls. */
#include "scenario.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The thread pool ---- */

static void do_work(void *arg) {
  *(int *)arg += 1;
}

static fibril_value work_with(void *arg) {
  OK(fibril_work_with(do_work, arg, NULL));
  return fibril_undefined();
}

SCENARIO(work_with_options) {
  int count = 0;
  scenario_run(loop, work_with, &count);
}

static fibril_value work(void *arg) {
  int err = fibril_work(do_work, arg);
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

/* More than pass the gate at once. */
static fibril_value work_at_once(void *arg) {
  enum { JOBS = 5 };
  fibril_future *futures[JOBS];
  int counts[JOBS] = {0};
  (void)arg;
  for (int i = 0; i < JOBS; i++) futures[i] = fibril_spawn(work, &counts[i], NULL);
  for (int i = 0; i < JOBS; i++) {
    bool worked = OK_VALUE(fibril_await(futures[i]));
    MUST(counts[i] == worked);
    fibril_future_unref(futures[i]);
  }
  return fibril_undefined();
}

SCENARIO(jobs_of_the_pool) {
  scenario_run(loop, work_at_once, NULL);
}

static fibril_value cancelled_jobs(void *arg) {
  enum { JOBS = 4 };
  fibril_future *futures[JOBS];
  int counts[JOBS] = {0};
  (void)arg;
  for (int i = 0; i < JOBS; i++) futures[i] = fibril_spawn(work, &counts[i], NULL);
  for (int i = 0; i < JOBS; i++) fibril_cancel(futures[i]);
  for (int i = 0; i < JOBS; i++) {
    fibril_value value = fibril_await(futures[i]);
    if (fibril_error_code(value) != UV_ECANCELED) OK_VALUE(value);
    fibril_future_unref(futures[i]);
  }
  return fibril_undefined();
}

SCENARIO(cancelled_jobs_of_the_pool) {
  scenario_run(loop, cancelled_jobs, NULL);
}

/* ---- Files ---- */

static void count_entry(const char *name, uv_dirent_type_t type, void *arg) {
  (void)type;
  if (strcmp(name, "file") == 0) *(int *)arg += 1;
}

static void use_file(const char *path) {
  char text[8], real[64];
  size_t size = sizeof real;
  uv_stat_t stat;
  int fd = fibril_fs_open(path, O_RDWR | O_CREAT, 0600);
  if (!OK(fd)) return;
  if (OK(fibril_fs_write(fd, "text", 4, 0)) && OK(fibril_fs_read(fd, text, sizeof text, 0)))
    MUST(memcmp(text, "text", 4) == 0);
  OK(fibril_fs_fstat(fd, &stat));
  OK(fibril_fs_close(fd));
  MUST(fcntl(fd, F_GETFD) == -1);
  OK(fibril_fs_stat(path, &stat));
  OK(fibril_fs_lstat(path, &stat));
  if (OK(fibril_fs_realpath(path, real, &size))) MUST(size == strlen(real) && size < sizeof real);
}

static fibril_value files(void *arg) {
  char path[64];
  int entries = 0;
  snprintf(path, sizeof path, "%s/file", (const char *)arg);
  use_file(path);
  if (OK(fibril_fs_readdir(arg, count_entry, &entries))) MUST(entries == (access(path, F_OK) == 0));
  return fibril_undefined();
}

SCENARIO(files) {
  char folder[] = "/tmp/fibril-failure-XXXXXX", path[64];
  if (mkdtemp(folder) == NULL) {
    scenario_fail("no folder in /tmp");
    return;
  }
  scenario_run(loop, files, folder);
  snprintf(path, sizeof path, "%s/file", folder);
  unlink(path);
  rmdir(folder);
}

/* Closing acts whatever happens. */
static fibril_value close_when_cancelled(void *arg) {
  int fd = *(int *)arg;
  MUST(fibril_suspend() == UV_ECANCELED);
  OK(fibril_fs_close(fd));
  MUST(fcntl(fd, F_GETFD) == -1);
  return fibril_undefined();
}

static bool has_ended(void *arg) {
  return fibril_loop_coroutines(arg) == 0;
}

SCENARIO(closing_when_cancelled) {
  int fd = open("/dev/null", O_RDONLY);
  fibril_future *future = fibril_loop_spawn(loop, close_when_cancelled, &fd, NULL);
  if (OK_VALUE(fibril_future_done(future) ? fibril_future_result(future) : fibril_undefined()))
    MUST(fibril_cancel(future) == 0);
  else
    close(fd);
  scenario_until(loop, has_ended, loop);
  fibril_future_result(future);
  fibril_future_unref(future);
}

/* ---- Descriptors ---- */

static fibril_value poll_both(void *arg) {
  const int *ends = arg;
  if (OK(fibril_poll_fd(ends[1], UV_WRITABLE, -1))) MUST(write(ends[1], "x", 1) == 1);
  OK(fibril_poll_fd(ends[1], UV_WRITABLE, 1e9));
  int events = fibril_poll_fd(ends[0], UV_DISCONNECT, 1);
  if (events != UV_ETIMEDOUT) OK(events);
  return fibril_undefined();
}

SCENARIO(polling) {
  int ends[2];
  MUST(pipe(ends) == 0);
  scenario_run(loop, poll_both, ends);
  close(ends[0]);
  close(ends[1]);
}

/* ---- Handlers ---- */

static void hear(int fd, int events, void *arg) {
  (void)fd;
  (void)events;
  (void)arg;
}

/* The entry of one of which there is a duplicate goes with the set that it is in. */
SCENARIO(handler_of_a_duplicate) {
  int kept[2], gone[2];
  if (pipe(kept) != 0 || pipe(gone) != 0) return;
  int duplicate = dup(gone[0]), last = gone[0];
  if (OK(fibril_loop_add_handler(loop, kept[0], UV_READABLE, hear, NULL)) &&
      OK(fibril_loop_add_handler(loop, gone[0], UV_READABLE, hear, NULL))) {
    close(last);
    last = -1;
    fibril_loop_remove_handler(loop, gone[0]);
    MUST(write(gone[1], "x", 1) == 1);
    for (int i = 0; i < 3; i++) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  }
  fibril_loop_remove_handler(loop, kept[0]);
  fibril_loop_remove_handler(loop, gone[0]);
  for (int i = 0; i < 2; i++) close(kept[i]);
  close(gone[1]);
  if (last >= 0) close(last);
  close(duplicate);
}
