/* What goes on in a loop, for people. */
#include "core.h"

const char fibril__what_poll[] = "poll";

typedef struct {
  fibril_inspect_cb each;
  void *arg;
  double now;
} inspection;

/* Marks what is in the ready queue, or takes the marks off. */
static void mark_ready(fibril_loop *loop, bool listed) {
  for (uint64_t i = loop->dequeued; i != loop->enqueued; i++) {
    fibril__task *task = loop->ring[i & loop->mask];
    if (task->run == NULL) FIBRIL__CONTAINER(fibril_coroutine, task, task)->listed = listed;
  }
}

/* Between two values: of a generator, or of one that an iterator of the layer above has. */
static bool is_suspended(const fibril_coroutine *coroutine) {
  const fibril__wait *wait = coroutine->wait;
  return fibril__generator_suspended(coroutine) ||
         (wait != NULL && !wait->woken && wait->what == fibril__what_consumer);
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

static void describe_wait(const fibril__wait *wait, fibril_inspection *about) {
  const fibril_coroutine *whom = NULL;
  about->waits_for = wait->what;
  if (wait->what == fibril__what_future) whom = fibril__wait_for_whom(wait);
  if (wait->what == fibril__what_mutex) whom = fibril__wait_for_owner(wait);
  if (wait->what == fibril__what_poll)
    about->fd = FIBRIL__CONTAINER(const fibril__poll_wait, wait, wait)->fd;
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
  return coroutine->masks > 0 && !coroutine->loop->masks_lifted;
}

static void inspect_one(fibril_coroutine *coroutine, void *arg) {
  const inspection *run = arg;
  const fibril__wait *wait = wait_of(coroutine);
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
    describe_wait(wait, &about);
    double waited = run->now - (double)wait->since;
    about.waited = waited > 0 ? waited : 0;
  }
  run->each(&about, run->arg);
}

void fibril_loop_inspect(fibril_loop *loop, fibril_inspect_cb each, void *arg) {
  inspection run = {each, arg, fibril_loop_now(loop)};
  mark_ready(loop, true);
  fibril__coroutines_each(loop, inspect_one, &run);
  mark_ready(loop, false);
}
