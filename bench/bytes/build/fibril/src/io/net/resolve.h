/* The system's resolver, which blocks: for threads of the pool. */
#ifndef FIBRIL_IO_NET_RESOLVE_H
#define FIBRIL_IO_NET_RESOLVE_H

#include "address.h"

typedef struct fibril__addresses {
  int count;
  struct sockaddr_storage list[];
} fibril__addresses;

/* The addresses of `host`, at least one, from malloc, in the order in which they should be tried:
 * without a port. 0, UV_ENOMEM, or a UV_EAI_* code. */
int fibril__resolve_host(const char *host, int family, fibril__addresses **out);
/* The name of an address; the address itself where it has none. UV_EAI_OVERFLOW: it does not fit.
 */
int fibril__resolve_address(const struct sockaddr *address, char *host, size_t length);

#endif /* FIBRIL_IO_NET_RESOLVE_H */
