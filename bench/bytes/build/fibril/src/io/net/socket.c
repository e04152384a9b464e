#include "socket.h"

#include "address.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* An abstract name is shown with "@" for its NUL, as tools do. */
static int format_unix(const struct sockaddr_un *address, socklen_t size, char *buffer,
                       size_t length) {
  size_t room = size - offsetof(struct sockaddr_un, sun_path);
  if (size <= offsetof(struct sockaddr_un, sun_path)) return snprintf(buffer, length, "%s", "");
  if (address->sun_path[0] != '\0')
    return snprintf(buffer, length, "%.*s", (int)room, address->sun_path);
  return snprintf(buffer, length, "@%.*s", (int)room - 1, address->sun_path + 1);
}

int fibril__socket_address(int fd, bool peer, char *buffer, size_t length) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  char text[FIBRIL__ADDRESS_LENGTH];
  int err = (peer ? getpeername : getsockname)(fd, (struct sockaddr *)&address, &size);
  if (err != 0) return errno == ENOTSOCK ? UV_ENOTSUP : uv_translate_sys_error(errno);
  if (address.ss_family == AF_UNIX)
    return format_unix((struct sockaddr_un *)&address, size, buffer, length);
  fibril__address_format((struct sockaddr *)&address, text);
  return text[0] == '\0' ? UV_ENOTSUP : snprintf(buffer, length, "%s", text);
}

int fibril__socket_own(int fd, struct sockaddr_storage *address) {
  socklen_t size = sizeof *address;
  int err = getsockname(fd, (struct sockaddr *)address, &size);
  return err == 0 ? 0 : uv_translate_sys_error(errno);
}

int fibril__socket_set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : uv_translate_sys_error(errno);
}

uint64_t fibril__socket_identity(int fd) {
  struct stat about;
  return fstat(fd, &about) == 0 ? about.st_ino : 0;
}

void fibril__socket_close(int fd, uint64_t identity) {
  if (fibril__socket_identity(fd) == identity) close(fd);
}

int fibril__socket_above_standard(int fd) {
  if (fd > STDERR_FILENO) return fd;
  int other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (other < 0) return uv_translate_sys_error(errno);
  close(fd);
  return other;
}

int fibril__socket_new(int family, int type) {
  int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return uv_translate_sys_error(errno);
  int above = fibril__socket_above_standard(fd);
  if (above < 0) close(fd);
  return above;
}

bool fibril__socket_lacks_address(int code) {
  return code == UV_EAFNOSUPPORT || code == UV_EADDRNOTAVAIL;
}

int fibril__socket_bind(int fd, const struct sockaddr *address) {
  int err = bind(fd, address, (socklen_t)fibril__address_size(address));
  return err == 0 ? 0 : uv_translate_sys_error(errno);
}

bool fibril__tcp_options_are_valid(const fibril_tcp_options *options) {
  return options->size == sizeof *options && options->send_buffer >= 0 &&
         options->receive_buffer >= 0;
}

int fibril__socket_set_tcp(int fd, const fibril_tcp_options *options) {
  int err = options->delay ? 0 : fibril__socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (err == 0 && options->keepalive > 0) err = fibril__socket_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (err == 0 && options->keepalive > 0)
    err = fibril__socket_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)options->keepalive);
  if (err == 0 && options->send_buffer > 0)
    err = fibril__socket_set(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer);
  if (err == 0 && options->receive_buffer > 0)
    err = fibril__socket_set(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer);
  return err;
}
