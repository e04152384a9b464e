/* Aggregates of JavaScript's that SQL calls. Their state is JavaScript's, an object for each group,
 * which C only keeps. */
#include "functions.h"

#include "methods.h"

#include <stdlib.h>

typedef enum { STEP, INVERSE, VALUE, FINAL } action;

typedef struct {
  sqlite3_context *context;
  int argc;
  sqlite3_value **argv;
  action action;
} invocation;

static group *group_new(function *fn) {
  database *db = fn->db;
  group *self = malloc(sizeof *self);
  if (self == NULL) return NULL;
  *self = (group){.state = function_call(fn, fn->start, NULL, 0, NULL)};
  self->next = db->groups;
  self->link = &db->groups;
  if (db->groups != NULL) db->groups->link = &self->next;
  db->groups = self;
  return self;
}

static void group_free(group *self) {
  *self->link = self->next;
  if (self->next != NULL) self->next->link = self->link;
  fibril_value_free(self->state);
  free(self);
}

void groups_sweep(database *db) {
  for (group *each = db->groups, *next; each != NULL; each = next) {
    next = each->next;
    if (each->over) group_free(each);
  }
}

/* Of nothing there is no group before its end; then it begins with that. NULL: it has failed. */
static group *group_of(const invocation *self, function *fn) {
  group **place = sqlite3_aggregate_context(self->context, sizeof *place);
  if (place != NULL && *place == NULL) *place = group_new(fn);
  if (place == NULL || *place == NULL) {
    sqlite3_result_error_nomem(self->context);
    return NULL;
  }
  group *of = *place;
  if (!fibril_is_error(of->state)) return of;
  fibril_value error = of->state;
  of->state = fibril_undefined();
  function_result(fn, self->context, error);
  return NULL;
}

static void call_aggregate(void *arg) {
  const invocation *self = arg;
  function *fn = sqlite3_user_data(self->context);
  /* After a failure it is only put away. */
  group *of = fibril_is_error(fn->db->thrown) ? NULL : group_of(self, fn);
  if (of != NULL && fibril_value_kind(of->state) == FIBRIL_REFERENCE) {
    bool adds = self->action == STEP || self->action == INVERSE;
    fibril_value callee = self->action == STEP      ? fn->step
                          : self->action == INVERSE ? fn->inverse
                                                    : fn->call;
    fibril_value result = function_call(fn, callee, of, self->argc, self->argv);
    if (!adds || fibril_is_error(result))
      function_result(fn, self->context, result);
    else
      fibril_value_free(result);
  }
  if (self->action != FINAL) return;
  group **place = sqlite3_aggregate_context(self->context, 0);
  if (place != NULL && *place != NULL) group_free(*place);
}

static void act(sqlite3_context *context, int argc, sqlite3_value **argv, action action) {
  invocation self = {context, argc, argv, action};
  const function *fn = sqlite3_user_data(context);
  if (hop(fn->db, call_aggregate, &self)) return;
  sqlite3_result_error_code(context, SQLITE_INTERRUPT);
  group **place = action == FINAL ? sqlite3_aggregate_context(context, 0) : NULL;
  if (place != NULL && *place != NULL) (*place)->over = true;
}

static void on_step(sqlite3_context *context, int argc, sqlite3_value **argv) {
  act(context, argc, argv, STEP);
}

static void on_inverse(sqlite3_context *context, int argc, sqlite3_value **argv) {
  act(context, argc, argv, INVERSE);
}

static void on_value(sqlite3_context *context) {
  act(context, 0, NULL, VALUE);
}

static void on_final(sqlite3_context *context) {
  act(context, 0, NULL, FINAL);
}

enum { START = 3, STEPS, INVERSES, RESULT };

static fibril_value define(database *self, fibril_args *args) {
  function *fn = function_new(args);
  if (fn == NULL) return fibril_error(UV_ENOMEM, NULL);
  fn->start = fibril_value_dup(fibril_arg(args, START));
  fn->step = fibril_value_dup(fibril_arg(args, STEPS));
  fn->inverse = fibril_value_dup(fibril_arg(args, INVERSES));
  fn->call = fibril_value_dup(fibril_arg(args, RESULT));
  int flags = function_flags(args);
  if (!fibril_arg_given(args, INVERSES))
    return function_defined(fn,
                            sqlite3_create_function_v2(self->sqlite, fn->name, fn->arguments, flags,
                                                       fn, NULL, on_step, on_final, NULL));
  return function_defined(fn, sqlite3_create_window_function(self->sqlite, fn->name, fn->arguments,
                                                             flags, fn, on_step, on_final, on_value,
                                                             on_inverse, NULL));
}

fibril_value database_aggregate(fibril_args *args) {
  database *self = fibril_this(args);
  fibril_value result = database_enter(self);
  if (fibril_is_error(result)) return result;
  result = define(self, args);
  database_leave(self);
  return result;
}
