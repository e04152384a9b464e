/* What peers, and systems that lack something, do to streams, listeners and connections: ends that
 * come in the middle, errors that are told once, calls that are not allowed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif

#include "test.h"

#include "../../src/io/net/listener.h"
#include "../../src/io/net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* Older headers have no name for it. */
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* The body runs in a coroutine. */
#define FAULT_TEST(name)                                                 \
  static void name##_body(void);                                         \
  static fibril_value name##_run(void *arg) {                            \
    (void)arg;                                                           \
    name##_body();                                                       \
    return fibril_undefined();                                           \
  }                                                                      \
  LOOP_TEST(name) {                                                      \
    CHECK_INT(fibril_loop_run_sync(loop, name##_run, NULL, 0, NULL), 0); \
  }                                                                      \
  static void name##_body(void)

/* ---- A system that refuses ---- */

static int accept_error, accept_errors; /* which, and how often */
static bool without_ipv6;

HIDDEN int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) {
  if (accept_errors == 0) return (int)syscall(SYS_accept4, fd, address, size, flags);
  accept_errors--;
  errno = accept_error;
  return -1;
}

HIDDEN int socket(int family, int type, int protocol) {
  if (!without_ipv6 || family != AF_INET6) return (int)syscall(SYS_socket, family, type, protocol);
  errno = EAFNOSUPPORT;
  return -1;
}

/* ---- The ends of streams ---- */

/* A stream, and its peer's descriptor. */
static fibril_stream *with_raw_peer(int *fd) {
  fibril_stream *ends[2] = {NULL, NULL};
  fibril_value rest;
  CHECK_INT(fibril_pipe_pair(ends), 0);
  CHECK_INT(fibril_stream_release(ends[1], fd, &rest), 0);
  fibril_value_free(rest);
  return ends[0];
}

static fibril_stream *with_raw_tcp_peer(int *fd) {
  fibril_listener *listener;
  fibril_stream *stream = NULL;
  struct sockaddr_in address;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  uv_ip4_addr("127.0.0.1", fibril_listener_port(listener), &address);
  *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_INT(connect(*fd, (struct sockaddr *)&address, sizeof address), 0);
  CHECK_INT(fibril_listener_accept(listener, &stream), 0);
  fibril_listener_close(listener);
  return stream;
}

/* A byte with a descriptor: what is up to it and what is after it are read one by one. Not with the
 * socket's own, which would stay open, without a hang-up, until the byte is read. */
static void send_with_descriptor(int fd, char byte) {
  char room[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec bytes = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &(int){STDERR_FILENO}, sizeof(int));
  CHECK_INT(sendmsg(fd, &message, MSG_NOSIGNAL), 1);
}

static int64_t read_all(fibril_stream *stream, char *text, size_t size) {
  size_t length = 0;
  int64_t count = 1;
  while (count > 0 && length + 1 < size) {
    count = fibril_stream_read(stream, text + length, size - 1 - length);
    if (count > 0) length += (size_t)count;
  }
  text[length] = '\0';
  return count;
}

typedef struct {
  fibril_stream *stream;
  char text[64];
  int64_t result;
} reading;

static fibril_value read_whole(void *arg) {
  reading *self = arg;
  self->result = read_all(self->stream, self->text, sizeof self->text);
  return fibril_undefined();
}

static void await_reading(fibril_future *future) {
  fibril_await(future);
  fibril_future_unref(future);
}

static void say_in_pieces(int fd) {
  CHECK_INT(write(fd, "abc", 3), 3);
  send_with_descriptor(fd, 'd');
  CHECK_INT(write(fd, "ef", 2), 2);
  close(fd);
}

/* libuv takes the hang-up for the end when a read before it did not fill its buffer. */
FAULT_TEST(a_hang_up_is_no_end_before_all_has_been_read) {
  int fd;
  reading later = {.stream = with_raw_peer(&fd)};
  say_in_pieces(fd);
  read_whole(&later);
  CHECK_STR(later.text, "abcdef");
  CHECK_INT(later.result, 0);
  reading before = {.stream = with_raw_peer(&fd)};
  fibril_future *future = fibril_spawn(read_whole, &before, NULL);
  say_in_pieces(fd);
  await_reading(future);
  CHECK_STR(before.text, "abcdef");
  CHECK_INT(before.result, 0);
}

/* An urgent byte is such a boundary, too, where both sides have ended. */
FAULT_TEST(a_hang_up_of_tcp_is_no_end_before_all_has_been_read) {
  int fd;
  reading self = {.stream = with_raw_tcp_peer(&fd)};
  fibril_future *future = fibril_spawn(read_whole, &self, NULL);
  CHECK_INT(fibril_stream_shutdown(self.stream), 0);
  CHECK_INT(send(fd, "abc", 3, 0), 3);
  CHECK_INT(send(fd, "!", 1, MSG_OOB), 1);
  CHECK_INT(send(fd, "def", 3, 0), 3);
  close(fd);
  await_reading(future);
  CHECK_STR(self.text, "abcdef");
  CHECK_INT(self.result, 0);
}

static void reset(int fd) {
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(fd);
}

/* The system tells of it once, whoever asks. */
FAULT_TEST(a_reset_that_tryread_has_met_is_the_end) {
  int fd;
  int64_t count;
  char text[8];
  fibril_stream *stream = with_raw_tcp_peer(&fd);
  reset(fd);
  do count = fibril_stream_tryread(stream, text, sizeof text);
  while (count == UV_EAGAIN);
  CHECK_INT(count, UV_ECONNRESET);
  CHECK_INT(fibril_stream_tryread(stream, text, sizeof text), UV_ECONNRESET);
  CHECK_INT(fibril_stream_read(stream, text, sizeof text), UV_ECONNRESET);
  CHECK_INT(fibril_stream_read(stream, text, sizeof text), UV_ECONNRESET);
}

FAULT_TEST(a_reset_that_a_write_has_met_is_the_end) {
  int fd, err;
  char text[8];
  fibril_stream *stream = with_raw_tcp_peer(&fd);
  reset(fd);
  do err = fibril_stream_write(stream, "x", 1);
  while (err == 0);
  CHECK_INT(err, UV_ECONNRESET);
  CHECK_INT(fibril_stream_read(stream, text, sizeof text), UV_ECONNRESET);
}

static fibril_value reset_later(void *arg) {
  fibril_sleep(20);
  reset(*(int *)arg);
  return fibril_undefined();
}

/* Nothing is read meanwhile, as the read-ahead is full: what is there comes first all the same. */
FAULT_TEST(a_reset_that_a_waiting_write_has_met_is_the_end) {
  enum { SENT = 100000, WRITTEN = 16 * 1024 * 1024 };
  int fd;
  int64_t count, length = 0;
  char *data = calloc(1, WRITTEN);
  fibril_stream *stream = with_raw_tcp_peer(&fd);
  CHECK_INT(send(fd, data, SENT, 0), SENT);
  fibril_future *future = fibril_spawn(reset_later, &fd, NULL);
  CHECK_INT(fibril_stream_write(stream, data, WRITTEN), UV_ECONNRESET);
  while ((count = fibril_stream_read(stream, data, WRITTEN)) > 0) length += count;
  CHECK(length >= 64 * 1024);
  CHECK_INT(count, UV_ECONNRESET);
  CHECK_INT(fibril_stream_tryread(stream, data, 1), UV_ECONNRESET);
  await_reading(future);
  free(data);
}

static fibril_value write_to_who_has_gone(void *arg) {
  static const int number = SIGPIPE;
  fibril_signal *signal;
  fibril_stream *ends[2];
  (void)arg;
  fibril_signal_open(&number, 1, &signal);
  fibril_pipe_pair(ends);
  fibril_signal_close(signal);
  fibril_stream_close(ends[1]);
  fibril_moment();
  _exit(fibril_stream_write(ends[0], "x", 1) == UV_EPIPE ? 7 : 8);
}

/* Nobody has said what is to be done with it: it was waited for, and is not any more. */
CRASH_TEST(sigpipe_is_ignored_also_after_a_handle_of_its_own, "7", "") {
  signal(SIGPIPE, SIG_DFL);
  fibril_loop_run_sync(loop, write_to_who_has_gone, NULL, 0, NULL);
}

/* ---- Accepting ---- */

typedef struct {
  fibril_listener *listener;
  fibril_stream *stream;
  int result;
} acceptance;

static int connect_to(fibril_listener *listener) {
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uv_ip4_addr("127.0.0.1", fibril_listener_port(listener), &address);
  CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static fibril_listener *listen_anywhere(void) {
  fibril_listener *listener = NULL;
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
  return listener;
}

static void refuse_to_accept(int error, int times) {
  accept_error = error;
  accept_errors = times;
}

static fibril_value count_turns(void *count) {
  while (fibril_moment() == 0) ++*(int *)count;
  return fibril_undefined();
}

static fibril_value handle_nothing(fibril_stream *stream, void *arg) {
  (void)stream;
  (void)arg;
  return fibril_undefined();
}

FAULT_TEST(an_accept_that_is_not_allowed_says_so) {
  static const int errors[] = {EPERM, EACCES, ENOSYS};
  fibril_listener *listener = listen_anywhere();
  fibril_stream *stream;
  int fd = connect_to(listener);
  for (int i = 0; i < 3; i++) {
    refuse_to_accept(errors[i], 1);
    CHECK_INT(fibril_listener_accept(listener, &stream), -errors[i]);
    refuse_to_accept(errors[i], 1);
    CHECK_INT(fibril_listener_serve(listener, handle_nothing, NULL, NULL), -errors[i]);
  }
  CHECK_INT(fibril_listener_accept(listener, &stream), 0);
  close(fd);
}

FAULT_TEST(connections_that_have_gone_leave_others_their_turn) {
  fibril_listener *listener = listen_anywhere();
  fibril_stream *stream;
  int fd = connect_to(listener), turns = 0;
  fibril_future *future = fibril_spawn(count_turns, &turns, NULL);
  refuse_to_accept(ECONNABORTED, 1000);
  CHECK_INT(fibril_listener_accept(listener, &stream), 0);
  CHECK(turns >= 1000 / 64 - 1);
  refuse_to_accept(ECONNABORTED, INT32_MAX);
  fibril_deadline_push(10);
  CHECK_INT(fibril_listener_accept(listener, &stream), UV_ETIMEDOUT);
  fibril_deadline_pop();
  accept_errors = 0;
  fibril_cancel(future);
  await_reading(future);
  close(fd);
}

static fibril_value accept_one(void *arg) {
  acceptance *self = arg;
  self->result = fibril_listener_accept(self->listener, &self->stream);
  if (self->result == 0) fibril_stream_detach(self->stream);
  return fibril_undefined();
}

/* The only number that is left is a standard stream's. */
FAULT_TEST(a_connection_without_a_number_of_its_own_is_kept) {
  fibril_listener *listener = listen_anywhere();
  acceptance self = {listener, NULL, 1};
  struct rlimit limit, few;
  fibril_stream *ends[2];
  CHECK_INT(fibril_pipe_pair(ends), 0); /* libuv has its spare descriptor then */
  int client = connect_to(listener), standard = fcntl(0, F_DUPFD_CLOEXEC, 3), last = dup(2);
  getrlimit(RLIMIT_NOFILE, &limit);
  few = limit;
  few.rlim_cur = (rlim_t)last + 1;
  close(0);
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
  fibril_future *future = fibril_spawn(accept_one, &self, NULL);
  fibril_moment();
  CHECK(!fibril_future_done(future));
  fibril_cancel(future);
  await_reading(future);
  CHECK_INT(self.result, UV_ECANCELED);
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
  accept_one(&self); /* the one that was kept */
  if (CHECK_INT(self.result, 0)) {
    char byte;
    CHECK_INT(write(client, "x", 1), 1);
    CHECK_INT(fibril_stream_read(self.stream, &byte, 1), 1);
    fibril_stream_close(self.stream);
  }
  close(0);
  dup2(standard, 0);
  close(standard);
  close(client);
  close(last);
}

/* ... unless its number has become another one's meanwhile. */
FAULT_TEST(a_connection_that_is_kept_is_known_by_what_it_is) {
  fibril_listener *listener = listen_anywhere();
  acceptance self = {listener, NULL, 1};
  int client = connect_to(listener), standard = fcntl(0, F_DUPFD_CLOEXEC, 3), other[2];
  fibril_stream *ends[2];
  CHECK_INT(fibril_pipe_pair(ends), 0);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
  CHECK_INT(dup2(client, 0), 0);
  listener->kept = 0;
  listener->kept_identity = fibril__socket_identity(client);
  CHECK_INT(dup2(other[0], 0), 0);
  accept_one(&self); /* the one in the backlog */
  if (CHECK_INT(self.result, 0)) {
    char byte;
    CHECK_INT(write(client, "x", 1), 1);
    CHECK_INT(fibril_stream_read(self.stream, &byte, 1), 1);
    fibril_stream_close(self.stream);
  }
  fibril_listener_close(listener);
  CHECK(fcntl(0, F_GETFD) >= 0);
  dup2(standard, 0);
  close(standard);
  close(client);
  close(other[0]);
  close(other[1]);
}

/* ---- Listening and connecting ---- */

/* "two.test" has ::1, then 127.0.0.1: io_net_dns_test.c says so. */
FAULT_TEST(names_are_listened_on_where_there_is_no_ipv6) {
  fibril_listener *listener;
  fibril_udp *udp;
  without_ipv6 = true;
  int err = fibril_tcp_listen("two.test", 0, NULL, &listener);
  CHECK_INT(err, 0);
  if (err == 0) fibril_listener_close(listener);
  CHECK_INT(fibril_udp_open("two.test", 0, NULL, &udp), 0);
  CHECK_INT(fibril_tcp_listen("::1", 0, NULL, &listener), UV_EAFNOSUPPORT);
  without_ipv6 = false;
}

static int option_of(fibril_stream *stream, int level, int name) {
  int value = -1, fd;
  fibril_value rest;
  socklen_t size = sizeof value;
  CHECK_INT(fibril_stream_release(stream, &fd, &rest), 0);
  fibril_value_free(rest);
  getsockopt(fd, level, name, &value, &size);
  close(fd);
  return value;
}

FAULT_TEST(connections_from_an_address_have_no_port_each) {
  fibril_listener *listener = listen_anywhere();
  fibril_tcp_options options = {.size = sizeof options, .local_host = "127.0.0.7"};
  fibril_stream *stream;
  CHECK_INT(fibril_tcp_connect("127.0.0.1", fibril_listener_port(listener), &options, &stream), 0);
  CHECK_INT(option_of(stream, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1);
}

FAULT_TEST(a_connection_is_not_with_itself) {
  static const char *const hosts[] = {"127.0.0.1", "0.0.0.0"}; /* the second is the first, too */
  for (int i = 0; i < 2; i++) {
    fibril_listener *listener = listen_anywhere();
    fibril_tcp_options options = {.size = sizeof options, .local_host = "127.0.0.1"};
    fibril_stream *stream;
    int port = options.local_port = fibril_listener_port(listener);
    fibril_listener_close(listener);
    CHECK_INT(fibril_tcp_connect(hosts[i], port, &options, &stream), UV_ECONNREFUSED);
  }
}

FAULT_TEST(the_file_of_a_listener_goes_wherever_the_process_is) {
  char before[4096], folder[] = "/tmp/fibril-faults-XXXXXX", path[64];
  fibril_listener *listener;
  struct stat about;
  CHECK(getcwd(before, sizeof before) != NULL && mkdtemp(folder) != NULL);
  CHECK_INT(chdir(folder), 0);
  CHECK_INT(fibril_pipe_listen("socket", FIBRIL_AUTO_LENGTH, NULL, &listener), 0);
  CHECK_INT(chdir(before), 0);
  snprintf(path, sizeof path, "%s/socket", folder);
  CHECK_INT(stat(path, &about), 0);
  fibril_listener_close(listener);
  CHECK(stat(path, &about) != 0 && errno == ENOENT);
  rmdir(folder);
}
