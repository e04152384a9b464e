#include "pairs.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int make_memory_pair(fibril_stream *out[2]) {
  return fibril_memory_pair(0, out);
}

static int make_pipe_pair(fibril_stream *out[2]) {
  return fibril_pipe_pair(out);
}

static int make_tcp_pair(fibril_stream *out[2]) {
  fibril_listener *listener;
  struct sockaddr_in address;
  int err = fibril_tcp_listen("127.0.0.1", 0, NULL, &listener);
  if (err != 0) return err;
  uv_ip4_addr("127.0.0.1", fibril_listener_port(listener), &address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  err = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : UV_ECONNREFUSED;
  if (err == 0) err = fibril_stream_adopt(fd, &out[0]);
  if (err == 0) err = fibril_listener_accept(listener, &out[1]);
  fibril_listener_close(listener);
  return err;
}

const pair_kind pair_kinds[] = {
    {"memory", make_memory_pair, true},
    {"pipe", make_pipe_pair, false},
    {"tcp", make_tcp_pair, true},
};
const size_t pair_kind_count = sizeof pair_kinds / sizeof pair_kinds[0];

typedef struct {
  pair_scene scene;
  const pair_kind *kind;
} play;

static fibril_value play_scene(void *arg) {
  const play *one = arg;
  fibril_stream *ends[2];
  if (CHECK_INT(one->kind->make(ends), 0)) one->scene(ends[0], ends[1], one->kind);
  return fibril_undefined();
}

static void play_with(fibril_loop *loop, pair_scene scene, const pair_kind *kind) {
  play one = {scene, kind};
  if (!CHECK_INT(fibril_loop_run_sync(loop, play_scene, &one, 0, NULL), 0))
    FAIL("with a pair of kind %s", kind->name);
}

void with_every_pair(fibril_loop *loop, pair_scene scene) {
  for (size_t i = 0; i < pair_kind_count; i++) play_with(loop, scene, &pair_kinds[i]);
}

void with_memory(fibril_loop *loop, pair_scene scene) {
  play_with(loop, scene, &pair_kinds[0]);
}

int64_t outcome_of(fibril_future *future) {
  fibril_value value = fibril_await(future);
  int64_t outcome = fibril_is_error(value) ? fibril_error_code(value) : fibril_value_integer(value);
  fibril_future_unref(future);
  return outcome;
}
