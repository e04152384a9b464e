/* SQL becomes statements. */
#include "sqlite.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int prepare_next(database *db, const char **sql, const char *end, bool keep, sqlite3_stmt **out) {
  const char *tail = NULL;
  *out = NULL;
  if (end - *sql >= INT_MAX) return SQLITE_TOOBIG;
  /* Its length counts the NUL: then SQLite needs no copy. */
  int rc = sqlite3_prepare_v3(db->sqlite, *sql, (int)(end - *sql) + 1,
                              keep ? SQLITE_PREPARE_PERSISTENT : 0, out, &tail);
  /* A NUL ends it, whatever is behind. */
  if (rc == SQLITE_OK) *sql = *tail == '\0' ? end : tail;
  return rc;
}

/* Links it into the database, which keeps it no longer than it lives. */
static void enter_list(statement *self, database *db) {
  fibril_this_ref(db);
  self->db = db;
  self->next = db->statements;
  self->link = &db->statements;
  if (db->statements != NULL) db->statements->link = &self->next;
  db->statements = self;
}

fibril_value prepare_statement(database *db, sqlite3_stmt *stmt, const char *sql) {
  fibril_value result = fibril_instance(db->env->statements);
  statement *self = fibril_value_instance(result, NULL);
  char *source = strdup(sql);
  dead_statement *grave = malloc(sizeof *grave);
  if (self == NULL || source == NULL || grave == NULL) {
    free(source);
    free(grave);
    sqlite3_finalize(stmt);
    return fibril_error(UV_ENOMEM, NULL);
  }
  self->stmt = stmt;
  self->source = source;
  self->grave = grave;
  self->parameters = sqlite3_bind_parameter_count(stmt);
  self->reader = sqlite3_column_count(stmt) > 0;
  self->readonly = sqlite3_stmt_readonly(stmt);
  self->safe_integers = db->safe_integers;
  fibril_this_memory(self, (size_t)sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_MEMUSED, 0));
  enter_list(self, db);
  return result;
}

/* What a text without a statement, or with more than one, is refused with. */
fibril_value prepare_none(const char *text) {
  return error_misuse("RangeError", "ERR_SQLITE_STATEMENTS", text);
}
