/* Connecting by TCP. The attempts are sockets that the loop watches; what connects first becomes a
 * stream of libuv's. */
#include "connect.h"

#include "../../core/loop/descriptors.h"
#include "../../core/scheduler/timeouts.h"
#include "../request.h"
#include "dns.h"
#include "socket.h"
#include "uv_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 8305's Connection Attempt Delay. */
#define ATTEMPT_DELAY_MS 250

typedef struct race race;

/* An address, and while it is tried its socket. */
typedef struct {
  fibril__watcher watcher; /* `fd` is -1: there is none */
  race *race;
  const struct sockaddr *address;
} attempt;

struct race {
  fibril__request request;
  const fibril_tcp_options *options;
  const struct sockaddr_storage *local;
  fibril_timeout timer;
  int count, begun, running;
  int error; /* of the first one */
  int fd;    /* that is connected */
  attempt attempts[];
};

/* ---- The order ---- */

static const struct sockaddr *at(const fibril__addresses *addresses, int i) {
  return (const struct sockaddr *)&addresses->list[i];
}

/* The next address from `i` on that is of that family, or is not. */
static int next_of(const fibril__addresses *addresses, int i, int family, bool same) {
  while (i < addresses->count && (at(addresses, i)->sa_family == family) != same) i++;
  return i;
}

static void put_in_order(race *self, const fibril__addresses *addresses) {
  int count = addresses->count, family = at(addresses, 0)->sa_family, next[2];
  for (int i = 0; i < 2; i++) next[i] = next_of(addresses, 0, family, i == 0);
  for (int i = 0; i < count; i++) {
    int turn = i % 2 == 0 ? 0 : 1;
    if (next[turn] == count) turn = 1 - turn;
    self->attempts[i] =
        (attempt){.watcher.fd = -1, .race = self, .address = at(addresses, next[turn])};
    next[turn] = next_of(addresses, next[turn] + 1, family, turn == 0);
  }
}

/* ---- Attempts ---- */

static void go_on(race *self);

/* The number may be another descriptor's when it was not closed here. */
static void end_attempt(attempt *one, bool own) {
  int fd = one->watcher.fd;
  if (fd < 0) return;
  fibril__watcher_stop(&one->watcher);
  one->watcher.fd = -1;
  one->race->running--;
  if (own) close(fd);
}

static void win(race *self, attempt *one) {
  self->fd = one->watcher.fd;
  end_attempt(one, false);
  fibril__request_end(&self->request, 0);
}

static void note_error(attempt *one, int error) {
  if (one == one->race->attempts) one->race->error = error;
}

/* The one before the next was begun has ended: that is not waited for any more. */
static void fail_attempt(attempt *one, int error, bool own) {
  race *self = one->race;
  end_attempt(one, own);
  note_error(one, error);
  if (one == &self->attempts[self->begun - 1] || self->running == 0) go_on(self);
}

static int error_of(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error == 0 ? 0 : uv_translate_sys_error(error);
}

/* Where nobody listens at a port of this machine the system may choose the same one for this end:
 * nobody else can listen there then. Whom 0.0.0.0 and :: led to only the system knows. */
static bool is_with_itself(const attempt *one) {
  struct sockaddr_storage ends[2] = {{.ss_family = AF_UNSPEC}};
  struct sockaddr *own = (struct sockaddr *)&ends[0], *peer = (struct sockaddr *)&ends[1];
  socklen_t own_size = sizeof ends[0], peer_size = sizeof ends[1];
  if (getsockname(one->watcher.fd, own, &own_size) != 0) return false;
  if (fibril__address_port(own) != fibril__address_port(one->address)) return false;
  if (getpeername(one->watcher.fd, peer, &peer_size) != 0) return false;
  return fibril__address_equals(own, peer);
}

static void on_attempt_ready(fibril__watcher *watcher, int events) {
  attempt *one = FIBRIL__CONTAINER(attempt, watcher, watcher);
  if (one->race->request.wait.woken) return;
  bool own = events >= 0;
  int err = own ? error_of(watcher->fd) : UV_EBADF;
  if (err == 0 && is_with_itself(one)) err = UV_ECONNREFUSED;
  if (err == 0)
    win(one->race, one);
  else
    fail_attempt(one, err, own);
}

static void on_attempt_replaced(fibril__watcher *watcher) {
  attempt *one = FIBRIL__CONTAINER(attempt, watcher, watcher);
  if (!one->race->request.wait.woken)
    fail_attempt(one, UV_EBADF, false);
  else
    end_attempt(one, false);
}

/* Older headers have no name for it. */
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* Without it every connection from an address has a port of its own, whoever it is to. */
static void leave_port_open(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
}

static int bind_local(int fd, int family, const race *self) {
  struct sockaddr_storage any = {.ss_family = (sa_family_t)family};
  const struct sockaddr_storage *local = self->local;
  int port = self->options->local_port;
  if (local->ss_family == AF_UNSPEC && port == 0) return 0;
  if (local->ss_family == AF_UNSPEC) {
    fibril__address_set_port((struct sockaddr *)&any, port);
    local = &any;
  }
  /* Attempts may have the same one, and what was connected before. */
  int err = port == 0 ? 0 : fibril__socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (port == 0) leave_port_open(fd);
  return err != 0 ? err : fibril__socket_bind(fd, (const struct sockaddr *)local);
}

/* 0: it goes on, or is connected. */
static int connect_socket(attempt *one, int fd) {
  race *self = one->race;
  const struct sockaddr *to = one->address;
  int err = fibril__socket_set_tcp(fd, self->options);
  if (err == 0) err = bind_local(fd, to->sa_family, self);
  if (err != 0) return err;
  bool begun = connect(fd, to, (socklen_t)fibril__address_size(to)) == 0 || errno == EINPROGRESS ||
               errno == EINTR;
  if (!begun) return uv_translate_sys_error(errno);
  one->watcher = (fibril__watcher){.loop = self->request.waiter->loop,
                                   .fd = fd,
                                   .events = UV_WRITABLE,
                                   .steady = true,
                                   .ready = on_attempt_ready,
                                   .replaced = on_attempt_replaced};
  err = fibril__watcher_start(&one->watcher);
  if (err != 0) one->watcher.fd = -1;
  return err;
}

static int begin_attempt(attempt *one) {
  int fd = fibril__socket_new(one->address->sa_family, SOCK_STREAM);
  if (fd < 0) return fd;
  one->race->running++; /* before another one is found to have gone */
  int err = connect_socket(one, fd);
  if (err == 0) return 0;
  one->race->running--;
  close(fd);
  return err;
}

static void on_delay(void *arg) {
  race *self = arg;
  if (!self->request.wait.woken) go_on(self);
}

static void begin_delay(race *self) {
  fibril_loop *loop = self->request.waiter->loop;
  if (self->timer != 0) fibril_loop_remove_timeout(loop, self->timer);
  self->timer = 0;
  if (self->begun == self->count) return;
  int err =
      fibril__timeout_add(loop, fibril__deadline(ATTEMPT_DELAY_MS), on_delay, self, &self->timer);
  if (err != 0) fibril__request_end(&self->request, err);
}

/* Begins the next one that can be; nothing is left: it has failed. */
static void go_on(race *self) {
  int err = UV_EAGAIN;
  while (err != 0 && self->begun < self->count) {
    attempt *one = &self->attempts[self->begun++];
    err = begin_attempt(one);
    if (err != 0) note_error(one, err);
  }
  if (err == 0) begin_delay(self);
  if (self->running == 0) fibril__request_end(&self->request, self->error);
}

/* ---- The race ---- */

static void describe_race(const fibril__wait *wait, fibril__wait_report *report) {
  const race *self = FIBRIL__CONTAINER(const race, request.wait, wait);
  report->fd = self->attempts[self->begun - 1].watcher.fd;
  fibril__address_format(self->attempts[self->begun - 1].address, report->address);
}

static const fibril__wait_kind connect_kind = {.name = "connect", .describe = describe_race};

/* Who waits takes it all down. */
static bool leave_race(fibril__request *request) {
  (void)request;
  return true;
}

static int run_race(race *self) {
  int err = fibril__request_begin(&self->request, &connect_kind, leave_race);
  if (err != 0) return err;
  fibril_loop *loop = self->request.waiter->loop;
  go_on(self);
  err = fibril__request_wait(&self->request, 0);
  if (self->timer != 0) fibril_loop_remove_timeout(loop, self->timer);
  for (int i = 0; i < self->begun; i++) end_attempt(&self->attempts[i], true);
  return err;
}

int fibril__connect_any(const fibril__addresses *addresses, const fibril_tcp_options *options,
                        const struct sockaddr_storage *local, fibril_stream **out) {
  race *self = calloc(1, sizeof *self + (size_t)addresses->count * sizeof *self->attempts);
  if (self == NULL) return UV_ENOMEM;
  self->options = options;
  self->local = local;
  self->count = addresses->count;
  put_in_order(self, addresses);
  int err = run_race(self), fd = self->fd;
  free(self);
  if (err != 0) return err;
  err = fibril__uv_stream_of(UV_TCP, fd, true, out);
  if (err != 0) close(fd);
  return err;
}

/* ---- By name ---- */

/* Where it connects from decides where it can connect to. */
static int read_local(const fibril_tcp_options *options, struct sockaddr_storage *local,
                      int *family) {
  local->ss_family = AF_UNSPEC;
  *family = options->family;
  if (!fibril__port_is_valid(options->local_port)) return UV_EINVAL;
  if (options->local_host == NULL) return 0;
  int err = fibril__address_parse(options->local_host, options->local_port, local);
  if (err != 0 || (*family != AF_UNSPEC && *family != local->ss_family)) return UV_EINVAL;
  *family = local->ss_family;
  return 0;
}

int fibril_tcp_connect(const char *host, int port, const fibril_tcp_options *options,
                       fibril_stream **out) {
  static const fibril_tcp_options none = {.size = sizeof none};
  struct sockaddr_storage local;
  fibril__addresses *found;
  int family;
  if (options == NULL) options = &none;
  if (out == NULL || !fibril__tcp_options_are_valid(options)) return UV_EINVAL;
  int err = read_local(options, &local, &family);
  if (err == 0) err = fibril__dns_find(host, port, family, &found);
  if (err != 0) return err;
  err = fibril__connect_any(found, options, &local, out);
  free(found);
  return err;
}
