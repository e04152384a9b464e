/* Jobs in libuv's thread pool. Each loop has a queue of jobs and runners, pool threads that take
 * one job after the other from it; finished jobs come back to the loop in batches. A runner needs a
 * token: all loops of the process together never occupy more than half of the pool's threads, so
 * that the host's own work goes on. */
#include "io.h"

#include <pthread.h>
#include <stdlib.h>

/* As libuv reads UV_THREADPOOL_SIZE. */
#define POOL_DEFAULT 4
#define POOL_MAX 1024

/* How long a runner goes on while other loops wait for a token. */
#define TURN_NS 1000000

typedef struct runner runner;
struct runner {
  uv_work_t req;
  struct fibril__pool *pool;
  runner *next;
};

/* The pool's side of a loop. What is used by other threads is under the mutex. */
struct fibril__pool {
  fibril_loop *loop;
  runner *runners;           /* the loop's thread only */
  fibril__job *first, *last; /* queued */
  fibril__job *done, **done_tail;
  bool announced;       /* `come_back` is posted */
  unsigned tokens;      /* one for each runner, and those that are */
  unsigned offered;     /* on their way with `token` */
  bool waiting;         /* for a token, in the line */
  fibril__pool *behind; /* in the line */
  fibril__posted come_back, token;
};

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned free_tokens;
static fibril__pool *line, **line_end = &line; /* of loops that wait for a token */

static void init(void) {
  const char *text = getenv("UV_THREADPOOL_SIZE");
  int threads = text == NULL ? POOL_DEFAULT : atoi(text);
  if (threads < 1) threads = 1;
  if (threads > POOL_MAX) threads = POOL_MAX;
  free_tokens = threads < 2 ? 1 : (unsigned)threads / 2;
}

/* ---- The queues; under the mutex ---- */

static void push(fibril__pool *pool, fibril__job *job) {
  job->queued = true;
  job->next = NULL;
  job->prev = pool->last;
  *(pool->last == NULL ? &pool->first : &pool->last->next) = job;
  pool->last = job;
}

static void stand_in_line(fibril__pool *pool) {
  pool->waiting = true;
  pool->behind = NULL;
  *line_end = pool;
  line_end = &pool->behind;
}

static void leave_line(fibril__pool *pool) {
  fibril__pool **link = &line;
  while (*link != pool) link = &(*link)->behind;
  *link = pool->behind;
  if (line_end == &pool->behind) line_end = link;
  pool->waiting = false;
}

static void take_off(fibril__pool *pool, fibril__job *job) {
  job->queued = false;
  *(job->prev == NULL ? &pool->first : &job->prev->next) = job->next;
  *(job->next == NULL ? &pool->last : &job->next->prev) = job->prev;
  if (pool->first == NULL && pool->waiting) leave_line(pool);
}

static bool others_wait(const fibril__pool *pool) {
  return line != NULL && (line != pool || pool->behind != NULL);
}

/* A loop in the line has a queued job, and so can be posted to. */
static void pass_token_on(void) {
  fibril__pool *pool = line;
  if (pool == NULL) {
    free_tokens++;
    return;
  }
  leave_line(pool);
  pool->tokens++;
  if (pool->offered++ == 0) fibril__post(pool->loop->poster, &pool->token);
}

/* ---- Runners ---- */

/* The loop hears of finished jobs while the runner is busy with the next ones. */
static void announce(fibril__pool *pool) {
  if (pool->announced) return;
  pool->announced = true;
  fibril__post(pool->loop->poster, &pool->come_back);
}

static void run_jobs(uv_work_t *req) {
  fibril__pool *pool = FIBRIL__CONTAINER(runner, req, req)->pool;
  uint64_t begin = uv_hrtime();
  uv_mutex_lock(&mutex);
  while (pool->first != NULL) {
    fibril__job *job = pool->first;
    take_off(pool, job);
    uv_mutex_unlock(&mutex);
    job->run(job);
    uv_mutex_lock(&mutex);
    job->ran = true;
    job->next = NULL;
    *pool->done_tail = job;
    pool->done_tail = &job->next;
    if (others_wait(pool) && uv_hrtime() - begin >= TURN_NS) break;
    if (pool->first != NULL) announce(pool);
  }
  uv_mutex_unlock(&mutex);
}

static void finish(fibril__pool *pool, fibril__job *job, int status) {
  fibril__loop_release(pool->loop);
  fibril__wake(&job->wait, status);
}

static void deliver(fibril__pool *pool) {
  uv_mutex_lock(&mutex);
  fibril__job *job = pool->done;
  pool->done = NULL;
  pool->done_tail = &pool->done;
  uv_mutex_unlock(&mutex);
  while (job != NULL) {
    fibril__job *next = job->next;
    finish(pool, job, 0);
    job = next;
  }
}

static void on_runner_done(uv_work_t *req, int status);

static int start(runner *self) {
  return uv_queue_work(self->pool->loop->uv, &self->req, run_jobs, on_runner_done);
}

static void forget(runner *self) {
  runner **link = &self->pool->runners;
  while (*link != self) link = &(*link)->next;
  *link = self->next;
  free(self);
}

/* Gives a token back for which there could be no runner. If there is no other one, nothing can run.
 */
static void give_up(fibril__pool *pool, int status) {
  fibril__job *failed = NULL;
  uv_mutex_lock(&mutex);
  if (--pool->tokens == 0) {
    failed = pool->first;
    pool->first = pool->last = NULL;
    if (pool->waiting) leave_line(pool);
  }
  pass_token_on();
  uv_mutex_unlock(&mutex);
  while (failed != NULL) {
    fibril__job *next = failed->next;
    failed->queued = false;
    finish(pool, failed, status);
    failed = next;
  }
}

/* Goes on when there is more to do and nobody else wants the token. */
static void on_runner_done(uv_work_t *req, int status) {
  runner *self = FIBRIL__CONTAINER(runner, req, req);
  fibril__pool *pool = self->pool;
  (void)status; /* UV_ECANCELED when nothing was left to run */
  uv_mutex_lock(&mutex);
  bool again = pool->first != NULL && !others_wait(pool);
  if (!again) {
    if (pool->first != NULL && !pool->waiting) stand_in_line(pool);
    pool->tokens--;
    pass_token_on();
  }
  uv_mutex_unlock(&mutex);
  deliver(pool);
  if (again) {
    int err = start(self);
    if (err == 0) return;
    give_up(pool, err);
  }
  forget(self);
  fibril__loop_handle_closed(pool->loop);
}

/* With a token. */
static void add_runner(fibril__pool *pool) {
  runner *self = malloc(sizeof *self);
  int err = UV_ENOMEM;
  if (self != NULL) {
    self->pool = pool;
    err = start(self);
  }
  if (err != 0) {
    free(self);
    give_up(pool, err);
    return;
  }
  self->next = pool->runners;
  pool->runners = self;
  pool->loop->open_handles++;
}

/* ---- Posted to the loop ---- */

static void on_come_back(fibril__posted *posted) {
  fibril__pool *pool = FIBRIL__CONTAINER(fibril__pool, come_back, posted);
  uv_mutex_lock(&mutex);
  pool->announced = false;
  uv_mutex_unlock(&mutex);
  deliver(pool);
}

static void on_token(fibril__posted *posted) {
  fibril__pool *pool = FIBRIL__CONTAINER(fibril__pool, token, posted);
  bool offered, wanted;
  do {
    uv_mutex_lock(&mutex);
    offered = pool->offered > 0;
    wanted = offered && pool->first != NULL;
    if (offered) pool->offered--;
    if (offered && !wanted) {
      pool->tokens--;
      pass_token_on();
    }
    uv_mutex_unlock(&mutex);
    if (wanted) add_runner(pool);
  } while (offered);
}

/* ---- Jobs ---- */

static fibril__pool *pool_of(fibril_loop *loop) {
  fibril__pool *pool = loop->pool;
  if (pool != NULL) return pool;
  uv_once(&once, init);
  pool = calloc(1, sizeof *pool);
  if (pool == NULL) return NULL;
  pool->loop = loop;
  pool->done_tail = &pool->done;
  pool->come_back.run = on_come_back;
  pool->token.run = on_token;
  loop->pool = pool;
  return pool;
}

/* What runs is waited for, since it uses the coroutine's memory. Runners that no thread has taken
 * up are taken back when nothing is left for them: a loop that closes must not wait for a thread.
 */
static void cancel(fibril__wait *wait) {
  fibril__job *job = FIBRIL__CONTAINER(fibril__job, wait, wait);
  fibril__pool *pool = wait->coroutine->loop->pool;
  uv_mutex_lock(&mutex);
  bool queued = job->queued, runs = !queued && !job->ran && !job->cancelled;
  if (queued) take_off(pool, job);
  bool idle = pool->first == NULL;
  uv_mutex_unlock(&mutex);
  job->cancelled = true;
  if (runs && job->interrupt != NULL) job->interrupt(job);
  if (!queued) return;
  finish(pool, job, UV_ECANCELED);
  for (runner *r = pool->runners; idle && r != NULL; r = r->next) uv_cancel((uv_req_t *)&r->req);
}

int fibril__job_run(fibril__job *job, const char *what, void (*run)(fibril__job *job)) {
  return fibril__job_run_with(job, what, run, NULL);
}

int fibril__job_run_with(fibril__job *job, const char *what, void (*run)(fibril__job *job),
                         void (*interrupt)(fibril__job *job)) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  fibril__pool *pool = pool_of(self->loop);
  if (pool == NULL) return UV_ENOMEM;
  *job =
      (fibril__job){.wait = {.what = what, .cancel = cancel}, .run = run, .interrupt = interrupt};
  fibril__loop_hold(self->loop);
  uv_mutex_lock(&mutex);
  push(pool, job);
  bool token = free_tokens > 0;
  if (token) {
    free_tokens--;
    pool->tokens++;
  } else if (!pool->waiting) {
    stand_in_line(pool);
  }
  uv_mutex_unlock(&mutex);
  if (token) add_runner(pool);
  err = fibril__wait_until_woken(self, &job->wait);
  return job->cancelled ? fibril__wait_ended_early(self) : err;
}
