/* Streams of this machine: UNIX sockets and pipes, terminals, and descriptors of others. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ptsname_r */
#endif

#include "uv_stream.h"

#include "../../core/loop/descriptors.h"
#include "local.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- UNIX sockets ---- */

/* With a NUL in front the name is abstract, and of any bytes; else it is a path. */
int fibril__unix_address(const char *path, size_t length, struct sockaddr_un *address,
                         socklen_t *size) {
  if (path == NULL) return UV_EINVAL;
  if (length == FIBRIL_AUTO_LENGTH) length = strlen(path);
  bool abstract = length > 0 && path[0] == '\0';
  if (length == 0 || (!abstract && memchr(path, 0, length) != NULL)) return UV_EINVAL;
  if (length + !abstract > sizeof address->sun_path) return UV_ENAMETOOLONG;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length);
  *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
  return 0;
}

int fibril__unix_socket(void) {
  return fibril__socket_new(AF_UNIX, SOCK_STREAM);
}

/* Where the listener has no room the system says so at once, and not when there is some: it is
 * asked again. */
static int connect_unix(int fd, const struct sockaddr_un *address, socklen_t size) {
  for (double pause = 1;; pause = pause < 32 ? 2 * pause : pause) {
    if (connect(fd, (const struct sockaddr *)address, size) == 0) return 0;
    if (errno != EAGAIN && errno != EINTR) return uv_translate_sys_error(errno);
    int err = fibril_sleep(pause);
    if (err != 0) return err;
  }
}

int fibril_pipe_connect(const char *path, size_t length, fibril_stream **out) {
  struct sockaddr_un address;
  socklen_t size;
  int err = out == NULL ? UV_EINVAL : fibril__unix_address(path, length, &address, &size);
  if (err == 0) err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  int fd = fibril__unix_socket();
  if (fd < 0) return fd;
  err = connect_unix(fd, &address, size);
  if (err == 0) err = fibril__uv_stream_of(UV_NAMED_PIPE, fd, true, out);
  if (err != 0) close(fd);
  return err;
}

int fibril_pipe_pair(fibril_stream *out[2]) {
  uv_os_sock_t fds[2];
  fibril_stream *streams[2];
  if (out == NULL) return UV_EINVAL;
  int err = uv_socketpair(SOCK_STREAM, 0, fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);
  if (err != 0) return err;
  err = fibril__uv_stream_of(UV_NAMED_PIPE, fds[0], true, &streams[0]);
  if (err != 0) close(fds[0]);
  if (err == 0) {
    err = fibril__uv_stream_of(UV_NAMED_PIPE, fds[1], true, &streams[1]);
    if (err != 0) fibril_stream_close(streams[0]);
  }
  if (err != 0) {
    close(fds[1]);
    return err;
  }
  memcpy(out, streams, sizeof streams);
  return 0;
}

/* ---- Descriptors of others ---- */

typedef struct {
  fibril_socket fd;
  bool found;
} search;

static void compare_descriptor(uv_handle_t *handle, void *arg) {
  search *wanted = arg;
  uv_os_fd_t fd;
  if (uv_fileno(handle, &fd) == 0 && fd == wanted->fd) wanted->found = true;
}

/* Of libuv's handles, Node's too. */
static bool has_handle(fibril_loop *loop, fibril_socket fd) {
  search wanted = {fd, false};
  uv_walk(loop->uv, compare_descriptor, &wanted);
  return wanted.found;
}

/* Whether one is there, and nobody in this loop has it. */
static int check_descriptor(fibril_socket fd) {
  if (fd < 0) return UV_EBADF;
  if (fcntl(fd, F_GETFD) < 0) return uv_translate_sys_error(errno);
  fibril_loop *loop = fibril_loop_current();
  if (loop == NULL) return FIBRIL_ENOTCOROUTINE;
  const fibril__watcher *watcher = fibril__watcher_find(loop, fd);
  if (watcher != NULL && fibril__watcher_alive(watcher)) return UV_EEXIST;
  return has_handle(loop, fd) ? UV_EEXIST : 0;
}

static bool listens(fibril_socket fd) {
  int on = 0;
  socklen_t size = sizeof on;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on;
}

/* libuv opens a terminal anew, so as to have it non-blocking to itself, and writes to one that it
 * can't open as if that never blocked: the master of a pair, or another user's. Those are pipes. */
static uv_handle_type kind_of_terminal(fibril_socket fd) {
  char name[64];
  bool master = ptsname_r(fd, name, sizeof name) == 0;
  bool known = !master && ttyname_r(fd, name, sizeof name) == 0;
  return known && access(name, R_OK | W_OK) == 0 ? UV_TTY : UV_NAMED_PIPE;
}

int fibril_tty_open(fibril_socket fd, fibril_stream **out) {
  if (out == NULL) return UV_EINVAL;
  int err = check_descriptor(fd);
  if (err != 0) return err;
  if (uv_guess_handle(fd) != UV_TTY) return UV_EINVAL;
  return fibril__uv_stream_of(kind_of_terminal(fd), fd, false, out);
}

int fibril_stream_adopt(fibril_socket fd, fibril_stream **out) {
  if (out == NULL) return UV_EINVAL;
  int err = check_descriptor(fd);
  if (err != 0) return err;
  uv_handle_type kind = uv_guess_handle(fd);
  bool stream = kind == UV_TCP || kind == UV_NAMED_PIPE || kind == UV_TTY;
  if (!stream || listens(fd)) return UV_EINVAL;
  return fibril__uv_stream_of(kind == UV_TTY ? kind_of_terminal(fd) : kind, fd, false, out);
}
