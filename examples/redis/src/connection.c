/* Connecting, reading and writing, and what happens when that ends. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

/* A buffer that has grown beyond goes when it has been written. */
enum { KEPT = 256 * 1024 };

static const unsigned KEEPALIVE = 60;

connection *connection_new(settings *of) {
  connection *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  self->owners = 1;
  self->finished_end = &self->finished;
  self->settings = of;
  of->owners++;
  return self;
}

void connection_unref(connection *self) {
  if (self == NULL || --self->owners > 0) return;
  if (self->running != NULL) fibril_future_unref(self->running);
  fibril_value_free(self->failure);
  settings_unref(self->settings);
  bytes_free(&self->out);
  bytes_free(&self->spare);
  free(self->slots);
  free(self);
}

void connection_want(connection *self, int change) {
  bool before = self->wanted > 0;
  self->wanted += (unsigned)change;
  if (self->stream == NULL || before == (self->wanted > 0)) return;
  if (before)
    fibril_stream_unhold(self->stream);
  else
    fibril_stream_hold(self->stream);
}

/* ---- While it is open ---- */

/* All that there is at once, while the next commands are put into the other buffer. */
static fibril_value write_out(void *arg) {
  connection *self = arg;
  int err = fibril_pass(); /* others come in the same turn */
  while (err == 0 && self->out.length > 0) {
    bytes full = self->out;
    self->out = self->spare;
    self->spare = (bytes){0};
    err = fibril_stream_write(self->stream, full.data, full.length);
    full.length = 0;
    if (full.capacity > KEPT) bytes_free(&full);
    bytes_free(&self->spare);
    self->spare = full;
    fibril_cond_broadcast(&self->drained);
  }
  return fibril_undefined(); /* why it failed the reader sees */
}

int connection_flush(connection *self) {
  static const fibril_spawn_options options = {
      .size = sizeof options, .name = "redis: writes", .stack_size = 32 * 1024};
  if (self->writer != NULL && !fibril_future_done(self->writer)) return 0;
  if (self->writer != NULL) fibril_future_unref(self->writer);
  self->writer = fibril_spawn(write_out, self, &options);
  bool begun = !fibril_future_done(self->writer);
  return begun ? 0 : fibril_error_code(fibril_future_result(self->writer));
}

/* Before the stream goes. */
static void end_writer(connection *self) {
  if (self->writer == NULL) return;
  fibril_mask();
  fibril_cancel(self->writer);
  fibril_await(self->writer);
  fibril_unmask();
  fibril_future_unref(self->writer);
  self->writer = NULL;
}

static void before_wait(void *arg) {
  requests_wake(arg);
}

static int take_reply(connection *self, parser *replies) {
  fibril_value reply;
  int type = parser_next(replies);
  if (type < 0) return type;
  bool pushed = type == '>' || (self->pushes_only && type == '*');
  replies->buffers = pushed || requests_want_buffers(self);
  int err = parser_reply(replies, &reply);
  if (err != 0) return err;
  if (pushed) {
    messages_take(self, reply);
    requests_wake(self);
    return messages_wait_for_room(self);
  }
  if (!requests_settle(self, reply, replies->special)) {
    strcpy(replies->message, "a reply that nobody has asked for");
    return UV_EPROTO;
  }
  self->answered = true;
  return 0;
}

/* Until it ends: what ended it. */
static int exchange(connection *self, parser *replies) {
  int err = 0;
  replies->before_wait = before_wait;
  replies->arg = self;
  while (err == 0) err = take_reply(self, replies);
  self->open = false;
  end_writer(self);
  return err;
}

static void become_open(connection *self, fibril_stream *stream) {
  self->stream = stream;
  self->open = self->established = true;
  self->answered = false;
  if (self->wanted == 0) fibril_stream_unhold(stream);
  fibril_cond_broadcast(&self->changed);
}

static void slow_down(connection *self) {
  const settings *of = self->settings;
  self->delay = self->delay == 0 ? of->delay : 2 * self->delay;
  if (self->delay > of->max_delay) self->delay = of->max_delay;
}

/* Whether a command that waits for its reply was carried out, nobody knows: it is not sent again.
 */
static void become_lost(connection *self, fibril_value error) {
  self->open = false;
  self->stream = NULL;
  self->out.length = 0;
  fibril_value_free(self->failure);
  self->failure = fibril_value_dup(error);
  if (self->answered)
    self->delay = 0;
  else
    slow_down(self);
  self->dead = self->settings->attempts <= 0 && !fibril_cancelled();
  requests_fail(self, error);
  messages_end(self, self->closed ? fibril_undefined() : error);
  fibril_cond_broadcast(&self->drained);
}

/* ---- Connecting ---- */

static const char *place_of(const connection *self) {
  const settings *of = self->settings;
  const char *path = fibril_value_string(of->path, NULL);
  return path != NULL ? path : fibril_value_string(of->host, NULL);
}

static int dial(const connection *self, fibril_stream **stream) {
  const settings *of = self->settings;
  const char *path = fibril_value_string(of->path, NULL);
  fibril_tcp_options options = {.size = sizeof options, .keepalive = KEEPALIVE};
  if (path != NULL) return fibril_pipe_connect(path, FIBRIL_AUTO_LENGTH, stream);
  return fibril_tcp_connect(fibril_value_string(of->host, NULL), of->port, &options, stream);
}

/* A stream with a server that is ready for commands. */
static fibril_value reach(connection *self, fibril_stream **stream, parser *replies) {
  int err = dial(self, stream);
  if (err != 0) return error_connection(err, "connect", place_of(self));
  err = parser_init(replies, *stream, &self->settings->limits);
  fibril_value error =
      err != 0 ? fibril_error(err, NULL) : connection_shake_hands(self, *stream, replies);
  if (fibril_is_error(error)) {
    parser_free(replies);
    fibril_stream_abort(*stream);
  }
  return error;
}

/* Connects, and serves until that ends: undefined then, or the error of a failed attempt. */
static fibril_value attempt(connection *self) {
  fibril_stream *stream;
  parser replies;
  if (self->settings->timeout > 0) fibril_deadline_push(self->settings->timeout);
  fibril_value error = reach(self, &stream, &replies);
  if (self->settings->timeout > 0) fibril_deadline_pop();
  if (fibril_is_error(error)) return error;
  become_open(self, stream);
  int err = exchange(self, &replies);
  if (self->closed)
    error = error_closed();
  else if (err == UV_EPROTO)
    error = error_protocol(replies.message);
  else
    error = error_connection(err, "read", place_of(self));
  become_lost(self, error);
  parser_free(&replies);
  fibril_stream_close(stream);
  return fibril_undefined();
}

/* Between half and all of the delay, so that many clients do not come at the same time. */
static int back_off(const connection *self) {
  double part = 0.5 + (double)(uv_hrtime() / 1000 % 1000) / 2000;
  return self->delay > 0 ? fibril_sleep(self->delay * part) : 0;
}

static fibril_value run(void *arg) {
  connection *self = arg;
  fibril_value error = fibril_undefined();
  double left = self->established ? self->settings->attempts : 1;
  bool again = back_off(self) == 0;
  while (again && left-- > 0) {
    error = attempt(self);
    again = fibril_is_error(error) && !fibril_cancelled();
    if (!again) break;
    slow_down(self);
    again = left > 0 && back_off(self) == 0;
  }
  if (fibril_is_error(error) && !fibril_cancelled()) {
    fibril_value_free(self->failure);
    self->failure = fibril_value_dup(error);
    self->failures++;
  }
  fibril_cond_broadcast(&self->changed);
  connection_unref(self);
  return fibril_undefined();
}

static bool is_running(const connection *self) {
  return self->running != NULL && !fibril_future_done(self->running);
}

static void start(connection *self) {
  fibril_spawn_options options = {.size = sizeof options, .name = "redis: connection"};
  if (self->running != NULL) fibril_future_unref(self->running);
  self->owners++;
  self->running = fibril_spawn(run, self, &options);
  if (fibril_future_done(self->running) && fibril_is_error(fibril_future_result(self->running)))
    connection_unref(self); /* it has not run */
}

fibril_value connection_open(connection *self) {
  unsigned failures = self->failures;
  while (!self->open) {
    if (self->closed) return error_closed();
    if (self->dead || self->failures != failures) return fibril_value_dup(self->failure);
    if (!is_running(self)) {
      start(self);
      fibril_value error = fibril_future_result(self->running);
      if (fibril_is_error(error) && fibril_error_code(error) != FIBRIL_EPENDING)
        return fibril_value_dup(error);
    }
    if (self->open || self->failures != failures) continue;
    self->waiting++;
    int err = fibril_cond_wait(&self->changed, NULL, -1);
    self->waiting--;
    if (err == 0) continue;
    if (self->waiting == 0 && !self->open) connection_rest(self);
    return fibril_error(err, NULL);
  }
  return fibril_undefined();
}

void connection_rest(connection *self) {
  if (is_running(self)) fibril_cancel(self->running);
}

void connection_close(connection *self) {
  fibril_value error = error_closed();
  self->closed = true;
  requests_fail(self, error);
  fibril_value_free(error); /* where no coroutine runs it is ours */
  messages_end(self, fibril_undefined());
  fibril_cond_broadcast(&self->changed);
  fibril_cond_broadcast(&self->drained);
  connection_rest(self);
}
