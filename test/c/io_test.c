/* The thread pool and its gate, descriptors that become ready. */
#include "test.h"

#include "../../src/core/future/future.h"
#include "../../src/core/scheduler/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static int pool_threads(void) {
  const char *text = getenv("UV_THREADPOOL_SIZE");
  return text == NULL ? 4 : atoi(text);
}

static int gate_tokens(void) {
  return pool_threads() < 2 ? 1 : pool_threads() / 2;
}

/* ---- Jobs that stay in the pool until they are let go ---- */

typedef struct {
  uv_sem_t started, go;
  atomic_int running, ended;
} blocker;

static void blocker_init(blocker *b) {
  uv_sem_init(&b->started, 0);
  uv_sem_init(&b->go, 0);
  atomic_init(&b->running, 0);
  atomic_init(&b->ended, 0);
}

static void blocker_destroy(blocker *b) {
  uv_sem_destroy(&b->started);
  uv_sem_destroy(&b->go);
}

static void wait_started(blocker *b, int count) {
  while (count-- > 0) uv_sem_wait(&b->started);
}

static void let_go(blocker *b, int count) {
  while (count-- > 0) uv_sem_post(&b->go);
}

static void block(void *arg) {
  blocker *b = arg;
  atomic_fetch_add(&b->running, 1);
  uv_sem_post(&b->started);
  uv_sem_wait(&b->go);
  atomic_fetch_add(&b->ended, 1);
}

static fibril_value work_on(void *arg) {
  return fibril_number(fibril_work(block, arg));
}

/* What a coroutine of work_on ended with. */
static int work_result(fibril_future *future) {
  fibril_value value = fibril_await(future);
  return fibril_is_error(value) ? fibril_error_code(value) : (int)fibril_value_number(value);
}

/* ---- Work ---- */

static void add_one(void *arg) {
  ++*(int *)arg;
}

static fibril_value work_in_turn(void *arg) {
  for (int i = 0; i < 1000; i++)
    if (fibril_work(add_one, arg) != 0) break;
  return fibril_undefined();
}

LOOP_TEST(work_runs_in_the_pool_and_is_waited_for) {
  int count = 0;
  CHECK_INT(fibril_loop_run_sync(loop, work_in_turn, &count, 0, NULL), 0);
  CHECK_INT(count, 1000);
}

static fibril_value many_at_once(void *arg) {
  fibril_future *futures[20];
  for (int i = 0; i < 20; i++) futures[i] = fibril_spawn(work_in_turn, (int *)arg + i, NULL);
  fibril_await_all(futures, 20);
  for (int i = 0; i < 20; i++) fibril_future_unref(futures[i]);
  return fibril_undefined();
}

LOOP_TEST(work_of_many_coroutines_passes_the_gate_in_turn) {
  int counts[20] = {0};
  CHECK_INT(fibril_loop_run_sync(loop, many_at_once, counts, 0, NULL), 0);
  for (int i = 0; i < 20; i++) CHECK_INT(counts[i], 1000);
}

TEST(work_outside_a_coroutine_is_refused) {
  int count = 0;
  CHECK_INT(fibril_work(add_one, &count), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(count, 0);
}

static fibril_value work_and_wait(void *arg) {
  fibril_value result = work_on(arg);
  CHECK_INT(fibril_moment(), UV_ECANCELED);
  return result;
}

static fibril_value cancel_running(void *arg) {
  blocker *b = arg;
  fibril_future *future = fibril_spawn(work_and_wait, b, NULL);
  wait_started(b, 1);
  CHECK_INT(fibril_cancel(future), 0);
  CHECK_INT(fibril_moment(), 0);
  CHECK(!fibril_future_done(future));
  let_go(b, 1);
  CHECK_INT(work_result(future), 0);
  CHECK_INT(atomic_load(&b->ended), 1);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(cancelled_work_that_runs_is_waited_for_and_has_succeeded) {
  blocker b;
  blocker_init(&b);
  CHECK_INT(fibril_loop_run_sync(loop, cancel_running, &b, 0, NULL), 0);
  blocker_destroy(&b);
}

/* ---- Beside the host's own jobs ---- */

typedef struct {
  uv_work_t req;
  blocker *blocker;
  bool *done;
} host_job;

static void run_host_job(uv_work_t *req) {
  host_job *job = req->data;
  if (job->blocker != NULL) block(job->blocker);
}

static void note_host_job(uv_work_t *req, int status) {
  host_job *job = req->data;
  CHECK_INT(status, 0);
  *job->done = true;
}

static void queue_host_job(fibril_loop *loop, host_job *job, blocker *b, bool *done) {
  *job = (host_job){.blocker = b, .done = done};
  *done = false;
  job->req.data = job;
  CHECK_INT(uv_queue_work(fibril_loop_uv(loop), &job->req, run_host_job, note_host_job), 0);
}

static void wait_host_job(fibril_loop *loop, const bool *done) {
  while (!*done) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
}

LOOP_TEST(half_of_the_pool_stays_free) {
  blocker b;
  host_job job;
  bool done;
  int tokens = gate_tokens();
  CHECK(tokens >= 1);
  if (pool_threads() < 2) return;
  blocker_init(&b);
  for (int i = 0; i <= tokens; i++) fibril_future_unref(fibril_loop_spawn(loop, work_on, &b, NULL));
  wait_started(&b, tokens);
  queue_host_job(loop, &job, NULL, &done);
  wait_host_job(loop, &done);
  /* Had another job been let in, it would have been before the host's. */
  CHECK_INT(atomic_load(&b.running), tokens);
  let_go(&b, tokens + 1);
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(atomic_load(&b.ended), tokens + 1);
  blocker_destroy(&b);
}

static fibril_value cancel_in_the_queue(void *arg) {
  blocker *b = arg;
  fibril_future *future = fibril_spawn(work_on, b, NULL);
  int running = atomic_load(&b->running);
  CHECK_INT(fibril_cancel(future), 0);
  CHECK_INT(work_result(future), UV_ECANCELED);
  CHECK_INT(atomic_load(&b->running), running);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(cancelled_work_that_is_queued_never_runs) {
  blocker b;
  host_job jobs[64];
  bool done[64];
  int threads = pool_threads();
  if (!CHECK(threads <= 64)) return;
  blocker_init(&b);
  for (int i = 0; i < threads; i++) queue_host_job(loop, &jobs[i], &b, &done[i]);
  wait_started(&b, threads);
  CHECK_INT(fibril_loop_run_sync(loop, cancel_in_the_queue, &b, 0, NULL), 0);
  let_go(&b, threads);
  for (int i = 0; i < threads; i++) wait_host_job(loop, &done[i]);
  blocker_destroy(&b);
}

static void hold_tokens(blocker *b, fibril_future **futures) {
  for (int i = 0; i < gate_tokens(); i++) futures[i] = fibril_spawn(work_on, b, NULL);
  wait_started(b, gate_tokens());
}

static void join_holders(fibril_future **futures) {
  for (int i = 0; i < gate_tokens(); i++) {
    CHECK_INT(work_result(futures[i]), 0);
    fibril_future_unref(futures[i]);
  }
}

static fibril_value cancel_at_the_gate(void *arg) {
  blocker *b = arg;
  int tokens = gate_tokens();
  fibril_future *holders[512], *outside[3];
  hold_tokens(b, holders);
  for (int i = 0; i < 3; i++) outside[i] = fibril_spawn(work_on, b, NULL);
  CHECK_INT(fibril_cancel(outside[1]), 0);
  CHECK_INT(work_result(outside[1]), UV_ECANCELED);
  CHECK_INT(atomic_load(&b->running), tokens);
  let_go(b, tokens + 2);
  join_holders(holders);
  CHECK_INT(work_result(outside[0]), 0);
  CHECK_INT(work_result(outside[2]), 0);
  CHECK_INT(atomic_load(&b->ended), tokens + 2);
  for (int i = 0; i < 3; i++) fibril_future_unref(outside[i]);
  return fibril_undefined();
}

LOOP_TEST(cancelled_work_leaves_the_gate_at_once) {
  blocker b;
  blocker_init(&b);
  CHECK_INT(fibril_loop_run_sync(loop, cancel_at_the_gate, &b, 0, NULL), 0);
  blocker_destroy(&b);
}

static fibril_value cancel_all_but_the_last(void *arg) {
  blocker *b = arg;
  fibril_future *holders[512], *late[10];
  hold_tokens(b, holders);
  for (int i = 0; i < 10; i++) late[i] = fibril_spawn(work_on, b, NULL);
  for (int i = 0; i < 9; i++) CHECK_INT(fibril_cancel(late[i]), 0);
  let_go(b, gate_tokens() + 1);
  for (int i = 0; i < 10; i++) CHECK_INT(work_result(late[i]), i < 9 ? UV_ECANCELED : 0);
  CHECK_INT(atomic_load(&b->running), gate_tokens() + 1);
  join_holders(holders);
  for (int i = 0; i < 10; i++) fibril_future_unref(late[i]);
  /* No thread is lost. */
  hold_tokens(b, holders);
  let_go(b, gate_tokens());
  join_holders(holders);
  return fibril_undefined();
}

LOOP_TEST(cancelled_work_makes_room) {
  blocker b;
  blocker_init(&b);
  CHECK_INT(fibril_loop_run_sync(loop, cancel_all_but_the_last, &b, 0, NULL), 0);
  blocker_destroy(&b);
}

/* ---- The gate between loops ---- */

static fibril_value hold_all_tokens(void *arg) {
  fibril_future *futures[512];
  for (int i = 0; i < gate_tokens(); i++) futures[i] = fibril_spawn(work_on, arg, NULL);
  join_holders(futures);
  return fibril_undefined();
}

static void run_other_loop(void *arg) {
  uv_loop_t uv;
  fibril_loop *loop;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &loop), 0);
  CHECK_INT(fibril_loop_run_sync(loop, hold_all_tokens, arg, 0, NULL), 0);
  CHECK_INT(fibril_loop_close(loop, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
}

typedef struct {
  blocker *other, *own;
} two_blockers;

static fibril_value wait_for_a_foreign_token(void *arg) {
  two_blockers *both = arg;
  fibril_future *cancelled = fibril_spawn(work_on, both->own, NULL);
  fibril_future *future = fibril_spawn(work_on, both->own, NULL);
  CHECK_INT(fibril_cancel(cancelled), 0);
  CHECK_INT(work_result(cancelled), UV_ECANCELED);
  CHECK_INT(atomic_load(&both->own->running), 0);
  let_go(both->own, 1);
  let_go(both->other, gate_tokens());
  CHECK_INT(work_result(future), 0); /* nothing but the other loop can wake this one */
  fibril_future_unref(cancelled);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(tokens_pass_from_loop_to_loop) {
  blocker other, own;
  two_blockers both = {&other, &own};
  uv_thread_t thread;
  blocker_init(&other);
  blocker_init(&own);
  CHECK_INT(uv_thread_create(&thread, run_other_loop, &other), 0);
  wait_started(&other, gate_tokens());
  CHECK_INT(fibril_loop_run_sync(loop, wait_for_a_foreign_token, &both, 0, NULL), 0);
  uv_thread_join(&thread);
  CHECK_INT(atomic_load(&own.ended), 1);
  blocker_destroy(&other);
  blocker_destroy(&own);
}

static fibril_value contend(void *arg) {
  fibril_future *futures[50];
  for (int i = 0; i < 50; i++) futures[i] = fibril_spawn(work_in_turn, (int *)arg + i, NULL);
  for (int i = 0; i < 50; i += 2) fibril_cancel(futures[i]);
  fibril_await_all(futures, 50);
  for (int i = 0; i < 50; i++) fibril_future_unref(futures[i]);
  return fibril_undefined();
}

static void run_contender(void *arg) {
  (void)arg;
  uv_loop_t uv;
  fibril_loop *loop;
  int counts[50] = {0};
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &loop), 0);
  CHECK_INT(fibril_loop_run_sync(loop, contend, counts, 0, NULL), 0);
  for (int i = 1; i < 50; i += 2) CHECK_INT(counts[i], 1000);
  CHECK_INT(fibril_loop_close(loop, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
}

TEST(loops_that_come_and_go_share_the_gate) {
  uv_thread_t threads[3];
  for (int i = 0; i < 3; i++) CHECK_INT(uv_thread_create(&threads[i], run_contender, NULL), 0);
  for (int i = 0; i < 3; i++) uv_thread_join(&threads[i]);
}

LOOP_TEST(a_loop_closes_while_others_hold_the_tokens) {
  blocker other;
  uv_thread_t thread;
  uv_loop_t uv;
  fibril_loop *closing;
  blocker_init(&other);
  CHECK_INT(uv_thread_create(&thread, run_other_loop, &other), 0);
  wait_started(&other, gate_tokens());
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &closing), 0);
  fibril_future *future = fibril_loop_spawn(closing, work_on, &other, NULL);
  CHECK_INT(fibril_loop_close(closing, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT((int)fibril_value_number(fibril_future_result(future)), UV_ECANCELED);
  fibril_future_unref(future);
  CHECK_INT(uv_loop_close(&uv), 0);
  let_go(&other, gate_tokens());
  uv_thread_join(&thread);
  blocker_destroy(&other);
}

LOOP_TEST(a_loop_closes_while_the_host_holds_the_threads) {
  blocker b;
  host_job jobs[64];
  bool done[64];
  uv_loop_t uv;
  fibril_loop *closing;
  int threads = pool_threads();
  if (!CHECK(threads <= 64)) return;
  blocker_init(&b);
  for (int i = 0; i < threads; i++) queue_host_job(loop, &jobs[i], &b, &done[i]);
  wait_started(&b, threads);
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &closing), 0);
  fibril_future *future = fibril_loop_spawn(closing, work_on, &b, NULL);
  CHECK_INT(fibril_loop_close(closing, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT); /* waits for no thread */
  CHECK_INT((int)fibril_value_number(fibril_future_result(future)), UV_ECANCELED);
  fibril_future_unref(future);
  CHECK_INT(uv_loop_close(&uv), 0);
  let_go(&b, threads);
  for (int i = 0; i < threads; i++) wait_host_job(loop, &done[i]);
  CHECK_INT(atomic_load(&b.running), threads);
  blocker_destroy(&b);
}

typedef struct {
  int fd;
  bool suspends; /* before it closes; otherwise it is cancelled at the gate */
  int closed;
} closer;

static fibril_value close_file(void *arg) {
  closer *c = arg;
  c->fd = open("/dev/null", O_RDONLY);
  if (c->suspends) CHECK_INT(fibril_suspend(), UV_ECANCELED);
  c->closed = fibril_fs_close(c->fd);
  return fibril_undefined();
}

static void cancel_closer(closer *c) {
  fibril_future *future = fibril_spawn(close_file, c, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(c->closed, 0);
  CHECK_INT(fcntl(c->fd, F_GETFD), -1);
}

static fibril_value cancel_two_closers(void *arg) {
  closer suspended = {.suspends = true, .closed = 1}, at_the_gate = {.closed = 1};
  (void)arg;
  cancel_closer(&suspended);
  cancel_closer(&at_the_gate);
  return fibril_undefined();
}

/* Or a worker's end would wait for another worker's jobs. */
LOOP_TEST(close_in_a_cancelled_coroutine_needs_no_thread) {
  blocker other;
  uv_thread_t thread;
  blocker_init(&other);
  CHECK_INT(uv_thread_create(&thread, run_other_loop, &other), 0);
  wait_started(&other, gate_tokens());
  CHECK_INT(fibril_loop_run_sync(loop, cancel_two_closers, NULL, 0, NULL), 0);
  let_go(&other, gate_tokens());
  uv_thread_join(&thread);
  blocker_destroy(&other);
}

/* ---- Descriptors ---- */

typedef struct {
  int fds[2];
  int events;
  double timeout;
  int result;
} poll_case;

static fibril_value poll_reader(void *arg) {
  poll_case *p = arg;
  p->result = fibril_poll_fd(p->fds[0], p->events, p->timeout);
  return fibril_undefined();
}

static fibril_value poll_until_written(void *arg) {
  poll_case *p = arg;
  fibril_future *future = fibril_spawn(poll_reader, p, NULL);
  CHECK_INT(fibril_moment(), 0);
  CHECK(!fibril_future_done(future));
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, 0), UV_EEXIST);
  CHECK_INT(write(p->fds[1], "x", 1), 1);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(p->result, UV_READABLE);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, 0), UV_READABLE); /* still, and at once again */
  CHECK_INT(fibril_poll_fd(p->fds[1], UV_READABLE | UV_WRITABLE, -1), UV_WRITABLE);
  return fibril_undefined();
}

static void with_pipe(fibril_loop *loop, fibril_fn fn, int events, double timeout) {
  poll_case p = {.events = events, .timeout = timeout, .result = 1};
  if (!CHECK(pipe(p.fds) == 0)) return;
  CHECK_INT(fibril_loop_run_sync(loop, fn, &p, 0, NULL), 0);
  close(p.fds[0]);
  close(p.fds[1]);
}

LOOP_TEST(poll_waits_until_a_descriptor_is_ready) {
  with_pipe(loop, poll_until_written, UV_READABLE, -1);
}

static fibril_value poll_for_nothing(void *arg) {
  poll_case *p = arg;
  poll_reader(p);
  CHECK_INT(p->result, UV_ETIMEDOUT);
  return fibril_undefined();
}

LOOP_TEST(poll_ends_after_its_timeout) {
  with_pipe(loop, poll_for_nothing, UV_READABLE, 5);
  with_pipe(loop, poll_for_nothing, UV_READABLE, 0);
}

static fibril_value poll_cancelled(void *arg) {
  poll_case *p = arg;
  fibril_future *future = fibril_spawn(poll_reader, p, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  CHECK(!fibril_is_error(fibril_await(future)));
  fibril_future_unref(future);
  CHECK_INT(p->result, UV_ECANCELED);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, 0), UV_ETIMEDOUT); /* free again */
  return fibril_undefined();
}

LOOP_TEST(poll_is_cancelled_at_once) {
  with_pipe(loop, poll_cancelled, UV_READABLE, -1);
  with_pipe(loop, poll_cancelled, UV_READABLE, 100000);
}

/* Runs before the loop's own check, and so between the poll and what it woke. */
typedef struct {
  uv_check_t check;
  fibril_future *future;
  bool cancelled;
} canceller;

static void cancel_what_is_woken(uv_check_t *check) {
  canceller *c = check->data;
  const fibril_coroutine *coroutine = c->future->coroutine;
  if (coroutine == NULL || !coroutine->wait->woken) return;
  CHECK_INT(fibril_cancel(c->future), 0);
  c->cancelled = true;
}

LOOP_TEST(poll_gives_the_events_that_came_before_a_cancellation) {
  poll_case p = {.events = UV_READABLE, .timeout = -1};
  canceller c = {.cancelled = false};
  uv_loop_t *uv = fibril_loop_uv(loop);
  if (!CHECK(pipe(p.fds) == 0)) return;
  c.future = fibril_loop_spawn(loop, poll_reader, &p, NULL);
  uv_check_init(uv, &c.check);
  c.check.data = &c;
  uv_check_start(&c.check, cancel_what_is_woken);
  CHECK_INT(write(p.fds[1], "x", 1), 1);
  while (!fibril_future_done(c.future)) uv_run(uv, UV_RUN_ONCE);
  CHECK(c.cancelled);
  CHECK_INT(p.result, UV_READABLE);
  fibril_future_unref(c.future);
  uv_close((uv_handle_t *)&c.check, NULL);
  uv_run(uv, UV_RUN_NOWAIT);
  close(p.fds[0]);
  close(p.fds[1]);
}

static void unexpected(int fd, int events, void *arg) {
  (void)arg;
  FAIL("handler of %d called with %d", fd, events);
}

static fibril_value poll_beside_a_handler(void *arg) {
  poll_case *p = arg;
  fibril_loop *loop = fibril_loop_current();
  CHECK_INT(fibril_loop_add_handler(loop, p->fds[0], UV_READABLE, unexpected, NULL), 0);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, 0), UV_EEXIST);
  CHECK_INT(fibril_loop_remove_handler(loop, p->fds[0]), 0);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, 0), UV_ETIMEDOUT);
  return fibril_undefined();
}

LOOP_TEST(poll_and_handlers_dont_share_a_descriptor) {
  with_pipe(loop, poll_beside_a_handler, UV_READABLE, -1);
}

/* A pipe that nobody reads is in error for its writer; libuv would call the descriptor bad. */
static fibril_value poll_in_error(void *arg) {
  int fds[2];
  char byte = 0;
  (void)arg;
  signal(SIGPIPE, SIG_IGN);
  CHECK_INT(pipe(fds), 0);
  close(fds[0]);
  CHECK_INT(fibril_poll_fd(fds[1], UV_WRITABLE, -1), UV_WRITABLE);
  CHECK_INT(write(fds[1], &byte, 1), -1);
  CHECK_INT(errno, EPIPE);
  close(fds[1]);
  return fibril_undefined();
}

LOOP_TEST(poll_of_a_descriptor_in_error_says_that_it_is_ready) {
  CHECK_INT(fibril_loop_run_sync(loop, poll_in_error, NULL, 0, NULL), 0);
}

static fibril_value poll_wrongly(void *arg) {
  poll_case *p = arg;
  int file = open("/proc/self/exe", O_RDONLY);
  CHECK(file >= 0);
  CHECK_INT(fibril_poll_fd(file, UV_READABLE, 0), UV_EPERM);
  close(file);
  CHECK_INT(fibril_poll_fd(-1, UV_READABLE, 0), UV_EBADF);
  CHECK_INT(fibril_poll_fd(file, UV_READABLE, 0), UV_EBADF);
  CHECK_INT(fibril_poll_fd(p->fds[0], 0, 0), UV_EINVAL);
  CHECK_INT(fibril_poll_fd(p->fds[0], 1 << 20, 0), UV_EINVAL);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, 0.0 / 0.0), UV_EINVAL);
  return fibril_undefined();
}

LOOP_TEST(poll_says_what_it_cant_do) {
  CHECK_INT(fibril_poll_fd(0, UV_READABLE, 0), FIBRIL_ENOTCOROUTINE);
  with_pipe(loop, poll_wrongly, UV_READABLE, -1);
}

/* ---- Descriptors that go away ---- */

static fibril_value poll_gone(void *arg) {
  poll_case *p = arg;
  fibril_future *future = fibril_spawn(poll_reader, p, NULL);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(close(p->fds[0]), 0);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(p->result, UV_EBADF);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, -1), UV_EBADF);
  p->fds[0] = dup(p->fds[1]); /* for with_pipe to close */
  return fibril_undefined();
}

LOOP_TEST(poll_of_a_descriptor_that_is_closed_ends) {
  with_pipe(loop, poll_gone, UV_READABLE, -1);
}

static fibril_value poll_closed_by_fibril(void *arg) {
  poll_case *p = arg;
  for (int i = 0; i < 20; i++) {
    int fd = p->fds[0];
    p->fds[0] = dup(fd);
    fibril_future *future = fibril_spawn(poll_reader, p, NULL);
    CHECK_INT(fibril_fs_close(p->fds[0]), 0);
    fibril_await(future);
    fibril_future_unref(future);
    CHECK_INT(p->result, UV_EBADF);
    p->fds[0] = fd;
  }
  return fibril_undefined();
}

LOOP_TEST(poll_of_a_descriptor_that_fibril_closes_ends) {
  with_pipe(loop, poll_closed_by_fibril, UV_READABLE, -1);
}

/* The number is another pipe's, and so is what comes. */
static fibril_value poll_reused(void *arg) {
  poll_case *p = arg;
  int other[2];
  CHECK_INT(pipe(other), 0);
  fibril_future *future = fibril_spawn(poll_reader, p, NULL);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(dup2(other[0], p->fds[0]), p->fds[0]);
  CHECK_INT(write(other[1], "x", 1), 1);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, -1), UV_READABLE);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(p->result, UV_EBADF);
  close(other[0]);
  close(other[1]);
  return fibril_undefined();
}

LOOP_TEST(poll_tells_a_descriptor_from_the_next_of_its_number) {
  with_pipe(loop, poll_reused, UV_READABLE, -1);
}

/* A closed number whose pipe a duplicate keeps open stays in the kernel's set, ready for ever. */
static fibril_value poll_duplicated(void *arg) {
  poll_case *p = arg;
  int fds[2], kept;
  CHECK_INT(pipe(fds), 0);
  kept = dup(p->fds[0]);
  fibril_future *future = fibril_spawn(poll_reader, p, NULL);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(dup2(fds[0], p->fds[0]), p->fds[0]);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(p->result, UV_EBADF);
  CHECK_INT(write(p->fds[1], "x", 1), 1);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, 20), UV_ETIMEDOUT);
  CHECK_INT(fibril_poll_fd(kept, UV_READABLE, -1), UV_READABLE);
  CHECK_INT(write(fds[1], "x", 1), 1);
  CHECK_INT(fibril_poll_fd(p->fds[0], UV_READABLE, -1), UV_READABLE);
  close(kept);
  close(fds[0]);
  close(fds[1]);
  return fibril_undefined();
}

LOOP_TEST(poll_forgets_a_closed_descriptor_that_has_a_duplicate) {
  with_pipe(loop, poll_duplicated, UV_READABLE, -1);
}
