/* Addresses of UNIX sockets. */
#ifndef FIBRIL_IO_NET_LOCAL_H
#define FIBRIL_IO_NET_LOCAL_H

#include "fibril.h"

#include <sys/un.h>

/* 0, UV_EINVAL or UV_ENAMETOOLONG. */
int fibril__unix_address(const char *path, size_t length, struct sockaddr_un *address,
                         socklen_t *size);
/* A socket, or what the system says. */
int fibril__unix_socket(void);

#endif /* FIBRIL_IO_NET_LOCAL_H */
