/* What goes on in a loop, for people. */
#include "loop.h"

#include "../scheduler/crowd.h"
#include "../scheduler/wait.h"

typedef struct {
  fibril_inspect_cb each;
  void *arg;
  double now;
  uint64_t owner_id; /* who was looked for last: many wait for the same mutex */
  const fibril_coroutine *owner;
} inspection;

/* Between two values. */
static bool is_suspended(const fibril_coroutine *coroutine) {
  const fibril__wait *wait = coroutine->wait;
  return coroutine->state == FIBRIL__YIELDED || (wait != NULL && !wait->woken && wait->kind->idle);
}

/* What it, or the generator that it called, waits for: NULL if nothing. */
static const fibril__wait *wait_of(const fibril_coroutine *coroutine) {
  if (is_suspended(coroutine) || coroutine->state == FIBRIL__FRESH) return NULL;
  const fibril__wait *wait = coroutine->root->wait;
  return wait == NULL || wait->woken ? NULL : wait;
}

static const char *state_of(const fibril_coroutine *coroutine, const fibril__wait *wait) {
  if (coroutine->state == FIBRIL__FRESH) return "fresh";
  if (is_suspended(coroutine)) return "suspended";
  if (wait != NULL) return "waiting";
  return coroutine->listed ? "ready" : "running";
}

static const fibril_coroutine *find_owner_again(fibril_loop *loop, uint64_t id, inspection *run) {
  if (id != run->owner_id) run->owner = fibril__coroutine_with_id(loop, id);
  run->owner_id = id;
  return run->owner;
}

static void describe_wait(fibril_loop *loop, const fibril__wait *wait, inspection *run,
                          fibril__wait_report *report, fibril_inspection *about) {
  if (wait->kind->describe != NULL) wait->kind->describe(wait, report);
  const fibril_coroutine *whom =
      report->owner != 0 ? find_owner_again(loop, report->owner, run) : report->on;
  about->waits_for = fibril__wait_name(wait);
  about->fd = report->fd;
  about->unheld = report->unheld;
  if (report->address[0] != '\0') about->address = report->address;
  if (whom != NULL) about->on = fibril__name(whom);
}

/* Of the one that asks from its own stack `sp` is of when it ran last. */
static size_t depth_of(const fibril_coroutine *coroutine) {
  const char *top = fibril__stack_top(coroutine->stack), *sp = coroutine->context.sp;
  const char *here = __builtin_frame_address(0);
  if (here >= coroutine->stack->base && here < top) sp = here;
  return (size_t)(top - sp);
}

static bool is_masked(const fibril_coroutine *coroutine) {
  return coroutine->masks > 0 && !coroutine->loop->grace.lifted;
}

static void inspect_one(fibril_coroutine *coroutine, void *arg) {
  inspection *run = arg;
  const fibril__wait *wait = wait_of(coroutine);
  fibril__wait_report report = {.fd = -1};
  fibril_inspection about = {
      .size = sizeof about,
      .name = fibril__name(coroutine),
      .state = state_of(coroutine, wait),
      .fd = -1,
      .cancelled = coroutine->cancelled,
      .masked = is_masked(coroutine),
      .stack_used = depth_of(coroutine),
      .stack_size = fibril__stack_size(coroutine->stack),
  };
  if (wait != NULL) {
    describe_wait(coroutine->loop, wait, run, &report, &about);
    double waited = run->now - (double)wait->since;
    about.waited = waited > 0 ? waited : 0;
  }
  run->each(&about, run->arg);
}

void fibril_loop_inspect(fibril_loop *loop, fibril_inspect_cb each, void *arg) {
  inspection run = {each, arg, fibril_loop_now(loop), 0, NULL};
  fibril__coroutines_mark_ready(loop, true);
  fibril__coroutines_each(loop, inspect_one, &run);
  fibril__coroutines_mark_ready(loop, false);
}
