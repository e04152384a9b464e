/* The wait, and those that need nothing but the scheduler. */
#include "wait.h"

#include "../value/error.h"
#include "call.h"
#include "local.h"
#include "scope.h"
#include "timeouts.h"

static inline bool may_wait(const fibril_coroutine *self) {
  if (FIBRIL__UNLIKELY(self == NULL)) return false;
  return FIBRIL__LIKELY(self->hindered == 0);
}

/* What a coroutine gets that can't simply wait. */
__attribute__((noinline)) static int look_closer(fibril_coroutine *self) {
  fibril_loop *loop = self == NULL ? fibril__loop_here : self->loop;
  if (self == NULL)
    return loop != NULL && loop->arenas.call != NULL ? FIBRIL_ESYNC : FIBRIL_ENOTCOROUTINE;
  int hindrance = fibril__hindrance(self);
  if (loop->state == FIBRIL__OPEN || hindrance == FIBRIL_ENOTCOROUTINE) return hindrance;
  if (hindrance == 0)
    fibril__grace_begin(loop);
  else if (++self->root->refusals >= FIBRIL__REFUSALS_MAX)
    fibril__fatal(
        "coroutine \"%s\" goes on waiting although its loop is closing: every wait gives it UV_ECANCELED, "
        "on which it has to clean up and return",
        fibril__name(self->root));
  return hindrance;
}

int fibril__wait_check(fibril_coroutine *self) {
  return FIBRIL__LIKELY(may_wait(self)) ? 0 : look_closer(self);
}

int fibril__wait_ended_early(const fibril_coroutine *self) {
  return fibril__hindrance(self) == UV_ETIMEDOUT ? UV_ETIMEDOUT : UV_ECANCELED;
}

const char *fibril__wait_name(const fibril__wait *wait) {
  const char *within = fibril__within(wait->coroutine);
  return within != NULL ? within : wait->kind->name;
}

int fibril__wait_until_woken(fibril_coroutine *self, fibril__wait *wait) {
  return fibril__wait_in(self, wait, FIBRIL__WAITING);
}

int fibril__wait_insist(fibril_coroutine *self, fibril__wait *wait) {
  if (!fibril__can_wait(self))
    fibril__fatal(
        "coroutine \"%s\" has to wait for its %s, and is run from the loop's stack, where "
        "nothing can wait",
        self == NULL ? "" : fibril__name(self), wait->kind->name);
  return fibril__wait_in(self, wait, FIBRIL__WAITING);
}

void fibril__wake(fibril__wait *wait, int status) {
  if (wait->woken) return;
  wait->woken = true;
  wait->status = status;
  fibril_coroutine *coroutine = wait->coroutine;
  if (coroutine == NULL) return;
  coroutine->state = FIBRIL__ACTIVE;
  fibril__enqueue(coroutine->loop, &coroutine->task);
}

void fibril__wait_cancel_now(fibril__wait *wait) {
  fibril__wake(wait, UV_ECANCELED);
}

/* ---- Plain switches ---- */

static const fibril__wait_kind resume = {.name = "resume"};

int fibril_suspend(void) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  fibril__wait wait = {.kind = &resume, .cancel = fibril__wait_cancel_now};
  return fibril__wait_in(self, &wait, FIBRIL__SUSPENDED);
}

/* Any pass but the usual one. */
__attribute__((noinline)) static int pass_slowly(void) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  fibril__enqueue(self->loop, &self->task);
  fibril__leave(self);
  return 0;
}

/* A coroutine that passes again and again comes back to where another has just left: its returns
 * are predicted. It calls nothing, so that registers are saved for the switch alone, and late. The
 * loop is not read from the coroutine: who runs comes out of the ready queue, through memory, and
 * the frame and all that is read from it would have to wait for that. */
int fibril_pass(void) {
  fibril_loop *loop = fibril__loop_seated();
  if (FIBRIL__UNLIKELY(loop == NULL)) return pass_slowly();
  fibril_coroutine *self = loop->current;
  if (FIBRIL__UNLIKELY(!may_wait(self) || !loop->ready.awake)) return pass_slowly();
  fibril__ready_add(&loop->ready, &self->task);
  fibril__switch(&self->context, &loop->frame->context);
  return 0;
}

/* After a turn of the loop no return is predicted, and the fewer there are the better: it comes
 * back by a jump, with the 0 that lies in the control block. */
int fibril_moment(void) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (FIBRIL__UNLIKELY(err != 0)) return err;
  self->momentary = true;
  self->result.tag = 0;
  fibril__enqueue(self->loop, &self->task);
  return fibril__switch_status(&self->context, &self->loop->frame->context);
}

/* ---- Sleep ---- */

static const fibril__wait_kind sleep_kind = {.name = "sleep"};

static void wake_sleeper(void *arg) {
  fibril__wake(arg, 0);
}

int fibril_sleep(double ms) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  if (!(ms >= 0 && ms <= 9007199254740992.0)) return UV_EINVAL;
  fibril_timeout timeout;
  fibril__wait wait = {.kind = &sleep_kind, .cancel = fibril__wait_cancel_now};
  err = fibril__timeout_add(self->loop, fibril__deadline(ms), wake_sleeper, &wait, &timeout);
  if (err != 0) return err;
  err = fibril__wait_in(self, &wait, FIBRIL__WAITING);
  if (err != 0) fibril_loop_remove_timeout(self->loop, timeout);
  return err;
}
