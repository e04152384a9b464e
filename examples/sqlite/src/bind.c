/* Parameters: by position, one by one or in arrays, and by name, in an object. SQLite uses the
 * bytes where they are. */
#include "sqlite.h"

#include <limits.h>
#include <string.h>

typedef struct {
  statement *of;
  bool copy;  /* what is bound stays for longer than the call */
  int last;   /* the last one that was given by its position */
  int bound;  /* how many have a value */
  bool named; /* there was an object */
} binder;

static fibril_value too_many(void) {
  return error_misuse("RangeError", "ERR_SQLITE_PARAMETERS",
                      "Too many parameter values were provided");
}

static sqlite3_destructor_type lifetime(const binder *self) {
  return self->copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
}

static int bind_text(const binder *self, int at, fibril_value value) {
  size_t length;
  const char *text = fibril_value_string(value, &length);
  return sqlite3_bind_text64(self->of->stmt, at, text, length, lifetime(self), SQLITE_UTF8);
}

static int bind_bytes(const binder *self, int at, fibril_value value) {
  size_t length;
  const void *bytes = fibril_value_buffer(value, &length);
  return sqlite3_bind_blob64(self->of->stmt, at, length == 0 ? "" : bytes, length, lifetime(self));
}

static fibril_value bind_one(binder *self, int at, fibril_value value) {
  sqlite3_stmt *stmt = self->of->stmt;
  int rc;
  switch (fibril_value_kind(value)) {
    case FIBRIL_NUMBER: rc = sqlite3_bind_double(stmt, at, fibril_value_number(value)); break;
    case FIBRIL_BIGINT: rc = sqlite3_bind_int64(stmt, at, fibril_value_integer(value)); break;
    case FIBRIL_NULL: rc = sqlite3_bind_null(stmt, at); break;
    case FIBRIL_STRING: rc = bind_text(self, at, value); break;
    case FIBRIL_BUFFER: rc = bind_bytes(self, at, value); break;
    default:
      return error_misuse("TypeError", "ERR_INVALID_ARG_TYPE",
                          "SQLite can only bind numbers, strings, bigints, buffers, and null");
  }
  if (rc == SQLITE_RANGE) return too_many();
  if (rc != SQLITE_OK) return error_of(self->of->db, rc);
  self->bound++;
  return fibril_undefined();
}

/* The next parameter without a name. */
static fibril_value bind_next(binder *self, fibril_value value) {
  do self->last++;
  while (self->last <= self->of->parameters &&
         sqlite3_bind_parameter_name(self->of->stmt, self->last) != NULL);
  return self->last > self->of->parameters ? too_many() : bind_one(self, self->last, value);
}

static fibril_value bind_array(binder *self, fibril_value array) {
  fibril_value error = fibril_undefined();
  for (size_t i = 0; i < fibril_array_length(array) && !fibril_is_error(error); i++)
    error = bind_next(self, fibril_array_get(array, i));
  return error;
}

/* What the object has under a name; the first time, whether it is one that may have names. Getters
 * run, and may do whatever they like but use the connection. Owned. */
static fibril_value ask(const binder *self, fibril_value object, fibril_value name, bool first) {
  const fibril_value args[] = {object, name, fibril_boolean(first)};
  fibril_future *future = fibril_call_start(self->of->db->env->named, args, 3);
  fibril_value result =
      fibril_future_done(future) ? fibril_future_result(future) : fibril_error(UV_EINVAL, NULL);
  result = fibril_value_dup(result);
  fibril_future_unref(future);
  return result;
}

/* Texts and bytes that a getter has given have no other owner: SQLite gets copies. */
static fibril_value bind_copy(binder *self, int at, fibril_value value) {
  bool copy = self->copy;
  self->copy = true;
  fibril_value error = bind_one(self, at, value);
  self->copy = copy;
  return error;
}

static fibril_value bind_object(binder *self, fibril_value object) {
  if (self->named)
    return error_misuse("TypeError", "ERR_SQLITE_PARAMETERS",
                        "Named parameters come in one object, and there are two");
  bool first = true;
  self->named = true;
  for (int at = 1; at <= self->of->parameters; at++) {
    const char *name = sqlite3_bind_parameter_name(self->of->stmt, at);
    if (name == NULL) continue;
    fibril_value key = fibril_string(name + 1, FIBRIL_AUTO_LENGTH);
    fibril_value value = fibril_is_error(key) ? key : ask(self, object, key, first);
    if (fibril_is_error(value)) return value;
    fibril_value error = bind_copy(self, at, value);
    fibril_value_free(value);
    if (fibril_is_error(error)) return error;
    first = false;
  }
  return first ? ask(self, object, fibril_undefined(), true) : fibril_undefined();
}

static fibril_value bind_argument(binder *self, fibril_value value) {
  switch (fibril_value_kind(value)) {
    case FIBRIL_ARRAY: return bind_array(self, value);
    case FIBRIL_REFERENCE: return bind_object(self, value);
    default: return bind_next(self, value);
  }
}

static fibril_value too_few(const binder *self) {
  for (int at = 1; at <= self->of->parameters && !self->named; at++)
    if (sqlite3_bind_parameter_name(self->of->stmt, at) != NULL)
      return error_misuse("TypeError", "ERR_SQLITE_PARAMETERS", "Missing named parameters");
  return error_misuse("RangeError", "ERR_SQLITE_PARAMETERS",
                      "Too few parameter values were provided");
}

fibril_value bind_all(statement *self, fibril_value params, bool copy) {
  binder binder = {.of = self, .copy = copy};
  size_t count = fibril_array_length(params);
  if (self->bound)
    return count == 0 ? fibril_undefined()
                      : error_misuse("TypeError", "ERR_SQLITE_BOUND",
                                     "This statement already has bound parameters");
  fibril_value error = fibril_undefined();
  for (size_t i = 0; i < count && !fibril_is_error(error); i++)
    error = bind_argument(&binder, fibril_array_get(params, i));
  if (!fibril_is_error(error) && binder.bound < self->parameters) error = too_few(&binder);
  if (fibril_is_error(error)) sqlite3_clear_bindings(self->stmt);
  return error;
}
