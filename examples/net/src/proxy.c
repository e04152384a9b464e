/* A TCP proxy: every connection becomes one to the target's port. An end on one side is handed on
 * to the other, whose answer may take its time. */
#include "server.h"

static fibril_value handle_proxied(fibril_stream *stream, void *arg) {
  const server *self = arg;
  fibril_stream *target;
  int err = fibril_tcp_connect("127.0.0.1", self->target, NULL, &target);
  if (err == 0) err = fibril_stream_copy_both(stream, target);
  if (err != 0) fibril_stream_abort(stream); /* its end would look like a good one */
  return fibril_undefined();
}

static fibril_value proxy_new(fibril_args *args) {
  server *self = fibril_this(args);
  self->target = (int)fibril_arg_integer(args, 0);
  return server_open(self, (int)fibril_arg_integer(args, 1), handle_proxied);
}

void export_proxy(fibril_module *m) {
  export_server(m, "Proxy", "(target: uint32, port?: uint32 = 0)", proxy_new);
}
