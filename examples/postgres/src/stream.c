/* Rows as the server sends them: first the fields, then batches of rows. */
#include "connection.h"

/* What has come in together goes to JavaScript together, up to so many rows. */
enum { BATCH = 128 };

typedef struct {
  fibril_value rows; /* undefined: none yet */
  size_t count;
} batch;

static int batch_add(batch *self, const PGresult *result) {
  if (self->count == 0) self->rows = fibril_array(BATCH);
  fibril_value row = result_row(result, 0);
  if (fibril_is_error(self->rows) || fibril_is_error(row)) return UV_ENOMEM;
  self->count++;
  return fibril_array_push(self->rows, row);
}

static fibril_value batch_yield(batch *self, fibril_generator *generator) {
  if (self->count == 0) return fibril_undefined();
  self->count = 0;
  return fibril_yield(generator, self->rows);
}

static fibril_value rows(connection *self, fibril_generator *generator) {
  batch pending = {.count = 0};
  fibril_value error = fibril_undefined(), sent = fibril_undefined();
  bool begun = false;
  PGresult *result;
  while (!fibril_is_error(sent) && (result = query_next(self, &error)) != NULL) {
    if (!begun) sent = fibril_yield(generator, result_fields(result));
    begun = true;
    int err = PQresultStatus(result) == PGRES_SINGLE_TUPLE ? batch_add(&pending, result) : 0;
    PQclear(result);
    if (err != 0) return fibril_error(err, NULL);
    if (!fibril_is_error(sent) && (pending.count == BATCH || PQisBusy(self->pq)))
      sent = batch_yield(&pending, generator);
  }
  if (!fibril_is_error(sent)) sent = batch_yield(&pending, generator);
  return fibril_is_error(sent) ? sent : error;
}

fibril_value connection_stream(connection *self, uint32_t transaction, fibril_value sql,
                               fibril_value params, fibril_generator *generator) {
  fibril_value value = turn_take(self, transaction);
  if (fibril_is_error(value)) return value;
  value = query_send(self, sql, params);
  if (!fibril_is_error(value)) {
    PQsetSingleRowMode(self->pq);
    value = rows(self, generator);
  }
  query_end(self);
  turn_give(self, transaction);
  return value;
}
