/* JavaScript's functions in SQL. */
#ifndef SQLITE_FUNCTIONS_H
#define SQLITE_FUNCTIONS_H

#include "sqlite.h"

/* Of a group that is being aggregated: the object in which JavaScript keeps its state. */
struct group {
  fibril_value state;
  bool over;           /* SQLite has no more use for it, and nobody could be told */
  group *next, **link; /* of the database's */
};

struct function {
  database *db;
  function *next;
  char *name;
  int arguments; /* how many it takes, or -1 */
  bool safe_integers;
  fibril_value call; /* or of an aggregate what its values come from: */
  fibril_value step, inverse, start;
};

/* functions.c */

/* A function of the arguments that all have: name, count, options. NULL without memory. */
function *function_new(fibril_args *args);
/* What became of it: the result of the method, after which the database has it, or nobody. */
fibril_value function_defined(function *self, int rc);
void functions_release(database *db);
/* Calls one of JavaScript's with a group's state, unless that is NULL, and SQLite's values. Owned.
 */
fibril_value function_call(const function *self, fibril_value callee, const group *of, int argc,
                           sqlite3_value **argv);
void function_result(const function *self, sqlite3_context *context, fibril_value result);
/* The flags of sqlite3_create_function of the arguments. */
int function_flags(fibril_args *args);

/* aggregates.c: frees what is over, on the loop's thread. */
void groups_sweep(database *db);

/* hop.c: calls fn(arg) on the loop's thread, wherever SQLite is; false: that is no longer possible.
 */
bool hop(database *db, void (*fn)(void *arg), void *arg);
/* process.exit() has been called: nobody is called any more, and what is in the pool stops. */
fibril_value leave_all(fibril_args *args);

#endif /* SQLITE_FUNCTIONS_H */
