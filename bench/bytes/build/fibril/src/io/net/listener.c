/* Listeners. libuv's own take connections when there is no descriptor left, and drop them; these
 * leave them in the backlog. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif

#include "listener.h"

#include "../poll.h"
#include "address.h"
#include "dns.h"
#include "local.h"
#include "socket.h"
#include "uv_stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 511

/* Where there is no descriptor, or no memory, it asks again after so many milliseconds. */
#define SHORTAGE_MS 50

static void describe_accept(const fibril__wait *wait, fibril__wait_report *report) {
  fibril__poll_describe(wait, report);
  fibril__socket_address(report->fd, false, report->address,
                         sizeof report->address); /* stays empty where it has none */
}

static const fibril__wait_kind accept_kind = {.name = "accept", .describe = describe_accept};

/* ---- The handle ---- */

/* Another listener may have put a file of its own in its place. */
static void remove_file(const fibril_listener *self) {
  struct stat now;
  if (stat(self->path, &now) == 0 && now.st_dev == self->device && now.st_ino == self->inode)
    unlink(self->path);
}

static void close_listener(fibril__handle *handle) {
  fibril_listener *self = FIBRIL__CONTAINER(fibril_listener, handle, handle);
  if (self->path != NULL) remove_file(self);
  if (self->poll != NULL) fibril_poll_close(self->poll);
  fibril__socket_close(self->fd, self->identity);
  if (self->kept >= 0) fibril__socket_close(self->kept, self->kept_identity);
  self->kept = -1;
  if (self->serving != NULL) self->serving->closed(self->serving);
}

static void free_listener(fibril__handle *handle) {
  fibril_listener *self = FIBRIL__CONTAINER(fibril_listener, handle, handle);
  if (self->poll != NULL) fibril_poll_unref(self->poll);
  free(self->path);
  free(self);
}

static void hold_listener(fibril__handle *handle, bool held) {
  fibril_poll *poll = FIBRIL__CONTAINER(fibril_listener, handle, handle)->poll;
  (held ? fibril_poll_hold : fibril_poll_unhold)(poll);
}

static const fibril__handle_type listener_type = {
    .close = close_listener, .free = free_listener, .hold = hold_listener};

FIBRIL__HANDLE_FUNCTIONS(listener, fibril_listener)

/* ---- Options ---- */

static const fibril_listen_options no_options = {.size = sizeof no_options};

static bool valid_options(const fibril_listen_options *options) {
  fibril_tcp_options inner = options->connection;
  if (inner.size == 0) inner.size = sizeof inner;
  return options->size == sizeof *options && options->backlog >= 0 &&
         fibril__tcp_options_are_valid(&inner);
}

/* ---- Listening ---- */

static int start_listening(fibril_listener *self, int backlog) {
  if (listen(self->fd, backlog > 0 ? backlog : BACKLOG) != 0) return uv_translate_sys_error(errno);
  int err = fibril_poll_open(self->fd, &self->poll);
  if (err != 0) return err;
  fibril_poll_ref(self->poll);
  fibril_poll_detach(self->poll);
  return 0;
}

/* The descriptor is the listener's, also on failure. */
static int new_listener(int fd, uv_handle_type kind, int backlog, fibril_listener **out) {
  fibril_listener *self = calloc(1, sizeof *self);
  if (self == NULL) {
    close(fd);
    return UV_ENOMEM;
  }
  self->fd = fd;
  self->identity = fibril__socket_identity(fd);
  self->kind = kind;
  self->kept = -1;
  int err = fibril__handle_init(&self->handle, &listener_type);
  if (err != 0) {
    close(fd);
    free(self);
    return err;
  }
  err = start_listening(self, backlog);
  if (err != 0)
    fibril__handle_close(&self->handle);
  else
    *out = self;
  return err;
}

/* What is accepted has the connection's options from the listener. */
static int bind_tcp(int fd, const struct sockaddr *address, const fibril_listen_options *options) {
  int err = fibril__socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (err == 0 && options->reuseport) err = fibril__socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (err == 0 && address->sa_family == AF_INET6)
    err = fibril__socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6only);
  if (err == 0) err = fibril__socket_set_tcp(fd, &options->connection);
  return err != 0 ? err : fibril__socket_bind(fd, address);
}

static int listen_at(const struct sockaddr *address, const fibril_listen_options *options,
                     fibril_listener **out) {
  int fd = fibril__socket_new(address->sa_family, SOCK_STREAM);
  if (fd < 0) return fd;
  int err = bind_tcp(fd, address, options);
  if (err == 0) return new_listener(fd, UV_TCP, options->backlog, out);
  close(fd);
  return err;
}

/* Without IPv6 all addresses are those of IPv4. */
static int listen_everywhere(int port, const fibril_listen_options *options,
                             fibril_listener **out) {
  struct sockaddr_storage any;
  fibril__address_parse("::", port, &any);
  int err = listen_at((struct sockaddr *)&any, options, out);
  if (!fibril__socket_lacks_address(err) || options->ipv6only) return err;
  fibril__address_parse("0.0.0.0", port, &any);
  return listen_at((struct sockaddr *)&any, options, out);
}

int fibril_tcp_listen(const char *host, int port, const fibril_listen_options *options,
                      fibril_listener **out) {
  fibril__addresses *found;
  if (options == NULL) options = &no_options;
  if (out == NULL || !valid_options(options) || !fibril__port_is_valid(port)) return UV_EINVAL;
  if (fibril_loop_current() == NULL) return FIBRIL_ENOTCOROUTINE;
  if (host == NULL) return listen_everywhere(port, options, out);
  int err = fibril__dns_find(host, port, AF_UNSPEC, &found);
  if (err != 0) return err;
  err = UV_EADDRNOTAVAIL;
  for (int i = 0; i < found->count && fibril__socket_lacks_address(err); i++)
    err = listen_at((struct sockaddr *)&found->list[i], options, out);
  free(found);
  return err;
}

/* ---- UNIX sockets ---- */

/* The file is there from bind on: it gets its mode before anybody can connect. */
static int bind_unix(int fd, const struct sockaddr_un *address, socklen_t size, int mode) {
  if (bind(fd, (const struct sockaddr *)address, size) != 0) return uv_translate_sys_error(errno);
  if (mode == 0 || address->sun_path[0] == '\0') return 0;
  if (chmod(address->sun_path, (mode_t)mode) == 0) return 0;
  int err = uv_translate_sys_error(errno);
  unlink(address->sun_path);
  return err;
}

/* The process may be in another folder when the file is to be removed. */
static char *absolute_path(const char *path) {
  char folder[4096];
  size_t length = sizeof folder;
  if (path[0] == '/' || uv_cwd(folder, &length) != 0) return strdup(path);
  size_t size = length + strlen(path) + 2;
  char *whole = malloc(size);
  if (whole != NULL) snprintf(whole, size, "%s/%s", folder, path);
  return whole;
}

static int keep_path(fibril_listener *self, const char *path) {
  struct stat now;
  if (stat(path, &now) != 0) return uv_translate_sys_error(errno);
  self->device = now.st_dev;
  self->inode = now.st_ino;
  self->path = absolute_path(path);
  return self->path == NULL ? UV_ENOMEM : 0;
}

int fibril_pipe_listen(const char *path, size_t length, const fibril_listen_options *options,
                       fibril_listener **out) {
  struct sockaddr_un address;
  socklen_t size;
  if (options == NULL) options = &no_options;
  if (out == NULL || !valid_options(options)) return UV_EINVAL;
  int err = fibril__unix_address(path, length, &address, &size);
  if (err != 0) return err;
  if (fibril_loop_current() == NULL) return FIBRIL_ENOTCOROUTINE;
  int fd = fibril__unix_socket();
  if (fd < 0) return fd;
  err = bind_unix(fd, &address, size, options->mode);
  if (err != 0) {
    close(fd);
    return err;
  }
  bool file = address.sun_path[0] != '\0';
  fibril_listener *self;
  err = new_listener(fd, UV_NAMED_PIPE, options->backlog, &self);
  if (err == 0 && file && (err = keep_path(self, address.sun_path)) != 0)
    fibril_listener_close(self);
  if (err != 0 && file) unlink(address.sun_path);
  if (err == 0) *out = self;
  return err;
}

int fibril_listener_port(const fibril_listener *self) {
  struct sockaddr_storage address;
  if (self->handle.closed) return UV_EBADF;
  if (self->kind == UV_NAMED_PIPE) return 0;
  int err = fibril__socket_own(self->fd, &address);
  return err != 0 ? err : fibril__address_port((struct sockaddr *)&address);
}

/* ---- Accepting ---- */

/* Of a connection that has gone again, and that says nothing of the next one. */
static bool is_of_connection(int code) {
  static const int codes[] = {UV_EINTR,        UV_ECONNABORTED, UV_ECONNRESET,  UV_EPROTO,
                              UV_ETIMEDOUT,    UV_ENETDOWN,     UV_ENETUNREACH, UV_EHOSTDOWN,
                              UV_EHOSTUNREACH, UV_ENOPROTOOPT,  UV_ENONET};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
    if (code == codes[i]) return true;
  return false;
}

/* Of a descriptor that was closed, or is another one's. */
static bool is_gone(int code) {
  return code == UV_EBADF || code == UV_ENOTSOCK || code == UV_EINVAL || code == UV_ENOTSUP;
}

static bool is_shortage(int code) {
  return code == UV_EMFILE || code == UV_ENFILE || code == UV_ENOBUFS || code == UV_ENOMEM;
}

/* Nothing comes that it waits for: it goes on after a while, or when the listener is closed. */
static int wait_out_shortage(fibril_listener *self) {
  int err = fibril_deadline_push(SHORTAGE_MS);
  if (err != 0) return err;
  err = fibril__poll_wait(self->poll, UV_PRIORITIZED, &accept_kind);
  fibril_deadline_pop();
  return err == UV_ETIMEDOUT || err > 0 ? fibril__wait_check(fibril__self()) : err;
}

/* A connection's descriptor, or what the system says. One that has no number yet is not lost. */
static int accept_one(fibril_listener *self) {
  int fd = self->kept;
  if (fd >= 0 && fibril__socket_identity(fd) != self->kept_identity) fd = -1; /* another's now */
  if (fd < 0) fd = accept4(self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return uv_translate_sys_error(errno);
  int above = fibril__socket_above_standard(fd);
  self->kept = above < 0 ? fd : -1;
  if (above < 0) self->kept_identity = fibril__socket_identity(fd);
  return above;
}

/* 0: again. However many have gone, others have their turn. */
static int after_failure(fibril_listener *self, int code) {
  if (code == UV_EAGAIN) return fibril__poll_wait(self->poll, UV_READABLE, &accept_kind);
  if (is_shortage(code)) return wait_out_shortage(self);
  if (is_gone(code)) return UV_EBADF;
  if (!is_of_connection(code)) return code;
  fibril__handle_moved(&self->handle, 0);
  return fibril__handle_check(&self->handle);
}

static int next_connection(fibril_listener *self) {
  for (;;) {
    int fd = accept_one(self);
    if (fd >= 0) return fd;
    int err = after_failure(self, fd);
    if (err < 0) return err == UV_EBADF && self->handle.closed ? UV_ECANCELED : err;
    if (self->handle.closed) return UV_ECANCELED; /* and the number may be another descriptor's */
  }
}

int fibril__listener_accept(fibril_listener *self, fibril_stream **out) {
  int err = fibril__handle_check(&self->handle);
  if (err != 0) return err;
  fibril__handle_ref(&self->handle);
  self->accepting = true;
  int fd = next_connection(self);
  self->accepting = false;
  if (fd >= 0) {
    err = fibril__uv_stream_of(self->kind, fd, true, out);
    if (err != 0) close(fd);
    fibril__handle_moved(&self->handle, 0);
  }
  fibril__handle_unref(&self->handle);
  return fd < 0 ? fd : err;
}

/* Who serves has it for good, also while it waits for room. */
int fibril_listener_accept(fibril_listener *self, fibril_stream **out) {
  int err = fibril__handle_check(&self->handle);
  if (err != 0) return err;
  if (out == NULL) return UV_EINVAL;
  if (self->accepting || self->serving != NULL) return UV_EBUSY;
  return fibril__listener_accept(self, out);
}
