/* Statements that run in the thread pool, one at a time for a connection. */
#include "methods.h"

#include <stdint.h>
#include <stdlib.h>

/* So many rows go to JavaScript together: with more the loop would stand still for longer. */
enum { BATCH = 512, FIRST_ROWS = 1 };

/* ---- A statement's steps ---- */

typedef struct {
  job job; /* first */
  statement *of;
  row_mode mode;
  bool safe, autocommit;
  bool once;         /* it ends with the first rows */
  bool handed;       /* JavaScript has rows of it */
  size_t most;       /* rows at a time */
  int before;        /* sqlite3_total_changes */
  fibril_value rows; /* owned */
  bool done;
} stepping;

/* The rows of the last steps are the caller's. */
static fibril_value take_rows(stepping *self) {
  fibril_value rows = self->rows;
  self->rows = fibril_undefined();
  return rows;
}

/* What is left before its end writes when it is reset, and may wait for a lock then: here. */
static void leave_in_pool(stepping *self) {
  int rc = sqlite3_reset(self->of->stmt);
  if (self->job.rc == SQLITE_ROW && rc != SQLITE_OK) self->job.rc = rc;
}

static void run_steps(job *job) {
  stepping *self = (stepping *)job;
  sqlite3_stmt *stmt = self->of->stmt;
  fibril_value_free(take_rows(self)); /* of a try that was blocked in the end */
  for (size_t count = 0; count < self->most; count++) {
    job->rc = sqlite3_step(stmt);
    if (job->rc != SQLITE_ROW) break;
    if (count == 0) self->rows = fibril_array(0);
    fibril_value row = row_read(self->of, self->mode, self->safe);
    int err = fibril_is_error(row) ? UV_ENOMEM : fibril_array_push(self->rows, row);
    if (err != 0) {
      job->rc = SQLITE_NOMEM;
      break;
    }
  }
  self->done = job->rc == SQLITE_DONE;
  if (!self->done && (self->once || !self->of->readonly)) leave_in_pool(self);
}

/* Once it has handed rows over, or has had its transaction rolled back, a statement that begins
 * anew would do something else. */
static bool may_retry(const job *job) {
  const stepping *self = (const stepping *)job;
  return !self->handed && self->autocommit == sqlite3_get_autocommit(job->db->sqlite);
}

/* Binds, with the connection. */
static fibril_value begin(stepping *self, statement *of, fibril_value params, purpose purpose) {
  *self = (stepping){
      .job = {.db = of->db, .run = run_steps, .retry = may_retry},
      .of = of,
      .mode = self->mode,
      .safe = self->safe,
      .autocommit = sqlite3_get_autocommit(of->db->sqlite),
      .before = sqlite3_total_changes(of->db->sqlite),
      .rows = fibril_undefined(),
  };
  fibril_value error = statement_check(of, purpose);
  if (!fibril_is_error(error)) error = bind_all(of, params, false);
  of->busy = !fibril_is_error(error);
  return error;
}

/* Does steps. Undefined, or the error. A write goes to its end at once: it is over with its first
 * row, but for the commit, and SQLite has all of its rows. So it can be blocked there and begin
 * anew, and a loop over its rows may be left anywhere. */
static fibril_value step(stepping *self, size_t most) {
  self->most = self->once || self->of->readonly ? most : SIZE_MAX;
  fibril_value error = job_do(&self->job);
  if (fibril_is_error(error)) return error;
  int rc = self->job.rc;
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? error : error_of(self->job.db, rc);
}

static fibril_value end(stepping *self, fibril_value result) {
  self->of->busy = false;
  fibril_value_free(take_rows(self));
  return statement_reset(self->of, result);
}

static uint32_t transaction_of(fibril_args *args) {
  return (uint32_t)fibril_arg_integer(args, 0);
}

/* What the arguments of the methods have in common: the transaction, a signal, the parameters. */
enum { PARAMETERS = 2, PUSH = 3 };

/* Calls `body` with the connection. */
static fibril_value with_turn(fibril_args *args, purpose purpose,
                              fibril_value (*body)(stepping *self, fibril_args *args)) {
  statement *of = fibril_this(args);
  stepping self = {.mode = of->mode, .safe = of->safe_integers};
  uint32_t transaction = transaction_of(args);
  if (of->db == NULL) return error_closed();
  fibril_value result = turn_take(of->db, transaction);
  if (fibril_is_error(result)) return result;
  result = begin(&self, of, fibril_arg(args, PARAMETERS), purpose);
  if (!fibril_is_error(result)) {
    result = end(&self, body(&self, args));
  }
  turn_give(of->db, transaction);
  return result;
}

static fibril_value run_body(stepping *self, fibril_args *args) {
  (void)args;
  fibril_value error = step(self, FIRST_ROWS);
  return fibril_is_error(error) ? error : run_info(self->of, self->before, self->safe);
}

fibril_value statement_run_later(fibril_args *args) {
  return with_turn(args, FOR_RUN, run_body);
}

static fibril_value get_body(stepping *self, fibril_args *args) {
  (void)args;
  self->once = true;
  fibril_value error = step(self, FIRST_ROWS);
  if (fibril_is_error(error) || self->done) return error;
  return fibril_value_dup(fibril_array_get(self->rows, 0));
}

fibril_value statement_get_later(fibril_args *args) {
  return with_turn(args, FOR_ROWS, get_body);
}

/* The rows that don't fit into one batch go to a function before those that are the result. */
static fibril_value all_body(stepping *self, fibril_args *args) {
  for (;;) {
    fibril_value error = step(self, BATCH);
    if (fibril_is_error(error)) return error;
    fibril_value rows = take_rows(self);
    self->handed = true;
    if (self->done) return fibril_value_kind(rows) == FIBRIL_UNDEFINED ? fibril_array(0) : rows;
    error = fibril_call(fibril_arg(args, PUSH), &rows, 1);
    fibril_value_free(rows);
    if (fibril_is_error(error)) return error;
  }
}

fibril_value statement_all_later(fibril_args *args) {
  return with_turn(args, FOR_ROWS, all_body);
}

/* ---- An iterator ---- */

static fibril_value yield_rows(stepping *self, fibril_generator *generator) {
  fibril_value rows = take_rows(self), sent = fibril_undefined();
  self->handed = true;
  for (size_t i = 0; i < fibril_array_length(rows) && !fibril_is_error(sent); i++)
    sent = fibril_yield(generator, fibril_value_dup(fibril_array_get(rows, i)));
  fibril_value_free(rows);
  return sent;
}

static fibril_value iterate(stepping *self, fibril_generator *generator) {
  fibril_value sent = fibril_undefined();
  for (size_t most = 16; !self->done && !fibril_is_error(sent); most = BATCH) {
    sent = step(self, most);
    if (!fibril_is_error(sent)) sent = yield_rows(self, generator);
  }
  return sent;
}

fibril_value statement_iterate_later(fibril_args *args, fibril_generator *generator) {
  statement *of = fibril_this(args);
  stepping self = {.mode = of->mode, .safe = of->safe_integers};
  uint32_t transaction = transaction_of(args);
  if (of->db == NULL) return error_closed();
  fibril_value result = turn_take(of->db, transaction);
  if (fibril_is_error(result)) return result;
  result = begin(&self, of, fibril_arg(args, PARAMETERS), FOR_ROWS);
  if (!fibril_is_error(result)) {
    result = end(&self, iterate(&self, generator));
  }
  turn_give(of->db, transaction);
  return result;
}

/* ---- The database's ---- */

typedef struct {
  job job; /* first */
  const char *sql, *end;
  sqlite3_stmt *stmt, *more;
  bool keep, autocommit;
} preparing;

static void run_prepare(job *job) {
  preparing *self = (preparing *)job;
  job->rc = prepare_next(job->db, &self->sql, self->end, self->keep, &self->stmt);
  if (job->rc != SQLITE_OK || !self->keep || self->stmt == NULL) return;
  if (prepare_next(job->db, &self->sql, self->end, false, &self->more) != SQLITE_OK)
    self->end = NULL;
}

static preparing preparing_of(fibril_args *args, bool keep) {
  size_t length;
  const char *sql = fibril_value_string(fibril_arg(args, PARAMETERS), &length);
  database *db = fibril_this(args);
  return (preparing){
      .job = {.db = db, .run = run_prepare}, .sql = sql, .end = sql + length, .keep = keep};
}

fibril_value database_prepare_later(fibril_args *args) {
  database *self = fibril_this(args);
  preparing work = preparing_of(args, true);
  fibril_value result = turn_take(self, transaction_of(args));
  if (fibril_is_error(result)) return result;
  result = job_do(&work.job);
  if (!fibril_is_error(result) && work.job.rc != SQLITE_OK)
    result = error_of(self, work.job.rc);
  else if (!fibril_is_error(result) && work.stmt == NULL)
    result = prepare_none("The supplied SQL string contains no statements");
  else if (!fibril_is_error(result) && (work.end == NULL || work.more != NULL))
    result = prepare_none("The supplied SQL string contains more than one statement");
  sqlite3_finalize(work.more);
  if (!fibril_is_error(result))
    result = prepare_statement(self, work.stmt, fibril_arg_string(args, PARAMETERS));
  else
    sqlite3_finalize(work.stmt);
  turn_give(self, transaction_of(args));
  return result;
}

static void run_exec(job *job) {
  preparing *self = (preparing *)job;
  for (job->rc = SQLITE_OK; self->stmt != NULL || self->sql < self->end;) {
    if (job->stopped) {
      job->rc = SQLITE_INTERRUPT;
      return;
    }
    if (self->stmt == NULL)
      job->rc = prepare_next(job->db, &self->sql, self->end, false, &self->stmt);
    if (job->rc != SQLITE_OK) return;
    if (self->stmt == NULL) continue;
    self->autocommit = sqlite3_get_autocommit(job->db->sqlite);
    while ((job->rc = sqlite3_step(self->stmt)) == SQLITE_ROW) continue;
    if (job->rc != SQLITE_DONE) return;
    sqlite3_finalize(self->stmt);
    self->stmt = NULL;
    job->rc = SQLITE_OK;
  }
}

static bool may_retry_exec(const job *job) {
  const preparing *self = (const preparing *)job;
  return self->stmt == NULL || self->autocommit == sqlite3_get_autocommit(job->db->sqlite);
}

fibril_value database_exec_later(fibril_args *args) {
  database *self = fibril_this(args);
  preparing work = preparing_of(args, false);
  work.job.run = run_exec;
  work.job.retry = may_retry_exec;
  fibril_value result = turn_take(self, transaction_of(args));
  if (fibril_is_error(result)) return result;
  result = job_do(&work.job);
  if (!fibril_is_error(result) && work.job.rc != SQLITE_OK) result = error_of(self, work.job.rc);
  sqlite3_finalize(work.stmt);
  turn_give(self, transaction_of(args));
  return fibril_is_error(result) ? result : fibril_instance_of(self);
}

/* ---- Closing ---- */

/* The last connection of a file in WAL mode writes the log back. */
static void run_close(void *arg) {
  database *self = arg;
  turn_bury(self);
  sqlite3_close_v2(self->sqlite);
}

static void close_in_pool(database *self) {
  database_leave_statements(self);
  if (fibril_work(run_close, self) != 0) run_close(self);
  database_closed(self);
}

/* What has been asked for before runs before; what comes later is refused. */
fibril_value database_close_later(fibril_args *args) {
  database *self = fibril_this(args);
  if (self->sqlite == NULL || self->closing) return fibril_undefined();
  fibril_value error = turn_take_last(self);
  if (fibril_is_error(error)) return error;
  close_in_pool(self);
  self->closing = false;
  turn_give(self, 0);
  return error;
}

fibril_value close_all(void *arg) {
  const environment *self = arg;
  for (database *db = self->first; db != NULL; db = db->next)
    if (db->sqlite != NULL) close_in_pool(db);
  return fibril_undefined();
}
