/* What the files of src/core share: the layout of loops, coroutines, futures and values. Not for
 * addons. */
#ifndef FIBRIL_CORE_CORE_H
#define FIBRIL_CORE_CORE_H

#include "fibril.h"

#include "arch/switch.h"
#include "stack.h"
#include "timers.h"
#include "value.h"

#define FIBRIL__LIKELY(x) __builtin_expect(!!(x), 1)
#define FIBRIL__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FIBRIL__CONTAINER(type, member, pointer) \
  ((type *)((char *)(pointer)-offsetof(type, member)))

#define FIBRIL__STACK_DEFAULT_CLASS 4 /* 256 KiB */

/* Every wait looks at a thread-local variable. glibc keeps room for those of libraries that are
 * loaded later, and then needs no call to find them; musl keeps none. */
#if defined(__GLIBC__)
#define FIBRIL__TLS __attribute__((tls_model("initial-exec")))
#else
#define FIBRIL__TLS
#endif

/* ---- Ready queue ---- */

/* How many tasks ahead memory is fetched: as long as a switch with everything cached, times this, a
 * line takes to come. */
#define FIBRIL__AHEAD 4

/* What waits in the ready queue: a coroutine (run == NULL) or a callback. */
typedef struct fibril__task fibril__task;
struct fibril__task {
  fibril__task *next;
  void (*run)(fibril__task *task);
};

/* ---- Coroutines ---- */

/* `generating` of one that is resumed by who needs its next value at once: it may not wait. */
#define FIBRIL__SYNCHRONOUS 2

/* One wait, on the waiting coroutine's stack. Whoever ends it calls fibril__wake. */
typedef struct fibril__wait fibril__wait;
struct fibril__wait {
  const char *what;                   /* "sleep", for reports */
  void (*cancel)(fibril__wait *wait); /* asked to end early; NULL: it ends when it ends */
  fibril_coroutine *coroutine;
  uint64_t since; /* libuv's clock when it began, for reports */
  int status;
  bool woken;
};

/* Waits of which reports tell more: known by the address of their `what`. */
extern const char fibril__what_future[], fibril__what_mutex[], fibril__what_poll[],
    fibril__what_consumer[];
typedef struct {
  fibril__wait wait;
  int fd;
} fibril__poll_wait;

enum {
  FIBRIL__FRESH,     /* has not run */
  FIBRIL__ACTIVE,    /* runs, or will: in the ready queue, in its frame's list of parents */
  FIBRIL__WAITING,   /* in a wait */
  FIBRIL__SUSPENDED, /* in fibril_suspend */
  FIBRIL__ENDED
};

/* What a C++ library keeps for a thread: the exceptions that are in catch blocks, the innermost one
 * first, and how many are on their way to one. The layout is of the Itanium C++ ABI. */
typedef struct fibril__exceptions {
  void *caught;
  unsigned uncaught;
} fibril__exceptions;

/* Told of a coroutine's end with its argument and its owned result; on any stack, so it only
 * queues.
 */
typedef void (*fibril__ended_fn)(void *arg, fibril_value result);

/* The first cache line is all that a switch touches. `context` comes first: fibril__entry passes
 * its address on. What is marked "constant" is the same for all coroutines of a stack, or is again
 * what it was when one ends: it is written only for the first one, see begin() in coroutine.c. */
struct fibril_coroutine {
  _Alignas(64) fibril__context context;
  fibril__task task; /* run: constant */
  fibril_loop *loop; /* constant */
  union {
    struct {
      union {
        struct {
          bool cancelled;
          uint8_t generating; /* it is a generator's, or FIBRIL__SYNCHRONOUS */
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
  fibril__ended_fn ended; /* constant: NULL; see fibril__coroutine_prepare */
  fibril__stack *stack;   /* constant */
  fibril_coroutine *root; /* constant: itself; of a generator the coroutine that called it */
  fibril__wait *wait; /* constant: NULL; of a root what it, or the generator it called, waits for */
  fibril_value result;
  /* third line, all constant: NULL, and `encumbered` where one is not */
  fibril_future *future; /* its result, unless it is a bare one */
  fibril__box *arena;
  struct fibril__local *locals;
  struct fibril__deferred *deferred;
  struct fibril__deadline *deadlines;
  fibril_generator *generator; /* that it is the coroutine of */
  /* Its fibril__exceptions while it does not run, where something may throw. */
  void *caught;
  unsigned uncaught;
  unsigned refusals; /* of waits, while its loop closes: that starts no other coroutine here */
};

_Static_assert(FIBRIL__FIBERS || sizeof(fibril_coroutine) <= 192, "three cache lines");
_Static_assert(offsetof(fibril_coroutine, context) == 0, "fibril__entry passes it on");
#if !FIBRIL__FIBERS
_Static_assert(offsetof(fibril_coroutine, result) == FIBRIL__SWITCH_RESULT,
               "fibril__switch_result reads it");
#endif

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

/* ---- Generators ---- */

enum {
  FIBRIL__GENERATOR_FRESH,
  FIBRIL__GENERATOR_SUSPENDED,
  FIBRIL__GENERATOR_RUNNING,
  FIBRIL__GENERATOR_ENDED
};

struct fibril_generator {
  fibril_loop *loop;
  fibril_coroutine *coroutine; /* NULL once ended */
  fibril_generator_fn fn;
  void *arg;
  int state;
  bool closing;
  bool special; /* it is closing, or has C++ exceptions of its own */
  unsigned refusals;
  fibril_coroutine *caller; /* who called next, NULL: the loop's stack */
  fibril__context *back;    /* of the same */
  fibril_value *to;         /* where the caller wants the value; may be NULL */
  fibril_value out;         /* owned */
  fibril_value sent;        /* owned */
  /* Of one that the layer above drives, whose state is always running: what fibril_yield does. */
  fibril_value (*yield)(fibril_generator *generator, fibril_value value);
};

/* ---- Futures ---- */

typedef struct fibril__callback fibril__callback;
struct fibril__callback {
  fibril__callback *next, *prev;
  fibril_future_cb fn;
  void *arg;
  bool watched;
  uint64_t id; /* 0: embedded in a wait, only queues a coroutine, runs on any stack */
};

enum { FIBRIL__PENDING, FIBRIL__SETTLED };

struct fibril_future {
  fibril_loop *loop; /* NULL: one of the shared failed futures, immortal and immutable */
  uint32_t refs;
  uint8_t state;
  bool read;   /* somebody looked at the outcome */
  bool held;   /* keeps the loop alive while it is pending */
  bool queued; /* in the loop's list of futures whose callbacks are to run */
  fibril_value value;
  fibril__callback *first, *last;
  fibril_coroutine *coroutine; /* whose result it is, while that runs */
  fibril_future *next;         /* in a free list or the list of `queued` */
};

/* ---- Loop ---- */

typedef struct fibril__pool fibril__pool;

enum { FIBRIL__OPEN, FIBRIL__CLOSING, FIBRIL__CLOSED };

struct fibril_loop {
  /* hot */
  fibril_coroutine *current;
  fibril__frame *frame; /* the innermost one, or NULL */
  fibril__task *
      *ring;   /* the ready queue: `enqueued` counts what went in, `dequeued` what came out */
  size_t mask; /* places - 1: a power of two, and never fewer than there are tasks */
  uint64_t enqueued, dequeued;
  bool idle_active;
  fibril__stacks stacks;

  uv_loop_t *uv;
  fibril__frame base; /* for a coroutine entered while there is none: prepared, as most are */
  size_t coroutines, callbacks; /* that may come into the ready queue */
  fibril_future *free_futures;
  size_t free_future_count;
  fibril_future *settling,
      *settled; /* `settled`: by a callback that runs now, to be put before the rest */
  fibril_future **settled_tail;
  bool running_callbacks;
  int state;

  fibril__timers timers;
  uint64_t armed; /* when uv_timer fires, in ns; 0: it is off */
  uint64_t next_callback_id;
  uv_check_t check;
  uv_idle_t idle;
  uv_timer_t timer;
  uv_timer_t trim;
  uv_async_t async;
  int open_handles;
  unsigned holds; /* see fibril__loop_hold */
  fibril_poster *poster;
  struct fibril__watchers *watchers;
  fibril__pool *pool; /* of src/io: memory that is freed with the loop, NULL before its first job */

  bool uv_running; /* fibril_loop_run or run_sync is on the stack, or Node runs it */
  bool stop;
  size_t refs; /* futures, and itself until closed: keeps the struct, nothing else */

  fibril_log_cb log;
  void *log_arg;
  void (*closed)(void *arg);
  void *closed_arg;
  double grace;     /* how long masks hold when it closes, in ms */
  bool grace_began; /* there is something that is masked */
  fibril_timeout grace_timer;
  bool masks_lifted;           /* it is over */
  struct fibril__leaks *leaks; /* NULL: nobody wants to hear of them */

  /* The layer above: told at the end of an iteration when it asked to be; and when the loop closes
   * and every coroutine has ended, while all else still works. NULL: nobody. */
  void (*flush)(void *arg);
  void (*unwound)(void *arg);
  void *flush_arg;
  bool flush_wanted;
};

/* The loop whose frame or callback runs on this thread. */
extern __thread fibril_loop *fibril__loop_here FIBRIL__TLS;

/* coroutine.c */
int fibril__coroutine_new(fibril_loop *loop, fibril_fn fn, void *arg,
                          const fibril_spawn_options *options, fibril_coroutine **coroutine);
/* A coroutine with `room` bytes at the top of its stack for the caller, who fills them and then
 * starts it, or gives it back with fibril__coroutine_release. They are there until `ended` returns.
 * 0 or what fibril__coroutine_new says. */
int fibril__coroutine_prepare(fibril_loop *loop, int cls, size_t room,
                              fibril_coroutine **coroutine);
static inline void *fibril__coroutine_room(const fibril_coroutine *coroutine) {
  return coroutine->context.sp;
}
void fibril__coroutine_main(fibril__context *context);
void fibril__coroutine_cancel(fibril_coroutine *coroutine);
/* Takes its future from one that has begun: what fails is logged at its end. */
void fibril__coroutine_detach(fibril_coroutine *coroutine);
/* The memory of a generator's that has ended or never ran. */
void fibril__coroutine_release(fibril_coroutine *coroutine);
/* Calls each(coroutine, arg) for all that have not ended; it may end them. */
void fibril__coroutines_each(fibril_loop *loop,
                             void (*each)(fibril_coroutine *coroutine, void *arg), void *arg);
/* Runs a coroutine that is fresh or suspended, nested on the loop's stack, until it waits or ends.
 */
void fibril__enter(fibril_loop *loop, fibril_coroutine *coroutine);
/* Runs up to `most` tasks of the ready queue; `turn`: stops at the first callback or moment. How
 * many ran. */
size_t fibril__drain(fibril_loop *loop, size_t most, bool turn);
/* fibril__enter in a frame of the caller's, however deep they nest. */
void fibril__enter_in(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine);

/* wait.c. The running coroutine, or NULL, through the thread's loop. */
static inline fibril_coroutine *fibril__self(void) {
  fibril_loop *loop = fibril__loop_here;
  return loop == NULL ? NULL : loop->current;
}

/* Makes a frame the innermost one; what fibril__frame_pop has to restore. */
static inline fibril_loop *fibril__frame_push(fibril_loop *loop, fibril__frame *frame) {
  fibril_loop *here = fibril__loop_here;
  frame->after = FIBRIL__NOTHING;
  frame->parents = NULL;
  frame->prev = loop->frame;
  frame->depth = loop->frame == NULL ? 1 : loop->frame->depth + 1;
  loop->frame = frame;
  fibril__loop_here = loop;
  return here;
}

static inline void fibril__frame_pop(fibril_loop *loop, fibril__frame *frame, fibril_loop *here) {
  loop->frame = frame->prev;
  fibril__loop_here = here;
}

/* What its spawner called it, or "". */
static inline const char *fibril__name(const fibril_coroutine *coroutine) {
  const char *name = coroutine->stack->name;
  return name == NULL ? "" : name;
}

/* What a wait has to check first: 0, UV_ECANCELED, UV_ETIMEDOUT or FIBRIL_ENOTCOROUTINE. */
int fibril__wait_check(fibril_coroutine *self);
/* What a wait that was asked to end early gives: UV_ECANCELED, or UV_ETIMEDOUT after a deadline. */
int fibril__wait_ended_early(const fibril_coroutine *self);
/* Waits: fills in `coroutine`, suspends, returns the status it was woken with. `what` and `cancel`
 * are set by the caller. */
int fibril__wait_until_woken(fibril_coroutine *self, fibril__wait *wait);
/* Ends a wait; the first call counts. The coroutine runs in the order of the ready queue. */
void fibril__wake(fibril__wait *wait, int status);
/* A `cancel` that ends the wait at once. */
void fibril__wait_cancel_now(fibril__wait *wait);

/* wait.c, sync.c: whose end a wait for a future, or whose unlock one for a mutex, waits for. */
const fibril_coroutine *fibril__wait_for_whom(const fibril__wait *wait);
const fibril_coroutine *fibril__wait_for_owner(const fibril__wait *wait);

/* sync.c: of a loop that closes and where nothing is ready. Ends the process when all that is left
 * waits for mutexes. */
void fibril__mutexes_check(fibril_loop *loop);

/* scope.c */
/* What keeps a coroutine from waiting, as fibril__wait_check: nothing is counted. */
int fibril__hindrance(const fibril_coroutine *self);
/* Ends the wait that a coroutine, or a generator that it called, is in, if nothing masks it. */
void fibril__wait_interrupt(fibril_coroutine *coroutine);
/* Something goes on behind a mask while the loop closes: not for ever. */
void fibril__grace_begin(fibril_loop *loop);
void fibril__deadlines_drop(fibril_coroutine *coroutine);

/* leaks.c */
/* If the environment asks for it. */
void fibril__leaks_begin(fibril_loop *loop);
/* Once: what has not ended, and what failed and was not read. */
void fibril__leaks_report(fibril_loop *loop);
/* A future has failed; `name` of the coroutine whose result it is, or "". */
void fibril__leaks_failed(fibril_future *future, const char *name);
void fibril__leaks_freed(fibril_future *future);

/* loop.c */
void fibril__loop_activate(fibril_loop *loop);
void fibril__loop_iterate(fibril_loop *loop);
/* Runs the coroutines that are ready, a snapshot, in the turn of the host that made them so. Not an
 * iteration: stops at the first callback or moment. */
size_t fibril__loop_run_turn(fibril_loop *loop);
void fibril__loop_log(fibril_loop *loop, const char *message, fibril_value error);
void fibril__loop_unref(fibril_loop *loop);
/* From the close callback of a handle that was counted in `open_handles`: the last one ends the
 * loop. */
void fibril__loop_handle_closed(fibril_loop *loop);

/* How many tasks are ready. */
static inline size_t fibril__queued(const fibril_loop *loop) {
  return (size_t)(loop->enqueued - loop->dequeued);
}

/* Never fails: who made the task has called fibril__reserve. */
static inline void fibril__enqueue(fibril_loop *loop, fibril__task *task) {
  loop->ring[loop->enqueued++ & loop->mask] = task;
  if (FIBRIL__UNLIKELY(!loop->idle_active)) fibril__loop_activate(loop);
}

/* Makes sure that one more coroutine or callback has a place in the ready queue. 0 or UV_ENOMEM. */
int fibril__ring_grow(fibril_loop *loop);
/* Gives back what a peak has left of it, if that is much. */
void fibril__ring_shrink(fibril_loop *loop);
static inline int fibril__reserve(fibril_loop *loop) {
  bool enough = loop->coroutines + loop->callbacks <= loop->mask;
  return FIBRIL__LIKELY(enough) ? 0 : fibril__ring_grow(loop);
}

/* schedule.c: timeouts on the loop's clock. `deadline` in nanoseconds of uv_hrtime; *timeout has to
 * stay where it is until the timeout is over, and changes when the timeout is moved. */
int fibril__timeout_add(fibril_loop *loop, uint64_t deadline, fibril_cb callback, void *arg,
                        fibril_timeout *timeout);
/* ms as nanoseconds from now, or UINT64_MAX for what uv_hrtime never reaches. */
uint64_t fibril__deadline(double ms);
/* Sets libuv's timer for the next deadline. */
void fibril__loop_arm(fibril_loop *loop);

/* future.c */
fibril_future *fibril__future_failed(int code);
/* A future in the caller's memory, one reference; its end, when no other is left. */
void fibril__future_init(fibril_loop *loop, fibril_future *future);
void fibril__future_destroy(fibril_future *future);
void fibril__future_settle(fibril_future *future, fibril_value owned);
/* Logs a result that is an error and goes unread. */
void fibril__result_unread(fibril_loop *loop, fibril_value result);
void fibril__future_watch(fibril_future *future, fibril__callback *callback);
/* Does nothing for one that has been called or removed. */
void fibril__future_unwatch(fibril_future *future, fibril__callback *callback);

/* generator.c */
/* Of a coroutine that is a generator's and runs or waits: who called it; NULL: the loop's stack, or
 * it is suspended in a yield. */
fibril_coroutine *fibril__generator_caller(const fibril_coroutine *coroutine);
bool fibril__generator_suspended(const fibril_coroutine *coroutine);
/* Where a generator that has returned goes on. */
fibril__context *fibril__generator_ended(fibril_coroutine *coroutine);
void fibril__generators_close(fibril_loop *loop);

/* post.c. What is posted without allocating: `run` gets it back on the loop's thread. */
typedef struct fibril__posted fibril__posted;
struct fibril__posted {
  fibril__posted *next;
  void (*run)(fibril__posted *posted);
};
/* Any thread. 0, or UV_ECANCELED when the loop is gone. */
int fibril__post(fibril_poster *poster, fibril__posted *posted);
/* Keeps the libuv loop running while something is expected from another thread; counted. */
void fibril__loop_hold(fibril_loop *loop);
void fibril__loop_release(fibril_loop *loop);

/* arch. A switch from a coroutine, which ends what calls it: both return what is in `result` of the
 * one that `from` belongs to when it goes on. In tail position nothing is left on the return
 * predictor that another stack would trip over. */
#if FIBRIL__FIBERS
static inline fibril_value fibril__switch_result(fibril__context *from, fibril__context *to) {
  fibril__switch(from, to);
  return FIBRIL__CONTAINER(fibril_coroutine, context, from)->result;
}

static inline int fibril__switch_status(fibril__context *from, fibril__context *to) {
  return (int)fibril__switch_result(from, to).tag;
}
#else
fibril_value fibril__switch_result(fibril__context *from, fibril__context *to);
int fibril__switch_status(fibril__context *from, fibril__context *to);
#endif

/* ---- C++ exceptions (exceptions.c) ---- */

/* Calls fn(arg) and makes an error value of what it throws; NULL where nothing throws. */
typedef fibril_value (*fibril__catcher)(fibril_fn fn, void *arg);
extern fibril__catcher fibril__catch;

static inline bool fibril__exceptions_watched(void) {
  return fibril__catch != NULL;
}

/* The body of a coroutine where something may throw. */
fibril_value fibril__exceptions_begin(fibril_fn fn, void *arg);

/* The switches to a generator and back, with the exceptions of both. */
int fibril__exceptions_next(fibril_coroutine *caller, fibril_coroutine *generator);
fibril_value fibril__exceptions_yield(fibril_coroutine *generator, fibril__context *back);

/* post.c, handlers.c */
int fibril__post_init(fibril_loop *loop);
void fibril__post_close(fibril_loop *loop);
void fibril__handlers_close(fibril_loop *loop);

/* error.c: one sentence on stderr, then abort. */
_Noreturn void fibril__fatal(const char *format, ...) FIBRIL_PRINTF(1, 2);

#endif /* FIBRIL_CORE_CORE_H */
