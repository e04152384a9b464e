/* Errors that the header promises and that belong to no other test's subject: see
 * test/package/errors.test.js, which wants each of them to have come once. */
#include "test.h"

#include "../../src/core/future/generator.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static fibril_value nothing(void *arg) {
  (void)arg;
  return fibril_undefined();
}

static void ignore(void *arg) {
  (void)arg;
}

static void ignore_events(int fd, int events, void *arg) {
  (void)fd;
  (void)events;
  (void)arg;
}

/* ---- Coroutines that can't start ---- */

LOOP_TEST(spawning_with_bad_options_gives_a_failed_future) {
  fibril_spawn_options bad = {.size = 1};
  CHECK_INT(FAILED_FUTURE(fibril_loop_spawn(loop, nothing, NULL, &bad)), UV_EINVAL);
}

/* Behind a mask it is not told of the end, and still nothing starts. */
static fibril_value spawn_while_closing(void *arg) {
  fibril_group *group = fibril_group_new();
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_loop_close(arg, NULL, NULL), 0);
  CHECK_INT(fibril_group_spawn(group, nothing, NULL, NULL), FIBRIL_ECLOSED);
  CHECK_INT(FAILED_FUTURE(fibril_spawn(nothing, NULL, NULL)), FIBRIL_ECLOSED);
  CHECK_INT(fibril_unmask(), UV_ECANCELED);
  CHECK_INT(fibril_group_spawn(group, nothing, NULL, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_error_code(fibril_group_wait(group)), UV_ECANCELED);
  CHECK_INT(fibril_group_spawn(group, nothing, NULL, NULL), UV_ECANCELED);
  return fibril_undefined();
}

TEST(closing_loop_starts_no_coroutine) {
  uv_loop_t uv;
  fibril_loop *own;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  CHECK_INT(fibril_loop_run_sync(own, spawn_while_closing, own, 0, NULL), FIBRIL_ECLOSED);
  CHECK_INT(uv_loop_close(&uv), 0);
}

static fibril_value work_in_generator(fibril_generator *generator, void *arg) {
  (void)generator;
  (void)arg;
  CHECK_INT(fibril_work(ignore, NULL), FIBRIL_ESYNC);
  return fibril_undefined();
}

LOOP_TEST(work_is_refused_in_a_generator_of_a_synchronous_iterator) {
  fibril_generator *generator = fibril_generator_new(loop, work_in_generator, NULL, NULL);
  generator->coroutine->generating |= FIBRIL__SYNCHRONOUS;
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_DONE);
  fibril_generator_unref(generator);
}

/* ---- Descriptors ---- */

static fibril_value poll_without_descriptors(void *arg) {
  fibril_poll *none;
  CHECK_INT(fibril_poll_open(*(int *)arg, &none), UV_EMFILE);
  CHECK_INT(fibril_poll_fd(*(int *)arg, UV_READABLE, -1), UV_EMFILE);
  return fibril_undefined();
}

LOOP_TEST(descriptors_without_a_descriptor_for_epoll) {
  struct rlimit limit, tight;
  int ends[2], free_fd;
  if (!CHECK_INT(pipe(ends), 0) || !CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0)) return;
  free_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(free_fd);
  tight = limit;
  tight.rlim_cur = (rlim_t)free_fd;
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &tight), 0);
  int added = fibril_loop_add_handler(loop, ends[0], UV_READABLE, ignore_events, NULL);
  fibril_loop_run_sync(loop, poll_without_descriptors, &ends[0], 0, NULL);
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_INT(added, UV_EMFILE);
  CHECK_INT(fibril_loop_add_handler(loop, ends[0], UV_READABLE, ignore_events, NULL), 0);
  CHECK_INT(fibril_loop_update_handler(loop, ends[0], 0), UV_EINVAL);
  CHECK_INT(fibril_loop_update_handler(loop, ends[0], 1 << 20), UV_EINVAL);
  CHECK_INT(fibril_loop_remove_handler(loop, ends[0]), 0);
  close(ends[0]);
  close(ends[1]);
}

static fibril_value write_to_what_is_read(void *arg) {
  int fd = fibril_fs_open("/dev/null", O_RDONLY, 0);
  (void)arg;
  CHECK_INT(fibril_fs_write(fd, "x", 1, -1), UV_EBADF);
  CHECK_INT(fibril_fs_close(fd), 0);
  return fibril_undefined();
}

LOOP_TEST(writing_to_a_descriptor_for_reading_fails) {
  CHECK_INT(fibril_loop_run_sync(loop, write_to_what_is_read, NULL, 0, NULL), 0);
}
