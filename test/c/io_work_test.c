/* Work in the thread pool with options: a limit, an interrupt, a name. */
#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WITH(...) \
  (&(fibril_work_options){.size = sizeof(fibril_work_options), .name = "busy", __VA_ARGS__})

/* ---- A limit ---- */

typedef struct {
  fibril_sem limit;
  uv_sem_t go;
  atomic_int running, most, ran;
} slow_work;

static void be_slow(void *arg) {
  slow_work *s = arg;
  int running = atomic_fetch_add(&s->running, 1) + 1;
  if (running > atomic_load(&s->most)) atomic_store(&s->most, running);
  uv_sem_wait(&s->go);
  atomic_fetch_add(&s->ran, 1);
  atomic_fetch_sub(&s->running, 1);
}

static fibril_value work_slowly(void *arg) {
  slow_work *s = arg;
  return fibril_number(fibril_work_with(be_slow, s, WITH(.limit = &s->limit)));
}

static int code_of(fibril_future *future) {
  int code = (int)fibril_value_number(fibril_await(future));
  fibril_future_unref(future);
  return code;
}

static void count_waits(const fibril_inspection *about, void *arg) {
  int *counts = arg;
  if (about->waits_for == NULL) return;
  if (strcmp(about->waits_for, "busy") == 0) counts[0]++;
  if (strcmp(about->waits_for, "semaphore") == 0) counts[1]++;
}

static fibril_value limited(void *arg) {
  enum { JOBS = 6 };
  slow_work *s = arg;
  fibril_future *futures[JOBS];
  int waits[2] = {0, 0};
  for (int i = 0; i < JOBS; i++) futures[i] = fibril_spawn(work_slowly, s, NULL);
  fibril_loop_inspect(fibril_loop_current(), count_waits, waits);
  CHECK_INT(waits[0], 1);
  CHECK_INT(waits[1], JOBS - 1); /* in nobody's way */
  CHECK_INT(fibril_cancel(futures[JOBS - 1]), 0);
  CHECK_INT(code_of(futures[JOBS - 1]), UV_ECANCELED);
  while (atomic_load(&s->running) == 0) CHECK_INT(fibril_moment(), 0);
  CHECK_INT(fibril_cancel(futures[0]), 0);
  for (int i = 0; i < JOBS; i++) uv_sem_post(&s->go);
  CHECK_INT(code_of(futures[0]), 0); /* it ran, and passes the limit on */
  for (int i = 1; i < JOBS - 1; i++) CHECK_INT(code_of(futures[i]), 0);
  CHECK_INT(atomic_load(&s->most), 1);
  CHECK_INT(s->limit.value, 1);
  return fibril_undefined();
}

LOOP_TEST(work_keeps_within_its_limit) {
  slow_work s = {.limit = {.value = 1}};
  uv_sem_init(&s.go, 0);
  CHECK_INT(fibril_loop_run_sync(loop, limited, &s, 0, NULL), 0);
  uv_sem_destroy(&s.go);
}

static void nothing(void *arg) {
  (void)arg;
}

/* Slow work with a limit of 1, and other work that goes on beside it: where the pool has a second
 * thread for both. */
static fibril_value beside_slow_work(void *arg) {
  slow_work *s = arg;
  fibril_future *futures[3];
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(work_slowly, s, NULL);
  while (atomic_load(&s->running) == 0) CHECK_INT(fibril_moment(), 0);
  for (int i = 0; i < 10; i++) CHECK_INT(fibril_work(nothing, NULL), 0);
  CHECK_INT(atomic_load(&s->ran), 0);
  for (int i = 0; i < 3; i++) uv_sem_post(&s->go);
  for (int i = 0; i < 3; i++) CHECK_INT(code_of(futures[i]), 0);
  return fibril_undefined();
}

LOOP_TEST(limited_work_starves_nobody) {
  const char *threads = getenv("UV_THREADPOOL_SIZE");
  if (threads != NULL && atoi(threads) < 4) {
    printf("# limited_work_starves_nobody: half of %s threads is less than two\n", threads);
    CHECK(true);
    return;
  }
  slow_work s = {.limit = {.value = 1}};
  uv_sem_init(&s.go, 0);
  CHECK_INT(fibril_loop_run_sync(loop, beside_slow_work, &s, 0, NULL), 0);
  uv_sem_destroy(&s.go);
}

/* ---- An interrupt ---- */

typedef struct {
  uv_sem_t started, stop;
  atomic_int interrupts;
  double deadline;
  int next;
} stoppable;

static void run_until_stopped(void *arg) {
  stoppable *s = arg;
  uv_sem_post(&s->started);
  uv_sem_wait(&s->stop);
}

static void stop(void *arg) {
  stoppable *s = arg;
  atomic_fetch_add(&s->interrupts, 1);
  uv_sem_post(&s->stop);
}

static fibril_value work_until_stopped(void *arg) {
  stoppable *s = arg;
  if (s->deadline > 0) CHECK_INT(fibril_deadline_push(s->deadline), 0);
  int err = fibril_work_with(run_until_stopped, s, WITH(.interrupt = stop));
  if (err == 0) s->next = fibril_moment();
  return fibril_number(err);
}

static fibril_value interrupt_work(void *arg) {
  stoppable *s = arg;
  fibril_future *future = fibril_spawn(work_until_stopped, s, NULL);
  while (fibril_future_done(
      future)) { /* on a slow machine the deadline may pass before the work is begun */
    s->deadline *= 2;
    fibril_future_unref(future);
    future = fibril_spawn(work_until_stopped, s, NULL);
  }
  uv_sem_wait(&s->started);
  if (s->deadline == 0) CHECK_INT(fibril_cancel(future), 0);
  if (s->deadline == 0) CHECK_INT(fibril_cancel(future), 0); /* once is enough */
  CHECK_INT(code_of(future), 0); /* it ran: what came of it is the function's to tell */
  CHECK_INT(s->next, s->deadline > 0 ? UV_ETIMEDOUT : UV_ECANCELED);
  CHECK_INT(atomic_load(&s->interrupts), 1);
  return fibril_undefined();
}

LOOP_TEST(work_that_runs_is_interrupted) {
  for (int i = 0; i < 2; i++) {
    stoppable s = {.deadline = i};
    uv_sem_init(&s.started, 0);
    uv_sem_init(&s.stop, 0);
    CHECK_INT(fibril_loop_run_sync(loop, interrupt_work, &s, 0, NULL), 0);
    uv_sem_destroy(&s.started);
    uv_sem_destroy(&s.stop);
  }
}

static void count_interrupt(void *arg) {
  ++*(int *)arg;
}

static fibril_value work_queued(void *arg) {
  return fibril_number(fibril_work_with(nothing, arg, WITH(.interrupt = count_interrupt)));
}

/* What has not begun is taken back: there is nothing to interrupt. */
static fibril_value cancel_queued(void *arg) {
  int interrupts = 0;
  slow_work *s = arg;
  fibril_future *slow[32];
  int threads = 0;
  for (; threads < 32; threads++) slow[threads] = fibril_spawn(work_slowly, s, NULL);
  fibril_future *queued = fibril_spawn(work_queued, &interrupts, NULL);
  CHECK_INT(fibril_cancel(queued), 0);
  CHECK_INT(code_of(queued), UV_ECANCELED);
  CHECK_INT(interrupts, 0);
  for (int i = 0; i < threads; i++) uv_sem_post(&s->go);
  for (int i = 0; i < threads; i++) CHECK_INT(code_of(slow[i]), 0);
  return fibril_undefined();
}

LOOP_TEST(work_that_is_queued_is_not_interrupted) {
  slow_work s = {.limit = {.value = 32}};
  uv_sem_init(&s.go, 0);
  CHECK_INT(fibril_loop_run_sync(loop, cancel_queued, &s, 0, NULL), 0);
  uv_sem_destroy(&s.go);
}

/* ---- What is refused ---- */

static fibril_value bad_options(void *arg) {
  fibril_work_options bad = {.size = 1};
  (void)arg;
  CHECK_INT(fibril_work_with(nothing, NULL, &bad), UV_EINVAL);
  CHECK_INT(fibril_work_with(nothing, NULL, NULL), 0);
  return fibril_undefined();
}

LOOP_TEST(work_options_are_checked) {
  fibril_sem limit = {.value = 1};
  CHECK_INT(fibril_loop_run_sync(loop, bad_options, NULL, 0, NULL), 0);
  CHECK_INT(fibril_work_with(nothing, NULL, WITH(.limit = &limit)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_work_with(nothing, NULL, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(limit.value, 1);
}

/* ---- Loops that don't turn ---- */

typedef struct {
  uv_barrier_t begun, end;
  uv_sem_t ran;
} busy_threads;

static void note_ran(void *sem) {
  uv_sem_post(sem);
}

static fibril_value run_one(void *sem) {
  return fibril_number(fibril_work(note_ran, sem));
}

/* Begins a job, and turns its loop no more before the end. */
static void be_busy(void *arg) {
  busy_threads *threads = arg;
  uv_loop_t uv;
  fibril_loop *own;
  if (!CHECK_INT(uv_loop_init(&uv), 0) || !CHECK_INT(fibril_loop_new(&uv, &own), 0)) return;
  fibril_future_unref(fibril_loop_spawn(own, run_one, &threads->ran, NULL));
  uv_barrier_wait(&threads->begun);
  uv_barrier_wait(&threads->end);
  fibril_loop_close(own, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* As many of them as could keep all there is. */
LOOP_TEST(jobs_that_have_ended_keep_nothing_from_other_loops) {
  enum { THREADS = 8 };
  busy_threads threads;
  uv_thread_t ids[THREADS];
  uv_barrier_init(&threads.begun, THREADS + 1);
  uv_barrier_init(&threads.end, THREADS + 1);
  uv_sem_init(&threads.ran, 0);
  for (int i = 0; i < THREADS; i++) CHECK_INT(uv_thread_create(&ids[i], be_busy, &threads), 0);
  uv_barrier_wait(&threads.begun);
  fibril_value status;
  CHECK_INT(fibril_loop_run_sync(loop, run_one, &threads.ran, 0, &status), 0);
  CHECK_INT(fibril_value_number(status), 0);
  uv_barrier_wait(&threads.end);
  for (int i = 0; i < THREADS; i++) uv_thread_join(&ids[i]);
  uv_barrier_destroy(&threads.begun);
  uv_barrier_destroy(&threads.end);
  uv_sem_destroy(&threads.ran);
}
