/* POSIX's own: saves the signal mask too, with a system call each way. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

struct coroutine {
  ucontext_t context;
  void *stack;
};

struct state {
  ucontext_t back;
  size_t count;
  size_t at;
  struct coroutine *coroutines;
  double number;
};

/* The functions of makecontext take no pointer. */
static struct state *entering;
static struct coroutine *entered;

static void require(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "ucontext: %s\n", what);
  exit(1);
}

struct yielder {
  ucontext_t *from, *to;
};

static void yield(struct yielder *yielder) {
  swapcontext(yielder->from, yielder->to);
}

DEFINE_DEEP(struct yielder *, yield)

static void yielding(void) {
  struct yielder self = {&entered->context, &entering->back};
  for (;;) yield(&self);
}

static void yielding_deep(void) {
  struct yielder self = {&entered->context, &entering->back};
  for (;;) deep(&self);
}

static void numbers(void) {
  struct state *state = entering;
  struct yielder self = {&entered->context, &entering->back};
  for (;;) {
    state->number = 1;
    yield(&self);
  }
}

static void empty(void) {}

static void prepare(struct state *state, struct coroutine *coroutine, void (*entry)(void)) {
  getcontext(&coroutine->context);
  coroutine->context.uc_stack.ss_sp = coroutine->stack;
  coroutine->context.uc_stack.ss_size = STACK_SIZE;
  coroutine->context.uc_link = &state->back;
  makecontext(&coroutine->context, entry, 0);
}

static struct state *new_state(size_t count) {
  struct state *state = calloc(1, sizeof *state);
  require(state != NULL, "no memory");
  state->count = count;
  state->coroutines = calloc(count, sizeof *state->coroutines);
  size_t *order = shuffled(count);
  require(state->coroutines != NULL && order != NULL, "no memory");
  for (size_t i = 0; i < count; i++) {
    state->coroutines[order[i]].stack = malloc(STACK_SIZE);
    require(state->coroutines[order[i]].stack != NULL, "no memory");
  }
  free(order);
  return state;
}

static void *start(size_t count, void (*entry)(void)) {
  struct state *state = new_state(count);
  for (size_t i = 0; i < count; i++) {
    prepare(state, &state->coroutines[i], entry);
    entering = state;
    entered = &state->coroutines[i];
    swapcontext(&state->back, &entered->context);
  }
  return state;
}

static void *start_yield(const struct row *row) {
  return start(row->count, yielding);
}

static void *start_deep(const struct row *row) {
  return start(row->count, yielding_deep);
}

static void *start_generator(const struct row *row) {
  return start(row->count, numbers);
}

static void *start_create(const struct row *row) {
  return new_state(row->count);
}

static void run_yield(void *opaque, uint64_t rounds) {
  struct state *state = opaque;
  for (uint64_t i = 0; i < rounds; i++) {
    swapcontext(&state->back, &state->coroutines[state->at].context);
    if (++state->at == state->count) state->at = 0;
  }
}

static void run_create(void *opaque, uint64_t rounds) {
  struct state *state = opaque;
  for (uint64_t i = 0; i < rounds; i++) {
    prepare(state, state->coroutines, empty);
    swapcontext(&state->back, &state->coroutines->context);
  }
}

static void run_generator(void *opaque, uint64_t rounds) {
  struct state *state = opaque;
  double sum = 0;
  for (uint64_t i = 0; i < rounds; i++) {
    swapcontext(&state->back, &state->coroutines->context);
    sum += state->number;
  }
  require(sum == (double)rounds, "a number is missing");
}

static void stop(void *opaque) {
  struct state *state = opaque;
  for (size_t i = 0; i < state->count; i++) free(state->coroutines[i].stack);
  free(state->coroutines);
  free(state);
}

const struct contender ucontext_contender = {
    .name = "ucontext",
    .start = {[YIELD] = start_yield,
              [DEEP] = start_deep,
              [CREATE] = start_create,
              [GENERATOR] = start_generator},
    .run = {[YIELD] = run_yield,
            [DEEP] = run_yield,
            [CREATE] = run_create,
            [GENERATOR] = run_generator},
    .stop = stop,
};
