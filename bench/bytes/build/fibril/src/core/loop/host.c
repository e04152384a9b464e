#include "host.h"

#include "../switch/overflow.h"
#include "loop.h"

#include <stdlib.h>

/* Free stacks are given back this long after there were too many of them. */
#define TRIM_DELAY_MS 1000

static fibril__handles *handles_of(const fibril_loop *loop) {
  return &fibril__whole_of(loop)->handles;
}

/* ---- What the scheduler asks for ---- */

/* Being active is all its work: poll then returns at once. */
static void on_idle(uv_idle_t *idle) {
  (void)idle;
}

bool fibril__loop_is_gone(const fibril_loop *loop) {
  return loop->state == FIBRIL__CLOSED ||
         uv_is_closing((const uv_handle_t *)&handles_of(loop)->idle);
}

bool fibril__host_activate(fibril_loop *loop) {
  if (fibril__loop_is_gone(loop)) return false;
  uv_idle_start(&handles_of(loop)->idle, on_idle);
  return true;
}

static void on_timer(uv_timer_t *timer) {
  fibril_loop *loop = timer->data;
  handles_of(loop)->armed = 0;
  fibril__loop_activate(loop); /* the check phase is sure to come at once */
}

static void hold_timer(const fibril_loop *loop, uv_handle_t *timer) {
  (fibril__timers_are_held(&loop->timers) ? uv_ref : uv_unref)(timer);
}

/* Sets libuv's timer for the next deadline: the time that is left, in whole milliseconds, which is
 * how libuv polls. It fires too early when the loop's cached clock is behind; then the iteration
 * finds nothing due and sets it again. */
void fibril__host_arm(fibril_loop *loop) {
  fibril__handles *handles = handles_of(loop);
  uint64_t next = fibril__timers_next(&loop->timers);
  if (uv_is_closing((uv_handle_t *)&handles->timer)) return;
  hold_timer(loop, (uv_handle_t *)&handles->timer);
  if (next == handles->armed) return;
  handles->armed = next;
  if (next == 0) {
    uv_timer_stop(&handles->timer);
    return;
  }
  uint64_t now = uv_hrtime(), left = next <= now ? 0 : next - now;
  uv_timer_start(&handles->timer, on_timer, left / 1000000 + (left % 1000000 != 0), 0);
}

/* ---- Free stacks ---- */

static void on_trim(uv_timer_t *timer) {
  fibril_loop *loop = timer->data;
  if (fibril__stacks_trim(&loop->stacks))
    uv_timer_start(timer, on_trim, 1, 0);
  else
    fibril__ready_shrink(&loop->ready);
}

void fibril__handles_trim(fibril_loop *loop) {
  uv_timer_t *trim = &handles_of(loop)->trim;
  if (fibril__stacks_want_trim(&loop->stacks) && !uv_is_active((uv_handle_t *)trim))
    uv_timer_start(trim, on_trim, TRIM_DELAY_MS, 0);
}

/* ---- Life ---- */

void fibril__handles_init(fibril_loop *loop) {
  fibril__handles *handles = handles_of(loop);
  uv_idle_init(loop->uv, &handles->idle);
  uv_timer_init(loop->uv, &handles->timer);
  uv_timer_init(loop->uv, &handles->trim);
  handles->idle.data = handles->timer.data = handles->trim.data = loop;
  uv_unref((uv_handle_t *)&handles->trim);
  handles->open += 3;
}

void fibril__handles_rest(fibril_loop *loop) {
  fibril__loop_rest(loop);
  uv_idle_stop(&handles_of(loop)->idle);
}

void fibril__loop_handle_opened(fibril_loop *loop) {
  handles_of(loop)->open++;
}

static void end_whole(fibril_loop *loop) {
  fibril__whole *whole = fibril__whole_of(loop);
  fibril__futures_close(loop);
  while (whole->attachments != NULL) {
    fibril__attachment *one = whole->attachments;
    whole->attachments = one->next;
    free(one);
  }
  fibril__scheduler_destroy(loop);
  fibril__overflow_detach();
  fibril__here_detach();
  if (whole->closing.closed != NULL) whole->closing.closed(whole->closing.arg);
  fibril__loop_unref(loop);
}

void fibril__loop_handle_closed(fibril_loop *loop) {
  if (--handles_of(loop)->open == 0) end_whole(loop);
}

void fibril__handle_on_closed(uv_handle_t *handle) {
  fibril__loop_handle_closed(handle->data);
}

void fibril__handles_close(fibril_loop *loop) {
  fibril__handles *handles = handles_of(loop);
  uv_close((uv_handle_t *)&handles->idle, fibril__handle_on_closed);
  uv_close((uv_handle_t *)&handles->timer, fibril__handle_on_closed);
  uv_close((uv_handle_t *)&handles->trim, fibril__handle_on_closed);
}
