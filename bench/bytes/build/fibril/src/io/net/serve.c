/* Serving: a coroutine for each connection, in one group. */
#include "listener.h"

#include "../../core/future/group.h"
#include "../../core/switch/exceptions.h"
#include "../../core/switch/stack.h"
#include "stream.h"

#include <math.h>
#include <stdlib.h>

#define LIMIT 10000

typedef struct {
  fibril__serving serving;
  fibril_listener *listener;
  fibril_group *group;
  fibril_serve_fn handle;
  void *arg;
  fibril_sem room; /* for connections */
  fibril_spawn_options child;
} server;

/* From the listener to the coroutine that handles it, which takes it over at once. */
typedef struct {
  server *server;
  fibril_stream *stream;
} connection;

static fibril_value handle_connection(void *arg) {
  connection *one = arg;
  return one->server->handle(one->stream, one->server->arg);
}

/* Nobody else is told of what it fails with, but that it was ended. */
static void log_failure(fibril_value result) {
  if (!fibril_is_error(result) || fibril_error_code(result) == UV_ECANCELED) return;
  fibril__loop_log(fibril_loop_current(), "the handler of a connection failed", result);
}

static void make_room(void *arg) {
  fibril_sem_post(&((server *)arg)->room);
}

static fibril_value run_handler(void *arg) {
  connection one = *(connection *)arg;
  int err = fibril_defer(make_room, one.server);
  if (err != 0) make_room(one.server);
  if (err == 0) err = fibril__stream_own(one.stream);
  if (err != 0) {
    fibril_stream_close(one.stream);
    log_failure(fibril_error(err, NULL));
    return fibril_undefined();
  }
  fibril_value result =
      fibril__catch == NULL ? handle_connection(&one) : fibril__catch(handle_connection, &one);
  log_failure(result);
  fibril_value_free(result);
  return fibril_undefined();
}

/* On failure the connection is lost, and the next one may be luckier. */
static void start_handler(server *self, fibril_stream *stream) {
  connection one = {self, stream};
  fibril_stream_detach(stream);
  int err = fibril_group_spawn(self->group, run_handler, &one, &self->child);
  if (err == 0) return;
  fibril_stream_close(stream);
  make_room(self);
  log_failure(fibril_error(err, NULL));
}

static int serve_next(server *self) {
  fibril_stream *stream;
  int err = fibril_sem_wait(&self->room, -1);
  if (err != 0) return err;
  if (self->listener->handle.closed) return UV_ECANCELED;
  err = fibril__listener_accept(self->listener, &stream);
  if (err == 0)
    start_handler(self, stream);
  else
    make_room(self);
  if (err != UV_ENOMEM && err != UV_EEXIST) return err;
  log_failure(fibril_error(err, NULL));
  return 0;
}

/* Handlers have their grace, then they are cancelled; they are waited for in any case. */
static void end_serving(server *self, double grace) {
  fibril_mask();
  bool granted = grace > 0 && fibril_deadline_push(grace) == 0;
  if (!granted) fibril_group_cancel(self->group);
  fibril_group_wait(self->group);
  if (granted) fibril_deadline_pop();
  fibril_unmask();
}

/* It may wait for room. */
static void on_listener_closed(fibril__serving *serving) {
  fibril_sem_post(&FIBRIL__CONTAINER(server, serving, serving)->room);
}

static int begin_serving(server *self, const fibril_serve_options *options) {
  fibril_listener *listener = self->listener;
  int err = fibril__handle_check(&listener->handle);
  if (err != 0) return err;
  if (self->handle == NULL || options->size != sizeof *options || isnan(options->grace) ||
      (options->stack_size != 0 && fibril__stack_class(options->stack_size) < 0))
    return UV_EINVAL;
  if (listener->serving != NULL || listener->accepting) return UV_EBUSY;
  self->room.value = options->limit > 0 ? options->limit : LIMIT;
  self->child = (fibril_spawn_options){sizeof self->child, "connection", options->stack_size};
  self->group = fibril_group_new();
  return self->group == NULL ? UV_ENOMEM : 0;
}

int fibril_listener_serve(fibril_listener *listener, fibril_serve_fn handle, void *arg,
                          const fibril_serve_options *options) {
  static const fibril_serve_options none = {.size = sizeof none};
  if (options == NULL) options = &none;
  server self = {
      .serving = {on_listener_closed}, .listener = listener, .handle = handle, .arg = arg};
  int err = begin_serving(&self, options);
  if (err != 0) return err;
  fibril__handle_ref(&listener->handle);
  listener->serving = &self.serving;
  do err = serve_next(&self);
  while (err == 0);
  listener->serving = NULL;
  end_serving(&self, options->grace);
  fibril__group_end(self.group);
  fibril__handle_unref(&listener->handle);
  return err;
}
