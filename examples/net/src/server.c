#include "server.h"

/* A constructor is no coroutine: the listener is the struct's from the beginning, as one is that
 * was detached. The second reference is for the getter and the like, which may come after close. */
fibril_value server_open(server *self, int port, fibril_serve_fn handle) {
  int err = fibril_tcp_listen("127.0.0.1", port, NULL, &self->listener);
  if (err != 0) return fibril_error_uv(err, "listen", NULL);
  fibril_listener_ref(self->listener);
  self->handle = handle;
  return fibril_undefined();
}

static void server_release(void *state) {
  server *self = state;
  if (self->listener == NULL) return;
  fibril_listener_close(self->listener);
  fibril_listener_unref(self->listener);
}

static void count_down(void *arg) {
  ((server *)arg)->connections--;
}

static fibril_value handle_counted(fibril_stream *stream, void *arg) {
  server *self = arg;
  self->connections++;
  fibril_defer(count_down, self);
  return self->handle(stream, self);
}

/* It ends with an abort, a deadline, or close: that is what it was asked for. */
static fibril_value server_serve(fibril_args *args) {
  server *self = fibril_this(args);
  fibril_serve_options options = {.size = sizeof options};
  options.limit = (unsigned)fibril_value_integer(fibril_arg_option(args, 0, "limit"));
  options.grace = fibril_value_number(fibril_arg_option(args, 0, "grace"));
  int err = fibril_listener_serve(self->listener, handle_counted, self, &options);
  bool closed = err == UV_ECANCELED && !fibril_cancelled();
  return closed ? fibril_undefined() : fibril_error(err, NULL);
}

static fibril_value server_close(fibril_args *args) {
  server *self = fibril_this(args);
  fibril_listener_close(self->listener);
  return fibril_undefined();
}

static fibril_value server_port(fibril_args *args) {
  int port = fibril_listener_port(((server *)fibril_this(args))->listener);
  return port < 0 ? fibril_error_uv(port, "getsockname", NULL) : fibril_number(port);
}

static fibril_value server_connections(fibril_args *args) {
  return fibril_number(((server *)fibril_this(args))->connections);
}

void export_server(fibril_module *m, const char *name, const char *signature,
                   fibril_export_fn constructor) {
  fibril_class_options options = {sizeof options, sizeof(server), server_release};
  fibril_class *servers = fibril_export_class(m, name, &options);
  fibril_class_constructor(servers, signature, constructor);
  fibril_class_method(servers,
                      "/** Until it is aborted, or closed; `grace`: milliseconds for those who are "
                      "connected then. */"
                      "serve(options?: {limit?: uint32 = 1000, grace?: number = 0,"
                      " signal?: AbortSignal}): Promise<void>",
                      server_serve, NULL);
  fibril_class_method(servers, "close(): Promise<void>", server_close, NULL);
  fibril_class_getter(servers, "port: number", server_port);
  fibril_class_getter(servers, "connections: number", server_connections);
}
