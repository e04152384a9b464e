/* Steps in the thread pool. A lock of another connection is waited for outside of it: the pool's
 * threads are few, and who has the lock may need one to let go. */
#include "sqlite.h"

/* Milliseconds until the first look whether a lock is free, and at most between two. */
static const double FIRST_PAUSE = 1, LONGEST_PAUSE = 50;

/* So many instructions of SQLite's machine between two looks whether it is to stop. */
enum { INSTRUCTIONS = 1000 };

int job_on_busy(void *arg, int count) {
  database *db = arg;
  if (db->job != NULL) {
    db->job->blocked = true;
    return 0;
  }
  /* A synchronous call waits on its own thread. */
  static const int pauses[] = {1, 2, 5, 10, 15, 20, 25, 25, 25, 50};
  static const int so_far[] = {0, 1, 3, 8, 18, 33, 53, 78, 103, 128};
  enum { COUNT = sizeof pauses / sizeof pauses[0] };
  int i = count < COUNT ? count : COUNT - 1;
  double waited = so_far[i] + (double)(count - i) * pauses[i], left = db->timeout - waited;
  if (left <= 0) return 0;
  sqlite3_sleep(left < pauses[i] ? (int)left + 1 : pauses[i]);
  return 1;
}

static int is_stopped(void *arg) {
  const job *self = arg;
  return self->stopped;
}

/* An interrupt that comes before SQLite has begun is lost on it; the progress handler has it. */
static void run(void *arg) {
  job *self = arg;
  sqlite3_progress_handler(self->db->sqlite, INSTRUCTIONS, is_stopped, self);
  self->run(self);
  sqlite3_progress_handler(self->db->sqlite, 0, NULL, NULL);
}

static void interrupt(void *arg) {
  job *self = arg;
  self->stopped = true;
  sqlite3_interrupt(self->db->sqlite);
}

static int run_in_pool(job *self) {
  fibril_work_options options = {.size = sizeof options, .name = "sqlite", .interrupt = interrupt};
  self->blocked = false;
  self->db->job = self;
  int err = fibril_work_with(run, self, &options);
  self->db->job = NULL;
  return err;
}

static bool is_blocked(const job *self) {
  return self->blocked && (self->rc & 0xff) == SQLITE_BUSY &&
         (self->retry == NULL || self->retry(self));
}

fibril_value job_do(job *self) {
  fibril_loop *loop = fibril_loop_current();
  double pause = FIRST_PAUSE, last = -1;
  for (;;) {
    int err = run_in_pool(self);
    /* What has been done in spite of it was done; the next wait says why it was to stop. */
    if (err == 0 && self->stopped && (self->rc & 0xff) == SQLITE_INTERRUPT) err = fibril_moment();
    if (err != 0) return fibril_error(err, NULL);
    if (!is_blocked(self)) return fibril_undefined();
    double now = fibril_loop_now(loop);
    if (last < 0) last = now + self->db->timeout;
    if (now >= last) return fibril_undefined();
    err = fibril_sleep(last - now < pause ? last - now : pause);
    if (err != 0) return fibril_error(err, NULL);
    if (pause < LONGEST_PAUSE) pause *= 2;
  }
}
