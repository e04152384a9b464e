/* UDP. Datagrams stay in the system until somebody receives them, and go from the caller's memory
 * into the system's: nothing is kept, whatever comes. The descriptor is polled for as long as the
 * socket is open; libuv's own would read on, into memory of somebody's. */
#include "udp.h"

#include "../poll.h"
#include "dns.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void describe_udp(const fibril__wait *wait, fibril__wait_report *report) {
  fibril__poll_describe(wait, report);
  fibril__socket_address(report->fd, false, report->address,
                         sizeof report->address); /* stays empty where it has none */
}

static const fibril__wait_kind receive_kind = {.name = "udp receive", .describe = describe_udp};
static const fibril__wait_kind send_kind = {.name = "udp send", .describe = describe_udp};

/* ---- The handle ---- */

static fibril_udp *udp_of(fibril__handle *handle) {
  return FIBRIL__CONTAINER(fibril_udp, handle, handle);
}

static void close_udp(fibril__handle *handle) {
  fibril_udp *self = udp_of(handle);
  if (self->poll != NULL) fibril_poll_close(self->poll);
  fibril__socket_close(self->fd, self->identity);
}

static void free_udp(fibril__handle *handle) {
  fibril_udp *self = udp_of(handle);
  if (self->poll != NULL) fibril_poll_unref(self->poll);
  free(self);
}

static void hold_udp(fibril__handle *handle, bool held) {
  (held ? fibril_poll_hold : fibril_poll_unhold)(udp_of(handle)->poll);
}

static const fibril__handle_type udp_type = {
    .close = close_udp, .free = free_udp, .hold = hold_udp};

FIBRIL__HANDLE_FUNCTIONS(udp, fibril_udp)

static int start_polling(fibril_udp *self) {
  int err = fibril_poll_open(self->fd, &self->poll);
  if (err != 0) return err;
  fibril_poll_ref(self->poll);
  fibril_poll_detach(self->poll);
  return 0;
}

/* The descriptor is the handle's, also on failure. */
static int new_udp(int fd, fibril_udp **out) {
  fibril_udp *self = calloc(1, sizeof *self);
  int err = self == NULL ? UV_ENOMEM : fibril__handle_init(&self->handle, &udp_type);
  if (err != 0) {
    close(fd);
    free(self);
    return err;
  }
  self->fd = fd;
  self->identity = fibril__socket_identity(fd);
  err = start_polling(self);
  if (err != 0)
    fibril__handle_close(&self->handle);
  else
    *out = self;
  return err;
}

/* ---- Opening ---- */

static int open_at(const struct sockaddr *address, const fibril_udp_options *options,
                   fibril_udp **out) {
  int fd = fibril__socket_new(address->sa_family, SOCK_DGRAM);
  if (fd < 0) return fd;
  int err = fibril__udp_set_options(fd, address->sa_family, options);
  if (err == 0) err = fibril__socket_bind(fd, address);
  if (err == 0) return new_udp(fd, out);
  close(fd);
  return err;
}

/* Without IPv6 all addresses are those of IPv4. */
static int open_everywhere(int port, const fibril_udp_options *options, fibril_udp **out) {
  struct sockaddr_storage any;
  fibril__address_parse("::", port, &any);
  int err = open_at((struct sockaddr *)&any, options, out);
  if (!fibril__socket_lacks_address(err) || options->ipv6only) return err;
  fibril__address_parse("0.0.0.0", port, &any);
  return open_at((struct sockaddr *)&any, options, out);
}

int fibril_udp_open(const char *host, int port, const fibril_udp_options *options,
                    fibril_udp **out) {
  static const fibril_udp_options none = {.size = sizeof none};
  if (options == NULL) options = &none;
  if (out == NULL || !fibril__port_is_valid(port) || !fibril__udp_options_are_valid(options))
    return UV_EINVAL;
  if (fibril_loop_current() == NULL) return FIBRIL_ENOTCOROUTINE;
  if (host == NULL) return open_everywhere(port, options, out);
  fibril__addresses *found;
  int err = fibril__dns_find(host, port, AF_UNSPEC, &found);
  if (err != 0) return err;
  err = UV_EADDRNOTAVAIL;
  for (int i = 0; i < found->count && fibril__socket_lacks_address(err); i++)
    err = open_at((struct sockaddr *)&found->list[i], options, out);
  free(found);
  return err;
}

int fibril_udp_port(const fibril_udp *self) {
  struct sockaddr_storage address;
  if (self->handle.closed) return UV_EBADF;
  int err = fibril__socket_own(self->fd, &address);
  return err != 0 ? err : fibril__address_port((struct sockaddr *)&address);
}

/* ---- The peer ---- */

/* The system forgets a port that it chose itself. */
static int disconnect(fibril_udp *self) {
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  struct sockaddr_storage address;
  int port = fibril_udp_port(self);
  if (port < 0) return port;
  if (connect(self->fd, &none, sizeof none) != 0) return uv_translate_sys_error(errno);
  self->connected = false;
  int err = fibril__socket_own(self->fd, &address);
  if (err != 0 || fibril__address_port((struct sockaddr *)&address) != 0) return err;
  fibril__address_set_port((struct sockaddr *)&address, port);
  return fibril__socket_bind(self->fd, (struct sockaddr *)&address);
}

int fibril_udp_connect(fibril_udp *self, const struct sockaddr *to) {
  if (self->handle.closed) return UV_EBADF;
  if (to == NULL) return self->connected ? disconnect(self) : UV_ENOTCONN;
  size_t size = fibril__address_size(to);
  if (size == 0) return UV_EINVAL;
  if (self->connected) return UV_EISCONN;
  if (connect(self->fd, to, (socklen_t)size) != 0)
    return errno == EAFNOSUPPORT ? UV_EINVAL : uv_translate_sys_error(errno);
  self->connected = true;
  return 0;
}

/* ---- Datagrams ---- */

/* What to do after a call of the system's that has failed: 0 again, when the socket is ready. */
static int wait_until_ready(fibril_udp *self, int events, const fibril__wait_kind *kind) {
  if (errno == EINTR) return 0;
  if (errno == EAFNOSUPPORT) return UV_EINVAL;
  if (errno != EAGAIN && errno != EWOULDBLOCK) return uv_translate_sys_error(errno);
  int err = fibril__poll_wait(self->poll, events, kind);
  if (err >= 0) err = self->handle.closed ? UV_ECANCELED : 0;
  return err;
}

static int64_t receive(fibril_udp *self, struct msghdr *message) {
  for (;;) {
    ssize_t count = recvmsg(self->fd, message, 0);
    if (count >= 0) return (message->msg_flags & MSG_TRUNC) != 0 ? UV_EMSGSIZE : count;
    int err = wait_until_ready(self, UV_READABLE, &receive_kind);
    if (err != 0) return err;
  }
}

int64_t fibril_udp_receive(fibril_udp *self, void *buffer, size_t length,
                           struct sockaddr_storage *from) {
  struct iovec room = {.iov_base = buffer, .iov_len = length};
  struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
  if (from != NULL) {
    message.msg_name = from;
    message.msg_namelen = sizeof *from;
  }
  int err = fibril__handle_check(&self->handle);
  if (err != 0) return err;
  if (buffer == NULL) return UV_EINVAL;
  if (self->receiving) return UV_EBUSY;
  fibril__handle_ref(&self->handle);
  self->receiving = true;
  int64_t count = receive(self, &message);
  self->receiving = false;
  fibril__handle_moved(&self->handle, count > 0 ? (size_t)count : 0);
  fibril__handle_unref(&self->handle);
  return count;
}

static int send_message(fibril_udp *self, const struct msghdr *message) {
  for (;;) {
    if (sendmsg(self->fd, message, MSG_NOSIGNAL) >= 0) return 0;
    int err = wait_until_ready(self, UV_WRITABLE, &send_kind);
    if (err != 0) return err;
  }
}

static int check_peer(const fibril_udp *self, const struct sockaddr *to) {
  if (to == NULL) return self->connected ? 0 : UV_EDESTADDRREQ;
  if (fibril__address_size(to) == 0) return UV_EINVAL;
  return self->connected ? UV_EISCONN : 0;
}

int fibril_udp_send(fibril_udp *self, const void *data, size_t length, const struct sockaddr *to) {
  struct iovec bytes = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
  struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
  int err = fibril__handle_check(&self->handle);
  if (err != 0) return err;
  err = data == NULL && length > 0 ? UV_EINVAL : check_peer(self, to);
  if (err != 0) return err;
  if (self->sending) return UV_EBUSY;
  if (to != NULL) {
    message.msg_name = (void *)(uintptr_t)to;
    message.msg_namelen = (socklen_t)fibril__address_size(to);
  }
  fibril__handle_ref(&self->handle);
  self->sending = true;
  err = send_message(self, &message);
  self->sending = false;
  fibril__handle_moved(&self->handle, length);
  fibril__handle_unref(&self->handle);
  return err;
}
