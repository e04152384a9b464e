/* UDP sockets: the handle, and what is set of the system's. */
#ifndef FIBRIL_IO_NET_UDP_H
#define FIBRIL_IO_NET_UDP_H

#include "../handle.h"

struct fibril_udp {
  fibril__handle handle;
  fibril_poll *poll; /* of the descriptor; no coroutine's */
  int fd;
  uint64_t identity;       /* of its socket */
  bool receiving, sending; /* somebody is in that function */
  bool connected;
};

bool fibril__udp_options_are_valid(const fibril_udp_options *options);
/* Before it is bound. */
int fibril__udp_set_options(int fd, int family, const fibril_udp_options *options);

#endif /* FIBRIL_IO_NET_UDP_H */
