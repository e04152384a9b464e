/* A connection: opened, closed, and what it is asked for. */
#include "sqlite.h"

#include "functions.h"

#include <stdlib.h>
#include <string.h>

/* About what an open connection takes, for JavaScript's collector. */
enum { CONNECTION_BYTES = 64 * 1024 };

/* ---- Opening ---- */

typedef struct {
  const char *name;
  bool readonly, must_exist;
  double timeout;
} open_options;

static bool is_memory(const char *name) {
  return *name == '\0' || strcmp(name, ":memory:") == 0;
}

static int open_flags(const open_options *options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
  if (options->readonly) return flags | SQLITE_OPEN_READONLY;
  bool create = !options->must_exist || is_memory(options->name);
  return flags | SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
}

static open_options options_of(fibril_args *args) {
  return (open_options){
      .name = fibril_arg_string(args, 0),
      .readonly = fibril_value_boolean(fibril_arg_option(args, 1, "readonly")),
      .must_exist = fibril_value_boolean(fibril_arg_option(args, 1, "fileMustExist")),
      .timeout = fibril_value_number(fibril_arg_option(args, 1, "timeout")),
  };
}

/* The struct without the connection, on the loop's thread. */
static int set_up(database *self, const open_options *options) {
  self->thrown = fibril_undefined();
  self->timeout = options->timeout;
  self->readonly = options->readonly;
  self->memory = is_memory(options->name);
  self->name = strdup(options->name);
  if (self->name == NULL) return UV_ENOMEM;
  environment *env = environment_here();
  int err = uv_mutex_init(&self->mutex);
  if (err == 0) {
    err = uv_cond_init(&self->called);
    if (err != 0) uv_mutex_destroy(&self->mutex);
  }
  if (err != 0) return err;
  self->ready = true;
  self->env = env;
  self->next = env->first;
  self->link = &env->first;
  if (env->first != NULL) env->first->link = &self->next;
  env->first = self;
  return 0;
}

/* *out is not NULL even after most failures, for the message. */
static int open_connection(const open_options *options, sqlite3 **out) {
  int rc = sqlite3_open_v2(options->name, out, open_flags(options), NULL);
  if (rc == SQLITE_OK) rc = sqlite3_db_config(*out, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_db_config(*out, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_db_config(*out, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
  return rc;
}

static fibril_value take_connection(database *self, sqlite3 *opened, int rc) {
  self->sqlite = opened;
  if (rc == SQLITE_OK) rc = sqlite3_busy_handler(opened, job_on_busy, self);
  if (rc == SQLITE_OK) {
    sqlite3_limit(opened, SQLITE_LIMIT_FUNCTION_ARG, ARGUMENTS_MAX);
    fibril_this_memory(self, CONNECTION_BYTES);
    return fibril_undefined();
  }
  fibril_value error = error_of(self, rc);
  sqlite3_close_v2(opened);
  self->sqlite = NULL;
  return error;
}

static fibril_value fail(int err) {
  return fibril_error(err, NULL);
}

fibril_value database_new(fibril_args *args) {
  database *self = fibril_this(args);
  open_options options = options_of(args);
  sqlite3 *opened = NULL;
  int err = set_up(self, &options);
  if (err != 0) return fail(err);
  int rc = open_connection(&options, &opened);
  return take_connection(self, opened, rc);
}

typedef struct {
  open_options options;
  sqlite3 *opened;
  int rc;
} opening;

static void run_opening(void *arg) {
  opening *self = arg;
  self->rc = open_connection(&self->options, &self->opened);
}

fibril_value database_open_later(fibril_args *args) {
  opening job = {.options = options_of(args)};
  fibril_value result = fibril_instance(environment_here()->databases);
  database *self = fibril_value_instance(result, NULL);
  if (self == NULL) return result;
  int err = set_up(self, &job.options);
  if (err == 0) err = fibril_work(run_opening, &job);
  if (err != 0) return fail(err);
  fibril_value error = take_connection(self, job.opened, job.rc);
  return fibril_is_error(error) ? error : result;
}

/* ---- Closing ---- */

/* They go where those are that have been collected. */
void database_leave_statements(database *self) {
  while (self->statements != NULL) {
    statement *each = self->statements;
    self->statements = each->next;
    *each->grave = (dead_statement){each->stmt, self->dead};
    self->dead = each->grave;
    each->grave = NULL;
    each->stmt = NULL;
    each->link = NULL;
  }
}

void database_closed(database *self) {
  self->sqlite = NULL;
  self->in_transaction = false;
  functions_release(self);
  fibril_this_memory(self, 0);
}

/* Its statements keep the struct: there are none left. */
void database_release(void *state) {
  database *self = state;
  if (!self->ready) {
    free(self->name);
    return;
  }
  if (self->link != NULL) {
    *self->link = self->next;
    if (self->next != NULL) self->next->link = self->link;
  }
  if (self->sqlite != NULL) {
    turn_bury(self);
    sqlite3_close_v2(self->sqlite);
  }
  functions_release(self);
  fibril_value_free(self->thrown);
  uv_cond_destroy(&self->called);
  uv_mutex_destroy(&self->mutex);
  free(self->name);
}
