#include "deadline.h"

#include "scope.h"
#include "timeouts.h"
#include "wait.h"

#include <math.h>
#include <stdlib.h>

/* One that goes on when its next value is asked for, and only then. */
static bool is_between_values(const fibril_coroutine *coroutine) {
  if (coroutine->state == FIBRIL__YIELDED) return true;
  const fibril_coroutine *root = coroutine->root;
  return fibril__is_synchronous(root) && root->wait != NULL && root->wait->kind->idle;
}

/* Of one that is suspended in a yield nobody waits. */
static void on_deadline(void *arg) {
  struct fibril__deadline *deadline = arg;
  deadline->timer = 0;
  if (!is_between_values(deadline->coroutine)) fibril__wait_interrupt(deadline->coroutine->root);
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

static bool drop_deadline(fibril_coroutine *self) {
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
  return drop_deadline(self) ? UV_ETIMEDOUT : 0;
}

void fibril__deadlines_drop(fibril_coroutine *self) {
  while (self->deadlines != NULL) drop_deadline(self);
}

double fibril_deadline_left(void) {
  uint64_t first = UINT64_MAX, now = uv_hrtime();
  const fibril_coroutine *one = fibril__self();
  while (one != NULL) {
    for (const struct fibril__deadline *d = one->deadlines; d != NULL && d->masks >= one->masks;
         d = d->next)
      if (d->at < first) first = d->at;
    one = one->masks == 0 ? one->caller : NULL;
  }
  if (first == UINT64_MAX) return INFINITY;
  return first <= now ? 0 : (double)(first - now) / FIBRIL__NS_PER_MS;
}
