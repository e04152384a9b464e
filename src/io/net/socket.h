/* What the system knows of a socket. */
#ifndef FIBRIL_IO_NET_SOCKET_H
#define FIBRIL_IO_NET_SOCKET_H

#include "fibril.h"

/* Its address, or that of the other end, as text, cut where it is too long: its whole length.
 * UV_ENOTSUP for what has none. */
int fibril__socket_address(int fd, bool peer, char *buffer, size_t length);

#endif /* FIBRIL_IO_NET_SOCKET_H */
