/* What a part of a coroutine is shielded from, and how long it may take: masks and deadlines. */
#include "core.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_MS 1000000.0

struct fibril__deadline {
  struct fibril__deadline *next; /* the one around it */
  fibril_coroutine *coroutine;
  uint64_t at; /* as uv_hrtime */
  fibril_timeout timer;
  uint8_t masks; /* inside which it was set: those don't shield from it */
};

/* ---- What keeps a coroutine from waiting ---- */

/* Whether a deadline has passed that counts behind `masks` masks. */
static bool too_late(const fibril_coroutine *one, unsigned masks, uint64_t *now) {
  for (const struct fibril__deadline *d = one->deadlines; d != NULL; d = d->next) {
    if (d->masks < masks) return false; /* as are all around it */
    if (*now == 0) *now = uv_hrtime();
    if (d->at <= *now) return true;
  }
  return false;
}

/* From the inside out: a generator, whoever called it, and so on; up to the first mask. */
int fibril__hindrance(const fibril_coroutine *self) {
  uint64_t now = 0;
  int code = 0;
  for (const fibril_coroutine *one = self; one != NULL;
       one = one->generating ? fibril__generator_caller(one) : NULL) {
    unsigned masks = one->loop->masks_lifted ? 0 : one->masks;
    if (masks == 0 && one->cancelled) return UV_ECANCELED;
    if (too_late(one, masks, &now)) code = UV_ETIMEDOUT;
    if (masks > 0) break;
  }
  if (self->root->generating == FIBRIL__SYNCHRONOUS) return FIBRIL_ESYNC;
  return self->root->generating ? FIBRIL_ENOTCOROUTINE : code; /* run from the loop's stack */
}

void fibril__wait_interrupt(fibril_coroutine *coroutine) {
  fibril__wait *wait = coroutine->wait;
  if (wait == NULL || wait->woken || wait->cancel == NULL) return;
  bool closing = coroutine->loop->state != FIBRIL__OPEN;
  if (fibril__hindrance(wait->coroutine) != 0 || (closing && wait->what == fibril__what_consumer))
    wait->cancel(wait); /* nobody asks for a value any more, whatever a mask shields from */
  else if (closing)
    fibril__grace_begin(coroutine->loop);
}

/* ---- Masks ---- */

static void interrupt_each(fibril_coroutine *coroutine, void *arg) {
  (void)arg;
  if (coroutine->generator == NULL) fibril__wait_interrupt(coroutine);
}

static void lift_masks(void *arg) {
  fibril_loop *loop = arg;
  loop->masks_lifted = true;
  fibril__coroutines_each(loop, interrupt_each, NULL);
}

void fibril__grace_begin(fibril_loop *loop) {
  if (loop->grace_began) return;
  loop->grace_began = true;
  if (fibril__timeout_add(loop, fibril__deadline(loop->grace), lift_masks, loop,
                          &loop->grace_timer) != 0)
    lift_masks(loop);
}

int fibril_mask(void) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  if (self->masks == UINT8_MAX) return UV_EOVERFLOW;
  self->masks++;
  self->encumbered = true;
  return 0;
}

int fibril_unmask(void) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  if (self->masks == 0) return UV_EINVAL;
  self->masks--;
  int hindrance = fibril__hindrance(self);
  return hindrance == FIBRIL_ENOTCOROUTINE ? 0 : hindrance;
}

/* ---- Deadlines ---- */

/* Of a generator that is suspended in a yield nobody waits. */
static void on_deadline(void *arg) {
  struct fibril__deadline *deadline = arg;
  fibril_coroutine *coroutine = deadline->coroutine;
  deadline->timer = 0;
  if (!fibril__generator_suspended(coroutine)) fibril__wait_interrupt(coroutine->root);
}

int fibril_deadline_push(double ms) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  if (isnan(ms)) return UV_EINVAL;
  struct fibril__deadline *deadline = malloc(sizeof *deadline);
  if (deadline == NULL) return UV_ENOMEM;
  *deadline =
      (struct fibril__deadline){self->deadlines, self, fibril__deadline(ms), 0, self->masks};
  if (fibril__timeout_add(self->loop, deadline->at, on_deadline, deadline, &deadline->timer) != 0) {
    free(deadline);
    return UV_ENOMEM;
  }
  self->deadlines = deadline;
  self->timed = self->encumbered = true;
  return 0;
}

static bool drop(fibril_coroutine *self) {
  struct fibril__deadline *deadline = self->deadlines;
  bool passed = deadline->at <= uv_hrtime();
  self->deadlines = deadline->next;
  self->timed = deadline->next != NULL;
  if (deadline->timer != 0) fibril_loop_remove_timeout(self->loop, deadline->timer);
  free(deadline);
  return passed;
}

int fibril_deadline_pop(void) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  if (self->deadlines == NULL) return UV_EINVAL;
  return drop(self) ? UV_ETIMEDOUT : 0;
}

void fibril__deadlines_drop(fibril_coroutine *self) {
  while (self->deadlines != NULL) drop(self);
}

double fibril_deadline_left(void) {
  uint64_t first = UINT64_MAX, now = uv_hrtime();
  const fibril_coroutine *one = fibril__self();
  while (one != NULL) {
    for (const struct fibril__deadline *d = one->deadlines; d != NULL && d->masks >= one->masks;
         d = d->next)
      if (d->at < first) first = d->at;
    one = one->generating && one->masks == 0 ? fibril__generator_caller(one) : NULL;
  }
  if (first == UINT64_MAX) return INFINITY;
  return first <= now ? 0 : (double)(first - now) / NS_PER_MS;
}
