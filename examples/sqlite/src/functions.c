/* Functions of JavaScript's that SQL calls. */
#include "functions.h"

#include "methods.h"

#include <stdlib.h>
#include <string.h>

/* ---- Their list ---- */

enum { NAME, COUNT, OPTIONS, CALL };

static bool wants_bigints(fibril_args *args) {
  fibril_value given = fibril_arg_option(args, OPTIONS, "safeIntegers");
  if (fibril_value_kind(given) == FIBRIL_BOOLEAN) return fibril_value_boolean(given);
  return ((database *)fibril_this(args))->safe_integers;
}

function *function_new(fibril_args *args) {
  function *self = calloc(1, sizeof *self);
  char *name = strdup(fibril_arg_string(args, NAME));
  if (self == NULL || name == NULL) {
    free(self);
    free(name);
    return NULL;
  }
  *self = (function){.db = fibril_this(args),
                     .name = name,
                     .arguments = (int)fibril_arg_integer(args, COUNT),
                     .safe_integers = wants_bigints(args)};
  return self;
}

static void function_free(function *self) {
  fibril_value_free(self->call);
  fibril_value_free(self->step);
  fibril_value_free(self->inverse);
  fibril_value_free(self->start);
  free(self->name);
  free(self);
}

/* The one whose place another has taken: SQLite does that only when nobody uses it. */
static void forget_former(const function *self) {
  for (function **link = &self->db->functions; *link != NULL; link = &(*link)->next) {
    function *each = *link;
    if (each->arguments != self->arguments || sqlite3_stricmp(each->name, self->name) != 0)
      continue;
    *link = each->next;
    function_free(each);
    return;
  }
}

fibril_value function_defined(function *self, int rc) {
  database *db = self->db;
  if (rc != SQLITE_OK) {
    function_free(self);
    return error_of(db, rc);
  }
  forget_former(self);
  self->next = db->functions;
  db->functions = self;
  return fibril_instance_of(db);
}

void functions_release(database *db) {
  for (group *each = db->groups; each != NULL; each = each->next) each->over = true;
  groups_sweep(db);
  while (db->functions != NULL) {
    function *next = db->functions->next;
    function_free(db->functions);
    db->functions = next;
  }
}

/* ---- Values ---- */

static fibril_value argument(sqlite3_value *value, bool safe) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return value_of_integer(sqlite3_value_int64(value), safe);
    case SQLITE_FLOAT: return fibril_number(sqlite3_value_double(value));
    case SQLITE_TEXT: {
      const char *text = (const char *)sqlite3_value_text(value);
      if (text == NULL) return fibril_error(UV_ENOMEM, NULL);
      return fibril_string(text, (size_t)sqlite3_value_bytes(value));
    }
    case SQLITE_BLOB: {
      const void *bytes = sqlite3_value_blob(value);
      return fibril_buffer(bytes == NULL ? "" : bytes, (size_t)sqlite3_value_bytes(value));
    }
    default: return fibril_null();
  }
}

/* JavaScript's side lets no promise through. */
static fibril_value call_now(fibril_value callee, const fibril_value *args, size_t count) {
  fibril_future *future = fibril_call_start(callee, args, count);
  fibril_value result = fibril_future_done(future) ? fibril_future_result(future)
                                                   : fibril_error(FIBRIL_EPENDING, NULL);
  result = fibril_value_take(fibril_value_dup(result));
  fibril_future_unref(future);
  return result;
}

fibril_value function_call(const function *self, fibril_value callee, const group *of, int argc,
                           sqlite3_value **argv) {
  fibril_value args[1 + ARGUMENTS_MAX];
  size_t count = 0;
  if (of != NULL) args[count++] = of->state;
  for (int i = 0; i < argc; i++)
    args[count++] = fibril_value_take(argument(argv[i], self->safe_integers));
  fibril_value result = call_now(callee, args, count);
  for (size_t i = of != NULL; i < count; i++) fibril_value_free(args[i]);
  return result;
}

/* Takes the error over. */
static void fail(const function *self, sqlite3_context *context, fibril_value error) {
  database *db = self->db;
  sqlite3_result_error(context, fibril_error_message(error), -1);
  if (fibril_is_error(db->thrown))
    fibril_value_free(error);
  else
    db->thrown = error;
}

static void no_value(const function *self, sqlite3_context *context) {
  fail(self, context,
       fibril_value_take(fibril_error_type("TypeError", "ERR_SQLITE_RESULT",
                                           "User-defined function %s() returned an invalid value",
                                           self->name)));
}

static void bytes_result(sqlite3_context *context, fibril_value result) {
  size_t length;
  const char *text = fibril_value_string(result, &length);
  if (text != NULL) {
    sqlite3_result_text64(context, text, length, SQLITE_TRANSIENT, SQLITE_UTF8);
    return;
  }
  const void *bytes = fibril_value_buffer(result, &length);
  sqlite3_result_blob64(context, length == 0 ? "" : bytes, length, SQLITE_TRANSIENT);
}

void function_result(const function *self, sqlite3_context *context, fibril_value result) {
  switch (fibril_value_kind(result)) {
    case FIBRIL_NUMBER: sqlite3_result_double(context, fibril_value_number(result)); break;
    case FIBRIL_BIGINT: sqlite3_result_int64(context, fibril_value_integer(result)); break;
    case FIBRIL_UNDEFINED:
    case FIBRIL_NULL: sqlite3_result_null(context); break;
    case FIBRIL_STRING:
    case FIBRIL_BUFFER: bytes_result(context, result); break;
    case FIBRIL_ERROR: fail(self, context, result); return;
    default: no_value(self, context); break;
  }
  fibril_value_free(result);
}

/* ---- Plain ones ---- */

typedef struct {
  sqlite3_context *context;
  int argc;
  sqlite3_value **argv;
} invocation;

static void call_plain(void *arg) {
  const invocation *self = arg;
  const function *fn = sqlite3_user_data(self->context);
  function_result(fn, self->context, function_call(fn, fn->call, NULL, self->argc, self->argv));
}

static void on_call(sqlite3_context *context, int argc, sqlite3_value **argv) {
  invocation self = {context, argc, argv};
  const function *fn = sqlite3_user_data(context);
  if (!hop(fn->db, call_plain, &self)) sqlite3_result_error_code(context, SQLITE_INTERRUPT);
}

int function_flags(fibril_args *args) {
  bool deterministic = fibril_value_boolean(fibril_arg_option(args, OPTIONS, "deterministic"));
  bool direct = fibril_value_boolean(fibril_arg_option(args, OPTIONS, "directOnly"));
  return SQLITE_UTF8 | (deterministic ? SQLITE_DETERMINISTIC : 0) |
         (direct ? SQLITE_DIRECTONLY : 0);
}

static fibril_value define(database *self, fibril_args *args) {
  function *fn = function_new(args);
  if (fn == NULL) return fibril_error(UV_ENOMEM, NULL);
  fn->call = fibril_value_dup(fibril_arg(args, CALL));
  return function_defined(fn, sqlite3_create_function_v2(self->sqlite, fn->name, fn->arguments,
                                                         function_flags(args), fn, on_call, NULL,
                                                         NULL, NULL));
}

fibril_value database_function(fibril_args *args) {
  database *self = fibril_this(args);
  fibril_value result = database_enter(self);
  if (fibril_is_error(result)) return result;
  result = define(self, args);
  database_leave(self);
  return result;
}
