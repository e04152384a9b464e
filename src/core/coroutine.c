/* Coroutines: how they begin, run on the loop's behalf, and end. */
#include "core.h"

#include <stdlib.h>

/* How deep frames may nest on the loop's stack before a new coroutine is queued instead of run at once. */
#define FRAMES_MAX 32

__thread fibril_loop *fibril__loop_here;

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
  return options->stack_size == 0 ? FIBRIL__STACK_DEFAULT_CLASS : fibril__stack_class(options->stack_size);
}

/* The control block is the top of the stack, which is a multiple of a cache line. */
static inline fibril_coroutine *coroutine_of(const fibril__stack *stack) {
  return (fibril_coroutine *)(stack->top - sizeof(fibril_coroutine));
}

/* Field by field: as a whole gcc clears it with `rep stos`, which takes longer than all the rest. */
__attribute__((always_inline)) static inline fibril_coroutine *begin(fibril_loop *loop, fibril_fn fn, void *arg,
                                                                     fibril__stack *stack, const char *name) {
  fibril_coroutine *self = coroutine_of(stack);
  stack->name = name;
  self->context.sp = self;
  self->context.ip = (void *)fibril__entry;
  self->task.run = NULL;
  self->loop = loop;
  self->state = FIBRIL__FRESH;
  self->cancelled = false;
  self->generating = false;
  self->momentary = false;
  self->refusals = 0;
  self->fn = fn;
  self->arg = arg;
  self->stack = stack;
  self->root = self;
  self->wait = NULL;
  self->future = NULL;
  self->arena = NULL;
  self->locals = NULL;
  self->deferred = NULL;
  self->generator = NULL;
  loop->coroutines++;
  return self;
}

__attribute__((noinline)) static int new_slowly(fibril_loop *loop, fibril_fn fn, void *arg,
                                                const fibril_spawn_options *options, fibril_coroutine **coroutine) {
  const char *name = "";
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  int cls = read_options(options, &name);
  if (cls < 0) return cls;
  fibril__stack *stack = fibril__stack_get(&loop->stacks, cls);
  if (stack == NULL) return UV_ENOMEM;
  *coroutine = begin(loop, fn, arg, stack, name);
  return 0;
}

/* The usual case calls nothing, and so saves no registers: no options, and a stack of the default size to use again. */
int fibril__coroutine_new(fibril_loop *loop, fibril_fn fn, void *arg, const fibril_spawn_options *options,
                          fibril_coroutine **coroutine) {
  bool plain = options == NULL && loop->state == FIBRIL__OPEN;
  if (FIBRIL__UNLIKELY(!plain || loop->stacks.pools[FIBRIL__STACK_DEFAULT_CLASS].dirty == NULL))
    return new_slowly(loop, fn, arg, options, coroutine);
  *coroutine = begin(loop, fn, arg, fibril__stack_get(&loop->stacks, FIBRIL__STACK_DEFAULT_CLASS), "");
  return 0;
}

static inline void release(fibril_coroutine *self) {
  fibril_loop *loop = self->loop;
  loop->coroutines--;
  if (FIBRIL__UNLIKELY(self->arena != NULL)) fibril__arena_release(&self->arena);
  fibril__stack_put(&loop->stacks, self->stack);
}

void fibril__coroutine_release(fibril_coroutine *self) {
  release(self);
}

void fibril__coroutines_each(fibril_loop *loop, void (*each)(fibril_coroutine *coroutine)) {
  for (int cls = 0; cls < FIBRIL__STACK_CLASSES; cls++)
    for (fibril__slab *slab = loop->stacks.pools[cls].slabs; slab != NULL; slab = slab->next)
      for (uint32_t i = 0; i < slab->guarded; i++)
        if (slab->stacks[i].state == FIBRIL__STACK_TAKEN) each(coroutine_of(&slab->stacks[i]));
}

/* ---- Ending ---- */

/* On the loop's stack, the coroutine's own being free from here on. */
static void finish(fibril_coroutine *self) {
  fibril_future *future = self->future;
  fibril_value result = fibril__value_take(self->result);
  release(self);
  if (future == NULL || future->state != FIBRIL__PENDING) fibril_value_free(result);
  if (future == NULL) return;
  future->coroutine = NULL;
  if (future->state == FIBRIL__PENDING) fibril__future_settle(future, result);
  fibril_future_unref(future);
}

static void run_deferred(fibril_coroutine *self) {
  while (self->deferred != NULL) {
    struct fibril__deferred *deferred = self->deferred;
    self->deferred = deferred->next;
    deferred->release(deferred->arg);
    free(deferred);
  }
  while (self->locals != NULL) {
    struct fibril__local *local = self->locals;
    self->locals = local->next;
    if (local->release != NULL) local->release(local->value);
    free(local);
  }
}

void fibril__coroutine_main(fibril__context *context) {
  fibril_coroutine *self = FIBRIL__CONTAINER(fibril_coroutine, context, context);
  fibril_value result = self->fn(self->arg);
  if (FIBRIL__UNLIKELY(self->deferred != NULL || self->locals != NULL)) run_deferred(self);
  fibril__frame *frame = self->loop->frame;
  bool bare = self->future == NULL && self->generator == NULL;
  if (FIBRIL__LIKELY(bare && self->arena == NULL && !(result.tag & FIBRIL__OWNED))) {
    /* With nothing left to call, the stack can be given back from itself: nobody takes it before the jump. */
    release(self);
  } else {
    self->state = FIBRIL__ENDED;
    self->result = result;
    if (self->generator != NULL) fibril__generator_ended(self);
    frame->after = FIBRIL__FINISH;
  }
  fibril__jump(&self->context, &frame->context);
}

/* ---- Running ---- */

/* Does for a coroutine what it came back for, on the loop's stack. The coroutine to go on with, or NULL. */
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
    self->state = FIBRIL__READY;
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

/* Runs a coroutine in a frame until it waits or ends, and whatever that makes run at once: spawned children, hops. */
__attribute__((always_inline)) static inline void run_in(fibril_loop *loop, fibril__frame *frame,
                                                         fibril_coroutine *coroutine) {
  do {
    coroutine->state = FIBRIL__RUNNING;
    loop->current = coroutine;
    fibril__switch(&frame->context, &coroutine->context);
    if (FIBRIL__UNLIKELY(fibril__guard_canaries)) fibril__stack_check(loop->current->stack);
    if (FIBRIL__LIKELY(frame->after == FIBRIL__NOTHING)) break;
    coroutine = attend(loop, frame);
  } while (coroutine != NULL);
  loop->current = NULL;
}

__attribute__((always_inline)) static inline void enter(fibril_loop *loop, fibril_coroutine *coroutine) {
  if (FIBRIL__UNLIKELY(loop->frame->depth >= FRAMES_MAX)) {
    coroutine->state = FIBRIL__READY;
    fibril__enqueue(loop, &coroutine->task);
    return;
  }
  fibril__frame frame;
  fibril_loop *here = fibril__frame_push(loop, &frame);
  run_in(loop, &frame, coroutine);
  fibril__frame_pop(loop, &frame, here);
}

void fibril__enter(fibril_loop *loop, fibril_coroutine *coroutine) {
  enter(loop, coroutine);
}

void fibril__enter_in(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine) {
  run_in(loop, frame, coroutine);
}

size_t fibril__drain(fibril_loop *loop, size_t count, bool turn) {
  fibril__frame frame;
  fibril_loop *here = fibril__frame_push(loop, &frame);
  size_t done = 0;
  for (; done < count && loop->head != NULL; done++) {
    fibril__task *task = loop->head;
    fibril_coroutine *coroutine = FIBRIL__CONTAINER(fibril_coroutine, task, task);
    if (FIBRIL__UNLIKELY(turn) && (task->run != NULL || coroutine->momentary)) break;
    loop->head = task->next;
    if (loop->head == NULL)
      loop->tail = &loop->head;
    else
      __builtin_prefetch(loop->head);
    loop->queued--;
    if (FIBRIL__LIKELY(task->run == NULL))
      run_in(loop, &frame, coroutine);
    else
      task->run(task);
  }
  fibril__frame_pop(loop, &frame, here);
  return done;
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

fibril_future *fibril_loop_spawn(fibril_loop *loop, fibril_fn fn, void *arg, const fibril_spawn_options *options) {
  fibril_coroutine *child;
  fibril_future *future = fibril_future_new(loop);
  int err = future == NULL ? UV_ENOMEM : fibril__coroutine_new(loop, fn, arg, options, &child);
  if (err != 0) {
    if (future != NULL) fibril_future_unref(future);
    return fibril__future_failed(err);
  }
  child->future = fibril_future_ref(future);
  future->coroutine = child;
  fibril_coroutine *self = fibril__self();
  if (self != NULL && self->loop == loop) {
    fibril__frame *frame = loop->frame;
    frame->data = child;
    frame->after = FIBRIL__START;
    switch_out(self);
  } else if (self == NULL) {
    fibril__enter(loop, child);
  } else {
    child->state = FIBRIL__READY;
    fibril__enqueue(loop, &child->task);
  }
  return future;
}

fibril_future *fibril_spawn(fibril_fn fn, void *arg, const fibril_spawn_options *options) {
  fibril_coroutine *self = fibril__self();
  return self == NULL ? fibril__future_failed(FIBRIL_ENOTCOROUTINE) : fibril_loop_spawn(self->loop, fn, arg, options);
}

void fibril__coroutine_cancel(fibril_coroutine *coroutine) {
  coroutine->cancelled = true;
  fibril__wait *wait = coroutine->wait;
  if (wait != NULL && !wait->woken && wait->cancel != NULL) wait->cancel(wait);
}

int fibril_cancel(fibril_future *future) {
  if (future->state == FIBRIL__SETTLED) return FIBRIL_EALREADY;
  if (future->coroutine == NULL) return fibril_future_set_error(future, UV_ECANCELED);
  fibril__coroutine_cancel(future->coroutine);
  return 0;
}

/* ---- Bare coroutines ---- */

int fibril_coroutine_create(fibril_loop *loop, fibril_fn fn, void *arg, const fibril_spawn_options *options,
                            fibril_coroutine **coroutine) {
  return fibril__coroutine_new(loop, fn, arg, options, coroutine);
}

int fibril_coroutine_ready(fibril_coroutine *coroutine) {
  if (coroutine->state == FIBRIL__SUSPENDED) {
    fibril__wake(coroutine->root->wait, 0);
    return 0;
  }
  if (coroutine->state != FIBRIL__FRESH) return FIBRIL_ERUNNING;
  coroutine->state = FIBRIL__READY;
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
  enter(coroutine->loop, coroutine);
  return 0;
}

fibril_coroutine *fibril_coroutine_self(void) {
  return fibril__self();
}

/* ---- What belongs to a coroutine ---- */

bool fibril_cancelled(void) {
  fibril_coroutine *self = fibril__self();
  return self != NULL && self->root->cancelled;
}

const char *fibril_name(void) {
  fibril_coroutine *self = fibril__self();
  return self == NULL ? "" : self->stack->name;
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
  return 0;
}

void *fibril_local_get(const void *key) {
  fibril_coroutine *self = fibril__self();
  struct fibril__local *local = self == NULL ? NULL : find_local(self, key);
  return local == NULL ? NULL : local->value;
}
