/* Listeners, and serving. */
#include "test.h"

#include "../../src/core/loop/loop.h"
#include "../../src/io/net/uv_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int code_of(fibril_future *future) {
  fibril_value value = fibril_await(future);
  int code = fibril_is_error(value) ? fibril_error_code(value) : 0;
  fibril_future_unref(future);
  return code;
}

static fibril_value run_scene(void *arg) {
  void (*scene)(void) = *(void (**)(void))arg;
  scene();
  return fibril_undefined();
}

#define SCENE_TEST(name)                                                  \
  static void scene_##name(void);                                         \
  LOOP_TEST(name) {                                                       \
    void (*scene)(void) = scene_##name;                                   \
    CHECK_INT(fibril_loop_run_sync(loop, run_scene, &scene, 0, NULL), 0); \
  }                                                                       \
  static void scene_##name(void)

/* A blocking client, whose connection the kernel makes. */
static int connect_blocking(int port) {
  struct sockaddr_in address;
  uv_ip4_addr("127.0.0.1", port, &address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

static int connect_stream(int port, fibril_stream **out) {
  int fd = connect_blocking(port);
  return fd < 0 ? UV_ECONNREFUSED : fibril__uv_stream_of(UV_TCP, fd, true, out);
}

/* ---- Listening ---- */

/* The names are those of io_net_dns_test.c. */
SCENE_TEST(listener_has_the_first_address_of_a_name) {
  fibril_listener *listener;
  CHECK_INT(fibril_tcp_listen("two.test", 0, NULL, &listener), 0);
  CHECK(fibril_listener_port(listener) > 0);
  CHECK_INT(fibril_tcp_listen("error-2.test", 0, NULL, &listener), UV_EAI_NONAME);
}

SCENE_TEST(listener_refuses_what_is_no_address) {
  fibril_listener *listener;
  fibril_listen_options options = {.size = 1};
  CHECK_INT(fibril_tcp_listen("127.0.0.1", -1, NULL, &listener), UV_EINVAL);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 65536, NULL, &listener), UV_EINVAL);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, &options, &listener), UV_EINVAL);
  options = (fibril_listen_options){.size = sizeof options, .connection.size = 3};
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, &options, &listener), UV_EINVAL);
  options = (fibril_listen_options){.size = sizeof options, .backlog = -1};
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, &options, &listener), UV_EINVAL);
  CHECK_INT(fibril_tcp_listen("203.0.113.1", 0, NULL, &listener), UV_EADDRNOTAVAIL);
  CHECK_INT(fibril_pipe_listen(NULL, 1, NULL, &listener), UV_EINVAL);
  CHECK_INT(fibril_pipe_listen("x", 1, NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_pipe_listen("x", 1, &options, &listener), UV_EINVAL);
  CHECK_INT(fibril_pipe_listen("/no/such/folder/x", FIBRIL_AUTO_LENGTH, NULL, &listener),
            UV_ENOENT);
  char longest[200];
  memset(longest, 'x', sizeof longest);
  CHECK_INT(fibril_pipe_listen(longest, sizeof longest, NULL, &listener), UV_ENAMETOOLONG);
}

TEST(listener_outside_of_a_loop) {
  fibril_listener *listener;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_pipe_listen("x", 1, NULL, &listener), FIBRIL_ENOTCOROUTINE);
}

SCENE_TEST(listener_has_its_port_to_itself) {
  fibril_listener *one, *two;
  fibril_listen_options shared = {.size = sizeof shared, .reuseport = true};
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &one), 0);
  int port = fibril_listener_port(one);
  CHECK(port > 0);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", port, NULL, &two), UV_EADDRINUSE);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", port, &shared, &two), UV_EADDRINUSE);
  fibril_listener_ref(one);
  fibril_listener_close(one);
  CHECK_INT(fibril_listener_port(one), UV_EBADF);
  fibril_listener_unref(one);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", port, &shared, &one), 0);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", port, &shared, &two), 0);
}

/* Both families, where the machine has both. */
SCENE_TEST(listener_hears_of_all_addresses) {
  fibril_listener *listener, *only;
  fibril_listen_options options = {.size = sizeof options, .ipv6only = true};
  fibril_stream *client, *server;
  CHECK_INT(fibril_tcp_listen(NULL, 0, NULL, &listener), 0);
  CHECK_INT(connect_stream(fibril_listener_port(listener), &client), 0);
  CHECK_INT(fibril_listener_accept(listener, &server), 0);
  int err = fibril_tcp_listen("::", 0, &options, &only);
  CHECK(err == 0 || err == UV_EAFNOSUPPORT || err == UV_EADDRNOTAVAIL);
  if (err == 0) CHECK_INT(connect_blocking(fibril_listener_port(only)), -1);
}

static void check_option(fibril_stream *stream, int level, int name, int expected) {
  int value = -1;
  socklen_t size = sizeof value;
  uv_os_fd_t fd;
  uv_fileno(&FIBRIL__CONTAINER(fibril__uv_stream, stream, stream)->uv.handle, &fd);
  CHECK_INT(getsockopt(fd, level, name, &value, &size), 0);
  CHECK_INT(value != 0, expected);
}

SCENE_TEST(listener_gives_connections_their_options) {
  fibril_listen_options options = {
      .size = sizeof options,
      .connection = {
          .delay = true, .keepalive = 60, .send_buffer = 100000, .receive_buffer = 100000}};
  fibril_listener *plain, *other;
  fibril_stream *client, *server;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &plain), 0);
  CHECK_INT(connect_stream(fibril_listener_port(plain), &client), 0);
  CHECK_INT(fibril_listener_accept(plain, &server), 0);
  check_option(server, IPPROTO_TCP, TCP_NODELAY, 1);
  check_option(server, SOL_SOCKET, SO_KEEPALIVE, 0);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, &options, &other), 0);
  CHECK_INT(connect_stream(fibril_listener_port(other), &client), 0);
  CHECK_INT(fibril_listener_accept(other, &server), 0);
  check_option(server, IPPROTO_TCP, TCP_NODELAY, 0);
  check_option(server, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* ---- UNIX sockets ---- */

static char *new_path(void) {
  static char path[64];
  static int number;
  snprintf(path, sizeof path, "/tmp/fibril-listener-%d-%d", (int)getpid(), number++);
  return path;
}

SCENE_TEST(listener_on_a_path_removes_its_file) {
  char *path = new_path(), text[128];
  fibril_listener *listener, *other;
  fibril_stream *client, *server;
  struct stat now;
  fibril_listen_options options = {.size = sizeof options, .mode = 0600};
  CHECK_INT(fibril_pipe_listen(path, FIBRIL_AUTO_LENGTH, &options, &listener), 0);
  CHECK_INT(stat(path, &now), 0);
  CHECK_INT(now.st_mode & 0777, 0600);
  CHECK_INT(fibril_listener_port(listener), 0);
  CHECK_INT(fibril_pipe_listen(path, FIBRIL_AUTO_LENGTH, NULL, &other), UV_EADDRINUSE);
  CHECK_INT(fibril_pipe_connect(path, FIBRIL_AUTO_LENGTH, &client), 0);
  CHECK_INT(fibril_listener_accept(listener, &server), 0);
  CHECK_INT(fibril_stream_write(client, "unix", 4), 0);
  CHECK_INT(fibril_stream_read(server, text, sizeof text), 4);
  CHECK_INT(fibril_stream_peer(client, text, sizeof text), strlen(path));
  CHECK_STR(text, path);
  CHECK_INT(fibril_stream_peer(client, text, 5), strlen(path));
  CHECK_STR(text, "/tmp");
  fibril_listener_close(listener);
  CHECK_INT(stat(path, &now), -1);
  CHECK_INT(fibril_pipe_connect(path, FIBRIL_AUTO_LENGTH, &client), UV_ENOENT);
}

/* Somebody has put another file there: it is not removed. */
SCENE_TEST(listener_leaves_the_file_of_another) {
  char *path = new_path();
  fibril_listener *one, *two;
  struct stat now;
  CHECK_INT(fibril_pipe_listen(path, FIBRIL_AUTO_LENGTH, NULL, &one), 0);
  unlink(path);
  CHECK_INT(fibril_pipe_listen(path, FIBRIL_AUTO_LENGTH, NULL, &two), 0);
  fibril_listener_close(one);
  CHECK_INT(stat(path, &now), 0);
  fibril_listener_close(two);
  CHECK_INT(stat(path, &now), -1);
}

SCENE_TEST(listener_with_an_abstract_name) {
  char name[64];
  int length = 1 + snprintf(name + 1, sizeof name - 1, "fibril-%d", (int)getpid());
  name[0] = '\0';
  fibril_listener *listener;
  fibril_stream *client, *server;
  char text[64];
  CHECK_INT(fibril_pipe_listen(name, (size_t)length, NULL, &listener), 0);
  CHECK_INT(fibril_pipe_connect(name, (size_t)length, &client), 0);
  CHECK_INT(fibril_listener_accept(listener, &server), 0);
  CHECK_INT(fibril_stream_peer(client, text, sizeof text), length);
  CHECK_INT(text[0], '@');
  CHECK_STR(text + 1, name + 1);
}

/* ---- Accepting ---- */

typedef struct {
  fibril_listener *listener;
  fibril_stream *stream;
  int result;
} acceptance;

static fibril_value accept_one(void *arg) {
  acceptance *self = arg;
  self->result = fibril_listener_accept(self->listener, &self->stream);
  if (self->result == 0) fibril_stream_detach(self->stream);
  return fibril_error(self->result, NULL);
}

SCENE_TEST(listener_accepts_one_at_a_time) {
  fibril_listener *listener;
  fibril_stream *client, *server;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  acceptance self = {listener, NULL, 1};
  fibril_future *accepting = fibril_spawn(accept_one, &self, NULL);
  fibril_listener_unhold(listener);
  fibril_listener_hold(listener);
  CHECK_INT(fibril_listener_accept(listener, &server), UV_EBUSY);
  CHECK_INT(fibril_listener_serve(listener, NULL, NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_listener_accept(listener, NULL), UV_EINVAL);
  CHECK_INT(connect_stream(fibril_listener_port(listener), &client), 0);
  fibril_await(accepting);
  CHECK_INT(self.result, 0);
  fibril_stream_close(self.stream);
  fibril_future_unref(accepting);
  fibril_deadline_push(2);
  CHECK_INT(fibril_listener_accept(listener, &server), UV_ETIMEDOUT);
  fibril_deadline_pop();
}

SCENE_TEST(listener_that_is_closed_wakes_who_accepts) {
  fibril_listener *listener;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  acceptance self = {fibril_listener_ref(listener), NULL, 1};
  fibril_future *accepting = fibril_spawn(accept_one, &self, NULL);
  fibril_listener_close(listener);
  CHECK_INT(code_of(accepting), UV_ECANCELED);
  CHECK_INT(fibril_listener_accept(listener, &self.stream), UV_EBADF);
  CHECK_INT(fibril_listener_serve(listener, NULL, NULL, NULL), UV_EBADF);
  fibril_listener_unref(listener);
}

typedef struct {
  acceptance first, second;
  fibril_listener *next;
  int client;
} replacement;

/* Goes on in the same turn as who accepts at `second`, and before it. */
static fibril_value replace_second(void *arg) {
  replacement *self = arg;
  accept_one(&self->first);
  CHECK_INT(self->second.result, 1);
  fibril_listener_close(self->second.listener);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &self->next), 0); /* with its descriptor */
  fibril_listener_detach(self->next);
  self->client = connect_blocking(fibril_listener_port(self->next));
  return fibril_undefined();
}

SCENE_TEST(listener_that_is_closed_takes_no_connection_of_the_next) {
  replacement self = {.first = {.result = 1}, .second = {.result = 1}};
  fibril_stream *server;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &self.first.listener), 0);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &self.second.listener), 0);
  fibril_future *replacing = fibril_spawn(replace_second, &self, NULL);
  fibril_future *accepting = fibril_spawn(accept_one, &self.second, NULL);
  fibril_sleep(1);
  int one = connect_blocking(fibril_listener_port(self.first.listener));
  int two = connect_blocking(fibril_listener_port(self.second.listener));
  fibril_await(replacing);
  CHECK_INT(code_of(accepting), UV_ECANCELED);
  CHECK_INT(fibril_listener_accept(self.next, &server), 0);
  fibril_future_unref(replacing);
  fibril_stream_close(self.first.stream);
  fibril_listener_close(self.next);
  close(one);
  close(two);
  close(self.client);
}

/* Its descriptor is closed by somebody else: that is noticed. */
SCENE_TEST(listener_whose_descriptor_goes_away) {
  fibril_listener *listener;
  fibril_stream *server;
  int probe = dup(0);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  CHECK_INT(close(probe + 1), 0); /* the next one */
  close(probe);
  CHECK_INT(fibril_listener_accept(listener, &server), UV_EBADF);
}

/* Neither is dropped: they are there when there are descriptors again. */
SCENE_TEST(listener_waits_out_a_shortage_of_descriptors) {
  fibril_listener *listener;
  struct rlimit limit, few;
  int clients[3], spare[8];
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  for (int i = 0; i < 3; i++) clients[i] = connect_blocking(fibril_listener_port(listener));
  for (int i = 0; i < 8; i++) spare[i] = dup(0);
  getrlimit(RLIMIT_NOFILE, &limit);
  few = limit;
  few.rlim_cur = (rlim_t)spare[7] + 1;
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
  acceptance self = {listener, NULL, 1};
  fibril_future *accepting = fibril_spawn(accept_one, &self, NULL);
  fibril_sleep(60);
  CHECK(!fibril_future_done(accepting));
  close(spare[7]);
  fibril_await(accepting);
  CHECK_INT(self.result, 0);
  fibril_future_unref(accepting);
  fibril_future *closed = fibril_spawn(accept_one, &self, NULL);
  fibril_moment();
  setrlimit(RLIMIT_NOFILE, &limit);
  fibril_await(closed);
  CHECK_INT(self.result, 0);
  fibril_future_unref(closed);
  for (int i = 0; i < 7; i++) close(spare[i]);
  for (int i = 0; i < 3; i++) close(clients[i]);
}

SCENE_TEST(listener_that_waits_out_a_shortage_is_cancelled_and_closed) {
  fibril_listener *listener;
  struct rlimit limit, few;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  int client = connect_blocking(fibril_listener_port(listener)), last = dup(0);
  getrlimit(RLIMIT_NOFILE, &limit);
  few = limit;
  few.rlim_cur = (rlim_t)last + 1;
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
  acceptance self = {listener, NULL, 1};
  fibril_future *accepting = fibril_spawn(accept_one, &self, NULL);
  fibril_moment();
  fibril_cancel(accepting);
  CHECK_INT(code_of(accepting), UV_ECANCELED);
  accepting = fibril_spawn(accept_one, &self, NULL);
  fibril_moment();
  fibril_listener_close(listener);
  CHECK_INT(code_of(accepting), UV_ECANCELED);
  setrlimit(RLIMIT_NOFILE, &limit);
  close(client);
  close(last);
}

/* ---- Serving ---- */

typedef struct {
  fibril_listener *listener;
  fibril_serve_options options;
  fibril_serve_fn handle;
  int handled, most, now, cancelled;
  int result;
} service;

static fibril_value serve(void *arg) {
  service *self = arg;
  self->result = fibril_listener_serve(self->listener, self->handle, self, &self->options);
  CHECK(fibril__self()->deferred == NULL); /* it keeps nothing until the coroutine's end */
  return fibril_undefined();
}

static fibril_future *start_service(service *self, fibril_serve_fn handle) {
  self->options.size = sizeof self->options;
  self->handle = handle;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &self->listener), 0);
  fibril_listener_ref(self->listener);
  return fibril_spawn(serve, self, NULL);
}

static void end_service(service *self, fibril_future *serving, int expected) {
  fibril_await(serving);
  fibril_future_unref(serving);
  CHECK_INT(self->result, expected);
  CHECK_INT(self->now, 0);
  fibril_listener_close(self->listener);
  fibril_listener_unref(self->listener);
}

static fibril_value echo(fibril_stream *stream, void *arg) {
  service *self = arg;
  char text[64];
  int64_t count;
  self->handled++;
  if (++self->now > self->most) self->most = self->now;
  while ((count = fibril_stream_read(stream, text, sizeof text)) > 0)
    if (fibril_stream_write(stream, text, (size_t)count) != 0) break;
  if (count == UV_ECANCELED) self->cancelled++;
  self->now--;
  return count < 0 ? fibril_error((int)count, NULL) : fibril_undefined();
}

static void ask(fibril_stream *stream) {
  char text[16] = "";
  CHECK_INT(fibril_stream_write(stream, "ping", 4), 0);
  CHECK_INT(fibril_stream_read(stream, text, sizeof text), 4);
  CHECK_STR(text, "ping");
}

SCENE_TEST(serving_handles_each_connection_in_a_coroutine) {
  service self = {.handled = 0};
  fibril_future *serving = start_service(&self, echo);
  fibril_stream *clients[8];
  for (int i = 0; i < 8; i++)
    CHECK_INT(connect_stream(fibril_listener_port(self.listener), &clients[i]), 0);
  for (int i = 7; i >= 0; i--) ask(clients[i]);
  CHECK_INT(self.now, 8);
  CHECK_INT(fibril_listener_serve(self.listener, echo, &self, NULL), UV_EBUSY);
  CHECK_INT(fibril_listener_accept(self.listener, &clients[0]), UV_EBUSY);
  fibril_cancel(serving);
  end_service(&self, serving, UV_ECANCELED);
  CHECK_INT(self.cancelled, 8);
  char text[4];
  CHECK_INT(fibril_stream_read(clients[0], text, 4), 0);
}

SCENE_TEST(serving_leaves_what_is_past_its_limit_in_the_backlog) {
  service self = {.options.limit = 2};
  fibril_future *serving = start_service(&self, echo);
  fibril_stream *clients[6];
  for (int i = 0; i < 6; i++)
    CHECK_INT(connect_stream(fibril_listener_port(self.listener), &clients[i]), 0);
  for (int i = 0; i < 6; i++) {
    ask(clients[i]);
    fibril_stream_close(clients[i]);
  }
  CHECK_INT(self.most, 2);
  CHECK_INT(self.handled, 6);
  fibril_listener_close(self.listener);
  end_service(&self, serving, UV_ECANCELED);
}

/* While it waits for room nobody else may take its place. */
SCENE_TEST(serving_at_its_limit_is_nobody_elses) {
  service self = {.options.limit = 1};
  fibril_future *serving = start_service(&self, echo);
  fibril_stream *client, *server;
  CHECK_INT(connect_stream(fibril_listener_port(self.listener), &client), 0);
  ask(client);
  CHECK_INT(fibril_listener_accept(self.listener, &server), UV_EBUSY);
  fibril_stream_close(client);
  CHECK_INT(connect_stream(fibril_listener_port(self.listener), &client), 0);
  ask(client);
  fibril_cancel(serving);
  end_service(&self, serving, UV_ECANCELED);
}

static int freed;

static void count_freed(void *data) {
  freed++;
  free(data);
}

static fibril_value give_owned(fibril_stream *stream, void *arg) {
  (void)stream;
  (void)arg;
  return fibril_value_take(fibril_buffer_take(malloc(8), 8, count_freed));
}

SCENE_TEST(serving_frees_what_its_handlers_return) {
  service self = {.handled = 0};
  char text[4];
  freed = 0;
  fibril_future *serving = start_service(&self, give_owned);
  fibril_stream *client;
  CHECK_INT(connect_stream(fibril_listener_port(self.listener), &client), 0);
  CHECK_INT(fibril_stream_read(client, text, 4), 0);
  CHECK_INT(freed, 1);
  fibril_cancel(serving);
  end_service(&self, serving, UV_ECANCELED);
}

/* It waits for room, and for no connection. */
SCENE_TEST(serving_at_its_limit_ends_when_the_listener_is_closed) {
  service self = {.options.limit = 1};
  fibril_future *serving = start_service(&self, echo);
  fibril_stream *client;
  CHECK_INT(connect_stream(fibril_listener_port(self.listener), &client), 0);
  ask(client);
  fibril_listener_close(self.listener);
  end_service(&self, serving, UV_ECANCELED);
}

static fibril_value fail(fibril_stream *stream, void *arg) {
  service *self = arg;
  (void)stream;
  self->handled++;
  return fibril_error(UV_EPROTO, "bad manners");
}

static void count_lines(const char *message, fibril_value error, void *arg) {
  (void)message;
  CHECK_INT(fibril_error_code(error), UV_EPROTO);
  ++*(int *)arg;
}

SCENE_TEST(serving_goes_on_after_a_handler_that_fails) {
  int lines = 0;
  char text[4];
  service self = {.handled = 0};
  fibril_loop *loop = fibril_loop_current();
  fibril_loop_set_log(loop, count_lines, &lines);
  fibril_future *serving = start_service(&self, fail);
  for (int i = 0; i < 3; i++) {
    fibril_stream *client;
    CHECK_INT(connect_stream(fibril_listener_port(self.listener), &client), 0);
    CHECK_INT(fibril_stream_read(client, text, 4), 0); /* closed */
  }
  CHECK_INT(lines, 3);
  CHECK_INT(self.handled, 3);
  fibril_cancel(serving);
  end_service(&self, serving, UV_ECANCELED);
  fibril_loop_set_log(loop, NULL, NULL);
}

SCENE_TEST(serving_ends_with_grace) {
  service self = {.options.grace = 100000};
  fibril_future *serving = start_service(&self, echo);
  fibril_stream *client;
  CHECK_INT(connect_stream(fibril_listener_port(self.listener), &client), 0);
  ask(client);
  fibril_cancel(serving);
  for (int i = 0; i < 5; i++) ask(client); /* goes on */
  CHECK(!fibril_future_done(serving));
  fibril_stream_close(client);
  end_service(&self, serving, UV_ECANCELED);
  CHECK_INT(self.cancelled, 0);
}

SCENE_TEST(serving_ends_after_its_grace) {
  service self = {.options.grace = 5};
  fibril_future *serving = start_service(&self, echo);
  fibril_stream *client;
  CHECK_INT(connect_stream(fibril_listener_port(self.listener), &client), 0);
  ask(client);
  fibril_cancel(serving);
  end_service(&self, serving, UV_ECANCELED);
  CHECK_INT(self.cancelled, 1);
}

static fibril_value serve_late(void *arg) {
  service *self = arg;
  fibril_deadline_push(5);
  serve(self);
  fibril_deadline_pop();
  return fibril_undefined();
}

SCENE_TEST(serving_ends_with_a_deadline) {
  service self = {.options.size = sizeof self.options, .handle = echo};
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &self.listener), 0);
  fibril_listener_ref(self.listener);
  end_service(&self, fibril_spawn(serve_late, &self, NULL), UV_ETIMEDOUT);
}

SCENE_TEST(serving_refuses_bad_options) {
  fibril_listener *listener;
  fibril_serve_options options = {.size = 1};
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  CHECK_INT(fibril_listener_serve(listener, echo, NULL, &options), UV_EINVAL);
  CHECK_INT(fibril_listener_serve(listener, NULL, NULL, NULL), UV_EINVAL);
  options = (fibril_serve_options){.size = sizeof options, .stack_size = 1};
  CHECK_INT(fibril_listener_serve(listener, echo, NULL, &options), UV_EINVAL);
  options = (fibril_serve_options){.size = sizeof options, .grace = 0.0 / 0.0};
  CHECK_INT(fibril_listener_serve(listener, echo, NULL, &options), UV_EINVAL);
}

/* ---- The loop's end ---- */

static fibril_value serve_for_ever(void *arg) {
  service *self = arg;
  self->options.size = sizeof self->options;
  self->handle = echo;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &self->listener), 0);
  return serve(self);
}

static fibril_value connect_and_leave(void *arg) {
  service *self = arg;
  fibril_stream *client;
  CHECK_INT(connect_stream(fibril_listener_port(self->listener), &client), 0);
  ask(client);
  fibril_stream_detach(client);
  return fibril_undefined();
}

TEST(serving_ends_with_its_loop) {
  uv_loop_t uv;
  fibril_loop *own;
  service self = {.handled = 0};
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_future_unref(fibril_loop_spawn(own, serve_for_ever, &self, NULL));
  CHECK_INT(fibril_loop_run_sync(own, connect_and_leave, &self, 0, NULL), 0);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(self.result, UV_ECANCELED);
  CHECK_INT(self.cancelled, 1);
  CHECK_INT(uv_loop_close(&uv), 0);
}
