/* Wires of every kind. */
#define _GNU_SOURCE
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int make_unix_pair(fibril_stream *streams[2]) {
  return fibril_pipe_pair(streams);
}

static int make_memory(fibril_stream *streams[2]) {
  return fibril_memory_pair(1 + (size_t)fuzz_below(fuzz_once_in(2) ? 20 : 5000), streams);
}

/* Blocking at first, of somebody else's. */
static int make_adopted(fibril_stream *streams[2]) {
  int fds[2], small = 1;
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  if (fuzz_once_in(2)) setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  int err = fibril_stream_adopt(fds[0], &streams[0]);
  if (err != 0) close(fds[0]);
  if (err == 0 && (err = fibril_stream_adopt(fds[1], &streams[1])) != 0)
    fibril_stream_close(streams[0]);
  if (err != 0) close(fds[1]);
  return err;
}

static int connect_to(fibril_listener *listener, const char *name, size_t length,
                      const fibril_tcp_options *options, fibril_stream *streams[2]) {
  int err = length == 0
                ? fibril_tcp_connect("127.0.0.1", fibril_listener_port(listener), options, streams)
                : fibril_pipe_connect(name, length, streams);
  if (err == 0 && (err = fibril_listener_accept(listener, &streams[1])) != 0)
    fibril_stream_close(streams[0]);
  fibril_listener_close(listener);
  return err;
}

static int make_tcp(fibril_stream *streams[2]) {
  fibril_listener *listener;
  fibril_tcp_options options = {.size = sizeof options};
  fibril_listen_options accepted = {.size = sizeof accepted};
  if (fuzz_once_in(2)) options.send_buffer = options.receive_buffer = 4096;
  if (fuzz_once_in(2)) accepted.connection.send_buffer = 4096;
  int err = fibril_tcp_listen("127.0.0.1", 0, &accepted, &listener);
  return err != 0 ? err : connect_to(listener, NULL, 0, &options, streams);
}

static int make_unix(fibril_stream *streams[2]) {
  char name[64] = "";
  fibril_listener *listener;
  size_t length =
      1 + (size_t)snprintf(name + 1, sizeof name - 1, "fibril-fuzz-%d-%d", getpid(), ++net.names);
  int err = fibril_pipe_listen(name, length, NULL, &listener);
  return err != 0 ? err : connect_to(listener, name, length, NULL, streams);
}

typedef int maker(fibril_stream *streams[2]);

/* Those that have nothing in between. */
static int make_plain(fibril_stream *streams[2], wire *one) {
  static maker *const makers[] = {make_tcp, make_unix_pair, make_memory, make_adopted, make_unix};
  int i = fuzz_below(5), err = makers[i](streams);
  one->tcp = one->tcp || i == 0;
  one->exact = true;
  return err;
}

/* ---- Wrapped: bits turned around, in pieces of any length ---- */

typedef struct {
  fibril_stream *inner;
  char mask;
} turned;

static void turn(const turned *self, char *data, size_t length) {
  for (size_t i = 0; i < length; i++) data[i] ^= self->mask;
}

static int64_t read_turned(void *arg, void *buffer, size_t length) {
  turned *self = arg;
  if (fuzz_once_in(3) && length > 1) length = 1 + (size_t)fuzz_below((int)length - 1);
  int64_t count = fibril_stream_read(self->inner, buffer, length);
  if (count > 0) turn(self, buffer, (size_t)count);
  return count;
}

static int64_t tryread_turned(void *arg, void *buffer, size_t length) {
  turned *self = arg;
  int64_t count = fibril_stream_tryread(self->inner, buffer, length);
  if (count > 0) turn(self, buffer, (size_t)count);
  return count;
}

static int write_turned(void *arg, const uv_buf_t *buffers, unsigned count) {
  turned *self = arg;
  int err = 0;
  for (unsigned i = 0; i < count && err == 0; i++) {
    char *copy = net_memory(buffers[i].len);
    if (buffers[i].len > 0) memcpy(copy, buffers[i].base, buffers[i].len);
    turn(self, copy, buffers[i].len);
    err = fibril_stream_write(self->inner, copy, buffers[i].len);
    free(copy);
  }
  return err;
}

static int shutdown_turned(void *arg) {
  return fibril_stream_shutdown(((turned *)arg)->inner);
}

static void close_turned(void *arg) {
  fibril_stream_close(((turned *)arg)->inner);
}

static void release_turned(void *arg) {
  fibril_stream_unref(((turned *)arg)->inner);
  free(arg);
}

static void abort_turned(void *arg) {
  fibril_stream_abort(((turned *)arg)->inner);
}

static const fibril_stream_type turned_type = {.size = sizeof turned_type,
                                               .name = "turned",
                                               .read = read_turned,
                                               .write = write_turned,
                                               .shutdown = shutdown_turned,
                                               .close = close_turned,
                                               .release = release_turned,
                                               .tryread = tryread_turned,
                                               .abort = abort_turned};

static int wrap(fibril_stream **stream, char mask) {
  turned *self = net_memory(sizeof *self);
  *self = (turned){fibril_stream_ref(*stream), mask};
  fibril_stream_detach(*stream);
  int err = fibril_stream_wrap(&turned_type, self, stream);
  if (err != 0) release_turned(self);
  return err;
}

static int make_wrapped(fibril_stream *streams[2], wire *one) {
  int err = make_plain(streams, one);
  if (err != 0) return err;
  char mask = (char)fuzz_below(256);
  one->exact = false;
  for (int i = 0; i < 2 && err == 0; i++) err = wrap(&streams[i], mask);
  if (err != 0)
    for (int i = 0; i < 2; i++) fibril_stream_close(streams[i]);
  return err;
}

/* ---- A proxy between two wires ---- */

typedef struct {
  wire *wire;
  fibril_stream *inner[2];
} relay;

/* What fails in between may lose bytes: that is known before anybody sees it. */
static void end_relay(relay *self, bool failed) {
  if (failed) self->wire->rough = true;
  for (int i = 0; i < 2; i++) fibril_stream_close(self->inner[i]);
  wire_put(self->wire);
  free(self);
}

static fibril_value run_relay(void *arg) {
  relay *self = arg;
  end_relay(self, fibril_stream_copy_both(self->inner[0], self->inner[1]) != 0);
  return fibril_undefined();
}

static int start_relay(wire *one, fibril_stream *left, fibril_stream *right) {
  static const fibril_spawn_options options = {.size = sizeof options, .name = "relay"};
  relay *self = net_memory(sizeof *self);
  *self = (relay){one, {left, right}};
  one->users++;
  for (int i = 0; i < 2; i++) fibril_stream_detach(self->inner[i]);
  fibril_future *future = fibril_spawn(run_relay, self, &options);
  /* With an error it has not run. */
  int err = fibril_future_done(future) ? fibril_error_code(fibril_future_result(future)) : 0;
  fibril_future_unref(future);
  if (err != 0) end_relay(self, true);
  return err;
}

static int make_relayed(fibril_stream *streams[2], wire *one) {
  fibril_stream *left[2], *right[2];
  int err = make_plain(left, one);
  if (err != 0) return err;
  err = make_plain(right, one);
  one->exact = false;
  if (err != 0) {
    for (int i = 0; i < 2; i++) fibril_stream_close(left[i]);
    return err;
  }
  streams[0] = left[0];
  streams[1] = right[1];
  err = start_relay(one, left[1], right[0]);
  if (err != 0)
    for (int i = 0; i < 2; i++) fibril_stream_close(streams[i]);
  return err;
}

int wire_make(fibril_stream *streams[2], wire *one) {
  switch (fuzz_below(8)) {
    case 0: return make_wrapped(streams, one);
    case 1: return make_relayed(streams, one);
    default: return make_plain(streams, one);
  }
}
