/* What databases and statements say of themselves, and how statements give rows. */
#include "methods.h"

fibril_value database_safe_integers(fibril_args *args) {
  database *self = fibril_this(args);
  self->safe_integers = fibril_arg_boolean(args, 0);
  return fibril_instance_of(self);
}

fibril_value database_is_open(fibril_args *args) {
  const database *self = fibril_this(args);
  return fibril_boolean(self->sqlite != NULL && !self->closing);
}

fibril_value database_name(fibril_args *args) {
  return fibril_string(((database *)fibril_this(args))->name, FIBRIL_AUTO_LENGTH);
}

fibril_value database_is_memory(fibril_args *args) {
  return fibril_boolean(((database *)fibril_this(args))->memory);
}

fibril_value database_is_readonly(fibril_args *args) {
  return fibril_boolean(((database *)fibril_this(args))->readonly);
}

/* While the pool has the connection, as it was before. */
fibril_value database_in_transaction(fibril_args *args) {
  const database *self = fibril_this(args);
  if (self->sqlite == NULL || self->busy) return fibril_boolean(self->in_transaction);
  return fibril_boolean(!sqlite3_get_autocommit(self->sqlite));
}

fibril_value database_is_busy(fibril_args *args) {
  const database *self = fibril_this(args);
  return fibril_boolean(self->executing || self->busy || self->transaction != 0);
}

static fibril_value with_mode(fibril_args *args, row_mode mode) {
  statement *self = fibril_this(args);
  if (!self->reader)
    return error_misuse("TypeError", "ERR_SQLITE_NO_ROWS",
                        "This method is only for statements that return data");
  if (self->busy)
    return error_misuse("TypeError", "ERR_SQLITE_STATEMENT_BUSY",
                        "This statement is busy executing a query");
  if (fibril_arg_boolean(args, 0))
    self->mode = mode;
  else if (self->mode == mode)
    self->mode = ROW_OBJECT;
  return fibril_instance_of(self);
}

fibril_value statement_pluck(fibril_args *args) {
  return with_mode(args, ROW_FIRST);
}

fibril_value statement_raw(fibril_args *args) {
  return with_mode(args, ROW_ARRAY);
}

fibril_value statement_expand(fibril_args *args) {
  return with_mode(args, ROW_TABLES);
}

fibril_value statement_safe_integers(fibril_args *args) {
  statement *self = fibril_this(args);
  if (self->busy)
    return error_misuse("TypeError", "ERR_SQLITE_STATEMENT_BUSY",
                        "This statement is busy executing a query");
  self->safe_integers = fibril_arg_boolean(args, 0);
  return fibril_instance_of(self);
}

fibril_value statement_columns(fibril_args *args) {
  statement *self = fibril_this(args);
  if (!self->reader)
    return error_misuse("TypeError", "ERR_SQLITE_NO_ROWS",
                        "This method is only for statements that return data");
  fibril_value result = database_enter(self->db);
  if (fibril_is_error(result)) return result;
  result = row_names(self);
  database_leave(self->db);
  return result;
}

fibril_value statement_bind(fibril_args *args) {
  statement *self = fibril_this(args);
  if (self->db == NULL) return error_closed();
  if (self->bound)
    return error_misuse("TypeError", "ERR_SQLITE_BOUND",
                        "The bind() method can only be called once per statement");
  fibril_value result = database_enter(self->db);
  if (fibril_is_error(result)) return result;
  result = statement_check(self, FOR_BINDING);
  if (!fibril_is_error(result)) result = bind_all(self, fibril_arg(args, 0), true);
  self->bound = !fibril_is_error(result);
  database_leave(self->db);
  return self->bound ? fibril_instance_of(self) : result;
}

/* With what bind() has bound. */
fibril_value statement_text(fibril_args *args) {
  statement *self = fibril_this(args);
  if (self->db == NULL) return fibril_string("", 0);
  if (!self->bound || self->stmt == NULL) return fibril_string(self->source, FIBRIL_AUTO_LENGTH);
  fibril_value result = database_enter(self->db);
  if (fibril_is_error(result)) return result;
  char *text = sqlite3_expanded_sql(self->stmt);
  result = text == NULL ? fibril_error(UV_ENOMEM, NULL) : fibril_string(text, FIBRIL_AUTO_LENGTH);
  sqlite3_free(text);
  database_leave(self->db);
  return result;
}

fibril_value statement_database(fibril_args *args) {
  const statement *self = fibril_this(args);
  return self->db == NULL ? fibril_undefined() : fibril_instance_of(self->db);
}

fibril_value statement_source(fibril_args *args) {
  const statement *self = fibril_this(args);
  return fibril_string(self->db == NULL ? "" : self->source, FIBRIL_AUTO_LENGTH);
}

fibril_value statement_is_reader(fibril_args *args) {
  return fibril_boolean(((statement *)fibril_this(args))->reader);
}

fibril_value statement_is_readonly(fibril_args *args) {
  return fibril_boolean(((statement *)fibril_this(args))->readonly);
}

fibril_value statement_is_busy(fibril_args *args) {
  return fibril_boolean(((statement *)fibril_this(args))->busy);
}

/* Statements come from prepare(). */
fibril_value statement_new(fibril_args *args) {
  (void)args;
  return error_misuse("TypeError", "ERR_ILLEGAL_CONSTRUCTOR", "Statements come from prepare()");
}
