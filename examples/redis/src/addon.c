/* What index.js builds upon: the class Client. */
#include "client.h"

/* Waits deep in nothing: a thousand calls at once touch the less memory. */
static const fibril_export_options small = {.size = sizeof small, .stack_size = 32 * 1024};

static fibril_value do_open(fibril_args *args) {
  return client_open(fibril_this(args));
}

static fibril_value do_command(fibril_args *args) {
  return client_command(fibril_this(args), fibril_arg(args, 0), fibril_arg_boolean(args, 1));
}

static fibril_value do_transaction(fibril_args *args) {
  return client_transact(fibril_this(args), fibril_arg(args, 0), fibril_arg_boolean(args, 1));
}

static fibril_value do_subscribe(fibril_args *args, fibril_generator *generator) {
  subscription own = {
      .patterns = fibril_arg_boolean(args, 1),
      .buffers = fibril_arg_boolean(args, 2),
      .limit = (size_t)fibril_arg_integer(args, 3),
  };
  return client_subscribe(fibril_this(args), fibril_arg(args, 0), &own, generator);
}

static fibril_value do_close(fibril_args *args) {
  return client_close(fibril_this(args));
}

static fibril_value connected(fibril_args *args) {
  return fibril_boolean(((client *)fibril_this(args))->main->open);
}

static fibril_value pending(fibril_args *args) {
  const connection *main = ((client *)fibril_this(args))->main;
  return fibril_number((double)(main->next - main->first));
}

FIBRIL_MODULE(m) {
  fibril_class_options options = {
      .size = sizeof options, .state_size = sizeof(client), .release = client_release};
  fibril_class *cls = fibril_export_class(m, "Client", &options);
  fibril_class_constructor(cls,
                           "(options: {host: string, port: uint32, path?: path, username?: string, "
                           "password?: string, database: uint32, protocol: 2 | 3, timeout: number, "
                           "delay: number, maxDelay: number, attempts: number, maxBulk: number, "
                           "maxItems: number, maxDepth: number}, revive: Function)",
                           client_new);
  fibril_class_method(cls, "open(options: {signal?: AbortSignal}): Promise<void>", do_open, NULL);
  fibril_class_method(cls,
                      "command(args: (string | number | bigint | bytes)[], buffers: boolean): "
                      "Promise<any>",
                      do_command, &small);
  fibril_class_method(cls,
                      "commandWith(args: (string | number | bigint | bytes)[], buffers: boolean, "
                      "options: {signal?: AbortSignal}): Promise<any>",
                      do_command, &small);
  fibril_class_method(cls,
                      "transaction(commands: (string | number | bigint | bytes)[][], "
                      "buffers: boolean, options: {signal?: AbortSignal}): Promise<any>",
                      do_transaction, NULL);
  fibril_class_async_generator(cls,
                               "subscribe(channels: string[], patterns: boolean, buffers: boolean, "
                               "limit: uint32, options: {signal?: AbortSignal}): "
                               "AsyncGenerator<any>",
                               do_subscribe, NULL);
  fibril_class_method(cls, "close(): Promise<void>", do_close, NULL);
  fibril_class_getter(cls, "connected: boolean", connected);
  fibril_class_getter(cls, "pending: number", pending);
}
