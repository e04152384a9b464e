/* Descriptors that are watched until they are ready. They are in an epoll set of the loop's own,
 * and libuv polls that: a descriptor that is closed while libuv itself watches it makes it abort,
 * and nobody hears of one that is closed while it is waited for. Here each call says what is wrong,
 * and what goes away later is noticed within FIBRIL__SWEEP_MS. */
#ifndef FIBRIL_CORE_DESCRIPTORS_H
#define FIBRIL_CORE_DESCRIPTORS_H

#include "fibril.h"

#define FIBRIL__SWEEP_MS 200

typedef struct fibril__descriptors fibril__descriptors;

/* In the caller's memory, where it stays until it is stopped. */
typedef struct fibril__watcher fibril__watcher;
struct fibril__watcher {
  fibril_loop *loop;
  int fd, events; /* 0: it rests, and has the descriptor */
  /* Called on the loop's stack while the descriptor is ready, with UV_READABLE and so on; with
   * UV_EBADF, once, when it has gone away, or has an error pending: then it is watched no more. */
  void (*ready)(fibril__watcher *watcher, int events);
  /* Called on any stack when its descriptor is gone and the number is another one's, which somebody
   * watches from now on: it is stopped. */
  void (*replaced)(fibril__watcher *watcher);
  bool steady; /* an error pending is what it is ready for, too, as reading or writing says which;
                  and once it has gone away it stays so, whatever has its number */
  bool unheld; /* it does not keep the loop alive */
  bool lost;   /* it has gone away, and `ready` is to hear of it */
  bool was_blocking;
  uint32_t serial; /* of its entry in the set; 0: it has none */
};

/* 0, UV_EEXIST (another one has the descriptor), UV_ENOMEM, or what the system says: UV_EBADF,
 * UV_EPERM for what is always ready, as files are. The descriptor becomes non-blocking. */
int fibril__watcher_start(fibril__watcher *watcher);
/* Other events; watches again what it watched no more. */
void fibril__watcher_change(fibril__watcher *watcher, int events);
void fibril__watcher_stop(fibril__watcher *watcher);
/* The same, and the descriptor waits again where it did before, if it is still the same one: what
 * is open may be others', too. */
void fibril__watcher_give_back(fibril__watcher *watcher);
/* Whether it keeps the loop alive while it watches. */
void fibril__watcher_hold(fibril__watcher *watcher, bool held);
/* Whether the descriptor is the one that it was. */
bool fibril__watcher_alive(const fibril__watcher *watcher);

/* Who watches a descriptor, or NULL. */
fibril__watcher *fibril__watcher_find(const fibril_loop *loop, int fd);
/* For one that was made non-blocking and is given back to whom it belongs. */
void fibril__descriptor_block(int fd);
/* This one was closed: who watches it hears of it at once. */
void fibril__descriptor_closed(fibril_loop *loop, int fd);
/* Stops them all. */
void fibril__descriptors_close(fibril_loop *loop, void (*stop)(fibril__watcher *watcher));

#endif /* FIBRIL_CORE_DESCRIPTORS_H */
