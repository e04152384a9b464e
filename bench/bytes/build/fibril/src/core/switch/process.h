/* What all copies of fibril in a process share. Each addon carries a copy of its own, of whatever
 * version, with hidden symbols; but there is one thread pool, one limit on mappings, one handler
 * for a signal. So the copies find each other, by a note in each one's file, and use the struct of
 * the one that was loaded first, whose file is kept from then on.
 *
 * The layout is fixed: another one needs another FIBRIL__PROCESS_VERSION, and its copies do not
 * find those of this one. */
#ifndef FIBRIL_CORE_PROCESS_H
#define FIBRIL_CORE_PROCESS_H

#include "guard.h"

#include <signal.h>
#include <stdbool.h>
#include <uv.h>

#define FIBRIL__PROCESS_VERSION 1

/* Who waits for a token. offer() is called under the mutex, when one is free: whoever comes first
 * takes it, since a loop that is busy otherwise may not come for long. */
typedef struct fibril__candidate fibril__candidate;
struct fibril__candidate {
  fibril__candidate *next;
  void (*offer)(fibril__candidate *candidate);
};

/* A copy's part in the handler of faults: whether one is an overflow of a stack of its own, which
 * it then reports. In a signal handler. Never removed. */
typedef struct fibril__claimant fibril__claimant;
struct fibril__claimant {
  fibril__claimant *next;
  bool (*claim)(uintptr_t fault, uintptr_t sp);
};

/* Of a signal that is waited for: what did something with it when libuv's handler came. */
typedef struct fibril__found_signal {
  struct sigaction before;
  bool other; /* than the default, which libuv leaves behind */
} fibril__found_signal;

#define FIBRIL__SIGNALS 65 /* one more than the largest number */

typedef struct fibril__process {
  uv_mutex_t mutex;

  /* Of the thread pool; under the mutex. */
  uint32_t pool_threads; /* 0: not known yet */
  uint32_t tokens_taken;
  fibril__candidate *line;

  /* Of stacks. */
  _Atomic(int64_t) guards; /* by mprotect, that are in place */
  atomic_flag warned;      /* that there are no more */

  /* Of faults. */
  _Atomic(fibril__claimant *) claimants;
  void (*handler)(int signal, siginfo_t *info, void *context); /* the last one that a copy
                                                                  installed; under the mutex */

  fibril__found_signal signals[FIBRIL__SIGNALS]; /* by number; under the mutex */
} fibril__process;

/* Has the file that an address is in stay loaded when it is closed. */
FIBRIL__INTERNAL void fibril__process_keep_file(const void *address);

/* Set when the copy is loaded. */
FIBRIL__INTERNAL extern fibril__process *fibril__shared;

static inline void fibril__process_lock(void) {
  uv_mutex_lock(&fibril__shared->mutex);
}

static inline void fibril__process_unlock(void) {
  uv_mutex_unlock(&fibril__shared->mutex);
}

/* Tokens for half of the pool's threads, and the line of those who wait for one. Under the mutex,
 * all of them. */
FIBRIL__INTERNAL bool fibril__token_take(void);
/* Whoever stands in the line is offered it. */
FIBRIL__INTERNAL void fibril__token_return(void);
FIBRIL__INTERNAL void fibril__token_line_join(fibril__candidate *candidate);
FIBRIL__INTERNAL void fibril__token_line_leave(fibril__candidate *candidate);
/* Whether anybody but this one stands in the line. */
FIBRIL__INTERNAL bool fibril__token_line_has_others(const fibril__candidate *candidate);
/* Whether the host has no thread beside those that tokens are for; known once one was taken. */
FIBRIL__INTERNAL bool fibril__pool_is_one_thread(void);

#endif /* FIBRIL_CORE_PROCESS_H */
