/* A coroutine for each connection. */
#include "echo.h"

#include <stdlib.h>

#define BUFFER_SIZE (16 * 1024)

static fibril_listener *listener;

int echo_listen(int *port) {
  fibril_listen_options options = {.size = sizeof options, .backlog = BACKLOG};
  int err = fibril_tcp_listen("127.0.0.1", 0, &options, &listener);
  if (err != 0) return err;
  fibril_listener_detach(listener);
  *port = fibril_listener_port(listener);
  return 0;
}

static fibril_value echo(fibril_stream *stream, void *arg) {
  (void)arg;
  char buffer[BUFFER_SIZE];
  int64_t count;
  int err = 0;
  while (err == 0 && (count = fibril_stream_read(stream, buffer, sizeof buffer)) > 0)
    err = fibril_stream_write(stream, buffer, (size_t)count);
  return fibril_undefined();
}

/* The first byte has come; the others are there. */
static int answer(fibril_stream *stream, char first) {
  char *buffer = malloc(BUFFER_SIZE);
  if (buffer == NULL) return UV_ENOMEM;
  buffer[0] = first;
  int64_t count = fibril_stream_tryread(stream, buffer + 1, BUFFER_SIZE - 1);
  int err = fibril_stream_write(stream, buffer, count > 0 ? (size_t)count + 1 : 1);
  free(buffer);
  return err;
}

static fibril_value echo_quietly(fibril_stream *stream, void *arg) {
  (void)arg;
  char first;
  while (fibril_stream_read(stream, &first, 1) == 1 && answer(stream, first) == 0) continue;
  return fibril_undefined();
}

int echo_serve(bool quiet) {
  fibril_serve_options options = {.size = sizeof options, .limit = 100000};
  return fibril_listener_serve(listener, quiet ? echo_quietly : echo, NULL, &options);
}
