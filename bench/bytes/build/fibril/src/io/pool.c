/* Jobs in libuv's thread pool. Each loop has a queue of jobs and runners, pool threads that take
 * one job after the other from it; finished jobs come back to the loop in batches. A runner needs a
 * token: all loops of the process together, whatever copy of fibril they belong to, never occupy
 * more than half of the pool's threads, so that the host's own work goes on. */
#include "pool.h"

#include "../core/loop/host.h"
#include "../core/loop/loop.h"
#include "../core/switch/process.h"

#include <stdlib.h>

/* How long a runner goes on while other loops wait for a token, or while the host may wait because
 * the pool has no other thread. Then it queues again, behind them. */
#define TURN_NS 1000000

typedef struct runner runner;
struct runner {
  uv_work_t req;
  struct fibril__pool *pool;
  bool has_token; /* until it has run, in its thread: a loop that doesn't turn keeps none */
  runner *next;
};

/* The pool's side of a loop. What is used by other threads is under the mutex. */
typedef struct fibril__pool {
  fibril__attachment attachment;
  fibril_loop *loop;
  runner *runners;           /* the loop's thread only */
  fibril__job *first, *last; /* queued */
  unsigned queued;           /* how many */
  fibril__job *done, **done_tail;
  bool announced;  /* `jobs_done` is posted */
  unsigned tokens; /* of runners */
  bool waiting;    /* for a token, in the line */
  bool called;     /* `token_free` is posted */
  fibril__candidate candidate;
  fibril__posted jobs_done, token_free;
} fibril__pool;

/* ---- Tokens; under the mutex ---- */

static void give_token_back(fibril__pool *pool) {
  pool->tokens--;
  fibril__token_return();
}

/* A loop in the line has a queued job, and so can be posted to. */
static void on_token_offered(fibril__candidate *candidate) {
  fibril__pool *pool = FIBRIL__CONTAINER(fibril__pool, candidate, candidate);
  if (pool->called) return;
  pool->called = true;
  fibril__post(fibril__loop_poster(pool->loop), &pool->token_free);
}

/* ---- The queues; under the mutex ---- */

static void enqueue_job(fibril__pool *pool, fibril__job *job) {
  job->queued = true;
  pool->queued++;
  job->next = NULL;
  job->prev = pool->last;
  *(pool->last == NULL ? &pool->first : &pool->last->next) = job;
  pool->last = job;
}

static void stand_in_line(fibril__pool *pool) {
  pool->waiting = true;
  fibril__token_line_join(&pool->candidate);
}

static void leave_line(fibril__pool *pool) {
  fibril__token_line_leave(&pool->candidate);
  pool->waiting = false;
}

static void unqueue_job(fibril__pool *pool, fibril__job *job) {
  job->queued = false;
  pool->queued--;
  *(job->prev == NULL ? &pool->first : &job->prev->next) = job->next;
  *(job->next == NULL ? &pool->last : &job->next->prev) = job->prev;
  if (pool->first == NULL && pool->waiting) leave_line(pool);
}

/* ---- Runners ---- */

/* The loop hears of finished jobs while the runner is busy with the next ones. */
static void announce_done(fibril__pool *pool) {
  if (pool->announced) return;
  pool->announced = true;
  fibril__post(fibril__loop_poster(pool->loop), &pool->jobs_done);
}

static void run_jobs(uv_work_t *req) {
  runner *self = FIBRIL__CONTAINER(runner, req, req);
  fibril__pool *pool = self->pool;
  uint64_t begin = uv_hrtime();
  fibril__process_lock();
  while (pool->first != NULL) {
    fibril__job *job = pool->first;
    unqueue_job(pool, job);
    fibril__process_unlock();
    job->run(job);
    fibril__process_lock();
    job->ran = true;
    job->next = NULL;
    *pool->done_tail = job;
    pool->done_tail = &job->next;
    bool wanted = fibril__token_line_has_others(&pool->candidate) || fibril__pool_is_one_thread();
    if (wanted && uv_hrtime() - begin >= TURN_NS) break;
    if (pool->first != NULL) announce_done(pool);
  }
  if (pool->first != NULL && !pool->waiting) stand_in_line(pool);
  self->has_token = false;
  give_token_back(pool);
  fibril__process_unlock();
}

static void deliver_done(fibril__pool *pool) {
  fibril__process_lock();
  fibril__job *job = pool->done;
  pool->done = NULL;
  pool->done_tail = &pool->done;
  fibril__process_unlock();
  while (job != NULL) {
    fibril__job *next = job->next;
    job->done(job, 0);
    job = next;
  }
}

static void free_runner(runner *self) {
  runner **link = &self->pool->runners;
  while (*link != self) link = &(*link)->next;
  *link = self->next;
  free(self);
}

/* Gives a token back for which there could be no runner. If there is no other one, nothing can run.
 */
static void give_up_runner(fibril__pool *pool, int status) {
  fibril__job *failed = NULL;
  fibril__process_lock();
  if (pool->tokens == 1) {
    failed = pool->first;
    pool->first = pool->last = NULL;
    pool->queued = 0;
    if (pool->waiting) leave_line(pool);
  }
  give_token_back(pool);
  fibril__process_unlock();
  while (failed != NULL) {
    fibril__job *next = failed->next;
    failed->queued = false;
    failed->done(failed, status);
    failed = next;
  }
}

static void on_runner_done(uv_work_t *req, int status) {
  runner *self = FIBRIL__CONTAINER(runner, req, req);
  fibril__pool *pool = self->pool;
  (void)status; /* UV_ECANCELED when nothing was left to run */
  fibril__process_lock();
  if (self->has_token) give_token_back(pool);
  fibril__process_unlock();
  deliver_done(pool);
  free_runner(self);
  fibril__loop_handle_closed(pool->loop);
}

/* With a token. */
static void add_runner(fibril__pool *pool) {
  runner *self = malloc(sizeof *self);
  int err = UV_ENOMEM;
  if (self != NULL) {
    self->pool = pool;
    self->has_token = true;
    err = uv_queue_work(pool->loop->uv, &self->req, run_jobs, on_runner_done);
  }
  if (err != 0) {
    free(self);
    give_up_runner(pool, err);
    return;
  }
  self->next = pool->runners;
  pool->runners = self;
  fibril__loop_handle_opened(pool->loop);
}

/* ---- Posted to the loop ---- */

static void on_jobs_done(fibril__posted *posted) {
  fibril__pool *pool = FIBRIL__CONTAINER(fibril__pool, jobs_done, posted);
  fibril__process_lock();
  pool->announced = false;
  fibril__process_unlock();
  deliver_done(pool);
}

/* As many runners as there are jobs for, and free tokens. */
static void on_token_free(fibril__posted *posted) {
  fibril__pool *pool = FIBRIL__CONTAINER(fibril__pool, token_free, posted);
  unsigned wanted = 0;
  fibril__process_lock();
  pool->called = false;
  while (wanted < pool->queued && fibril__token_take()) wanted++;
  pool->tokens += wanted;
  if (wanted > 0 && pool->waiting) leave_line(pool);
  fibril__process_unlock();
  while (wanted-- > 0) add_runner(pool);
}

/* ---- Jobs ---- */

/* By whose address a loop knows it. */
static const char pool_key;

/* The pool of a loop that has had a job. */
static fibril__pool *pool_at(const fibril_loop *loop) {
  return (fibril__pool *)fibril__loop_attached(loop, &pool_key);
}

static fibril__pool *pool_of(fibril_loop *loop) {
  fibril__pool *pool = pool_at(loop);
  if (pool != NULL) return pool;
  pool = calloc(1, sizeof *pool);
  if (pool == NULL) return NULL;
  pool->loop = loop;
  pool->done_tail = &pool->done;
  pool->jobs_done = (fibril__posted){.run = on_jobs_done};
  pool->token_free = (fibril__posted){.run = on_token_free};
  pool->candidate = (fibril__candidate){.offer = on_token_offered};
  fibril__loop_attach(loop, &pool_key, &pool->attachment);
  return pool;
}

int fibril__job_start(fibril_loop *loop, fibril__job *job) {
  fibril__pool *pool = pool_of(loop);
  job->ran = false;
  if (pool == NULL) return UV_ENOMEM;
  fibril__process_lock();
  enqueue_job(pool, job);
  bool token = fibril__token_take();
  if (token) {
    pool->tokens++;
  } else if (!pool->waiting) {
    stand_in_line(pool);
  }
  fibril__process_unlock();
  if (token) add_runner(pool);
  return 0;
}

/* Runners that no thread has taken up are taken back when nothing is left for them: a loop that
 * closes must not wait for a thread. */
bool fibril__job_take_back(fibril_loop *loop, fibril__job *job) {
  fibril__pool *pool = pool_at(loop);
  fibril__process_lock();
  bool queued = job->queued;
  if (queued) unqueue_job(pool, job);
  bool idle = pool->first == NULL;
  fibril__process_unlock();
  if (!queued) return false;
  for (runner *r = pool->runners; idle && r != NULL; r = r->next) uv_cancel((uv_req_t *)&r->req);
  return true;
}

/* ---- Those that are waited for ---- */

/* What runs is waited for, since it uses the coroutine's memory, and its result counts. */
static bool stop_job(fibril__request *request) {
  fibril__job *job = FIBRIL__CONTAINER(fibril__job, request, request);
  if (fibril__job_take_back(request->waiter->loop, job)) return true;
  fibril__process_lock();
  bool runs = !job->ran;
  fibril__process_unlock();
  if (runs && job->interrupt != NULL) job->interrupt(job);
  return false;
}

static void end_waiting(fibril__job *job, int status) {
  fibril__request_end(&job->request, status);
}

int fibril__job_run(fibril__job *job, const char *what, void (*run)(fibril__job *job)) {
  return fibril__job_run_with(job, what, run, NULL);
}

int fibril__job_run_with(fibril__job *job, const char *what, void (*run)(fibril__job *job),
                         void (*interrupt)(fibril__job *job)) {
  job->kind = (fibril__wait_kind){.name = what};
  job->run = run;
  job->done = end_waiting;
  job->interrupt = interrupt;
  int err = fibril__request_begin(&job->request, &job->kind, stop_job);
  if (err != 0) return err;
  fibril_loop *loop = job->request.waiter->loop;
  return fibril__request_wait(&job->request, fibril__job_start(loop, job));
}
