/* A player makes random steps and then leaves in one of many ways. */
#include "world.h"

static const struct {
  step *fn;
  int weight;
  bool waits;
} STEPS[] = {
    {step_sleep, 1, true},
    {step_moment, 1, true},
    {step_pass, 1, true},
    {step_suspend, 1, true},
    {step_mask, 1, false},
    {step_unmask, 1, false},
    {step_deadline, 2, false},
    {step_defer, 1, false},
    {step_local, 1, false},
    {step_lend, 1, false},
    {step_hop, 1, false},
    {step_close, 1, false},
    {step_spawn, 3, false},
    {step_await, 3, true},
    {step_cancel, 1, false},
    {step_await_many, 1, true},
    {step_settle, 2, false},
    {step_callback, 1, false},
    {step_add_future, 1, false},
    {step_group_spawn, 3, false},
    {step_group_wait, 1, true},
    {step_group_cancel, 1, false},
    {step_mutex, 2, true},
    {step_signal, 2, false},
    {step_event, 1, true},
    {step_sem, 1, true},
    {step_wait_group, 2, true},
    {step_send, 2, true},
    {step_receive, 2, true},
    {step_generator, 1, false},
    {step_bound_generator, 1, false},
    {step_work, 1, true},
    {step_poll, 1, true},
    {step_kept_poll, 1, true},
    {step_handler, 1, false},
    {step_vanish, 1, false},
    {step_file, 1, true},
    {step_open, 1, true},
    {step_realpath, 1, true},
    {step_list, 1, true},
    {step_net, 12, true},
};
enum { STEP_COUNT = sizeof STEPS / sizeof STEPS[0] };

static int any_step(void) {
  int weights = 0, i = 0;
  for (int k = 0; k < STEP_COUNT; k++) weights += STEPS[k].weight;
  for (int at = fuzz_below(weights); at >= STEPS[i].weight; i++) at -= STEPS[i].weight;
  return i;
}

/* One that is bound never lets another have its turn. */
void player_steps(player *p, int count) {
  for (; count > 0; count--) {
    int i = any_step(), steps = ++world.steps;
    STEPS[i].fn(p);
    if (p->bound && STEPS[i].waits) REQUIRE(world.steps == steps);
  }
}

void player_waited(const player *p, int status, bool had_timeout) {
  if (p->bound) {
    REQUIRE(status != 0);
    return;
  }
  REQUIRE(status == 0 || status == UV_ECANCELED || status == UV_ETIMEDOUT);
  if (status == UV_ETIMEDOUT) REQUIRE(had_timeout || p->deadlines > 0 || p->generating);
  if (status != UV_ECANCELED) return;
  REQUIRE(world.closing || (p->masks == 0 && fibril_cancelled()));
  if (p->masks == 0) REQUIRE(fibril_sleep(0) == UV_ECANCELED); /* and so does every later one */
}

bool player_may_start(const player *p) {
  return world.budget > 0 && p->depth < 7;
}

void *player_deeper(const player *p) {
  return (void *)(intptr_t)(p->depth + 1);
}

const fibril_spawn_options *player_options(void) {
  static const fibril_spawn_options small = {sizeof small, "small", 65536},
                                    usual = {sizeof usual, "usual", 0},
                                    bad = {sizeof bad, "bad", 1};
  return fuzz_once_in(40) ? &bad : fuzz_once_in(2) ? &small : &usual;
}

/* ---- Leaving ---- */

static void unref_future(void *arg) {
  fibril_future_unref(arg);
}

/* What clean-up drops is the result all the same. */
static fibril_value leave_with_future(bool wait) {
  fibril_future *future = future_get();
  if (future == NULL) return fibril_null();
  REQUIRE(fibril_defer(unref_future, future) == 0);
  return wait ? fibril_await_timeout(future, fuzz_below(4)) : fibril_future_result(future);
}

static fibril_value leave_with_generated(const player *p) {
  generated *g = player_may_start(p) ? generated_new(p) : NULL;
  if (g == NULL) return fibril_null();
  REQUIRE(fibril_defer(generated_free, g) == 0);
  return generated_call(g, p);
}

static fibril_value leave(const player *p) {
  switch (fuzz_below(6)) {
    case 0: return p->owns_group && !p->bound ? fibril_group_wait(p->group) : fibril_null();
    case 1: return leave_with_future(true);
    case 2: return leave_with_future(false);
    case 3: return leave_with_generated(p);
    case 4: return fibril_value_take(value_any(0));
    default: return value_any(0);
  }
}

fibril_value player_run(void *arg) {
  if (world.budget <= 0) return fibril_undefined();
  world.budget--;
  world.players++;
  player p = {.self = fibril_coroutine_self(), .depth = (int)(intptr_t)arg};
  player_steps(&p, fuzz_below(14));
  while (p.masks > 0 && !fuzz_once_in(3)) step_unmask(&p);
  fibril_value result = leave(&p);
  value_retract();
  world.players--;
  return result;
}

fibril_value player_generate(fibril_generator *generator, void *arg) {
  generated *g = arg;
  player p = {.self = fibril_coroutine_self(), .generating = true, .depth = g->depth};
  world.budget--;
  world.players++;
  for (int values = fuzz_below(5); values > 0; values--) {
    p.bound = g->bound;
    if (fuzz_once_in(2)) player_steps(&p, 2);
    g->grouped = p.owns_group;
    fibril_value sent = fibril_yield(generator, value_any(2));
    value_read(sent);
    if (fibril_error_code(sent) != UV_ECANCELED) continue;
    REQUIRE(g->closing || (world.closing && !g->masked));
    break;
  }
  p.bound = g->bound;
  if (g->closing) player_steps(&p, 2);
  while (p.masks > 0) step_unmask(&p);
  fibril_value result = value_any(1);
  value_retract();
  world.players--;
  return result;
}
