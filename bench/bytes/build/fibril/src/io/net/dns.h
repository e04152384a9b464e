/* Names of hosts, for who connects, listens or opens a socket. */
#ifndef FIBRIL_IO_NET_DNS_H
#define FIBRIL_IO_NET_DNS_H

#include "resolve.h"

/* The addresses of a host, at least one, with the port in them, from malloc. As fibril_dns_lookup;
 * an address may be given outside of coroutines, too. */
int fibril__dns_find(const char *host, int port, int family, fibril__addresses **out);

#endif /* FIBRIL_IO_NET_DNS_H */
