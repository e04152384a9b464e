/* The file system as awaits. */
#include "test.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- A folder of its own for each test ---- */

typedef struct {
  char folder[64], path[96];
} place;

static bool make_place(place *p) {
  strcpy(p->folder, "/tmp/fibril-test-XXXXXX");
  if (!CHECK(mkdtemp(p->folder) != NULL)) return false;
  snprintf(p->path, sizeof p->path, "%s/file", p->folder);
  return true;
}

static void run_in_place(fibril_loop *loop, fibril_fn fn) {
  place p;
  if (!make_place(&p)) return;
  CHECK_INT(fibril_loop_run_sync(loop, fn, &p, 0, NULL), 0);
  unlink(p.path);
  CHECK_INT(rmdir(p.folder), 0);
}

/* ---- Reading and writing ---- */

static fibril_value write_and_read(void *arg) {
  const place *p = arg;
  char buffer[32] = "";
  int fd = fibril_fs_open(p->path, O_RDWR | O_CREAT | O_EXCL, 0640);
  CHECK(fd >= 0);
  CHECK_INT(fibril_fs_write(fd, "hello world", 11, -1), 11);
  CHECK_INT(fibril_fs_write(fd, "W", 1, 6), 1);
  CHECK_INT(fibril_fs_write(fd, "!", 1, -1), 1); /* the position is where the first write left it */
  CHECK_INT(fibril_fs_read(fd, buffer, sizeof buffer, 0), 12);
  CHECK_STR(buffer, "hello World!");
  CHECK_INT(fibril_fs_read(fd, buffer, sizeof buffer, -1), 0);
  CHECK_INT(fibril_fs_read(fd, buffer, 0, 0), 0);
  CHECK_INT(fibril_fs_close(fd), 0);
  CHECK_INT(fibril_fs_close(fd), UV_EBADF);
  CHECK_INT(fibril_fs_read(fd, buffer, 1, -1), UV_EBADF);
  CHECK_INT(fibril_fs_open(p->path, O_RDWR | O_CREAT | O_EXCL, 0640), UV_EEXIST);
  return fibril_undefined();
}

LOOP_TEST(files_are_written_and_read) {
  mode_t mask = umask(022);
  run_in_place(loop, write_and_read);
  umask(mask);
}

static fibril_value read_hugely(void *arg) {
  (void)arg;
  static char buffer[64];
  int fd = fibril_fs_open("/dev/null", O_RDWR, 0);
  CHECK_INT(fibril_fs_read(fd, buffer, SIZE_MAX, -1), 0);
  int64_t count = fibril_fs_write(fd, buffer, SIZE_MAX, -1); /* /dev/null takes without looking */
  CHECK(count > 0 && count <= INT32_MAX);
  CHECK_INT(fibril_fs_close(fd), 0);
  return fibril_undefined();
}

LOOP_TEST(lengths_beyond_the_systems_limit_give_short_counts) {
  CHECK_INT(fibril_loop_run_sync(loop, read_hugely, NULL, 0, NULL), 0);
}

static fibril_value fail_everywhere(void *arg) {
  const place *p = arg;
  uv_stat_t stat;
  CHECK_INT(fibril_fs_open(p->path, O_RDONLY, 0), UV_ENOENT);
  CHECK_INT(fibril_fs_open(p->folder, O_WRONLY, 0), UV_EISDIR);
  CHECK_INT(fibril_fs_stat(p->path, &stat), UV_ENOENT);
  CHECK_INT(fibril_fs_lstat(p->path, &stat), UV_ENOENT);
  CHECK_INT(fibril_fs_fstat(-1, &stat), UV_EBADF);
  CHECK_INT(fibril_fs_readdir(p->path, NULL, NULL), UV_ENOENT);
  CHECK_INT(fibril_fs_open(NULL, O_RDONLY, 0), UV_EINVAL);
  CHECK_INT(fibril_fs_stat(NULL, &stat), UV_EINVAL);
  CHECK_INT(fibril_fs_lstat(NULL, &stat), UV_EINVAL);
  CHECK_INT(fibril_fs_readdir(NULL, NULL, NULL), UV_EINVAL);
  return fibril_undefined();
}

LOOP_TEST(failures_come_back_as_codes) {
  run_in_place(loop, fail_everywhere);
}

static void close_in_thread(void *fd) {
  CHECK_INT(fibril_fs_close(*(int *)fd), 0);
}

static void close_in_callback(void *fd) {
  CHECK_INT(fibril_fs_close(*(int *)fd), 0);
}

LOOP_TEST(closing_acts_outside_a_coroutine_too) {
  int fds[2];
  uv_thread_t thread;
  CHECK_INT(pipe(fds), 0);
  CHECK_INT(uv_thread_create(&thread, close_in_thread, &fds[0]), 0);
  uv_thread_join(&thread);
  CHECK_INT(fcntl(fds[0], F_GETFD), -1);
  CHECK_INT(fibril_loop_add_callback(loop, close_in_callback, &fds[1]), 0);
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  CHECK_INT(fcntl(fds[1], F_GETFD), -1);
  CHECK_INT(fibril_fs_close(fds[1]), UV_EBADF);
}

TEST(files_outside_a_coroutine_are_refused) {
  uv_stat_t stat;
  char byte;
  size_t size = 1;
  CHECK_INT(fibril_fs_open("/dev/null", O_RDONLY, 0), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_read(0, &byte, 1, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_write(1, &byte, 1, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_stat("/", &stat), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_lstat("/", &stat), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_fstat(0, &stat), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_realpath("/", &byte, &size), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_readdir("/", NULL, NULL), FIBRIL_ENOTCOROUTINE);
}

/* ---- Metadata ---- */

static void check_stat(const uv_stat_t *actual, const struct stat *expected) {
  CHECK_INT(actual->st_ino, expected->st_ino);
  CHECK_INT(actual->st_dev, expected->st_dev);
  CHECK_INT(actual->st_mode, expected->st_mode);
  CHECK_INT(actual->st_size, expected->st_size);
  CHECK_INT(actual->st_nlink, expected->st_nlink);
  CHECK_INT(actual->st_mtim.tv_sec, expected->st_mtim.tv_sec);
  CHECK_INT(actual->st_mtim.tv_nsec, expected->st_mtim.tv_nsec);
}

static fibril_value stat_all_ways(void *arg) {
  const place *p = arg;
  uv_stat_t actual;
  struct stat expected;
  CHECK_INT(symlink(p->folder, p->path), 0);
  CHECK_INT(fibril_fs_stat(p->path, &actual), 0);
  CHECK_INT(stat(p->path, &expected), 0);
  check_stat(&actual, &expected);
  CHECK_INT(fibril_fs_lstat(p->path, &actual), 0);
  CHECK_INT(lstat(p->path, &expected), 0);
  check_stat(&actual, &expected);
  int fd = open(p->folder, O_RDONLY);
  CHECK_INT(fibril_fs_fstat(fd, &actual), 0);
  CHECK_INT(fstat(fd, &expected), 0);
  check_stat(&actual, &expected);
  close(fd);
  return fibril_undefined();
}

LOOP_TEST(stat_lstat_and_fstat_tell_what_the_system_tells) {
  run_in_place(loop, stat_all_ways);
}

static fibril_value resolve_links(void *arg) {
  const place *p = arg;
  char expected[PATH_MAX], found[PATH_MAX], dotted[160];
  size_t size = sizeof found;
  CHECK(realpath(p->folder, expected) != NULL);
  CHECK_INT(symlink(p->folder, p->path), 0);
  snprintf(dotted, sizeof dotted, "%s/./../%s", p->path, strrchr(p->folder, '/') + 1);
  CHECK_INT(fibril_fs_realpath(dotted, found, &size), 0);
  CHECK_STR(found, expected);
  CHECK_INT(size, strlen(expected));
  found[0] = '\0';
  CHECK_INT(fibril_fs_realpath(p->path, found, &size), UV_ENOBUFS); /* no room for the NUL */
  CHECK_INT(size, strlen(expected) + 1);
  CHECK_STR(found, "");
  CHECK_INT(fibril_fs_realpath(p->path, found, &size), 0);
  CHECK_STR(found, expected);
  size = 0;
  CHECK_INT(fibril_fs_realpath("/", found, &size), UV_ENOBUFS);
  CHECK_INT(size, 2);
  CHECK_INT(fibril_fs_realpath("/no/such/file", found, &size), UV_ENOENT);
  CHECK_INT(size, 2);
  return fibril_undefined();
}

LOOP_TEST(realpath_resolves_links_and_says_how_long_it_is) {
  run_in_place(loop, resolve_links);
}

typedef struct {
  char text[256];
} listing;

/* May wait: it is called on the coroutine's stack. */
static void add_name(const char *name, uv_dirent_type_t type, void *arg) {
  listing *l = arg;
  size_t length = strlen(l->text);
  CHECK_INT(fibril_sleep(0), 0);
  const char *kind = type == UV_DIRENT_DIR ? "d" : type == UV_DIRENT_LINK ? "l" : "f";
  snprintf(l->text + length, sizeof l->text - length, "%s:%s ", kind, name);
}

static void in_folder(const place *p, const char *name, char path[128]) {
  snprintf(path, 128, "%s/%s", p->folder, name);
}

static fibril_value list_folder(void *arg) {
  const place *p = arg;
  listing l = {""};
  char sub[128], link[128];
  CHECK_INT(fibril_fs_readdir(p->folder, add_name, &l), 0);
  CHECK_STR(l.text, "");
  in_folder(p, "sub", sub);
  in_folder(p, "link", link);
  CHECK_INT(mkdir(sub, 0700), 0);
  CHECK_INT(symlink("nowhere", link), 0);
  close(open(p->path, O_CREAT | O_WRONLY, 0600));
  CHECK_INT(fibril_fs_readdir(p->folder, add_name, &l), 3);
  CHECK_STR(l.text, "f:file l:link d:sub ");
  CHECK_INT(rmdir(sub), 0);
  CHECK_INT(unlink(link), 0);
  return fibril_undefined();
}

LOOP_TEST(readdir_lists_names_and_types) {
  run_in_place(loop, list_folder);
}

/* ---- Cancelling ---- */

typedef struct {
  const place *place;
  int result, next;
} opener;

static fibril_value open_fifo(void *arg) {
  opener *o = arg;
  o->result = fibril_fs_open(o->place->path, O_RDONLY, 0);
  o->next = fibril_moment();
  CHECK_INT(fibril_fs_close(o->result), 0);
  return fibril_undefined();
}

/* The open waits for a writer; when one comes, it has a descriptor. */
static fibril_value cancel_an_open(void *arg) {
  opener o = {.place = arg};
  CHECK_INT(mkfifo(o.place->path, 0600), 0);
  fibril_future *future = fibril_spawn(open_fifo, &o, NULL);
  int writer = open(o.place->path, O_WRONLY); /* both sides meet: the pool's thread has opened it */
  CHECK(writer >= 0);
  CHECK_INT(fibril_cancel(future), 0);
  fibril_await(future);
  CHECK(o.result >= 0);
  CHECK_INT(o.next, UV_ECANCELED);
  struct pollfd readers = {.fd = writer, .events = POLLOUT};
  CHECK_INT(poll(&readers, 1, 0), 1);
  CHECK(readers.revents & POLLERR); /* there is no reader left */
  close(writer);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(open_that_runs_when_it_is_cancelled_gives_its_descriptor) {
  run_in_place(loop, cancel_an_open);
}

/* ---- An operation that runs while its caller is cancelled ---- */

typedef struct {
  int fds[2];
  int64_t result;
  int next;
} transfer;

static fibril_value read_byte(void *arg) {
  transfer *t = arg;
  char byte;
  t->result = fibril_fs_read(t->fds[0], &byte, 1, -1);
  t->next = fibril_moment();
  return fibril_undefined();
}

/* Cancels a read of a pipe that is empty, then writes. Whether a thread had begun it, or it was
 * queued. */
static bool cancel_a_read(transfer *t) {
  struct pollfd left = {.fd = t->fds[0], .events = POLLIN};
  char byte;
  fibril_future *future = fibril_spawn(read_byte, t, NULL);
  fibril_moment();
  CHECK_INT(fibril_cancel(future), 0);
  CHECK_INT(write(t->fds[1], "x", 1), 1);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(t->next, UV_ECANCELED);
  CHECK_INT(poll(&left, 1, 0), t->result == UV_ECANCELED); /* that means that nothing happened */
  if (left.revents != 0) CHECK_INT(read(t->fds[0], &byte, 1), 1);
  return t->result != UV_ECANCELED || left.revents == 0;
}

static fibril_value cancel_reads(void *arg) {
  transfer *t = arg;
  while (!cancel_a_read(t)) continue;
  CHECK_INT(t->result, 1);
  return fibril_undefined();
}

static void with_pipe(fibril_loop *loop, fibril_fn fn) {
  transfer t = {.result = 0};
  if (!CHECK(pipe(t.fds) == 0)) return;
  CHECK_INT(fibril_loop_run_sync(loop, fn, &t, 0, NULL), 0);
  close(t.fds[0]);
  close(t.fds[1]);
}

LOOP_TEST(a_read_that_runs_when_it_is_cancelled_gives_its_bytes) {
  with_pipe(loop, cancel_reads);
}

enum { MUCH = 256 * 1024 }; /* more than a pipe holds */

static fibril_value write_much_in_time(void *arg) {
  static char much[MUCH];
  transfer *t = arg;
  for (t->result = UV_ETIMEDOUT; t->result == UV_ETIMEDOUT;) { /* no thread had begun it */
    CHECK_INT(fibril_deadline_push(20), 0);
    t->result = fibril_fs_write(t->fds[1], much, MUCH, -1);
    t->next = fibril_moment();
    CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  }
  return fibril_undefined();
}

/* Lets the write go on when its deadline has passed. */
static fibril_value read_much_late(void *arg) {
  static char much[MUCH];
  transfer *t = arg;
  struct pollfd begun = {.fd = t->fds[0], .events = POLLIN};
  fibril_future *future = fibril_spawn(write_much_in_time, t, NULL);
  while (poll(&begun, 1, 0) == 0) CHECK_INT(fibril_moment(), 0);
  CHECK_INT(fibril_sleep(20),
            0); /* begins after the writer's deadline was set, so it ends after it */
  for (int64_t left = MUCH, count; left > 0; left -= count) {
    count = fibril_fs_read(t->fds[0], much, (size_t)left, -1);
    if (!CHECK(count > 0)) break;
  }
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(t->result, MUCH);
  CHECK_INT(t->next, UV_ETIMEDOUT);
  return fibril_undefined();
}

LOOP_TEST(a_write_that_runs_when_its_deadline_passes_gives_its_count) {
  with_pipe(loop, read_much_late);
}

typedef struct {
  int fd, slept, read, closed;
} holder;

static fibril_value hold(void *arg) {
  holder *h = arg;
  char byte;
  h->fd = fibril_fs_open("/dev/null", O_RDONLY, 0);
  h->slept = fibril_sleep(1e9);
  h->read = (int)fibril_fs_read(h->fd, &byte, 1, -1);
  h->closed = fibril_fs_close(h->fd);
  return fibril_undefined();
}

static fibril_value cancel_a_holder(void *arg) {
  (void)arg;
  holder h = {.fd = -1};
  fibril_future *future = fibril_spawn(hold, &h, NULL);
  while (h.fd < 0) fibril_moment();
  fibril_cancel(future);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(h.slept, UV_ECANCELED);
  CHECK_INT(h.read, UV_ECANCELED);
  CHECK_INT(h.closed, 0);
  CHECK_INT(fcntl(h.fd, F_GETFD), -1);
  return fibril_undefined();
}

LOOP_TEST(close_acts_in_a_cancelled_coroutine) {
  CHECK_INT(fibril_loop_run_sync(loop, cancel_a_holder, NULL, 0, NULL), 0);
}
