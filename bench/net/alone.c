/* Either server without Node: `alone fibril|callbacks|own`. As bench/net/server.js it prints its
 * port, and then, for each line that comes, what it has used. */
#include "echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uv_pipe_t input;

static void require(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "alone: %s\n", what);
  exit(1);
}

static double microseconds(struct timeval time) {
  return 1e6 * (double)time.tv_sec + (double)time.tv_usec;
}

static void report(void) {
  struct rusage usage;
  size_t resident = 0;
  getrusage(RUSAGE_SELF, &usage);
  uv_resident_set_memory(&resident);
  printf("{\"cpu\": %.0f, \"rss\": %zu}\n",
         microseconds(usage.ru_utime) + microseconds(usage.ru_stime), resident);
  fflush(stdout);
}

static void on_room_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  static char line[256];
  (void)handle;
  (void)suggested;
  *buf = uv_buf_init(line, sizeof line);
}

static void on_line(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
  (void)stream;
  (void)buf;
  if (count < 0) _exit(0);
  report();
}

static void announce(int port) {
  printf("%d\n", port);
  fflush(stdout);
}

static fibril_value serve(void *arg) {
  int port;
  require(echo_listen(&port) == 0, "it does not listen");
  announce(port);
  echo_serve(*(bool *)arg);
  return fibril_undefined();
}

int main(int argc, char **argv) {
  uv_loop_t *uv = uv_default_loop();
  const char *name = argc > 1 ? argv[1] : "";
  bool quiet = false, own = strcmp(name, "own") == 0;
  fibril_loop *loop;
  int port;
  require(uv_pipe_init(uv, &input, 0) == 0 && uv_pipe_open(&input, STDIN_FILENO) == 0, "no input");
  uv_read_start((uv_stream_t *)&input, on_room_wanted, on_line);
  if (own || strcmp(name, "callbacks") == 0) {
    require(callbacks_listen(uv, own, &port) == 0, "it does not listen");
    announce(port);
  } else {
    require(strcmp(name, "fibril") == 0, "usage: alone fibril|callbacks|own");
    require(fibril_loop_new(uv, &loop) == 0, "no loop");
    return fibril_loop_run_sync(loop, serve, &quiet, 0, NULL);
  }
  return uv_run(uv, UV_RUN_DEFAULT);
}
