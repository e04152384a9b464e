/* Addresses of the internet, and their ports. */
#ifndef FIBRIL_IO_NET_ADDRESS_H
#define FIBRIL_IO_NET_ADDRESS_H

#include "fibril.h"

/* A name has at most 253 characters, an address with a scope less. */
#define FIBRIL__HOST_LENGTH 255
/* "[address%interface]:port" and the NUL. */
#define FIBRIL__ADDRESS_LENGTH (INET6_ADDRSTRLEN + UV_IF_NAMESIZE + 9)

static inline bool fibril__port_is_valid(int port) {
  return port >= 0 && port <= 65535;
}

/* What every `host` and `port` of a caller's has to pass: UV_EINVAL for no host or a port that is
 * none, UV_ENAMETOOLONG. */
int fibril__host_check(const char *host, int port);
/* The address that `host` is: "127.0.0.1", "::1", "fe80::1%lo", or with the interface's number.
 * UV_EAI_NONAME where it is none, a name for instance, else what fibril__host_check gives. */
int fibril__address_parse(const char *host, int port, struct sockaddr_storage *out);
/* The number of the interface that `text` names, or is the number of; 0: there is none. */
unsigned fibril__interface_parse(const char *text);
/* "127.0.0.1:80", "[fe80::1%lo]:80"; "" for one of another family. */
void fibril__address_format(const struct sockaddr *address, char text[FIBRIL__ADDRESS_LENGTH]);

/* Of AF_INET and AF_INET6; 0 for every other family. */
size_t fibril__address_size(const struct sockaddr *address);
int fibril__address_port(const struct sockaddr *address);
/* Whether they are one address, with one port; not of other families. */
bool fibril__address_equals(const struct sockaddr *a, const struct sockaddr *b);
void fibril__address_set_port(struct sockaddr *address, int port);

#endif /* FIBRIL_IO_NET_ADDRESS_H */
