/* What an environment, a database and a statement are. SQLite does one thing at a time for a
 * connection, and here that is looked after outside of it: a synchronous call has the connection
 * while it runs, an asynchronous one has it from the moment when it is its turn until its end. So
 * connections are opened without SQLite's own locks. */
#ifndef SQLITE_H
#define SQLITE_H

#include <fibril.h>
#include <sqlite3.h>

typedef struct database database;
typedef struct statement statement;
typedef struct function function;
typedef struct group group;
typedef struct job job;

/* A statement that was collected while somebody else used the connection. */
typedef struct dead_statement {
  sqlite3_stmt *stmt;
  struct dead_statement *next;
} dead_statement;

/* What a thread's loop has of its own: the data of the loop. */
typedef struct environment {
  fibril_class *databases, *statements;
  fibril_value named; /* JavaScript's: what an object has under the name of a parameter */
  fibril_poster *poster;
  database *first; /* of those that live */
} environment;

struct database {
  sqlite3 *sqlite; /* NULL: closed, or not opened */
  environment *env;
  database *next, **link; /* of the environment's */
  char *name;
  double timeout; /* how long to wait for another connection's lock, in milliseconds */
  bool ready;     /* the struct has been set up */
  bool readonly, memory, safe_integers;
  bool closing;          /* nothing new is taken */
  bool executing;        /* a synchronous call is in SQLite */
  unsigned backups;      /* that are under way, and go on after `closing` */
  fibril_event copied;   /* there are none any more */
  unsigned held;         /* synchronous transactions that are under way */
  bool busy;             /* an asynchronous one has its turn */
  bool in_transaction;   /* as of the last time that SQLite could be asked */
  unsigned iterators;    /* statements of which a loop in JavaScript reads rows */
  fibril_mutex session;  /* a transaction, or what is outside of any */
  fibril_mutex turn;     /* who has the connection */
  uint32_t transaction;  /* the number of the one that runs, 0 for none */
  bool begun;            /* its BEGIN is done: what comes now is in it, or refused */
  uint32_t transactions; /* how many there have been */
  job *job;              /* what the thread pool does for it */
  fibril_value thrown;   /* by a function of JavaScript's that SQLite called, until it is told */
  statement *statements; /* all of them */
  dead_statement *dead;  /* were collected while the connection was in use */
  function *functions;
  group *groups;    /* that are being aggregated */
  bool leaving;     /* process.exit() has been called */
  uv_mutex_t mutex; /* of calls to the loop's thread */
  uv_cond_t called;
};

/* A function's: SQLite is told so. */
enum { ARGUMENTS_MAX = 127 };

/* What a row becomes. */
typedef enum { ROW_OBJECT, ROW_FIRST, ROW_ARRAY, ROW_TABLES } row_mode;

struct statement {
  database *db;       /* counted; NULL: nobody has set it up */
  sqlite3_stmt *stmt; /* NULL: the database has been closed */
  statement *next, **link;
  dead_statement *grave; /* what is to be used when it is collected */
  int parameters;
  row_mode mode;
  bool safe_integers, bound, reader, readonly;
  bool busy; /* somebody reads its rows */
  char *source;
};

/* Results are a fibril_value: undefined, or an error to be returned. */

/* addon.c */
environment *environment_here(void);

/* errors.c: `offset` is where in the SQL, or -1. */
fibril_value error_of(database *db, int rc);
fibril_value error_closed(void);
fibril_value error_busy(void);
fibril_value error_misuse(const char *class_name, const char *code, const char *text);

/* codes.c */
const char *code_name(int extended);

/* database.c */
fibril_value database_new(fibril_args *args);
fibril_value database_open_later(fibril_args *args);
void database_release(void *state);
/* Closing a connection that nobody uses: in between turn_bury and sqlite3_close_v2, in the pool
 * if need be. */
void database_leave_statements(database *self);
void database_closed(database *self);

/* turn.c. A synchronous call is in SQLite between enter and leave. */
fibril_value database_enter(database *self);
void database_leave(database *self);
/* An asynchronous one; `transaction` is the number of the one that it belongs to, or 0. Refused
 * while a loop reads rows at once: as long as `iterators` isn't 0, nobody has a turn. */
fibril_value turn_take(database *self, uint32_t transaction);
/* For a step of something that was taken before `closing`. */
fibril_value turn_take_next(database *self);
/* Waits, with the turn, until no synchronous call or transaction is under way, of which this may be
 * part. 0, or the error of the wait. */
int turn_settle(const database *self);
/* The last one, after the backups that are under way: what comes later is refused. */
fibril_value turn_take_last(database *self);
void turn_give(database *self, uint32_t transaction);
/* Finalizes what was collected while the connection was in use. */
void turn_bury(database *self);

/* prepare.c: the first statement of `sql`; *tail is what comes behind it. On the pool's threads,
 * too. */
int prepare_next(database *db, const char **sql, const char *end, bool keep, sqlite3_stmt **out);
/* An object of JavaScript's for a statement, which it takes over, of this SQL. */
fibril_value prepare_statement(database *db, sqlite3_stmt *stmt, const char *sql);
fibril_value prepare_none(const char *text);

/* statement.c */
void statement_release(void *state);
/* Whether it may run now, with the connection: `reads` a result, or must not have one. */
typedef enum { FOR_RUN, FOR_ROWS, FOR_BINDING } purpose;
fibril_value statement_check(const statement *self, purpose purpose);
/* The end of a run: it holds no lock any more, and none of the caller's memory. A write that was
 * left before its end is committed by this: `result`, or the error of that instead. */
fibril_value statement_reset(statement *self, fibril_value result);

/* bind.c: what stands in `params` is used until statement_reset, or copied. */
fibril_value bind_all(statement *self, fibril_value params, bool copy);

/* rows.c: the row that a statement is at, also on a thread of the pool. */
fibril_value row_read(statement *self, row_mode mode, bool safe_integers);
fibril_value row_names(statement *self);
fibril_value value_of_integer(sqlite3_int64 integer, bool safe);

/* job.c: a step in the thread pool. While another connection has a lock it waits outside of the
 * pool and is done again, for as long as `timeout` of the database says. */
struct job {
  database *db;
  void (*run)(job *self);         /* in the pool: sets rc */
  bool (*retry)(const job *self); /* whether it may be done again; NULL: always */
  int rc;
  bool blocked;         /* SQLite would have waited for a lock */
  _Atomic bool stopped; /* the caller is cancelled, or the process ends */
};
fibril_value job_do(job *self);
/* What SQLite asks when another connection has a lock. */
int job_on_busy(void *db, int count);

#endif /* SQLITE_H */
