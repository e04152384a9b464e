/* The peer: libuv's callbacks, as few calls of the system as they allow. */
#include "echo.h"

#include <stdlib.h>
#include <string.h>

#define OWN_SIZE (16 * 1024)

static char shared[64 * 1024]; /* each read is answered before the next one */
static bool has_own;

typedef struct {
  uv_tcp_t tcp;
  char buffer[]; /* where it has its own */
} connection;

typedef struct {
  uv_write_t req;
  char data[];
} rest;

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static void on_written(uv_write_t *req, int status) {
  (void)status;
  free(req);
}

static void on_room_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  if (has_own)
    *buf = uv_buf_init(((connection *)handle)->buffer, OWN_SIZE);
  else
    *buf = uv_buf_init(shared, sizeof shared);
}

static void write_rest(uv_stream_t *stream, const char *data, size_t length) {
  rest *one = malloc(sizeof *one + length);
  if (one == NULL) abort();
  memcpy(one->data, data, length);
  uv_buf_t buf = uv_buf_init(one->data, (unsigned)length);
  if (uv_write(&one->req, stream, &buf, 1, on_written) != 0) abort();
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
  if (count < 0) {
    uv_close((uv_handle_t *)stream, on_closed);
  } else if (count > 0) {
    uv_buf_t data = uv_buf_init(buf->base, (unsigned)count);
    int written = uv_try_write(stream, &data, 1);
    size_t taken = written > 0 ? (size_t)written : 0;
    if (taken < (size_t)count) write_rest(stream, buf->base + taken, (size_t)count - taken);
  }
}

static void on_connection(uv_stream_t *server, int status) {
  connection *one = malloc(sizeof *one + (has_own ? OWN_SIZE : 0));
  if (status != 0 || one == NULL) abort();
  uv_tcp_init(server->loop, &one->tcp);
  if (uv_accept(server, (uv_stream_t *)&one->tcp) != 0) abort();
  uv_tcp_nodelay(&one->tcp, 1);
  uv_read_start((uv_stream_t *)&one->tcp, on_room_wanted, on_read);
}

int callbacks_listen(uv_loop_t *loop, bool own, int *port) {
  static uv_tcp_t server;
  struct sockaddr_in address;
  int size = sizeof address;
  has_own = own;
  uv_ip4_addr("127.0.0.1", 0, &address);
  int err = uv_tcp_init(loop, &server);
  if (err == 0) err = uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
  if (err == 0) err = uv_listen((uv_stream_t *)&server, BACKLOG, on_connection);
  if (err == 0) err = uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size);
  *port = ntohs(address.sin_port);
  return err;
}
