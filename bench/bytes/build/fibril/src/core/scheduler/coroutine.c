#include "coroutine.h"

#include "../switch/exceptions.h"
#include "../value/error.h"
#include "deadline.h"
#include "local.h"

#include <stdatomic.h>

#if FIBRIL__FIBERS
__thread fibril__fiber *fibril__fiber_left;
#endif

/* ---- Making one ---- */

/* The class of stack that `options` ask for, or UV_EINVAL. */
static int read_options(const fibril_spawn_options *options, const char **name) {
  if (FIBRIL__LIKELY(options == NULL)) return FIBRIL__STACK_DEFAULT_CLASS;
  if (options->size != sizeof *options) return UV_EINVAL;
  if (options->name != NULL) *name = options->name;
  return options->stack_size == 0 ? FIBRIL__STACK_DEFAULT_CLASS
                                  : fibril__stack_class(options->stack_size);
}

#if FIBRIL_DEBUG || FIBRIL__FIBERS
/* A wait or a hook that forgets to put back what it wrote shows in the next coroutine that gets the
 * stack, or never: so that one looks. */
static void check_constants(const fibril_coroutine *self, const fibril_loop *loop) {
  const char *wrong = self->task.run != NULL                      ? "task.run"
                      : self->loop != loop                        ? "loop"
                      : self->owner.arena != NULL                 ? "arena"
                      : fibril__coroutine_of(self->stack) != self ? "stack"
                      : self->root != self                        ? "root"
                      : self->wait != NULL                        ? "wait"
                      : self->ended != NULL                       ? "ended"
                      : self->ended_arg != NULL                   ? "ended_arg"
                      : self->caller != NULL                      ? "caller"
                      : self->locals != NULL                      ? "locals"
                      : self->deferred != NULL                    ? "deferred"
                      : self->deadlines != NULL                   ? "deadlines"
                      : self->refusals != 0                       ? "refusals"
                      : self->id != 0                             ? "id"
                                                                  : NULL;
  if (wrong != NULL)
    fibril__fatal("a coroutine's control block is not as one leaves it: %s of the last one is left",
                  wrong);
}
#else
static inline void check_constants(const fibril_coroutine *self, const fibril_loop *loop) {
  (void)self;
  (void)loop;
}
#endif

/* What every coroutine needs; the rest is as one leaves it at its end. */
static inline void begin_new(fibril_loop *loop, fibril_coroutine *self, fibril_fn fn, void *arg) {
  fibril__context_init(&self->context, self);
  self->fresh = FIBRIL__FRESH;
  self->fn = fn;
  self->arg = arg;
  FIBRIL__STACK_BEGIN(&self->context, self->stack->base, fibril__stack_top(self->stack));
  loop->ready.coroutines++;
}

static int begin_anew(fibril_loop *loop, fibril_fn fn, void *arg, int cls,
                      fibril_coroutine **coroutine) {
  if (cls < 0) return cls;
  fibril__stack *stack =
      fibril__ready_reserve(&loop->ready) == 0 ? fibril__stack_get(&loop->stacks, cls) : NULL;
  if (stack == NULL) return UV_ENOMEM;
  fibril_coroutine *self = *coroutine = fibril__coroutine_of(stack);
  fibril__arena_init(&self->owner);
  self->task.run = NULL;
  self->loop = loop;
  self->stack = stack;
  self->root = self;
  self->wait = NULL;
  self->ended = NULL;
  self->ended_arg = NULL;
  self->caller = NULL;
  self->locals = NULL;
  self->deferred = NULL;
  self->deadlines = NULL;
  self->refusals = 0;
  self->id = 0;
  begin_new(loop, self, fn, arg);
  return 0;
}

__attribute__((noinline)) static int begin_unusual(fibril_loop *loop, fibril_fn fn, void *arg,
                                                   int cls, fibril_coroutine **coroutine) {
  return loop->state == FIBRIL__OPEN ? begin_anew(loop, fn, arg, cls, coroutine) : FIBRIL_ECLOSED;
}

/* The usual case, a stack that was used before, writes little and calls nothing. */
static inline int coroutine_new(fibril_loop *loop, fibril_fn fn, void *arg, int cls,
                                fibril_coroutine **coroutine) {
  bool usual = loop->state == FIBRIL__OPEN && cls >= 0 &&
               fibril__stack_next(&loop->stacks, cls) != NULL &&
               fibril__ready_has_room(&loop->ready);
  if (FIBRIL__UNLIKELY(!usual)) return begin_unusual(loop, fn, arg, cls, coroutine);
  *coroutine = fibril__coroutine_of(fibril__stack_get(&loop->stacks, cls));
  check_constants(*coroutine, loop);
  begin_new(loop, *coroutine, fn, arg);
  return 0;
}

__attribute__((noinline)) static int new_with(fibril_loop *loop, fibril_fn fn, void *arg,
                                              const fibril_spawn_options *options,
                                              fibril_coroutine **coroutine) {
  const char *name = NULL;
  int err = coroutine_new(loop, fn, arg, read_options(options, &name), coroutine);
  if (err == 0) fibril__stack_set_name((*coroutine)->stack, name);
  return err;
}

int fibril__coroutine_new(fibril_loop *loop, fibril_fn fn, void *arg,
                          const fibril_spawn_options *options, fibril_coroutine **coroutine) {
  if (FIBRIL__UNLIKELY(options != NULL)) return new_with(loop, fn, arg, options, coroutine);
  return coroutine_new(loop, fn, arg, FIBRIL__STACK_DEFAULT_CLASS, coroutine);
}

int fibril__coroutine_new_last(fibril_loop *loop, fibril_fn fn, void *arg,
                               fibril_coroutine **coroutine) {
  int err = begin_anew(loop, fn, arg, FIBRIL__STACK_DEFAULT_CLASS, coroutine);
  if (err != 0) return err;
  (*coroutine)->cancelled = true;
  (*coroutine)->masks = 1;
  (*coroutine)->encumbered = true;
  return 0;
}

int fibril_coroutine_create(fibril_loop *loop, fibril_fn fn, void *arg,
                            const fibril_spawn_options *options, fibril_coroutine **coroutine) {
  return fibril__coroutine_new(loop, fn, arg, options, coroutine);
}

int fibril__coroutine_prepare(fibril_loop *loop, int cls, size_t room,
                              fibril_coroutine **coroutine) {
  int err = coroutine_new(loop, NULL, NULL, cls, coroutine);
  const fibril__stack *next = fibril__stack_next(&loop->stacks, cls);
  if (next != NULL) { /* for the next call */
    fibril__coroutine_fetch(fibril__coroutine_of(next));
    __builtin_prefetch(next->next);
  }
  if (err == 0)
    fibril__context_init(&(*coroutine)->context, (char *)*coroutine - ((room + 15) & ~(size_t)15));
  return err;
}

/* ---- Ending ---- */

/* Everything else in it is again as begin_new() wants it. */
static inline void give_back(fibril_coroutine *self) {
  fibril_loop *loop = self->loop;
  loop->ready.coroutines--;
  fibril__root_remove(self->stack->base, fibril__stack_top(self->stack));
  fibril__stack_put(&loop->stacks, self->stack);
}

void fibril__coroutine_release(fibril_coroutine *self) {
  fibril__arena_release(&self->owner);
  self->ended = NULL;
  self->ended_arg = NULL;
  self->caller = NULL;
  self->root = self;
  give_back(self);
}

/* Whether it has been given back. */
static inline bool tell_end(fibril_coroutine *self, fibril_value result) {
  fibril__ended_fn ended = self->ended;
  self->ended = NULL;
  return ended(self, result);
}

/* The end of a coroutine that leaves something to do. Its result may belong to what is cleaned up,
 * so it is taken over first. Where to go on. */
__attribute__((noinline)) static fibril__context *end(fibril_coroutine *self, fibril_value result) {
  result = fibril_value_take(result);
  self->masks = 0; /* what its own function was in, it has left */
  fibril__deadlines_drop(self);
  fibril__locals_release(self);
  fibril__deadlines_drop(self);
  self->state = FIBRIL__ENDED;
  if (!fibril__is_called(self)) {
    self->result = result;
    self->loop->frame->after = FIBRIL__FINISH;
    return &self->loop->frame->context;
  }
  self->id = 0;
  /* Releases may switch: as long as it is the running one. What they leave is not the next one's.
   */
  fibril__arena_release(&self->owner);
  while (self->deferred != NULL || self->locals != NULL || self->deadlines != NULL) {
    fibril__locals_release(self);
    fibril__deadlines_drop(self);
    fibril__arena_release(&self->owner);
  }
  fibril_coroutine *caller = self->caller;
  tell_end(self, result);
  return caller == NULL ? &self->loop->frame->context : &caller->context;
}

void fibril__coroutine_main(fibril__context *context) {
  fibril_coroutine *self = FIBRIL__CONTAINER(fibril_coroutine, context, context);
  FIBRIL__FIBER_ARRIVE(context);
  fibril_value result = FIBRIL__LIKELY(fibril__catch == NULL)
                            ? self->fn(self->arg)
                            : fibril__exceptions_begin(self->fn, self->arg);
  if (FIBRIL__UNLIKELY(self->encumbered || self->owner.arena != NULL ||
                       result.tag & FIBRIL__BOXED)) {
    context = end(self, result);
  } else {
    /* With nothing left to call, it gives its stack back itself: nobody takes that before the jump.
     */
    context = &self->loop->frame->context;
    if (self->ended == NULL || !tell_end(self, result)) give_back(self);
  }
  fibril__jump(&self->context, context);
}

void fibril__coroutine_finish(fibril_coroutine *self) {
  fibril_value result = self->result;
  self->id = 0;
  fibril__arena_release(&self->owner);
  if (self->ended == NULL) {
    give_back(self);
    fibril_value_free(result);
  } else if (!tell_end(self, result)) {
    self->ended_arg = NULL;
    give_back(self);
  }
}

uint64_t fibril__coroutine_id(fibril_coroutine *self) {
  static atomic_uint_fast64_t last;
  if (self->id == 0) self->id = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
  self->encumbered = true;
  return self->id;
}
