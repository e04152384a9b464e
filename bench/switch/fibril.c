/* fibril, through its public header: the drain loop, the bare coroutine and the generator that
 * addons use. */
#include "bench.h"

#include <fibril.h>
#include <stdio.h>
#include <stdlib.h>

struct state {
  uv_loop_t uv;
  fibril_loop *loop;
  fibril_generator *generator;
  uint64_t rounds;
  double sum;
};

static const fibril_spawn_options options = {sizeof options, "bench", STACK_SIZE};

static void require(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "fibril: %s\n", what);
  exit(1);
}

static void pass(void *context) {
  (void)context;
  fibril_pass();
}

DEFINE_DEEP(void *, pass)

static fibril_value yielding(void *arg) {
  (void)arg;
  while (fibril_pass() == 0) continue;
  return fibril_undefined();
}

static fibril_value yielding_deep(void *arg) {
  (void)arg;
  while (!fibril_cancelled()) deep(NULL);
  return fibril_undefined();
}

static fibril_value empty(void *arg) {
  (void)arg;
  return fibril_undefined();
}

static fibril_value numbers(fibril_generator *generator, void *arg) {
  (void)arg;
  while (!fibril_is_error(fibril_yield(generator, fibril_number(1)))) continue;
  return fibril_undefined();
}

static void *start_loop(const struct row *row) {
  (void)row;
  struct state *state = calloc(1, sizeof *state);
  if (state == NULL) return NULL;
  require(uv_loop_init(&state->uv) == 0, "no libuv loop");
  require(fibril_loop_new(&state->uv, &state->loop) == 0, "no loop");
  return state;
}

static void *start_coroutines(const struct row *row, fibril_fn fn) {
  struct state *state = start_loop(row);
  fibril_coroutine **coroutines = malloc(row->count * sizeof(*coroutines));
  size_t *order = shuffled(row->count);
  require(state != NULL && coroutines != NULL && order != NULL, "no memory");
  for (size_t i = 0; i < row->count; i++)
    require(fibril_coroutine_create(state->loop, fn, NULL, &options, &coroutines[i]) == 0,
            "no coroutine");
  for (size_t i = 0; i < row->count; i++) fibril_coroutine_ready(coroutines[order[i]]);
  fibril_loop_run_ready(state->loop, row->count);
  free(coroutines);
  free(order);
  return state;
}

static void *start_yield(const struct row *row) {
  return start_coroutines(row, yielding);
}

static void *start_deep(const struct row *row) {
  return start_coroutines(row, yielding_deep);
}

static void *start_generator(const struct row *row) {
  struct state *state = start_loop(row);
  if (state == NULL) return NULL;
  state->generator = fibril_generator_new(state->loop, numbers, NULL, &options);
  require(state->generator != NULL, "no generator");
  return state;
}

static void run_yield(void *opaque, uint64_t rounds) {
  struct state *state = opaque;
  require(fibril_loop_run_ready(state->loop, rounds) == rounds, "a coroutine has ended");
}

static void run_create(void *opaque, uint64_t rounds) {
  struct state *state = opaque;
  for (uint64_t i = 0; i < rounds; i++) {
    fibril_coroutine *coroutine;
    if (fibril_coroutine_create(state->loop, empty, NULL, NULL, &coroutine) == 0)
      fibril_coroutine_resume(coroutine);
  }
  require(fibril_loop_coroutines(state->loop) == 0, "a coroutine has not ended");
}

static fibril_value take_numbers(void *arg) {
  struct state *state = arg;
  double sum = 0;
  for (uint64_t i = 0; i < state->rounds; i++) {
    fibril_value value;
    fibril_generator_next(state->generator, &value);
    sum += fibril_value_number(value);
  }
  state->sum = sum;
  return fibril_undefined();
}

static void run_generator(void *opaque, uint64_t rounds) {
  struct state *state = opaque;
  fibril_coroutine *coroutine;
  state->rounds = rounds;
  require(fibril_coroutine_create(state->loop, take_numbers, state, NULL, &coroutine) == 0,
          "no coroutine");
  fibril_coroutine_resume(coroutine);
  require(state->sum == (double)rounds, "a number is missing");
}

static void stop(void *opaque) {
  struct state *state = opaque;
  if (state->generator != NULL) fibril_generator_unref(state->generator);
  fibril_loop_close(state->loop, NULL, NULL);
  uv_run(&state->uv, UV_RUN_DEFAULT);
  require(uv_loop_close(&state->uv) == 0, "a handle was left");
  free(state);
}

const struct contender fibril_contender = {
    .name = "fibril",
    .start = {[YIELD] = start_yield,
              [DEEP] = start_deep,
              [CREATE] = start_loop,
              [GENERATOR] = start_generator},
    .run = {[YIELD] = run_yield,
            [DEEP] = run_yield,
            [CREATE] = run_create,
            [GENERATOR] = run_generator},
    .stop = stop,
};
