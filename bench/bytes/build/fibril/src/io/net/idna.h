/* Names of other alphabets, as the name service has them. */
#ifndef FIBRIL_IO_NET_IDNA_H
#define FIBRIL_IO_NET_IDNA_H

#include "address.h"

/* "bücher.example" as "xn--bcher-kva.example"; ASCII as it is. As in libuv nothing is mapped, so
 * that capital letters of other alphabets are other names. UV_EINVAL: `host` is not UTF-8;
 * UV_ENAMETOOLONG. */
int fibril__host_to_ascii(const char *host, char out[FIBRIL__HOST_LENGTH + 1]);

#endif /* FIBRIL_IO_NET_IDNA_H */
