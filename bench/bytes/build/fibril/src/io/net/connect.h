/* Connecting to one of several addresses. */
#ifndef FIBRIL_IO_NET_CONNECT_H
#define FIBRIL_IO_NET_CONNECT_H

#include "resolve.h"

/* Tries them as RFC 8305 says: the families in turn, beginning with that of the first one, a
 * quarter of a second apart, or at once when the last attempt has failed. The first that answers is
 * taken; none is given up before that. A stream, or the error of the first attempt; what a wait
 * gives, or UV_ENOMEM. `local`: the address to connect from; its family is AF_UNSPEC for any, with
 * the port of `options`. */
int fibril__connect_any(const fibril__addresses *addresses, const fibril_tcp_options *options,
                        const struct sockaddr_storage *local, fibril_stream **out);

#endif /* FIBRIL_IO_NET_CONNECT_H */
