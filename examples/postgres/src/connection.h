/* One connection to a PostgreSQL server. libpq never blocks here: it is asked what it waits for,
 * and the coroutine waits for that. What may block in spite of all (name lookup, the cancel
 * request) runs on the thread pool. */
#ifndef POSTGRES_CONNECTION_H
#define POSTGRES_CONNECTION_H

#include <fibril.h>
#include <libpq-fe.h>

typedef struct listener listener;

typedef struct {
  PGconn *pq;            /* NULL: not connected yet, lost or closed */
  fibril_poll *poll;     /* of its socket, once there is a connection */
  bool closing;          /* close() has been called */
  fibril_mutex session;  /* a transaction, or one query outside of any */
  fibril_mutex turn;     /* who talks to the server */
  uint32_t transaction;  /* the number of the one that runs, 0 for none */
  uint32_t transactions; /* how many there have been */
  fibril_future *watch;  /* reads notifications while nobody has the turn */
  listener *listeners;
  char reason[256]; /* why the connection is lost, for who comes later */
} connection;

/* Results are a fibril_value: undefined, or an error to be returned. */

/* connect.c */
fibril_value connection_open(connection *self, const char *conninfo, double timeout);
/* Ends what is running with an error of 08003. */
void connection_close(connection *self);
/* The struct's end, on the loop's stack. */
void connection_release(void *state);

/* turn.c: `transaction` is the number that connection_transact gave, 0 outside of one. */
fibril_value turn_take(connection *self, uint32_t transaction);
void turn_give(connection *self, uint32_t transaction);
/* Whoever has the turn needs the descriptor for itself. */
void turn_stop_watching(connection *self);
/* Waits for what libpq needs next; 0, or what fibril_poll_wait said. */
int turn_wait(connection *self, int events);
/* Frees what libpq has of the connection. */
void turn_finish(connection *self);
/* The connection is of no more use. Gives the error that says why. */
fibril_value turn_lose(connection *self);

/* query.c: only with the turn. */
fibril_value query_send(connection *self, fibril_value sql, fibril_value params);
/* The next result, which is the caller's; NULL with undefined in *error after the last one. */
PGresult *query_next(connection *self, fibril_value *error);
/* Leaves the connection ready for the next query, whatever has become of this one. */
void query_end(connection *self);
/* Has the server stop what it computes for a connection, and frees `cancel`, which may be NULL. */
void query_cancel(PGcancel *cancel);
/* A whole query: its result, as result_value makes it. */
fibril_value query_run(connection *self, uint32_t transaction, fibril_value sql,
                       fibril_value params);
/* The same for a statement of our own, without parameters. */
fibril_value query_command(connection *self, uint32_t transaction, const char *sql);

/* stream.c */
fibril_value connection_stream(connection *self, uint32_t transaction, fibril_value sql,
                               fibril_value params, fibril_generator *generator);

/* transact.c */
fibril_value connection_transact(connection *self, const char *begin, fibril_value function);

/* listen.c */
fibril_value connection_listen(connection *self, const char *channel, fibril_generator *generator);
/* Hands out what has come in. */
void listeners_deliver(connection *self);
void listeners_wake(connection *self);
fibril_value listeners_watch(void *state);

/* result.c */
fibril_value result_error(const PGresult *result);
fibril_value result_fields(const PGresult *result);
fibril_value result_row(const PGresult *result, int row);
fibril_value result_value(PGresult *result);

/* types.c: `text` ends with a NUL. */
fibril_value type_value(Oid type, const char *text, size_t length);

#endif /* POSTGRES_CONNECTION_H */
