/* A transaction around a JavaScript function: BEGIN, the function and its promise, COMMIT or
 * ROLLBACK. Queries that don't name the transaction wait until it has ended. */
#include "connection.h"

#include <string.h>

static fibril_value commit(connection *self, uint32_t transaction) {
  fibril_value done = query_command(self, transaction, "COMMIT");
  if (fibril_is_error(done)) return done;
  /* The server rolls back instead, and says so, when a statement has failed. */
  const char *command = fibril_value_string(fibril_object_get(done, "command"), NULL);
  if (command != NULL && strcmp(command, "COMMIT") == 0) return fibril_undefined();
  return fibril_error_type("Error", "25P02",
                           "The transaction was rolled back: a statement in it had failed");
}

static fibril_value transact(connection *self, uint32_t transaction, const char *begin,
                             fibril_value function) {
  fibril_value result = query_command(self, transaction, begin);
  if (fibril_is_error(result)) return result;
  fibril_value number = fibril_number(transaction);
  result = fibril_call(function, &number, 1);
  fibril_mask();
  if (fibril_is_error(result)) {
    query_command(self, transaction, "ROLLBACK");
  } else {
    fibril_value error = commit(self, transaction);
    if (fibril_is_error(error)) result = error;
  }
  fibril_unmask();
  return result;
}

fibril_value connection_transact(connection *self, const char *begin, fibril_value function) {
  int err = fibril_mutex_lock(&self->session);
  if (err != 0) return fibril_error(err, NULL);
  uint32_t transaction = ++self->transactions;
  if (transaction == 0) transaction = ++self->transactions; /* 0 means none */
  self->transaction = transaction;
  fibril_value result = transact(self, transaction, begin, function);
  self->transaction = 0;
  fibril_mutex_unlock(&self->session);
  return result;
}
