/* What index.js builds upon: the class Connection. */
#include "connection.h"

static fibril_value do_connect(fibril_args *args) {
  return connection_open(fibril_this(args), fibril_arg_string(args, 0), fibril_arg_number(args, 1));
}

static fibril_value do_query(fibril_args *args) {
  return query_run(fibril_this(args), (uint32_t)fibril_arg_integer(args, 2), fibril_arg(args, 0),
                   fibril_arg(args, 1));
}

static fibril_value do_stream(fibril_args *args, fibril_generator *generator) {
  return connection_stream(fibril_this(args), (uint32_t)fibril_arg_integer(args, 2),
                           fibril_arg(args, 0), fibril_arg(args, 1), generator);
}

static fibril_value do_listen(fibril_args *args, fibril_generator *generator) {
  return connection_listen(fibril_this(args), fibril_arg_string(args, 0), generator);
}

static fibril_value do_transaction(fibril_args *args) {
  return connection_transact(fibril_this(args), fibril_arg_string(args, 0), fibril_arg(args, 1));
}

static fibril_value do_close(fibril_args *args) {
  connection_close(fibril_this(args));
  return fibril_undefined();
}

static fibril_value pid(fibril_args *args) {
  const connection *self = fibril_this(args);
  return fibril_number(self->pq == NULL ? 0 : PQbackendPID(self->pq));
}

static fibril_value connected(fibril_args *args) {
  const connection *self = fibril_this(args);
  return fibril_boolean(self->pq != NULL && !self->closing && PQstatus(self->pq) == CONNECTION_OK);
}

FIBRIL_MODULE(m) {
  fibril_class_options options = {
      .size = sizeof options, .state_size = sizeof(connection), .release = connection_release};
  fibril_class *cls = fibril_export_class(m, "Connection", &options);
  fibril_class_method(cls,
                      "connect(conninfo: string, timeout: number, "
                      "options: {signal?: AbortSignal}): Promise<void>",
                      do_connect, NULL);
  fibril_class_method(cls,
                      "query(sql: string, params: (string | bytes | null)[], transaction: uint32, "
                      "options: {signal?: AbortSignal}): Promise<object>",
                      do_query, NULL);
  fibril_class_method(cls,
                      "transaction(begin: string, fn: Function, "
                      "options: {signal?: AbortSignal}): Promise<any>",
                      do_transaction, NULL);
  fibril_class_async_generator(cls,
                               "stream(sql: string, params: (string | bytes | null)[], "
                               "transaction: uint32, options: {signal?: AbortSignal}): "
                               "AsyncGenerator<any>",
                               do_stream, NULL);
  fibril_class_async_generator(cls,
                               "listen(channel: string, options: {signal?: AbortSignal}): "
                               "AsyncGenerator<any>",
                               do_listen, NULL);
  fibril_class_method(cls, "close(): Promise<void>", do_close, NULL);
  fibril_class_getter(cls, "pid: number", pid);
  fibril_class_getter(cls, "connected: boolean", connected);
}
