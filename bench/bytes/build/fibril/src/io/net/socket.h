/* Sockets, and what the system knows of them. Errors are the system's. */
#ifndef FIBRIL_IO_NET_SOCKET_H
#define FIBRIL_IO_NET_SOCKET_H

#include "fibril.h"

/* Its address, or that of the other end, as text, cut where it is too long: its whole length.
 * UV_ENOTSUP for what has none. */
int fibril__socket_address(int fd, bool peer, char *buffer, size_t length);
/* Its own address. */
int fibril__socket_own(int fd, struct sockaddr_storage *address);
/* An option that is an int. */
int fibril__socket_set(int fd, int level, int name, int value);
/* One that does not block and is not handed on to other programs; or what the system says. */
int fibril__socket_new(int family, int type);
int fibril__socket_bind(int fd, const struct sockaddr *address);
/* What is set of a connection, or of a listener for those that it accepts. */
bool fibril__tcp_options_are_valid(const fibril_tcp_options *options);
int fibril__socket_set_tcp(int fd, const fibril_tcp_options *options);

/* Which one it is: numbers come back. */
uint64_t fibril__socket_identity(int fd);
/* Closes it, unless others have, and the number may be another one's. */
void fibril__socket_close(int fd, uint64_t identity);

/* The same socket by a number that is no standard stream's, which libuv leaves open when it closes
 * a handle; or what the system says, and it stays open where it is. */
int fibril__socket_above_standard(int fd);

/* Whether the system has not that address, or none of its family: another one may do. */
bool fibril__socket_lacks_address(int code);

#endif /* FIBRIL_IO_NET_SOCKET_H */
