/* src/io/net and the kept polls, with failing calls. */
#include "scenario.h"
#include "../c/nothing.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A call that fails for ever may leave somebody waiting: not for long. */
#define ENOUGH_MS 200

/* What cannot be watched any more is told so. */
static bool in_time(int err) {
  return err == UV_ETIMEDOUT || err == UV_EBADF || OK(err);
}

/* ---- Streams ---- */

static fibril_value drain(void *arg) {
  static char buffer[100000];
  int64_t count;
  do count = fibril_stream_read(arg, buffer, sizeof buffer);
  while (count > 0);
  return count < 0 ? fibril_error((int)count, NULL) : fibril_undefined();
}

static void talk(fibril_stream *ends[2]) {
  static char much[400000];
  char text[64];
  fibril_socket fd;
  fibril_value rest;
  if (!OK(fibril_deadline_push(ENOUGH_MS))) return;
  fibril_future *reader = fibril_spawn(drain, ends[1], NULL);
  if (fibril_future_done(reader)) OK_VALUE(fibril_future_result(reader));
  int err = fibril_stream_write(ends[0], much, sizeof much);
  if (err == 0) err = fibril_stream_shutdown(ends[0]);
  in_time(err); /* the reader may have failed */
  int length = fibril_stream_address(ends[0], text, sizeof text);
  if (length < 0) OK(length);
  fibril_stream_close(ends[0]);
  in_time(fibril_error_code(fibril_await(reader)));
  fibril_future_unref(reader);
  err = fibril_stream_release(ends[1], &fd, &rest);
  if (OK(err)) {
    fibril_value_free(rest);
    close(fd);
  }
  fibril_deadline_pop();
}

static fibril_value talk_in_pair(void *arg) {
  fibril_stream *ends[2];
  (void)arg;
  if (OK(fibril_pipe_pair(ends))) talk(ends);
  return fibril_undefined();
}

SCENARIO(stream_pair) {
  scenario_run(loop, talk_in_pair, NULL);
}

static fibril_value read_ahead(void *arg) {
  fibril_stream *ends[2];
  char byte;
  (void)arg;
  if (!OK(fibril_pipe_pair(ends))) return fibril_undefined();
  bool wrote = OK(fibril_stream_write(ends[0], "abc", 3));
  int64_t count = wrote ? fibril_stream_read(ends[1], &byte, 1) : 0;
  if (OK(count < 0 ? count : 0) && wrote) {
    MUST(byte == 'a');
    fibril_reader reader;
    bool more = OK(fibril_stream_write(ends[0], "def", 3));
    for (int i = 0; i < 3; i++) fibril_moment();
    if (more && OK(fibril_reader_init(&reader, ends[1], 0))) {
      count = fibril_reader_read(&reader, &byte, 1);
      OK(count < 0 ? count : 0);
    }
  }
  return fibril_undefined();
}

SCENARIO(stream_read_ahead) {
  scenario_run(loop, read_ahead, NULL);
}

static fibril_value adopt(void *arg) {
  fibril_stream *ends[2];
  int fds[2];
  (void)arg;
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  if (!OK(fibril_stream_adopt(fds[0], &ends[0]))) {
    close(fds[0]);
    close(fds[1]);
  } else if (!OK(fibril_stream_adopt(fds[1], &ends[1]))) {
    close(fds[1]);
  } else {
    talk(ends);
  }
  return fibril_undefined();
}

SCENARIO(stream_of_others) {
  scenario_run(loop, adopt, NULL);
}

static fibril_value open_terminal(void *arg) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  fibril_stream *stream;
  (void)arg;
  MUST(grantpt(master) == 0 && unlockpt(master) == 0);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  if (OK(fibril_tty_open(slave, &stream)))
    OK(fibril_stream_write(stream, "x", 1));
  else
    close(slave);
  close(master);
  return fibril_undefined();
}

SCENARIO(stream_of_a_terminal) {
  scenario_run(loop, open_terminal, NULL);
}

static fibril_value wrap(void *arg) {
  static const fibril_stream_type type = {.size = sizeof type,
                                          .read = read_nothing,
                                          .write = write_nothing,
                                          .shutdown = shut_nothing,
                                          .close = close_nothing};
  fibril_stream *stream;
  (void)arg;
  if (OK(fibril_stream_wrap(&type, NULL, &stream))) OK(fibril_stream_shutdown(stream));
  return fibril_undefined();
}

SCENARIO(stream_of_a_type) {
  scenario_run(loop, wrap, NULL);
}

/* ---- Listeners ---- */

static int connect_blocking(int port) {
  struct sockaddr_in address;
  uv_ip4_addr("127.0.0.1", port, &address);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

static void meet(fibril_listener *listener, int client) {
  fibril_stream *server;
  if (!OK(fibril_deadline_push(ENOUGH_MS))) return;
  int err = fibril_listener_accept(listener, &server);
  fibril_deadline_pop();
  if (!in_time(err) || err != 0) return;
  MUST(write(client, "hi", 2) == 2);
  fibril_stream_abort(server);
}

/* Its last byte comes with a reset. */
static void part(fibril_listener *listener, int port) {
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  fibril_stream *server;
  char bytes[8]; /* more than come, so that libuv does not look for the rest */
  if (!OK(fibril_deadline_push(ENOUGH_MS))) return;
  int client = connect_blocking(port);
  int err = fibril_listener_accept(listener, &server);
  if (in_time(err) && err == 0) {
    MUST(write(client, "x", 1) == 1);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(client);
    client = -1;
    int64_t count = fibril_stream_read(server, bytes, sizeof bytes);
    while (count > 0) count = fibril_stream_read(server, bytes, sizeof bytes);
    if (count != UV_ECONNRESET) in_time((int)count);
  }
  fibril_deadline_pop();
  if (client >= 0) close(client);
}

static fibril_value listen_tcp(void *arg) {
  fibril_listen_options options = {
      .size = sizeof options,
      .reuseport = true,
      .connection = {.keepalive = 9, .send_buffer = 10000, .receive_buffer = 10000}};
  fibril_listener *listener;
  (void)arg;
  if (!OK(fibril_tcp_listen("127.0.0.1", 0, &options, &listener))) return fibril_undefined();
  int port = fibril_listener_port(listener);
  if (!OK(port < 0 ? port : 0)) return fibril_undefined();
  int client = connect_blocking(port);
  meet(listener, client);
  close(client);
  part(listener, port);
  return fibril_undefined();
}

SCENARIO(listener_of_tcp) {
  scenario_run(loop, listen_tcp, NULL);
}

static fibril_value listen_everywhere(void *arg) {
  fibril_listener *listener;
  (void)arg;
  OK(fibril_tcp_listen(NULL, 0, NULL, &listener));
  OK(fibril_tcp_listen("localhost", 0, NULL, &listener));
  int kept = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  OK(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener));
  dup2(kept, STDIN_FILENO);
  close(kept);
  return fibril_undefined();
}

SCENARIO(listener_of_all_addresses) {
  scenario_run(loop, listen_everywhere, NULL);
}

static fibril_value listen_unix(void *arg) {
  fibril_listen_options options = {.size = sizeof options, .mode = 0600};
  fibril_listener *listener;
  fibril_stream *client;
  char path[64];
  (void)arg;
  MUST(chdir("/tmp") == 0);
  snprintf(path, sizeof path, "fibril-failure-%d", (int)getpid());
  if (OK(fibril_pipe_listen(path, FIBRIL_AUTO_LENGTH, &options, &listener))) {
    if (OK(fibril_pipe_connect(path, FIBRIL_AUTO_LENGTH, &client))) fibril_stream_close(client);
    fibril_listener_close(listener);
  }
  unlink(path);
  return fibril_undefined();
}

SCENARIO(listener_of_a_path) {
  scenario_run(loop, listen_unix, NULL);
}

static fibril_value handle(fibril_stream *stream, void *arg) {
  (void)arg;
  OK(fibril_stream_write(stream, "hello", 5));
  return fibril_undefined();
}

static fibril_value serve(void *arg) {
  fibril_serve_options options = {.size = sizeof options, .limit = 1};
  if (!OK(fibril_deadline_push(ENOUGH_MS))) return fibril_undefined();
  int err = fibril_listener_serve(arg, handle, NULL, &options);
  if (err != UV_ECANCELED) in_time(err);
  fibril_deadline_pop();
  return fibril_undefined();
}

/* What a connection costs is told to the log hook, and by the peer's end. */
static void count_as_told(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)arg;
  OK_VALUE(error);
}

static fibril_value serve_and_ask(void *arg) {
  fibril_listener *listener;
  (void)arg;
  fibril_loop_set_log(fibril_loop_current(), count_as_told, NULL);
  if (!OK(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener))) return fibril_undefined();
  int port = fibril_listener_port(listener);
  if (!OK(port < 0 ? port : 0)) return fibril_undefined();
  int client = connect_blocking(port);
  fibril_future *serving = fibril_spawn(serve, listener, NULL);
  OK_VALUE(fibril_future_done(serving) ? fibril_future_result(serving) : fibril_undefined());
  for (int i = 0; i < 5; i++) fibril_moment();
  fibril_listener_ref(listener);
  fibril_listener_close(listener);
  fibril_await(serving);
  fibril_listener_unref(listener);
  fibril_future_unref(serving);
  close(client);
  return fibril_undefined();
}

SCENARIO(serving) {
  scenario_run(loop, serve_and_ask, NULL);
}
