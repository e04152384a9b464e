/* Opening and closing. */
#include "connection.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
  const char *conninfo;
  PGconn *pq;
} opening;

/* On the thread pool: it looks up the host's name and reads the files of services and passwords. */
static void start(void *arg) {
  opening *self = arg;
  const char *const keywords[] = {"dbname", "client_encoding", "fallback_application_name", NULL};
  const char *const values[] = {self->conninfo, "UTF8", "fibril", NULL};
  self->pq = PQconnectStartParams(keywords, values, 1);
}

/* libpq's own prints to stderr. */
static void ignore_notice(void *arg, const PGresult *result) {
  (void)arg;
  (void)result;
}

static fibril_value refused(const connection *self) {
  if (self->closing) return fibril_error_type("Error", "08003", "The connection has been closed");
  const char *message = PQerrorMessage(self->pq);
  size_t length = strlen(message);
  while (length > 0 && message[length - 1] == '\n') length--;
  return fibril_error_type("Error", "08001", "%.*s", (int)length, message);
}

/* Until there is a connection libpq may take one socket after the other. From then on the same one
 * is waited for; the object has it, whoever waits. */
static fibril_value negotiate(connection *self) {
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  if (PQstatus(self->pq) == CONNECTION_BAD) return refused(self);
  while (next != PGRES_POLLING_OK) {
    int events = next == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE;
    int ready = fibril_poll_fd(PQsocket(self->pq), events, -1);
    if (ready < 0) return fibril_error(ready, NULL);
    if (!self->closing) next = PQconnectPoll(self->pq);
    if (self->closing || next == PGRES_POLLING_FAILED) return refused(self);
  }
  PQsetnonblocking(self->pq, 1);
  int err = fibril_poll_open(PQsocket(self->pq), &self->poll);
  if (err != 0) return fibril_error(err, NULL);
  fibril_poll_detach(self->poll);
  return fibril_undefined();
}

static fibril_value open_within(connection *self, const char *conninfo) {
  opening arg = {.conninfo = conninfo};
  int err = fibril_work(start, &arg);
  self->pq = arg.pq;
  if (err == 0 && self->pq == NULL) err = UV_ENOMEM;
  if (err != 0) return fibril_error(err, NULL);
  PQsetNoticeReceiver(self->pq, ignore_notice, NULL);
  return negotiate(self);
}

fibril_value connection_open(connection *self, const char *conninfo, double timeout) {
  fibril_value error = turn_take(self, 0);
  if (fibril_is_error(error)) return error;
  if (timeout > 0) fibril_deadline_push(timeout);
  error = open_within(self, conninfo);
  if (timeout > 0) fibril_deadline_pop();
  if (fibril_error_code(error) == UV_ETIMEDOUT)
    error = fibril_error(UV_ETIMEDOUT, "No connection within %g ms", timeout);
  if (fibril_is_error(error)) {
    turn_finish(self);
    snprintf(self->reason, sizeof self->reason, "There is no connection");
  }
  turn_give(self, 0);
  return error;
}

void connection_close(connection *self) {
  bool busy = fibril_mutex_trylock(&self->turn) != 0;
  PGcancel *cancel = NULL;
  self->closing = true;
  fibril_mask();
  if (busy) {
    /* Whoever waits for the server sees the connection's end; the server would compute on. */
    if (self->pq != NULL) {
      cancel = PQgetCancel(self->pq);
      shutdown(PQsocket(self->pq), SHUT_RDWR);
    }
    fibril_mutex_lock(&self->turn);
  }
  turn_stop_watching(self);
  turn_finish(self);
  listeners_wake(self);
  fibril_mutex_unlock(&self->turn);
  query_cancel(cancel);
  fibril_unmask();
}

void connection_release(void *state) {
  turn_finish(state);
}
