/* Statements that run in the call. */
#include "methods.h"

/* Undefined when the statement may be stepped: then `end` comes after it. */
static fibril_value begin(statement *self, fibril_value params, purpose purpose) {
  if (self->db == NULL) return error_closed();
  fibril_value error = database_enter(self->db);
  if (fibril_is_error(error)) return error;
  error = statement_check(self, purpose);
  if (!fibril_is_error(error)) error = bind_all(self, params, false);
  if (fibril_is_error(error)) database_leave(self->db);
  return error;
}

static fibril_value end(statement *self, fibril_value result) {
  result = statement_reset(self, result);
  database_leave(self->db);
  return result;
}

fibril_value statement_run(fibril_args *args) {
  statement *self = fibril_this(args);
  fibril_value error = begin(self, fibril_arg(args, 0), FOR_RUN);
  if (fibril_is_error(error)) return error;
  sqlite3 *sqlite = self->db->sqlite;
  int before = sqlite3_total_changes(sqlite);
  int rc = sqlite3_step(self->stmt);
  if (rc != SQLITE_DONE) return end(self, error_of(self->db, rc));
  return end(self, run_info(self, before, self->safe_integers));
}

fibril_value run_info(const statement *self, int before, bool safe) {
  sqlite3 *sqlite = self->db->sqlite;
  int changes = sqlite3_total_changes(sqlite) == before ? 0 : sqlite3_changes(sqlite);
  fibril_value info = fibril_object();
  int err = fibril_object_set(info, "changes", fibril_number(changes));
  if (err == 0)
    err = fibril_object_set(info, "lastInsertRowid",
                            value_of_integer(sqlite3_last_insert_rowid(sqlite), safe));
  return err == 0 ? info : fibril_error(err, NULL);
}

fibril_value statement_get(fibril_args *args) {
  statement *self = fibril_this(args);
  fibril_value row = begin(self, fibril_arg(args, 0), FOR_ROWS);
  if (fibril_is_error(row)) return row;
  int rc = sqlite3_step(self->stmt);
  if (rc == SQLITE_ROW)
    row = row_read(self, self->mode, self->safe_integers);
  else if (rc != SQLITE_DONE)
    row = error_of(self->db, rc);
  return end(self, row);
}

fibril_value statement_all(fibril_args *args) {
  statement *self = fibril_this(args);
  fibril_value error = begin(self, fibril_arg(args, 0), FOR_ROWS);
  if (fibril_is_error(error)) return error;
  fibril_value rows = fibril_array(0);
  int rc, err = 0;
  while (err == 0 && (rc = sqlite3_step(self->stmt)) == SQLITE_ROW) {
    fibril_value row = row_read(self, self->mode, self->safe_integers);
    err = fibril_is_error(row) ? UV_ENOMEM : fibril_array_push(rows, row);
  }
  if (err != 0) return end(self, fibril_error(err, NULL));
  return end(self, rc == SQLITE_DONE ? rows : error_of(self->db, rc));
}

typedef struct {
  statement *of;
  fibril_value row; /* owned */
  bool done;
} reading;

static void read_row(void *arg) {
  reading *self = arg;
  statement *of = self->of;
  int rc = sqlite3_step(of->stmt);
  self->done = rc == SQLITE_DONE;
  if (rc == SQLITE_ROW)
    self->row = row_read(of, of->mode, of->safe_integers);
  else if (!self->done)
    self->row = error_of(of->db, rc);
}

/* On the loop's own stack: SQLite knows nothing of smaller ones, and a pattern of LIKE can take it
 * deep. */
static fibril_value next_row(reading *self) {
  fibril_value error = database_enter(self->of->db);
  if (fibril_is_error(error)) return error;
  self->row = fibril_undefined();
  fibril_on_loop(read_row, self);
  database_leave(self->of->db);
  return self->row;
}

static void leave_rows(void *arg) {
  reading *self = arg;
  self->row = statement_reset(self->of, self->row);
}

/* The loop was left: what its end says comes from return(). After an error of a row, that counts.
 * No asynchronous call has the connection as long as it counts as one that is read. */
static fibril_value end_rows(reading *self, fibril_value result, bool left) {
  database *db = self->of->db;
  bool inside = db->executing; /* a function that SQLite calls may leave a loop */
  self->row = left ? fibril_undefined() : result;
  db->executing = true;
  fibril_on_loop(leave_rows, self);
  if (!inside) database_leave(db);
  self->of->busy = false;
  db->iterators--;
  return left && !fibril_is_error(self->row) ? result : self->row;
}

/* A cursor stays open between the rows: the statement is busy, and the database is not closed. */
fibril_value statement_iterate(fibril_args *args, fibril_generator *generator) {
  statement *self = fibril_this(args);
  fibril_value error = begin(self, fibril_arg(args, 0), FOR_ROWS);
  if (fibril_is_error(error)) return error;
  database_leave(self->db);
  self->busy = true;
  self->db->iterators++;
  for (reading reading = {.of = self};;) {
    error = next_row(&reading);
    if (reading.done || fibril_is_error(error)) return end_rows(&reading, error, false);
    error = fibril_yield(generator, error);
    if (fibril_is_error(error)) return end_rows(&reading, error, true);
  }
}

/* ---- The database's ---- */

fibril_value database_prepare(fibril_args *args) {
  database *self = fibril_this(args);
  size_t length;
  const char *sql = fibril_value_string(fibril_arg(args, 0), &length), *end = sql + length;
  fibril_value result = database_enter(self);
  if (fibril_is_error(result)) return result;
  sqlite3_stmt *stmt, *more = NULL;
  int rc = prepare_next(self, &sql, end, true, &stmt);
  if (rc != SQLITE_OK)
    result = error_of(self, rc);
  else if (stmt == NULL)
    result = prepare_none("The supplied SQL string contains no statements");
  else if (prepare_next(self, &sql, end, false, &more) != SQLITE_OK || more != NULL)
    result = prepare_none("The supplied SQL string contains more than one statement");
  sqlite3_finalize(more);
  if (fibril_is_error(result))
    sqlite3_finalize(stmt);
  else
    result = prepare_statement(self, stmt, fibril_arg_string(args, 0));
  database_leave(self);
  return result;
}

fibril_value database_exec(fibril_args *args) {
  database *self = fibril_this(args);
  size_t length;
  const char *sql = fibril_value_string(fibril_arg(args, 0), &length), *end = sql + length;
  fibril_value error = database_enter(self);
  if (fibril_is_error(error)) return error;
  int rc = self->iterators > 0 ? SQLITE_MISUSE : SQLITE_OK;
  if (rc != SQLITE_OK) error = error_busy();
  while (rc == SQLITE_OK && sql < end) {
    sqlite3_stmt *stmt;
    rc = prepare_next(self, &sql, end, false, &stmt);
    if (stmt == NULL && rc == SQLITE_OK) continue;
    if (rc == SQLITE_OK)
      while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) continue;
    if (rc != SQLITE_DONE) error = error_of(self, rc);
    sqlite3_finalize(stmt);
    rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
  }
  database_leave(self);
  return fibril_is_error(error) ? error : fibril_instance_of(self);
}

fibril_value database_hold(fibril_args *args) {
  database *self = fibril_this(args);
  self->held += fibril_arg_boolean(args, 0) ? 1 : -1;
  return fibril_undefined();
}

fibril_value database_close(fibril_args *args) {
  database *self = fibril_this(args);
  if (self->sqlite == NULL) return fibril_instance_of(self);
  fibril_value error = database_enter(self);
  if (fibril_is_error(error)) return error;
  if (self->iterators > 0) error = error_busy();
  if (!fibril_is_error(error)) {
    database_leave_statements(self);
    turn_bury(self);
    sqlite3_close_v2(self->sqlite);
    database_closed(self);
  }
  database_leave(self);
  return fibril_is_error(error) ? error : fibril_instance_of(self);
}
