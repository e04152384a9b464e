/* A transaction around an asynchronous function: BEGIN, the function and its promise, COMMIT or
 * ROLLBACK. It has the connection as a whole; what doesn't name it waits until it has ended. */
#include "methods.h"

#include <stdio.h>

/* What the statements of our own need no parsing of. */
typedef struct {
  job job; /* first */
  const char *sql;
} command;

static void run_command(job *job) {
  job->rc = sqlite3_exec(job->db->sqlite, ((command *)job)->sql, NULL, NULL, NULL);
}

static fibril_value do_command(database *self, uint32_t transaction, const char *sql) {
  command work = {.job = {.db = self, .run = run_command}, .sql = sql};
  fibril_value error = turn_take(self, transaction);
  if (fibril_is_error(error)) return error;
  error = job_do(&work.job);
  if (!fibril_is_error(error) && work.job.rc != SQLITE_OK) error = error_of(self, work.job.rc);
  turn_give(self, transaction);
  return error;
}

/* The end of it waits behind what the function has left under way. */
static fibril_value finish(database *self, uint32_t transaction, fibril_value result) {
  if (!fibril_is_error(result)) {
    fibril_value error = do_command(self, transaction, "COMMIT");
    if (!fibril_is_error(error)) return result;
    result = error;
  }
  fibril_mask();
  do_command(self, transaction, "ROLLBACK"); /* refused where SQLite has done so by itself */
  fibril_unmask();
  return result;
}

static fibril_value transact(database *self, uint32_t transaction, const char *begin,
                             fibril_value function) {
  fibril_value result = do_command(self, transaction, begin);
  if (fibril_is_error(result)) return result;
  self->begun = true;
  fibril_value number = fibril_number(transaction);
  return finish(self, transaction, fibril_call(function, &number, 1));
}

fibril_value database_transact(fibril_args *args) {
  database *self = fibril_this(args);
  char begin[32];
  snprintf(begin, sizeof begin, "BEGIN %s", fibril_arg_string(args, 0));
  if (self->sqlite == NULL || self->closing) return error_closed();
  int err = fibril_mutex_lock(&self->session);
  if (err != 0) return fibril_error(err, NULL);
  err = turn_settle(self);
  fibril_value result = err == 0 ? error_closed() : fibril_error(err, NULL);
  if (err == 0 && self->sqlite != NULL) {
    uint32_t transaction = ++self->transactions;
    if (transaction == 0) transaction = ++self->transactions; /* 0 means none */
    self->transaction = transaction;
    result = transact(self, transaction, begin, fibril_arg(args, 1));
    self->transaction = 0;
    self->begun = false;
  }
  fibril_mutex_unlock(&self->session);
  return result;
}
