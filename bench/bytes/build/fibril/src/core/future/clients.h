/* What a loop has for the clients of its scheduler; it begins with the scheduler's part. */
#ifndef FIBRIL_CORE_FUTURE_CLIENTS_H
#define FIBRIL_CORE_FUTURE_CLIENTS_H

#include "future.h"
#include "generator.h"
#include "group.h"

typedef struct fibril__clients {
  fibril_loop loop;
  fibril__futures futures;
  fibril__groups groups;
  size_t generators; /* whose coroutines have not ended */
} fibril__clients;

static inline fibril__clients *fibril__clients_of(const fibril_loop *loop) {
  return (fibril__clients *)(uintptr_t)loop;
}

static inline fibril__futures *fibril__futures_of(const fibril_loop *loop) {
  return &fibril__clients_of(loop)->futures;
}

#endif /* FIBRIL_CORE_FUTURE_CLIENTS_H */
