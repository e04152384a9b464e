#include "scope.h"

#include "crowd.h"
#include "timeouts.h"
#include "wait.h"

/* ---- What keeps a coroutine from waiting ---- */

/* Whether a deadline has passed that counts behind `masks` masks. */
static bool is_too_late(const fibril_coroutine *one, unsigned masks, uint64_t *now) {
  for (const struct fibril__deadline *d = one->deadlines; d != NULL; d = d->next) {
    if (d->masks < masks) return false; /* as are all around it */
    if (*now == 0) *now = uv_hrtime();
    if (d->at <= *now) return true;
  }
  return false;
}

/* From the inside out: one that was called, who called it, and so on; up to the first mask. */
int fibril__hindrance(const fibril_coroutine *self) {
  uint64_t now = 0;
  int code = 0;
  for (const fibril_coroutine *one = self; one != NULL; one = one->caller) {
    unsigned masks = one->loop->grace.lifted ? 0 : one->masks;
    if (masks == 0 && one->cancelled) return UV_ECANCELED;
    if (is_too_late(one, masks, &now)) code = UV_ETIMEDOUT;
    if (masks > 0) break;
  }
  if (fibril__is_synchronous(self->root)) return FIBRIL_ESYNC;
  return self->root->generating ? FIBRIL_ENOTCOROUTINE : code; /* run from the loop's stack */
}

void fibril__wait_interrupt(fibril_coroutine *coroutine) {
  fibril__wait *wait = coroutine->wait;
  if (wait == NULL || wait->woken || wait->cancel == NULL) return;
  bool closing = coroutine->loop->state != FIBRIL__OPEN;
  if (fibril__hindrance(wait->coroutine) != 0 || (closing && wait->kind->idle))
    wait->cancel(wait); /* nobody asks for a value any more, whatever a mask shields from */
  else if (closing)
    fibril__grace_begin(coroutine->loop);
}

void fibril__coroutine_cancel(fibril_coroutine *coroutine) {
  fibril__coroutine_set_cancelled(coroutine);
  fibril__wait_interrupt(coroutine);
}

bool fibril_cancelled(void) {
  const fibril_coroutine *self = fibril__self();
  while (self != NULL && !self->cancelled) self = self->caller;
  return self != NULL;
}

/* ---- Masks ---- */

static void interrupt_each(fibril_coroutine *coroutine, void *arg) {
  (void)arg;
  if (!fibril__is_called(coroutine)) fibril__wait_interrupt(coroutine);
}

static void lift_masks(void *arg) {
  fibril_loop *loop = arg;
  loop->grace.lifted = true;
  fibril__coroutines_each(loop, interrupt_each, NULL);
}

void fibril__grace_begin(fibril_loop *loop) {
  if (loop->grace.began) return;
  loop->grace.began = true;
  if (fibril__timeout_add(loop, fibril__deadline(loop->grace.ms), lift_masks, loop,
                          &loop->grace.timer) != 0)
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
  if (--self->masks > 0) return 0;
  int hindrance = fibril__hindrance(self);
  return hindrance == UV_ECANCELED || hindrance == UV_ETIMEDOUT ? hindrance : 0;
}
