/* Coroutines: how they begin, run on the loop's behalf, and end. */
#include "run.h"

#include <stdlib.h>

/* How deep frames may nest on the loop's stack before a new coroutine is queued instead of run at
 * once. */
#define FRAMES_MAX 32

__thread fibril_loop *fibril__loop_here FIBRIL__TLS;
#if FIBRIL__FIBERS
__thread fibril__fiber *fibril__fiber_left;
#endif

struct fibril__local {
  struct fibril__local *next;
  const void *key;
  void *value;
  void (*release)(void *value);
};

struct fibril__deferred {
  struct fibril__deferred *next;
  void (*release)(void *arg);
  void *arg;
};

/* ---- Making one ---- */

/* The class of stack that `options` ask for, or UV_EINVAL. */
static int read_options(const fibril_spawn_options *options, const char **name) {
  if (FIBRIL__LIKELY(options == NULL)) return FIBRIL__STACK_DEFAULT_CLASS;
  if (options->size != sizeof *options) return UV_EINVAL;
  if (options->name != NULL) *name = options->name;
  return options->stack_size == 0 ? FIBRIL__STACK_DEFAULT_CLASS
                                  : fibril__stack_class(options->stack_size);
}

/* The control block is the top of the stack, which is a multiple of a cache line. */
static inline fibril_coroutine *coroutine_of(const fibril__stack *stack) {
  return (fibril_coroutine *)(void *)(fibril__stack_top(stack) - sizeof(fibril_coroutine));
}

/* The control block of a coroutine, and below it the frames of one that isn't deep in calls. */
static inline void fetch(const void *block) {
  const char *line = block;
  __builtin_prefetch(line);
  __builtin_prefetch(line - 64);
  __builtin_prefetch(line - 128);
  __builtin_prefetch(line - 192);
}

/* What every coroutine needs; the rest is as one leaves it at its end. */
static inline void begin(fibril_loop *loop, fibril_coroutine *self, fibril_fn fn, void *arg) {
  self->context.sp = self;
  self->context.ip = (void *)fibril__entry;
  self->fresh = FIBRIL__FRESH;
  self->fn = fn;
  self->arg = arg;
  FIBRIL__STACK_BEGIN(&self->context, self->stack->base, fibril__stack_top(self->stack));
  loop->coroutines++;
}

__attribute__((noinline)) static int begin_anew(fibril_loop *loop, fibril_fn fn, void *arg, int cls,
                                                fibril_coroutine **coroutine) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  if (cls < 0) return cls;
  fibril__stack *stack = fibril__reserve(loop) == 0 ? fibril__stack_get(&loop->stacks, cls) : NULL;
  if (stack == NULL) return UV_ENOMEM;
  fibril_coroutine *self = *coroutine = coroutine_of(stack);
  self->task.run = NULL;
  self->loop = loop;
  self->stack = stack;
  self->root = self;
  self->wait = NULL;
  self->future = NULL;
  self->arena = NULL;
  self->locals = NULL;
  self->deferred = NULL;
  self->deadlines = NULL;
  self->generator = NULL;
  self->ended = NULL;
  self->refusals = 0;
  begin(loop, self, fn, arg);
  return 0;
}

/* The usual case, a stack that was used before, writes little and calls nothing. */
static inline int coroutine_new(fibril_loop *loop, fibril_fn fn, void *arg, int cls,
                                fibril_coroutine **coroutine) {
  bool usual = loop->state == FIBRIL__OPEN && cls >= 0 && loop->stacks.pools[cls].dirty != NULL &&
               loop->coroutines + loop->callbacks <= loop->mask;
  if (FIBRIL__UNLIKELY(!usual)) return begin_anew(loop, fn, arg, cls, coroutine);
  *coroutine = coroutine_of(fibril__stack_get(&loop->stacks, cls));
  begin(loop, *coroutine, fn, arg);
  return 0;
}

__attribute__((noinline)) static int new_with(fibril_loop *loop, fibril_fn fn, void *arg,
                                              const fibril_spawn_options *options,
                                              fibril_coroutine **coroutine) {
  const char *name = NULL;
  int err = coroutine_new(loop, fn, arg, read_options(options, &name), coroutine);
  if (err == 0) (*coroutine)->stack->name = name;
  return err;
}

int fibril__coroutine_new(fibril_loop *loop, fibril_fn fn, void *arg,
                          const fibril_spawn_options *options, fibril_coroutine **coroutine) {
  if (FIBRIL__UNLIKELY(options != NULL)) return new_with(loop, fn, arg, options, coroutine);
  return coroutine_new(loop, fn, arg, FIBRIL__STACK_DEFAULT_CLASS, coroutine);
}

/* Everything else in it is again as begin() wants it. */
static inline void release(fibril_coroutine *self) {
  fibril_loop *loop = self->loop;
  loop->coroutines--;
  fibril__root_remove(self->stack->base, fibril__stack_top(self->stack));
  fibril__stack_put(&loop->stacks, self->stack);
}

int fibril__coroutine_prepare(fibril_loop *loop, int cls, size_t room,
                              fibril_coroutine **coroutine) {
  int err = coroutine_new(loop, NULL, NULL, cls, coroutine);
  const fibril__stack *next = loop->stacks.pools[cls].dirty;
  if (next != NULL) { /* for the next call */
    fetch(coroutine_of(next));
    __builtin_prefetch(next->next);
  }
  if (err == 0) (*coroutine)->context.sp = (char *)*coroutine - ((room + 15) & ~(size_t)15);
  return err;
}

void fibril__coroutine_release(fibril_coroutine *self) {
  fibril__arena_release(&self->arena);
  self->generator = NULL;
  self->root = self;
  release(self);
}

void fibril__coroutines_each(fibril_loop *loop,
                             void (*each)(fibril_coroutine *coroutine, void *arg), void *arg) {
  for (int cls = 0; cls < FIBRIL__STACK_CLASSES; cls++)
    for (fibril__slab *slab = loop->stacks.pools[cls].slabs; slab != NULL; slab = slab->next)
      for (uint32_t i = 0; i < slab->guarded; i++) {
        const fibril__stack *stack = fibril__slab_taken(slab, i);
        if (stack != NULL) each(coroutine_of(stack), arg);
      }
}

/* ---- Ending ---- */

static void run_deferred(fibril_coroutine *self) {
  struct fibril__deferred *deferred = self->deferred;
  self->deferred = deferred->next;
  deferred->release(deferred->arg);
  free(deferred);
}

static void release_local(fibril_coroutine *self) {
  struct fibril__local *local = self->locals;
  self->locals = local->next;
  if (local->release != NULL) local->release(local->value);
  free(local);
}

/* Either kind of function may ask for more of both. What the coroutine's own function was in, masks
 * and deadlines, it has left. */
static void clean_up(fibril_coroutine *self) {
  self->masks = 0;
  fibril__deadlines_drop(self);
  while (self->deferred != NULL || self->locals != NULL) {
    if (self->deferred != NULL)
      run_deferred(self);
    else
      release_local(self);
  }
  fibril__deadlines_drop(self);
}

/* The end of a coroutine that leaves something to do. Where to go on. */
__attribute__((noinline)) static fibril__context *end(fibril_coroutine *self, fibril_value result) {
  clean_up(self);
  self->state = FIBRIL__ENDED;
  self->result = result;
  if (self->generator != NULL) return fibril__generator_ended(self);
  self->loop->frame->after = FIBRIL__FINISH;
  return &self->loop->frame->context;
}

static inline void tell_end(fibril_coroutine *self, fibril_value result) {
  fibril__ended_fn ended = self->ended;
  self->ended = NULL;
  ended(self->arg, result);
}

void fibril__coroutine_main(fibril__context *context) {
  fibril_coroutine *self = FIBRIL__CONTAINER(fibril_coroutine, context, context);
  FIBRIL__FIBER_ARRIVE(context);
  fibril_value result = FIBRIL__LIKELY(fibril__catch == NULL)
                            ? self->fn(self->arg)
                            : fibril__exceptions_begin(self->fn, self->arg);
  if (FIBRIL__UNLIKELY(self->encumbered || result.tag & FIBRIL__BOXED)) {
    context = end(self, result);
  } else {
    /* With nothing left to call, it gives its stack back itself: nobody takes that before the jump.
     */
    context = &self->loop->frame->context;
    if (self->ended != NULL) tell_end(self, result);
    release(self);
  }
  fibril__jump(&self->context, context);
}

/* The rest of end(), on the loop's stack. */
static void finish(fibril_coroutine *self) {
  fibril_future *future = self->future;
  fibril_value result = fibril_value_take(self->result);
  if (FIBRIL__UNLIKELY(self->loop->leaks != NULL) && future != NULL && fibril__is_error(result) &&
      future->state == FIBRIL__PENDING)
    fibril__leaks_failed(future, fibril__name(self));
  self->future = NULL;
  fibril__arena_release(&self->arena);
  if (self->ended != NULL) {
    tell_end(self, result);
    release(self);
    return;
  }
  release(self);
  if (future == NULL || future->state != FIBRIL__PENDING) fibril_value_free(result);
  if (future == NULL) return;
  future->coroutine = NULL;
  if (future->state == FIBRIL__PENDING) fibril__future_settle(future, result);
  fibril_future_unref(future);
}

static void tell_nobody(void *arg, fibril_value result) {
  fibril__result_unread(arg, result);
  fibril_value_free(result);
}

void fibril__coroutine_detach(fibril_coroutine *self) {
  self->future = NULL;
  self->ended = tell_nobody;
  self->arg = self->loop; /* it has begun: its own it knows */
}

/* ---- Running ---- */

/* Does for a coroutine what it came back for, on the loop's stack. The coroutine to go on with, or
 * NULL. */
static fibril_coroutine *attend(fibril_loop *loop, fibril__frame *frame) {
  fibril_coroutine *self = loop->current;
  int after = frame->after;
  loop->current = NULL;
  frame->after = frame->parents == NULL ? FIBRIL__NOTHING : FIBRIL__PARENTS;
  if (after == FIBRIL__HOP) {
    frame->hop(frame->data);
    return self;
  }
  if (after == FIBRIL__START) {
    self->task.next = frame->parents;
    frame->parents = &self->task;
    frame->after = FIBRIL__PARENTS;
    return frame->data;
  }
  if (after == FIBRIL__FINISH) finish(self);
  fibril__task *parent = frame->parents;
  if (parent == NULL) return NULL;
  frame->parents = parent->next;
  if (frame->parents == NULL) frame->after = FIBRIL__NOTHING;
  return FIBRIL__CONTAINER(fibril_coroutine, task, parent);
}

void fibril__run_rest(fibril_loop *loop, fibril__frame *frame) {
  fibril_coroutine *coroutine;
  do {
    coroutine = attend(loop, frame);
  } while (coroutine != NULL && !fibril__run_once(loop, frame, coroutine));
}

void fibril__enter_in(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine) {
  fibril_loop *here = fibril__frame_push(loop, frame);
  fibril__run_in(loop, frame, coroutine);
  loop->current = NULL;
  fibril__frame_pop(loop, frame, here);
}

void fibril__run_nested(fibril_loop *loop, fibril_coroutine *coroutine) {
  fibril__frame frame;
  if (loop->frame->depth < FRAMES_MAX)
    fibril__enter_in(loop, &frame, coroutine);
  else
    fibril__enqueue(loop, &coroutine->task);
}

void fibril__enter(fibril_loop *loop, fibril_coroutine *coroutine) {
  fibril__run(loop, coroutine);
}

__attribute__((always_inline)) static inline size_t drain(fibril_loop *loop, size_t most,
                                                          bool turn) {
  fibril__frame frame;
  fibril_loop *here = fibril__frame_push(loop, &frame);
  uint64_t start = loop->dequeued;
  uint64_t stop = most < UINT64_MAX - start ? start + most : UINT64_MAX;
  size_t queued;
  while (loop->dequeued < stop && (queued = fibril__queued(loop)) > 0) {
    fibril__task *task = loop->ring[loop->dequeued & loop->mask];
    fibril_coroutine *coroutine = FIBRIL__CONTAINER(fibril_coroutine, task, task);
    if (turn && (task->run != NULL || coroutine->momentary)) break;
    if (queued > FIBRIL__AHEAD)
      fetch(FIBRIL__CONTAINER(const fibril_coroutine, task,
                              loop->ring[(loop->dequeued + FIBRIL__AHEAD) & loop->mask]));
    loop->dequeued++;
    if (FIBRIL__LIKELY(task->run == NULL)) {
      coroutine->momentary = false;
      fibril__run_in(loop, &frame, coroutine);
    } else {
      loop->callbacks--;
      loop->current = NULL;
      task->run(task);
    }
  }
  loop->current = NULL;
  fibril__frame_pop(loop, &frame, here);
  return (size_t)(loop->dequeued - start);
}

size_t fibril__drain(fibril_loop *loop, size_t most, bool turn) {
  return turn ? drain(loop, most, true) : drain(loop, most, false);
}

/* ---- From a coroutine to the loop's stack ---- */

/* Leaves for the innermost frame. */
static void switch_out(fibril_coroutine *self) {
  fibril__switch(&self->context, &self->loop->frame->context);
}

void fibril_on_loop(void (*fn)(void *data), void *data) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) {
    fn(data);
    return;
  }
  fibril__frame *frame = self->loop->frame;
  frame->hop = fn;
  frame->data = data;
  frame->after = FIBRIL__HOP;
  switch_out(self);
}

/* ---- Spawning ---- */

fibril_future *fibril_loop_spawn(fibril_loop *loop, fibril_fn fn, void *arg,
                                 const fibril_spawn_options *options) {
  fibril_coroutine *child;
  fibril_future *future = fibril_future_new(loop);
  int err = future == NULL ? UV_ENOMEM : fibril__coroutine_new(loop, fn, arg, options, &child);
  if (err != 0) {
    if (future != NULL) fibril_future_unref(future);
    return fibril__future_failed(err);
  }
  child->future = fibril_future_ref(future);
  child->encumbered = true;
  future->coroutine = child;
  fibril_coroutine *self = fibril__self();
  if (self != NULL && self->loop == loop) {
    fibril__frame *frame = loop->frame;
    child->state = FIBRIL__ACTIVE;
    frame->data = child;
    frame->after = FIBRIL__START;
    switch_out(self);
  } else if (self == NULL) {
    fibril__enter(loop, child);
  } else {
    child->state = FIBRIL__ACTIVE;
    fibril__enqueue(loop, &child->task);
  }
  return future;
}

fibril_future *fibril_spawn(fibril_fn fn, void *arg, const fibril_spawn_options *options) {
  fibril_coroutine *self = fibril__self();
  return self == NULL ? fibril__future_failed(FIBRIL_ENOTCOROUTINE)
                      : fibril_loop_spawn(self->loop, fn, arg, options);
}

void fibril__coroutine_cancel(fibril_coroutine *coroutine) {
  coroutine->cancelled = true;
  fibril__wait_interrupt(coroutine);
}

int fibril_cancel(fibril_future *future) {
  if (future->state == FIBRIL__SETTLED) return FIBRIL_EALREADY;
  if (future->coroutine == NULL) return fibril_future_set_error(future, UV_ECANCELED);
  fibril__coroutine_cancel(future->coroutine);
  return 0;
}

/* ---- Bare coroutines ---- */

int fibril_coroutine_create(fibril_loop *loop, fibril_fn fn, void *arg,
                            const fibril_spawn_options *options, fibril_coroutine **coroutine) {
  return fibril__coroutine_new(loop, fn, arg, options, coroutine);
}

int fibril_coroutine_ready(fibril_coroutine *coroutine) {
  if (coroutine->state == FIBRIL__SUSPENDED) {
    fibril__wake(coroutine->root->wait, 0);
    return 0;
  }
  if (coroutine->state != FIBRIL__FRESH) return FIBRIL_ERUNNING;
  coroutine->state = FIBRIL__ACTIVE;
  fibril__enqueue(coroutine->loop, &coroutine->task);
  return 0;
}

int fibril_coroutine_resume(fibril_coroutine *coroutine) {
  if (fibril__self() != NULL) return FIBRIL_ERUNNING;
  if (coroutine->state == FIBRIL__SUSPENDED) {
    coroutine->root->wait->woken = true;
    coroutine->root->wait->status = 0;
  } else if (coroutine->state != FIBRIL__FRESH) {
    return FIBRIL_ERUNNING;
  }
  fibril__run(coroutine->loop, coroutine);
  return 0;
}

fibril_coroutine *fibril_coroutine_self(void) {
  return fibril__self();
}

/* ---- What belongs to a coroutine ---- */

bool fibril_cancelled(void) {
  const fibril_coroutine *self = fibril__self();
  while (self != NULL && !self->cancelled)
    self = self->generating ? fibril__generator_caller(self) : NULL;
  return self != NULL;
}

const char *fibril_name(void) {
  fibril_coroutine *self = fibril__self();
  return self == NULL ? "" : fibril__name(self);
}

void fibril_set_name(const char *name) {
  fibril_coroutine *self = fibril__self();
  if (self != NULL) self->stack->name = name;
}

int fibril_defer(void (*release)(void *arg), void *arg) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  struct fibril__deferred *deferred = malloc(sizeof *deferred);
  if (deferred == NULL) return UV_ENOMEM;
  *deferred = (struct fibril__deferred){self->deferred, release, arg};
  self->deferred = deferred;
  self->encumbered = true;
  return 0;
}

static struct fibril__local *find_local(const fibril_coroutine *self, const void *key) {
  struct fibril__local *local = self->locals;
  while (local != NULL && local->key != key) local = local->next;
  return local;
}

int fibril_local_set(const void *key, void *value, void (*release)(void *value)) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  struct fibril__local *local = find_local(self, key);
  if (local != NULL) {
    void (*old_release)(void *) = local->release;
    void *old = local->value;
    local->value = value;
    local->release = release;
    if (old_release != NULL) old_release(old);
    return 0;
  }
  local = malloc(sizeof *local);
  if (local == NULL) return UV_ENOMEM;
  *local = (struct fibril__local){self->locals, key, value, release};
  self->locals = local;
  self->encumbered = true;
  return 0;
}

void *fibril_local_get(const void *key) {
  fibril_coroutine *self = fibril__self();
  struct fibril__local *local = self == NULL ? NULL : find_local(self, key);
  return local == NULL ? NULL : local->value;
}
