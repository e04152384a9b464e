/* What SQLite has becomes values. */
#include "sqlite.h"

fibril_value value_of_integer(sqlite3_int64 integer, bool safe) {
  return safe ? fibril_bigint(integer) : fibril_number((double)integer);
}

static fibril_value column_value(sqlite3_stmt *stmt, int i, bool safe) {
  switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER: return value_of_integer(sqlite3_column_int64(stmt, i), safe);
    case SQLITE_FLOAT: return fibril_number(sqlite3_column_double(stmt, i));
    case SQLITE_TEXT: {
      const char *text = (const char *)sqlite3_column_text(stmt, i);
      if (text == NULL) return fibril_error(UV_ENOMEM, NULL);
      return fibril_string(text, (size_t)sqlite3_column_bytes(stmt, i));
    }
    case SQLITE_BLOB: {
      const void *bytes = sqlite3_column_blob(stmt, i);
      return fibril_buffer(bytes == NULL ? "" : bytes, (size_t)sqlite3_column_bytes(stmt, i));
    }
    default: return fibril_null();
  }
}

/* The one that failed takes with it what was made before. */
static fibril_value failed(fibril_value row, int err) {
  fibril_value_free(fibril_value_take(row));
  return fibril_error(err, NULL);
}

static fibril_value array_row(statement *self, bool safe) {
  int count = sqlite3_data_count(self->stmt);
  fibril_value row = fibril_array((size_t)count);
  for (int i = 0; i < count; i++) {
    fibril_value value = column_value(self->stmt, i, safe);
    int err = fibril_is_error(value) ? UV_ENOMEM : fibril_array_push(row, value);
    if (err != 0) return failed(row, err);
  }
  return row;
}

static fibril_value object_row(statement *self, bool safe) {
  int count = sqlite3_data_count(self->stmt);
  fibril_value row = fibril_object();
  for (int i = 0; i < count; i++) {
    fibril_value value = column_value(self->stmt, i, safe);
    const char *name = sqlite3_column_name(self->stmt, i);
    int err =
        name == NULL || fibril_is_error(value) ? UV_ENOMEM : fibril_object_set(row, name, value);
    if (err != 0) return failed(row, err);
  }
  return row;
}

/* What belongs to a table in an object of its own, under the table's name; "$": to none. */
static fibril_value tables_row(statement *self, bool safe) {
  int count = sqlite3_data_count(self->stmt);
  fibril_value row = fibril_object();
  for (int i = 0; i < count; i++) {
    const char *table = sqlite3_column_table_name(self->stmt, i);
    const char *name = sqlite3_column_name(self->stmt, i);
    if (table == NULL) table = "$";
    fibril_value part = fibril_object_get(row, table);
    int err = name == NULL ? UV_ENOMEM : 0;
    if (err == 0 && fibril_value_kind(part) == FIBRIL_UNDEFINED) {
      err = fibril_object_set(row, table, fibril_object());
      part = fibril_object_get(row, table);
    }
    fibril_value value = err == 0 ? column_value(self->stmt, i, safe) : fibril_undefined();
    if (err == 0) err = fibril_is_error(value) ? UV_ENOMEM : fibril_object_set(part, name, value);
    if (err != 0) return failed(row, err);
  }
  return row;
}

fibril_value row_read(statement *self, row_mode mode, bool safe) {
  switch (mode) {
    case ROW_FIRST: return column_value(self->stmt, 0, safe);
    case ROW_ARRAY: return array_row(self, safe);
    case ROW_TABLES: return tables_row(self, safe);
    default: return object_row(self, safe);
  }
}

static fibril_value text_or_null(const char *text) {
  return text == NULL ? fibril_null() : fibril_string(text, FIBRIL_AUTO_LENGTH);
}

fibril_value row_names(statement *self) {
  int count = sqlite3_column_count(self->stmt);
  fibril_value list = fibril_array((size_t)count);
  for (int i = 0; i < count; i++) {
    const char *const names[] = {"name", "column", "table", "database", "type"};
    const char *const texts[] = {
        sqlite3_column_name(self->stmt, i), sqlite3_column_origin_name(self->stmt, i),
        sqlite3_column_table_name(self->stmt, i), sqlite3_column_database_name(self->stmt, i),
        sqlite3_column_decltype(self->stmt, i)};
    fibril_value column = fibril_object();
    int err = 0;
    for (int n = 0; n < 5 && err == 0; n++)
      err = fibril_object_set(column, names[n], text_or_null(texts[n]));
    if (err == 0) err = fibril_array_push(list, column);
    if (err != 0) return failed(list, err);
  }
  return list;
}
