/* Statements: when they may run, and their end. */
#include "sqlite.h"

#include <stdlib.h>

static void leave_list(statement *self) {
  if (self->link == NULL) return;
  *self->link = self->next;
  if (self->next != NULL) self->next->link = self->link;
}

/* SQLite may be at work for the database, on this thread or another. */
static void bury(statement *self) {
  database *db = self->db;
  if (!db->executing && !db->busy) {
    sqlite3_finalize(self->stmt);
    free(self->grave);
    return;
  }
  *self->grave = (dead_statement){self->stmt, db->dead};
  db->dead = self->grave;
}

void statement_release(void *state) {
  statement *self = state;
  if (self->db == NULL) return;
  leave_list(self);
  if (self->stmt != NULL)
    bury(self);
  else
    free(self->grave);
  free(self->source);
  fibril_this_unref(self->db);
}

fibril_value statement_check(const statement *self, purpose purpose) {
  if (self->db == NULL || self->stmt == NULL) return error_closed();
  if (self->busy)
    return error_misuse("TypeError", "ERR_SQLITE_STATEMENT_BUSY",
                        "This statement is busy executing a query");
  if (purpose == FOR_ROWS && !self->reader)
    return error_misuse("TypeError", "ERR_SQLITE_NO_ROWS",
                        "This statement does not return data. Use run() instead");
  if (purpose == FOR_RUN && self->reader)
    return error_misuse("TypeError", "ERR_SQLITE_ROWS",
                        "This statement returns data. Use get(), all(), or iterate() instead");
  if (self->db->iterators > 0 && !self->readonly)
    return error_misuse("TypeError", "ERR_SQLITE_BUSY",
                        "The rows of another statement are being read");
  return fibril_undefined();
}

fibril_value statement_reset(statement *self, fibril_value result) {
  if (self->stmt == NULL) return result;
  int rc = sqlite3_reset(self->stmt);
  if (!self->bound) sqlite3_clear_bindings(self->stmt);
  /* After a step that failed it says the same once more. */
  if (rc == SQLITE_OK || fibril_is_error(result)) return result;
  fibril_value_free(fibril_value_take(result));
  return error_of(self->db, rc);
}
