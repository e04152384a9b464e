/* Timeouts against a model that keeps them all in a plain array: who fires and in which order, what
 * a handle still means, handles that move when memory is given back. */
#include "../../src/core/scheduler/timers.h"
#include "fuzz.h"

#include <string.h>

#define TIMERS 6000
#define STALE 256

typedef struct {
  fibril_timeout handle;
  uint64_t deadline, order;
  bool live;
} model;

static fibril__timers timers;
static model models[TIMERS];
static fibril_timeout stale[STALE]; /* handles of timeouts that are gone */
static model *fired;
static model last; /* that fired in this turn */
static uint64_t now, order;
static uint32_t count;

static void fire(void *arg) {
  fired = arg;
}

static model *any_model(void) {
  return &models[fuzz_below(TIMERS)];
}

static void add(model *one, uint64_t deadline) {
  bool movable = !fuzz_once_in(4);
  *one = (model){.deadline = deadline, .order = ++order, .live = true};
  one->handle = fibril__timers_add(&timers, deadline, fire, one, movable ? &one->handle : NULL);
  REQUIRE(one->handle != 0);
  count++;
}

static void forget(model *one) {
  one->live = false;
  stale[fuzz_below(STALE)] = one->handle;
  count--;
}

static void remove_one(model *one) {
  REQUIRE(fibril__timers_remove(&timers, one->handle));
  REQUIRE(!fibril__timers_remove(&timers, one->handle));
  forget(one);
}

/* What callbacks do between the choice and the end of a turn. */
static void disturb(void) {
  for (int i = 0; i < 5; i++) {
    model *one = any_model();
    if (one->live)
      remove_one(one);
    else
      add(one, now + 1 + (uint64_t)fuzz_below(9));
  }
}

static uint64_t earliest(void) {
  uint64_t found = 0;
  for (const model *one = models; one < models + TIMERS; one++)
    if (one->live && (found == 0 || one->deadline < found)) found = one->deadline;
  return found;
}

static void turn(void);

/* A callback may turn the loop: the others that were chosen run there, before any that are chosen
 * then. */
static void take_chosen(void) {
  fibril_cb callback;
  void *arg;
  while (fibril__timers_take(&timers, &callback, &arg)) {
    callback(arg);
    REQUIRE(fired->live && fired->deadline <= now);
    REQUIRE(fired->deadline > last.deadline ||
            (fired->deadline == last.deadline && fired->order > last.order));
    last = *fired;
    forget(fired);
    if (fuzz_once_in(200)) turn();
  }
}

static void turn(void) {
  now += (uint64_t)fuzz_below(20);
  uint64_t next = fibril__timers_next(&timers);
  if (next != 0 && next <= now) fibril__timers_choose(&timers, now);
  if (fuzz_once_in(2)) disturb();
  take_chosen();
  next = earliest();
  REQUIRE(next == fibril__timers_next(&timers) && (next == 0 || next > now));
  fibril__timers_shrink(&timers);
  REQUIRE(timers.length == count);
}

void fuzz_play(void) {
  /* Of a hundred steps, as the number grows, falls and stays. */
  static const int ADDED[] = {70, 30, 50};
  fibril__timers_init(&timers);
  memset(models, 0, sizeof models);
  memset(stale, 0, sizeof stale);
  now = 1000;
  count = 0;
  int trend = 0;
  for (int steps = 3000 + fuzz_below(20000); steps > 0; steps--) {
    if (fuzz_once_in(2000)) trend = fuzz_below(3);
    int step = fuzz_below(100);
    model *one = any_model();
    if (step < ADDED[trend]) {
      if (!one->live) add(one, now + (uint64_t)fuzz_below(50));
    } else if (step < 90) {
      if (one->live)
        remove_one(one);
      else
        REQUIRE(!fibril__timers_remove(&timers, stale[fuzz_below(STALE)]));
    } else {
      last = (model){0};
      turn();
    }
  }
  fibril__timers_destroy(&timers);
}
