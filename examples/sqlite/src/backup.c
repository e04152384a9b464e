/* A copy of the database while it is in use: pages by pages, each step with the connection, which
 * others have between two. */
#include "methods.h"

typedef struct {
  job job; /* first */
  const char *to, *attached;
  sqlite3 *target;
  sqlite3_backup *backup;
  int step, pages; /* now, and as was asked for */
} copying;

/* Milliseconds until somebody who wants no pages is asked again. */
static const double PAUSE = 10;

static void run_open(job *job) {
  copying *self = (copying *)job;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (self->target == NULL) job->rc = sqlite3_open_v2(self->to, &self->target, flags, NULL);
  if (job->rc != SQLITE_OK) return;
  self->backup = sqlite3_backup_init(self->target, "main", job->db->sqlite, self->attached);
  if (self->backup == NULL) job->rc = sqlite3_extended_errcode(self->target);
}

static void run_step(job *job) {
  copying *self = (copying *)job;
  job->rc = sqlite3_backup_step(self->backup, self->step);
  if ((job->rc & 0xff) == SQLITE_BUSY || job->rc == SQLITE_LOCKED) {
    job->rc = SQLITE_BUSY;
    job->blocked = true;
  }
}

static void run_close(void *arg) {
  copying *self = arg;
  if (self->backup != NULL) sqlite3_backup_finish(self->backup);
  sqlite3_close_v2(self->target);
}

/* A job with the connection. */
static fibril_value with_turn(copying *self, void (*run)(job *job)) {
  fibril_value error = turn_take_next(self->job.db);
  if (fibril_is_error(error)) return error;
  self->job.run = run;
  error = job_do(&self->job);
  turn_give(self->job.db, 0);
  return error;
}

static fibril_value progress(const copying *self) {
  fibril_value result = fibril_object();
  int err = fibril_object_set(result, "totalPages",
                              fibril_number(sqlite3_backup_pagecount(self->backup)));
  if (err == 0)
    err = fibril_object_set(result, "remainingPages",
                            fibril_number(sqlite3_backup_remaining(self->backup)));
  return err == 0 ? result : fibril_error(err, NULL);
}

static fibril_value error_of_copy(const copying *self) {
  int rc = self->job.rc;
  const char *text = self->target != NULL && self->backup == NULL ? sqlite3_errmsg(self->target)
                                                                  : sqlite3_errstr(rc);
  fibril_value error = fibril_error_type("SqliteError", code_name(rc), "%s", text);
  int err = fibril_error_set(error, "errcode", fibril_number(rc));
  return err == 0 ? error : fibril_error(err, NULL);
}

/* Tells how far it is; the answer is how many pages come next, 0: none, ask again. */
static fibril_value tell(copying *self, fibril_value function) {
  if (fibril_value_kind(function) != FIBRIL_REFERENCE) return fibril_undefined();
  fibril_value about = progress(self);
  fibril_value pages = fibril_is_error(about) ? about : fibril_call(function, &about, 1);
  if (fibril_value_kind(pages) == FIBRIL_NUMBER) {
    double number = fibril_value_number(pages);
    self->pages = number >= 0 && number < 1e9 ? (int)number : 100;
  }
  fibril_value_free(fibril_value_take(about));
  return pages;
}

static fibril_value step(copying *self, int pages) {
  self->step = pages;
  fibril_value error = with_turn(self, run_step);
  if (fibril_is_error(error)) return error;
  bool good = self->job.rc == SQLITE_OK || self->job.rc == SQLITE_DONE;
  return good ? fibril_undefined() : error_of_copy(self);
}

static fibril_value copy_all(copying *self, fibril_value function) {
  fibril_value error = with_turn(self, run_open);
  if (fibril_is_error(error)) return error;
  if (self->job.rc != SQLITE_OK) return error_of_copy(self);
  /* The first step copies nothing: it is there to be told of. */
  for (int pages = 0;; pages = self->pages) {
    fibril_value error = step(self, pages);
    if (fibril_is_error(error)) return error;
    if (self->job.rc == SQLITE_DONE) return progress(self);
    error = tell(self, function);
    if (fibril_is_error(error)) return error;
    fibril_value_free(fibril_value_take(error));
    int err = self->pages == 0 ? fibril_sleep(PAUSE) : fibril_moment();
    if (err != 0) return fibril_error(err, NULL);
  }
}

/* The connection may have been closed: then SQLite has kept it for the backup's sake. A loop that
 * reads rows at once keeps the pool out of it, and has this done here. */
static void end(copying *self) {
  database *db = self->job.db;
  fibril_mask();
  bool locked = fibril_mutex_lock(&db->turn) == 0;
  bool settled = turn_settle(db) == 0;
  db->busy = true;
  if (!settled || db->iterators > 0 || fibril_work(run_close, self) != 0) run_close(self);
  db->busy = false;
  if (locked) fibril_mutex_unlock(&db->turn);
  fibril_unmask();
}

fibril_value database_backup(fibril_args *args) {
  database *db = fibril_this(args);
  copying self = {
      .job = {.db = db},
      .to = fibril_arg_string(args, 0),
      .attached = fibril_arg_string(args, 1),
      .pages = 100,
  };
  if (db->sqlite == NULL || db->closing) return error_closed();
  db->backups++;
  fibril_event_clear(&db->copied);
  fibril_value result = copy_all(&self, fibril_arg(args, 2));
  if (self.target != NULL) end(&self);
  if (--db->backups == 0) fibril_event_set(&db->copied);
  return result;
}
