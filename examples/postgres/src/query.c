/* Queries: sent, waited for, and ended in a way that the next one finds the connection ready. */
#include "connection.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* How long the server may take to confirm that a query has been cancelled. */
static const double CANCEL_TIMEOUT = 10000;

typedef struct {
  int count;
  const char **values;
  int *lengths, *formats;
} parameters;

static fibril_value bad_text(const char *what) {
  return fibril_error_type("TypeError", "ERR_INVALID_ARG_VALUE",
                           "%s must be shorter than 1 GiB and have no null bytes", what);
}

/* libpq takes texts up to their NUL, and lengths as int. */
static bool fits(const char *text, size_t length) {
  return length < INT_MAX / 2 && (text == NULL || memchr(text, '\0', length) == NULL);
}

static fibril_value parameters_read(parameters *out, fibril_value params) {
  for (int i = 0; i < out->count; i++) {
    fibril_value param = fibril_array_get(params, (size_t)i);
    size_t length = 0;
    const char *text = fibril_value_string(param, &length);
    const char *bytes = text == NULL ? fibril_value_buffer(param, &length) : NULL;
    if (!fits(text, length)) return bad_text("A parameter");
    out->values[i] = text != NULL ? text : bytes;
    out->lengths[i] = (int)length;
    out->formats[i] = text == NULL && fibril_value_kind(param) == FIBRIL_BUFFER;
    if (out->formats[i] && bytes == NULL) out->values[i] = ""; /* empty, not null */
  }
  return fibril_undefined();
}

/* Until the server has all of it; it may talk meanwhile, and waits until we listen. */
static fibril_value flush(connection *self) {
  for (;;) {
    int left = PQflush(self->pq);
    if (left == 0) return fibril_undefined();
    if (left < 0) return turn_lose(self);
    int err = turn_wait(self, UV_READABLE | UV_WRITABLE);
    if (err != 0) return fibril_error(err, NULL);
    if (!PQconsumeInput(self->pq)) return turn_lose(self);
  }
}

static fibril_value send_with(connection *self, const char *sql, const parameters *given) {
  if (!PQsendQueryParams(self->pq, sql, given->count, NULL, given->values, given->lengths,
                         given->formats, 0)) {
    if (PQstatus(self->pq) == CONNECTION_BAD) return turn_lose(self);
    const char *message = PQerrorMessage(self->pq);
    return fibril_error_type("Error", "08P01", "%.*s", (int)strcspn(message, "\n"), message);
  }
  return flush(self);
}

fibril_value query_send(connection *self, fibril_value sql, fibril_value params) {
  size_t length, count = fibril_array_length(params);
  const char *text = fibril_value_string(sql, &length);
  if (!fits(text, length)) return bad_text("The query");
  if (count > UINT16_MAX)
    return fibril_error_type("RangeError", "ERR_OUT_OF_RANGE",
                             "A query has at most 65535 parameters, not %zu", count);
  parameters given = {.count = (int)count};
  given.values = calloc(count + 1, sizeof *given.values);
  given.lengths = calloc(2 * count + 1, sizeof *given.lengths);
  fibril_value error = fibril_error(UV_ENOMEM, NULL);
  if (given.values != NULL && given.lengths != NULL) {
    given.formats = given.lengths + count;
    error = parameters_read(&given, params);
    if (!fibril_is_error(error)) error = send_with(self, text, &given);
  }
  free(given.values);
  free(given.lengths);
  return error;
}

/* COPY is not for this interface: the data goes nowhere, so that the query's error can come. */
static fibril_value refuse_copy(connection *self, ExecStatusType status) {
  char *data;
  int length = -1;
  if (status == PGRES_COPY_IN) {
    if (PQputCopyEnd(self->pq, "COPY FROM STDIN is not supported") < 0) return turn_lose(self);
    return flush(self);
  }
  while ((length = PQgetCopyData(self->pq, &data, 1)) >= 0) {
    PQfreemem(data);
    if (length > 0) continue;
    int err = turn_wait(self, UV_READABLE);
    if (err != 0) return fibril_error(err, NULL);
    if (!PQconsumeInput(self->pq)) return turn_lose(self);
  }
  return fibril_undefined();
}

/* The next result with an error of the server still in it. */
static PGresult *receive(connection *self, fibril_value *error) {
  *error = fibril_undefined();
  while (PQisBusy(self->pq)) {
    int err = turn_wait(self, UV_READABLE);
    if (err != 0) {
      *error = fibril_error(err, NULL);
      return NULL;
    }
    /* When the server has gone its last words may be in what came before. */
    if (!PQconsumeInput(self->pq) && PQisBusy(self->pq)) {
      *error = turn_lose(self);
      return NULL;
    }
  }
  return PQgetResult(self->pq);
}

/* After an error the server has nothing more to say than that it is ready. */
static void skip(connection *self) {
  fibril_value ignored;
  PGresult *result;
  while (self->pq != NULL && (result = receive(self, &ignored)) != NULL) PQclear(result);
}

/* What has no code the server did not say: the connection is lost. */
static fibril_value failure(connection *self, const PGresult *result) {
  bool said = PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL;
  return !said && PQstatus(self->pq) == CONNECTION_BAD ? turn_lose(self) : result_error(result);
}

PGresult *query_next(connection *self, fibril_value *error) {
  PGresult *result;
  while ((result = receive(self, error)) != NULL) {
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      *error = failure(self, result);
      skip(self);
    } else if (status == PGRES_COPY_IN) {
      *error = refuse_copy(self, status);
    } else if (status == PGRES_COPY_OUT) {
      *error = refuse_copy(self, status);
      if (!fibril_is_error(*error)) {
        *error = fibril_error_type("Error", "0A000", "COPY TO STDOUT is not supported");
        skip(self);
      }
    } else {
      return result;
    }
    PQclear(result);
    if (fibril_is_error(*error)) break;
  }
  return NULL;
}

/* PQcancel connects to the server and waits for its answer. */
static void cancel_on_server(void *arg) {
  char message[256];
  PQcancel(arg, message, sizeof message);
}

void query_cancel(PGcancel *cancel) {
  if (cancel != NULL) fibril_work(cancel_on_server, cancel);
  PQfreeCancel(cancel);
}

/* Asks the server to stop, and reads what it still sends. */
static void drain(connection *self) {
  fibril_value error;
  PGresult *result;
  query_cancel(PQgetCancel(self->pq));
  while ((result = receive(self, &error)) != NULL) {
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_IN) error = refuse_copy(self, status);
    if (fibril_is_error(error)) break;
  }
  if (fibril_is_error(error) && self->pq != NULL) turn_lose(self);
}

void query_end(connection *self) {
  fibril_mask();
  if (self->pq != NULL && PQtransactionStatus(self->pq) == PQTRANS_ACTIVE) {
    fibril_deadline_push(CANCEL_TIMEOUT);
    drain(self);
    fibril_deadline_pop();
  }
  if (self->pq != NULL && PQstatus(self->pq) == CONNECTION_BAD) turn_lose(self);
  fibril_unmask();
}

static fibril_value run(connection *self, fibril_value sql, fibril_value params) {
  fibril_value value = query_send(self, sql, params), error;
  if (fibril_is_error(value)) return value;
  PGresult *result;
  while ((result = query_next(self, &error)) != NULL) {
    value = result_value(result);
    PQclear(result);
  }
  return fibril_is_error(error) ? error : value;
}

fibril_value query_run(connection *self, uint32_t transaction, fibril_value sql,
                       fibril_value params) {
  fibril_value value = turn_take(self, transaction);
  if (fibril_is_error(value)) return value;
  value = run(self, sql, params);
  query_end(self);
  turn_give(self, transaction);
  return value;
}

fibril_value query_command(connection *self, uint32_t transaction, const char *sql) {
  return query_run(self, transaction, fibril_string(sql, FIBRIL_AUTO_LENGTH), fibril_array(0));
}
