/* docs/pitfalls.md: what belongs to the thread and not to the coroutine, and what may be done there
 * all the same. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A coroutine that another one follows on the same thread ---- */

static __thread int of_thread;
static const char key;

static fibril_value other(void *arg) {
  (void)arg;
  errno = ENOENT;
  of_thread = 2;
  static int two = 2;
  CHECK_INT(fibril_local_set(&key, &two, NULL), 0);
  return fibril_undefined();
}

/* Waits, and meanwhile `other` has run. */
static void let_other_run(void) {
  fibril_future *future = fibril_loop_spawn(fibril_loop_current(), other, NULL, NULL);
  CHECK_INT(fibril_moment(), 0);
  fibril_future_unref(future);
}

static fibril_value reads_errno_late(void *arg) {
  (void)arg;
  int failed = close(-1);
  int err = errno;
  CHECK_INT(failed, -1);
  CHECK_INT(err, EBADF);
  let_other_run();
  CHECK_INT(err, EBADF); /* what was read at once stays */
  CHECK_INT(errno, ENOENT);
  return fibril_undefined();
}

LOOP_TEST(pitfall_errno_is_the_threads) {
  CHECK_INT(fibril_loop_run_sync(loop, reads_errno_late, NULL, 0, NULL), 0);
}

static fibril_value uses_thread_local(void *arg) {
  static int one = 1;
  (void)arg;
  of_thread = 1;
  CHECK_INT(fibril_local_set(&key, &one, NULL), 0);
  let_other_run();
  CHECK_INT(of_thread, 2);
  CHECK(fibril_local_get(&key) == &one);
  return fibril_undefined();
}

LOOP_TEST(pitfall_thread_locals_are_the_threads) {
  CHECK_INT(fibril_loop_run_sync(loop, uses_thread_local, NULL, 0, NULL), 0);
}

/* ---- A lock of threads that is held across a wait ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fibril_mutex own_lock;

static fibril_value wants_lock(void *arg) {
  (void)arg;
  CHECK_INT(pthread_mutex_trylock(&lock), EBUSY); /* pthread_mutex_lock would never return */
  CHECK_INT(fibril_mutex_lock(&own_lock), 0);
  CHECK_INT(pthread_mutex_trylock(&lock), 0);
  pthread_mutex_unlock(&lock);
  return fibril_number(fibril_mutex_unlock(&own_lock));
}

static fibril_value holds_lock(void *arg) {
  (void)arg;
  pthread_mutex_lock(&lock);
  CHECK_INT(fibril_mutex_lock(&own_lock), 0);
  fibril_future *future = fibril_spawn(wants_lock, NULL, NULL);
  CHECK_INT(fibril_moment(), 0);
  CHECK(!fibril_future_done(future));
  pthread_mutex_unlock(&lock);
  CHECK_INT(fibril_mutex_unlock(&own_lock), 0);
  CHECK_INT(fibril_value_number(fibril_await(future)), 0);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(pitfall_locks_of_threads_block_the_loop) {
  CHECK_INT(fibril_loop_run_sync(loop, holds_lock, NULL, 0, NULL), 0);
}

/* ---- Signals ---- */

static volatile sig_atomic_t signals;

static void on_signal(int number) {
  (void)number;
  signals = signals + 1;
}

static fibril_value raises(void *arg) {
  (void)arg;
  for (int i = 0; i < 3; i++) {
    CHECK_INT(raise(SIGUSR2), 0);
    CHECK_INT(fibril_moment(), 0);
  }
  return fibril_undefined();
}

LOOP_TEST(pitfall_handlers_run_on_the_coroutines_stack) {
  struct sigaction action = {.sa_handler = on_signal}, before;
  fibril_spawn_options small = {.size = sizeof small, .stack_size = 16384};
  signals = 0;
  CHECK_INT(sigaction(SIGUSR2, &action, &before), 0);
  fibril_future *future = fibril_loop_spawn(loop, raises, NULL, &small);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK(!fibril_is_error(fibril_future_result(future)));
  fibril_future_unref(future);
  CHECK_INT(signals, 3);
  CHECK_INT(sigaction(SIGUSR2, &before, NULL), 0);
}

/* ---- fork ---- */

typedef struct {
  pid_t pid;
  int status;
} child;

static void wait_for_child(void *arg) {
  child *self = arg;
  while (waitpid(self->pid, &self->status, 0) < 0 && errno == EINTR) continue;
}

static fibril_value forks(void *arg) {
  (void)arg;
  child exits = {.pid = fork()};
  if (exits.pid == 0) _exit(7);
  child execs = {.pid = fork()};
  if (execs.pid == 0) {
    execl("/bin/sh", "sh", "-c", "exit 8", (char *)NULL);
    _exit(127);
  }
  CHECK_INT(fibril_work(wait_for_child, &exits), 0);
  CHECK_INT(fibril_work(wait_for_child, &execs), 0);
  CHECK(WIFEXITED(exits.status) && WEXITSTATUS(exits.status) == 7);
  CHECK(WIFEXITED(execs.status) && WEXITSTATUS(execs.status) == 8);
  return fibril_undefined();
}

LOOP_TEST(pitfall_a_forked_child_may_exit_or_exec) {
  CHECK_INT(fibril_loop_run_sync(loop, forks, NULL, 0, NULL), 0);
}
