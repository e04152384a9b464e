/* One iteration runs from the check phase, after libuv has polled: the timeouts that are due are
 * chosen, then the ready queue runs, a snapshot, then those timeouts. Answers to Tornado's IOLoop.
 */
#include "turn.h"

#include "../scheduler/deadlock.h"
#include "../scheduler/run.h"
#include "../value/error.h"
#include "data.h"
#include "handlers.h"
#include "host.h"
#include "last.h"
#include "loop.h"

/* What is ready when the turn begins. Any of it may turn libuv's loop itself: that turn does the
 * rest, for which the poll returns at once, and it may close the loop. */
static void run_turn(fibril_loop *loop) {
  fibril__upper *upper = &fibril__whole_of(loop)->upper;
  fibril__scheduler_choose(loop);
  fibril__loop_run_callbacks(loop);
  fibril__loop_run_posted(loop);
  if (fibril__queued(loop) > 0) fibril__drain(loop, fibril__queued(loop), false);
  fibril__scheduler_run_due(loop);
  if (upper->flush_wanted) {
    upper->flush_wanted = false;
    upper->flush(upper->arg);
  }
}

static void drain_all(fibril_loop *loop) {
  while (fibril__queued(loop) > 0) fibril__drain(loop, fibril__queued(loop), false);
}

static void close_attachments(const fibril_loop *loop) {
  fibril__attachment *next = fibril__whole_of(loop)->attachments;
  while (next != NULL) {
    fibril__attachment *one = next;
    next = one->next;
    if (one->close != NULL) one->close(one);
  }
}

/* Every coroutine has ended: closes the handles. The user's data is the last that may use any. */
static void end_turns(fibril_loop *loop) {
  fibril__whole *whole = fibril__whole_of(loop);
  fibril__visit visit = fibril__visit_begin(loop);
  whole->closing.ending = true;
  if (whole->upper.unwound != NULL) whole->upper.unwound(whole->upper.arg);
  fibril__post_close(loop);
  drain_all(loop);
  fibril__loop_data_end(loop);
  if (whole->upper.released != NULL) whole->upper.released(whole->upper.arg);
  close_attachments(loop);
  drain_all(loop);
  fibril__visit_end(loop, visit);
  fibril__handlers_close(loop);
  uv_close((uv_handle_t *)&whole->handles.check, fibril__handle_on_closed);
  fibril__handles_close(loop);
  fibril__post_close_handle(loop);
}

/* A masked clean-up may still need the generators that it calls; and the clean-up of a generator
 * may unlock what others wait for. */
static void go_on_closing(fibril_loop *loop) {
  if (fibril__whole_of(loop)->closing.ending) return;
  const fibril_coroutine *stuck = fibril__deadlock_find(loop);
  if (stuck != NULL || loop->ready.coroutines == fibril__clients_of(loop)->generators)
    fibril__generators_close(loop);
  if (fibril__queued(loop) > 0) return;
  if (loop->ready.coroutines == 0 && fibril__last_begin(loop))
    fibril__loop_activate(loop);
  else if (loop->ready.coroutines == 0)
    end_turns(loop);
  else if (stuck != NULL)
    fibril__deadlock_die(stuck);
}

/* Ready for the next poll. */
static void end_turn(fibril_loop *loop) {
  fibril__timers_shrink(&loop->timers);
  loop->host->arm(loop);
  fibril__handles_trim(loop);
  if (fibril__queued(loop) == 0 && !fibril__whole_of(loop)->upper.flush_wanted) {
    fibril__handles_rest(loop);
    if (loop->state == FIBRIL__CLOSING) go_on_closing(loop);
  }
}

static void iterate(fibril_loop *loop) {
  if (loop->current != NULL)
    fibril__fatal(
        "coroutine \"%s\" has called uv_run: only the loop's stack may turn the loop, see "
        "fibril_on_loop",
        fibril__name(loop->current));
  if (loop->arenas.call != NULL)
    fibril__fatal("a synchronous function has called uv_run, whose callbacks would be taken for a "
                  "part of it: see fibril_on_loop");
  fibril__loop_ref(loop); /* a turn inside may close it */
  run_turn(loop);
  if (!fibril__loop_is_gone(loop)) end_turn(loop);
  fibril__loop_unref(loop);
}

size_t fibril_loop_run_ready(fibril_loop *loop, size_t most) {
  fibril__loop_ref(loop);
  fibril__owner *owner = fibril__call_owner(loop, NULL);
  size_t ran = fibril__drain(loop, most, false);
  fibril__call_owner(loop, owner);
  fibril__loop_unref(loop);
  return ran;
}

size_t fibril__loop_run_turn(fibril_loop *loop) {
  return fibril__queued(loop) == 0 ? 0 : fibril__drain(loop, fibril__queued(loop), true);
}

/* ---- The check phase, after libuv has polled ---- */

static void on_check(uv_check_t *check) {
  iterate(check->data);
}

void fibril__turn_init(fibril_loop *loop) {
  uv_check_t *check = &fibril__whole_of(loop)->handles.check;
  uv_check_init(loop->uv, check);
  check->data = loop;
  uv_check_start(check, on_check);
  uv_unref((uv_handle_t *)check);
  fibril__loop_handle_opened(loop);
}
