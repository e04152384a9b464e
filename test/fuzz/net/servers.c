/* Listeners of the world, who serves, and clients that hear what they have said. */
#include "../../../src/io/net/listener.h"
#include "net.h"

#include <stdlib.h>
#include <string.h>

static fibril_value echo(fibril_stream *stream, void *arg) {
  (void)arg;
  if (fuzz_once_in(4)) fibril_stream_unhold(stream);
  int64_t count = fibril_stream_copy(stream, stream);
  if (count >= 0 && fuzz_once_in(2)) fibril_stream_shutdown(stream);
  return count < 0 ? fibril_error((int)count, NULL) : fibril_undefined();
}

static int serve(int i) {
  fibril_serve_options options = {.size = sizeof options,
                                  .limit = (unsigned)fuzz_below(4),
                                  .grace = fuzz_once_in(2) ? fuzz_below(4) : 0};
  fibril_listener *listener = fibril_listener_ref(net.listeners[i]);
  int err = fibril_listener_serve(listener, echo, NULL, &options);
  bool closed = listener->handle.closed;
  fibril_listener_unref(listener);
  return err == UV_EBUSY ? 0 : net_judge(err, closed);
}

static int accept_one(int i) {
  fibril_stream *stream;
  fibril_listener *listener = fibril_listener_ref(net.listeners[i]);
  int err = fibril_listener_accept(listener, &stream);
  bool closed = listener->handle.closed;
  fibril_listener_unref(listener);
  if (err == 0 && fuzz_once_in(2)) fibril_stream_close(stream);
  return err == UV_EBUSY ? 0 : net_judge(err, closed);
}

int act_serve(void) {
  int i = fuzz_below(2);
  if (net.listeners[i] == NULL || net.listeners[i]->handle.closed) {
    fibril_listener *listener;
    int err = fibril_tcp_listen(fuzz_once_in(2) ? "127.0.0.1" : NULL, 0, NULL, &listener);
    if (err != 0) return net_judge(err, false);
    if (!fuzz_once_in(3)) fibril_listener_detach(listener);
    if (net.listeners[i] != NULL) fibril_listener_unref(net.listeners[i]);
    net.listeners[i] = fibril_listener_ref(listener);
    net.ports[i] = fibril_listener_port(listener);
    REQUIRE(net.ports[i] > 0);
  }
  switch (fuzz_below(8)) {
    case 0: fibril_listener_close(net.listeners[i]); return 0;
    case 1: fibril_listener_unhold(net.listeners[i]); return 0;
    case 2:
    case 3: return accept_one(i);
    default: return serve(i);
  }
}

/* ---- Clients ---- */

/* Of another machine's view: a port that was another listener's may be anybody's. */
static bool has_gone(int64_t status) {
  return status == UV_ECONNREFUSED || status == UV_ECONNRESET || status == UV_EPIPE ||
         status == UV_ENOTCONN || status == UV_ECONNABORTED;
}

static int64_t hear(fibril_stream *stream, const char *said, size_t length) {
  char heard[5000];
  size_t at = 0;
  for (;;) {
    int64_t count = fibril_stream_read(stream, heard, sizeof heard);
    if (count <= 0) return count;
    REQUIRE((size_t)count <= length - at && memcmp(heard, said + at, (size_t)count) == 0);
    at += (size_t)count;
  }
}

static int64_t talk(fibril_stream *stream) {
  size_t length = any_length();
  char *said = net_memory(length);
  for (size_t i = 0; i < length; i++) said[i] = (char)(i * 7 + i / 251);
  int64_t err = length > 60000 ? 0 : fibril_stream_write(stream, said, length);
  if (err == 0) err = fibril_stream_shutdown(stream);
  if (err == 0) err = hear(stream, said, length > 60000 ? 0 : length);
  free(said);
  return err;
}

int act_client(void) {
  fibril_stream *stream;
  int i = fuzz_below(2);
  if (net.ports[i] == 0) return 0;
  const char *host = fuzz_once_in(10) ? "localhost" : "127.0.0.1";
  int64_t err = fibril_tcp_connect(host, net.ports[i], NULL, &stream);
  if (has_gone(err) || (err <= UV_EAI_ADDRFAMILY && err >= UV_EAI_PROTOCOL))
    return 0; /* and no such name */
  if (err != 0) return net_judge(err, false);
  err = talk(stream);
  if (!fuzz_once_in(3)) fibril_stream_close(stream);
  return has_gone(err) ? 0 : net_judge(err, false);
}
