/* MULTI, commands, EXEC: written together, so that nothing of others comes between. */
#include "client.h"

/* EXECABORT says that a command was refused, not which: their own errors do. */
static void add_errors(fibril_value error, fibril_value replies) {
  fibril_value errors = fibril_array(fibril_array_length(replies));
  for (size_t i = 1; i < fibril_array_length(replies); i++) {
    fibril_value reply = fibril_array_get(replies, i);
    fibril_array_push(errors, fibril_is_error(reply) ? fibril_value_dup(reply) : fibril_null());
  }
  fibril_error_set(error, "errors", errors);
}

fibril_value client_transact(client *self, fibril_value commands, bool buffers) {
  request what = {.args = commands, .transaction = true, .buffers = buffers};
  call own = {0};
  for (size_t i = 0; i < fibril_array_length(commands); i++) {
    fibril_value refused = client_refuse(fibril_array_get(commands, i), true);
    if (fibril_is_error(refused)) return refused;
  }
  fibril_value reply = connection_request(self->main, &what, &own);
  if (!fibril_is_error(reply)) return client_revived(self, reply, own.special);
  if (own.done && fibril_array_length(own.replies) > fibril_array_length(commands))
    add_errors(reply, own.replies);
  return reply;
}
