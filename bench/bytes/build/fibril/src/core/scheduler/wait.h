/* Waiting: the one way a coroutine leaves the processor. */
#ifndef FIBRIL_CORE_SCHEDULER_WAIT_H
#define FIBRIL_CORE_SCHEDULER_WAIT_H

#include "coroutine.h"

typedef struct fibril__wait fibril__wait;

/* What a report tells of a wait beside its kind's name. */
typedef struct {
  const fibril_coroutine *on; /* whose end it waits for; NULL: nobody's, or nobody knows */
  uint64_t owner;             /* or who has what it waits for, by id; 0: nobody */
  int fd;                     /* or for what descriptor; -1: none */
  char address[112];          /* or for whom there; "": nobody knows */
  bool unheld;                /* the loop may end meanwhile, as somebody has said */
} fibril__wait_report;

/* What sort of wait it is. Everything that looks at waits from outside asks here, and so knows no
 * layer above. */
typedef struct fibril__wait_kind {
  const char *name; /* "sleep" */
  /* Fills in what there is to tell; NULL: nothing. */
  void (*describe)(const fibril__wait *wait, fibril__wait_report *report);
  /* Of one that goes on when its loop closes: for whom, or NULL when that one has ended; and how a
   * sentence about it says what it waits for, around that one's name, and without. */
  const fibril_coroutine *(*blocker)(const fibril__wait *wait);
  const char *blocked[2], *orphaned;
  bool stubborn; /* it goes on even where it has a `cancel` */
  bool idle;     /* for who takes its values: nobody comes any more when the loop closes, and it has
                    nothing else to do, so that no deadline counts where it is synchronous */
} fibril__wait_kind;

/* One wait, on the waiting coroutine's stack. Whoever ends it calls fibril__wake. */
struct fibril__wait {
  const fibril__wait_kind *kind;
  void (*cancel)(fibril__wait *wait); /* asked to end early; NULL: it ends when it ends */
  fibril_coroutine *coroutine;
  uint64_t since; /* libuv's clock when it began, for reports */
  int status;
  bool woken;
};

/* What reports call one that somebody is in. */
const char *fibril__wait_name(const fibril__wait *wait);

/* What a wait has to check first: 0, UV_ECANCELED, UV_ETIMEDOUT, FIBRIL_ENOTCOROUTINE or
 * FIBRIL_ESYNC. The one place that decides it. */
int fibril__wait_check(fibril_coroutine *self);
/* What a wait that was asked to end early gives: UV_ECANCELED, or UV_ETIMEDOUT after a deadline. */
int fibril__wait_ended_early(const fibril_coroutine *self);
/* Whether it can leave at all: one that is run from the loop's stack for its next value can't, and
 * fibril__wait_check never gives 0 there. */
static inline bool fibril__can_wait(const fibril_coroutine *self) {
  return self != NULL && !self->root->generating;
}

/* Waits: fills in `coroutine`, suspends, returns the status it was woken with. `kind` and `cancel`
 * are set by the caller, whom fibril__wait_check has given 0. */
int fibril__wait_until_woken(fibril_coroutine *self, fibril__wait *wait);
/* The same for what has to be waited for whether the coroutine is cancelled or not. Where it can't
 * wait at all the process ends with a sentence. */
int fibril__wait_insist(fibril_coroutine *self, fibril__wait *wait);
/* Ends a wait; the first call counts. The coroutine runs in the order of the ready queue. */
void fibril__wake(fibril__wait *wait, int status);
/* A `cancel` that ends the wait at once. */
void fibril__wait_cancel_now(fibril__wait *wait);

/* Ends a wait of a coroutine that the caller then runs. */
static inline void fibril__wait_end(fibril__wait *wait) {
  wait->woken = true;
  wait->status = 0;
}

/* From here on it ends when it ends. */
static inline void fibril__wait_protect(fibril__wait *wait) {
  wait->cancel = NULL;
}

/* ---- The way out ---- */

FIBRIL__INLINE void fibril__leave(fibril_coroutine *self) {
  fibril__switch(&self->context, &self->loop->frame->context);
}

/* Inline, and so are the awaits: one call from the coroutine's function to the switch is what
 * fibril__forget_returns counts on. */
FIBRIL__INLINE int fibril__wait_in(fibril_coroutine *self, fibril__wait *wait, uint8_t state) {
  fibril_coroutine *root = self->root;
  if (wait->woken) return wait->status;
  wait->coroutine = self;
  wait->since = uv_now(self->loop->uv);
  root->wait = wait;
  self->state = state;
  fibril__leave(self);
  root->wait = NULL;
  if (FIBRIL__UNLIKELY(wait->status == UV_ECANCELED)) return fibril__wait_ended_early(self);
  return wait->status;
}

#endif /* FIBRIL_CORE_SCHEDULER_WAIT_H */
