/* Listeners, for who serves. */
#ifndef FIBRIL_IO_NET_LISTENER_H
#define FIBRIL_IO_NET_LISTENER_H

#include "../handle.h"

typedef struct fibril__serving fibril__serving;

struct fibril_listener {
  fibril__handle handle;
  fibril_poll *poll; /* of the descriptor; no coroutine's */
  int fd;
  uint64_t identity; /* of its socket */
  int kept;          /* what it has accepted, and has no other number for; -1: nothing */
  uint64_t kept_identity;
  uv_handle_type kind;
  bool accepting;
  fibril__serving *serving; /* NULL: nobody */
  char *path;               /* of a UNIX socket's file, as long as it is this one; NULL: none */
  uint64_t device, inode;
};

/* Who serves hears of the close on any stack. */
struct fibril__serving {
  void (*closed)(fibril__serving *serving);
};

/* fibril_listener_accept, for who serves. */
int fibril__listener_accept(fibril_listener *listener, fibril_stream **out);

#endif /* FIBRIL_IO_NET_LISTENER_H */
