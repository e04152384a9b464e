/* Coroutines: the control block, how they are made, and how they end. */
#ifndef FIBRIL_CORE_SCHEDULER_COROUTINE_H
#define FIBRIL_CORE_SCHEDULER_COROUTINE_H

#include "scheduler.h"

#define FIBRIL__STACK_DEFAULT_CLASS 4 /* 256 KiB */

enum {
  FIBRIL__FRESH,     /* has not run */
  FIBRIL__ACTIVE,    /* runs, or will: in the ready queue, in its frame's list of parents */
  FIBRIL__WAITING,   /* in a wait */
  FIBRIL__SUSPENDED, /* in fibril_suspend */
  FIBRIL__YIELDED,   /* between two of its values: it goes on when somebody calls it */
  FIBRIL__ENDED
};

/* Whom a coroutine goes back to with its values. */
enum {
  FIBRIL__CALLED = 1, /* who called it, see call.h */
  FIBRIL__SYNCHRONOUS =
      2 /* who needs its next value at once, on the loop's stack: it may not wait */
};

/* The one hook of a coroutine's end. `result` is the hook's; on which stack it is called, only the
 * coroutine's kind says: one that is called by others is told on its own; another one either on its
 * own, where it may only queue, or on the loop's, always so when it is `encumbered`. True when the
 * hook has given the coroutine back itself, with fibril__coroutine_release. */
typedef bool (*fibril__ended_fn)(fibril_coroutine *coroutine, fibril_value result);

/* The control block, three cache lines:
 *
 *       +0        +8        +16       +24       +32       +40       +48       +56
 *      +---------+---------+---------+---------+---------+---------+---------+---------+
 *    0 |   sp        fp        ip    |  arena  |  next      run    |  loop   |  flags  |
 *      |           context           |  owner  |       task        |         |         |
 *      +---------+---------+---------+---------+---------+---------+---------+---------+
 *   64 |   fn    |   arg   |  ended  |  stack  |  root   |  wait   |   tag       as    |
 *      |         |         |         |         |         |         |      result       |
 *      +---------+---------+---------+---------+---------+---------+---------+---------+
 *  128 |ended_arg| caller  | locals  | deferred|deadlines| caught  | uncaught|   id    |
 *      |         |         |         |         |         |         | refusals|         |
 *      +---------+---------+---------+---------+---------+---------+---------+---------+
 *      flags, a byte each:
 *      +---------+----------+---------+---------+---------+---------+----------+---------+
 *      |cancelled|generating|  timed  |  masks  |  state  |momentary|encumbered| listed  |
 *      '-------- hindered: 0, it may wait ------+-----------------------------------------'
 *
 * The first line is all that a switch touches. What is marked "constant" is the same for all
 * coroutines of a stack, or is again what it was when one ends: it is written only for the first
 * one, see begin_new() in coroutine.c; builds with FIBRIL_DEBUG look after it. */
struct fibril_coroutine {
  _Alignas(64) union {
    fibril__context context;
    fibril__owner owner; /* arena constant: NULL */
  };
  fibril__task task; /* run: constant */
  fibril_loop *loop; /* constant */
  union {
    struct {
      union {
        struct {
          bool cancelled;
          uint8_t generating; /* FIBRIL__CALLED, SYNCHRONOUS */
          bool timed;         /* it has deadlines */
          uint8_t masks;      /* against its own cancellation and that of those who called it */
        };
        uint32_t hindered; /* 0: it may wait, whenever it likes */
      };
      uint8_t state;
      bool momentary;  /* queued by fibril_moment: not before the next poll */
      bool encumbered; /* its end has more to do than to call `ended` */
      bool listed;     /* while a loop is inspected: it is in the ready queue */
    };
    uint64_t fresh; /* all of them at once: 0 at the beginning */
  };
  /* second line */
  fibril_fn fn;
  void *arg;
  fibril__ended_fn ended; /* constant: NULL */
  fibril__stack *stack;   /* constant */
  fibril_coroutine *root; /* constant: itself; of a called one who is at the bottom of the calls */
  /* constant: NULL; of a root what it, or the one that it called, waits for */
  struct fibril__wait *wait;
  fibril_value result;
  /* third line, all constant: NULL, and `encumbered` where one is not */
  void *ended_arg;          /* the hook's */
  fibril_coroutine *caller; /* of a called one, while it runs or waits; NULL: the loop's stack */
  struct fibril__local *locals;
  struct fibril__deferred *deferred;
  struct fibril__deadline *deadlines;
  /* Its fibril__exceptions while it does not run, where something may throw. */
  void *caught;
  unsigned uncaught;
  unsigned refusals; /* of waits, while its loop closes: that starts no other coroutine here */
  uint64_t id;       /* constant: 0; see fibril__coroutine_id */
};

_Static_assert(FIBRIL__FIBERS || sizeof(fibril_coroutine) <= 192, "three cache lines");
_Static_assert(offsetof(fibril_coroutine, context) == 0, "fibril__entry passes it on");
_Static_assert(FIBRIL__FIBERS || offsetof(fibril_coroutine, fn) == 64, "a switch touches one line");
#if !FIBRIL__FIBERS
_Static_assert(offsetof(fibril_coroutine, result) == FIBRIL__SWITCH_RESULT,
               "fibril__switch_result reads it");
#endif

int fibril__coroutine_new(fibril_loop *loop, fibril_fn fn, void *arg,
                          const fibril_spawn_options *options, fibril_coroutine **coroutine);
/* The same in a loop that closes, for the last one of it: cancelled, and masked for all of its
 * function. 0 or UV_ENOMEM. */
int fibril__coroutine_new_last(fibril_loop *loop, fibril_fn fn, void *arg,
                               fibril_coroutine **coroutine);
/* A coroutine with `room` bytes at the top of its stack for the caller, who fills them, says with
 * fibril__coroutine_set what it is to run and starts it, or gives it back with
 * fibril__coroutine_release. They are there until its hook returns. 0 or what fibril__coroutine_new
 * says. */
int fibril__coroutine_prepare(fibril_loop *loop, int cls, size_t room,
                              fibril_coroutine **coroutine);
static inline void *fibril__coroutine_room(const fibril_coroutine *coroutine) {
  return coroutine->context.sp;
}
static inline void fibril__coroutine_set(fibril_coroutine *coroutine, const char *name,
                                         fibril_fn fn, void *arg) {
  fibril__stack_set_name(coroutine->stack, name);
  coroutine->fn = fn;
  coroutine->arg = arg;
}
/* Its hook; only one that has more to do than to queue needs the loop's stack. */
static inline void fibril__coroutine_on_end(fibril_coroutine *coroutine, fibril__ended_fn ended) {
  coroutine->ended = ended;
}
static inline void fibril__coroutine_on_end_with(fibril_coroutine *coroutine,
                                                 fibril__ended_fn ended, void *arg) {
  coroutine->ended = ended;
  coroutine->ended_arg = arg;
  coroutine->encumbered = true;
}
/* It goes back to others with its values: FIBRIL__CALLED or SYNCHRONOUS. */
static inline void fibril__coroutine_generates(fibril_coroutine *coroutine, uint8_t how) {
  coroutine->generating |= how;
}
/* The memory of one that has ended or never ran. */
void fibril__coroutine_release(fibril_coroutine *coroutine);
/* The end of one that came to the loop's stack for it. */
void fibril__coroutine_finish(fibril_coroutine *coroutine);
/* What no other coroutine of the process has or had: its address is soon another's. Never 0. */
uint64_t fibril__coroutine_id(fibril_coroutine *coroutine);

/* The control block is the top of the stack, which is a multiple of a cache line. */
static inline fibril_coroutine *fibril__coroutine_of(const fibril__stack *stack) {
  return (fibril_coroutine *)(void *)(fibril__stack_top(stack) - sizeof(fibril_coroutine));
}

/* The control block of a coroutine, and below it the frames of one that isn't deep in calls. */
static inline void fibril__coroutine_fetch(const void *block) {
  const char *line = block;
  __builtin_prefetch(line);
  __builtin_prefetch(line - 64);
  __builtin_prefetch(line - 128);
  __builtin_prefetch(line - 192);
}

/* What its spawner called it, or "". */
static inline const char *fibril__name(const fibril_coroutine *coroutine) {
  const char *name = coroutine->stack->name;
  return name == NULL ? "" : name;
}

/* It is resumed by who calls it, or by who needs its next value at once. */
static inline bool fibril__is_called(const fibril_coroutine *coroutine) {
  return coroutine->generating & FIBRIL__CALLED;
}

static inline bool fibril__is_synchronous(const fibril_coroutine *coroutine) {
  return coroutine->generating & FIBRIL__SYNCHRONOUS;
}

#endif /* FIBRIL_CORE_SCHEDULER_COROUTINE_H */
