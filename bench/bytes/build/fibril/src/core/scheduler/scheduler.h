/* A loop, as far as the scheduler knows it. The layers above keep more for each: their structs
 * begin with this one, and everybody passes it around. It knows its host by a few functions. */
#ifndef FIBRIL_CORE_SCHEDULER_SCHEDULER_H
#define FIBRIL_CORE_SCHEDULER_SCHEDULER_H

#include "fibril.h"

#include "../switch/here.h"
#include "../switch/stack.h"
#include "../value/box.h"
#include "ready.h"
#include "timers.h"

/* ---- The host ---- */

typedef struct fibril__host {
  /* There is something to do: the host's next turn is to come at once. False when there will be
   * none any more. */
  bool (*activate)(fibril_loop *loop);
  /* The next deadline is another one, earlier or later. */
  void (*arm)(fibril_loop *loop);
  void (*log)(fibril_loop *loop, const char *message, fibril_value error);
  /* Something is expected from outside: the host is not to end meanwhile. Counted. */
  void (*hold)(fibril_loop *loop);
  void (*release)(fibril_loop *loop);
  /* Nobody refers to the loop any more: it frees the struct. */
  void (*gone)(fibril_loop *loop);
} fibril__host;

/* ---- Frames ---- */

/* A place on the loop's stack that runs coroutines: where a suspending one goes. Frames nest when
 * JavaScript that a coroutine called starts coroutines itself. */
typedef struct fibril__frame fibril__frame;
struct fibril__frame {
  fibril__context context;
  /* What is to be done here when the coroutine comes back, set by itself just before, or that only
   * `parents` are left. */
  enum { FIBRIL__NOTHING, FIBRIL__PARENTS, FIBRIL__FINISH, FIBRIL__HOP, FIBRIL__START } after;
  unsigned depth;
  void *data;
  fibril__task *parents; /* coroutines that spawned a child and go on as soon as it waits */
  void (*hop)(void *data);
  fibril__frame *prev;
};

/* ---- The end ---- */

/* How long clean-up behind masks may take when a loop closes. */
typedef struct fibril__grace {
  double ms;
  fibril_timeout timer;
  bool began;  /* there is something that is masked */
  bool lifted; /* it is over, and no mask counts */
} fibril__grace;

enum { FIBRIL__OPEN, FIBRIL__CLOSING, FIBRIL__CLOSED };

/* ---- The loop ---- */

struct fibril_loop {
  union {
    fibril__arenas arenas;     /* first: see fibril__owner_here */
    fibril_coroutine *current; /* the one that runs, or NULL */
  };
  fibril__frame *frame; /* the innermost one, or NULL */
  fibril__ready ready;
  fibril__stacks stacks;

  uv_loop_t *uv; /* the scheduler only asks for its time */
  const fibril__host *host;
  fibril__frame base; /* for a coroutine entered while there is none: prepared, as most are */
  int state;
  size_t refs; /* futures, and itself until closed: keeps the struct, nothing else */
  fibril__timers timers;
  fibril__grace grace;
};

_Static_assert(offsetof(struct fibril_loop, arenas) == 0, "values look for the owner there");
_Static_assert(offsetof(struct fibril_loop, ready.awake) < 64, "a drain touches one line of it");

/* 0 or UV_ENOMEM. The loop is zero. */
int fibril__scheduler_init(fibril_loop *loop, uv_loop_t *uv, const fibril__host *host);
/* No coroutine is made any more, and every one is cancelled. */
void fibril__scheduler_close(fibril_loop *loop);
/* No coroutine is left. */
void fibril__scheduler_destroy(fibril_loop *loop);

/* Runs what is due: fibril__scheduler_choose has chosen it. */
void fibril__scheduler_choose(fibril_loop *loop);
void fibril__scheduler_run_due(fibril_loop *loop);

static inline void fibril__loop_ref(fibril_loop *loop) {
  loop->refs++;
}

static inline void fibril__loop_unref(fibril_loop *loop) {
  if (--loop->refs == 0) loop->host->gone(loop);
}

/* There is something to do. */
void fibril__loop_activate(fibril_loop *loop);

/* Nothing is to be done before the host's next event. */
static inline void fibril__loop_rest(fibril_loop *loop) {
  loop->ready.awake = false;
}

static inline void fibril__loop_log(fibril_loop *loop, const char *message, fibril_value error) {
  loop->host->log(loop, message, error);
}

static inline void fibril__loop_hold(fibril_loop *loop) {
  loop->host->hold(loop);
}

static inline void fibril__loop_release(fibril_loop *loop) {
  loop->host->release(loop);
}

/* How many tasks are ready. */
static inline size_t fibril__queued(const fibril_loop *loop) {
  return fibril__ready_count(&loop->ready);
}

/* Never fails: who made the task has reserved its place. */
static inline void fibril__enqueue(fibril_loop *loop, fibril__task *task) {
  fibril__ready_add(&loop->ready, task);
  if (FIBRIL__UNLIKELY(!loop->ready.awake)) fibril__loop_activate(loop);
}

/* Whose the values are that are made on the loop's stack: NULL, nobody's, for all that runs there
 * but a synchronous function itself. What there was before. */
static inline fibril__owner *fibril__call_owner(fibril_loop *loop, fibril__owner *owner) {
  fibril__owner *before = loop->arenas.call;
  loop->arenas.call = owner;
  return before;
}

/* Around what others' code does on the loop's stack: callbacks, handlers; `loop` is NULL where it
 * has been closed. */
typedef struct {
  fibril_loop *here;
  fibril__owner *owner;
} fibril__visit;

static inline fibril__visit fibril__visit_begin(fibril_loop *loop) {
  fibril__visit visit = {fibril__loop_here, loop == NULL ? NULL : fibril__call_owner(loop, NULL)};
  fibril__loop_here = loop;
  return visit;
}

static inline void fibril__visit_end(fibril_loop *loop, fibril__visit visit) {
  if (loop != NULL) fibril__call_owner(loop, visit.owner);
  fibril__loop_here = visit.here;
}

/* The running coroutine, or NULL, through the thread's loop. */
static inline fibril_coroutine *fibril__self(void) {
  fibril_loop *loop = fibril__loop_here;
  return loop == NULL ? NULL : loop->current;
}

#endif /* FIBRIL_CORE_SCHEDULER_SCHEDULER_H */
