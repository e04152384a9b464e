/* Signals that are waited for. The process sends them to itself: libuv has written down what came
 * when raise returns, and the loop hears of it in its next poll. */
#include "test.h"

#include "../../src/core/loop/loop.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static int result_of(fibril_future *future) {
  fibril_value value = fibril_await(future);
  int result = fibril_is_error(value) ? fibril_error_code(value) : (int)fibril_value_number(value);
  fibril_future_unref(future);
  return result;
}

static fibril_value wait_for(void *signal) {
  return fibril_number(fibril_signal_wait(signal));
}

static fibril_signal *open_one(int number) {
  fibril_signal *signal = NULL;
  CHECK_INT(fibril_signal_open(&number, 1, &signal), 0);
  return signal;
}

/* ---- What comes ---- */

static fibril_value wait_for_signals(void *arg) {
  static const int numbers[] = {SIGUSR2, SIGHUP, SIGUSR2, SIGWINCH};
  fibril_signal *signal;
  (void)arg;
  CHECK_INT(fibril_signal_open(numbers, 4, &signal), 0);
  fibril_future *waiting = fibril_spawn(wait_for, signal, NULL);
  CHECK(!fibril_future_done(waiting));
  CHECK_INT(fibril_signal_wait(signal), UV_EBUSY);
  raise(SIGHUP);
  CHECK_INT(result_of(waiting), SIGHUP);
  for (int i = 0; i < 3; i++) raise(SIGUSR2);
  raise(SIGWINCH);
  CHECK_INT(fibril_sleep(1), 0);
  /* All have come, and nobody is told of the same one again before the others. */
  CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  CHECK_INT(fibril_signal_wait(signal), SIGWINCH);
  CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  waiting = fibril_spawn(wait_for, signal, NULL);
  CHECK(!fibril_future_done(waiting));
  fibril_signal_close(signal);
  CHECK_INT(result_of(waiting), UV_ECANCELED);
  return fibril_undefined();
}

LOOP_TEST(signals_are_waited_for_and_counted) {
  CHECK_INT(fibril_loop_run_sync(loop, wait_for_signals, NULL, 0, NULL), 0);
}

/* libuv tells another handle of it, too, and then cancels who was told: before that one runs. */
typedef struct {
  uv_signal_t other;
  uv_check_t check;
  fibril_future *waiting;
  bool came;
} meanwhile;

static void on_meanwhile(uv_signal_t *other, int number) {
  (void)number;
  ((meanwhile *)other->data)->came = true;
}

static void cancel_meanwhile(uv_check_t *check) {
  meanwhile *m = check->data;
  if (m->came) fibril_cancel(m->waiting);
}

static void watch_meanwhile(fibril_loop *loop, meanwhile *m) {
  uv_check_init(fibril_loop_uv(loop), &m->check);
  uv_signal_init(fibril_loop_uv(loop), &m->other);
  m->check.data = m->other.data = m;
  uv_check_start(&m->check, cancel_meanwhile);
  uv_signal_start(&m->other, on_meanwhile, SIGUSR2);
}

static fibril_value end_waits_early(void *arg) {
  fibril_signal *signal = open_one(SIGUSR2);
  fibril_future *waiting = fibril_spawn(wait_for, signal, NULL);
  fibril_cancel(waiting);
  CHECK_INT(result_of(waiting), UV_ECANCELED);
  fibril_deadline_push(5);
  CHECK_INT(fibril_signal_wait(signal), UV_ETIMEDOUT);
  raise(SIGUSR2);
  CHECK_INT(fibril_signal_wait(signal), UV_ETIMEDOUT); /* it is kept */
  fibril_deadline_pop();
  CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  meanwhile m = {.waiting = fibril_spawn(wait_for, signal, NULL)};
  watch_meanwhile(arg, &m);
  raise(SIGUSR2);
  CHECK_INT(result_of(m.waiting), SIGUSR2);
  CHECK(m.came);
  uv_close((uv_handle_t *)&m.check, NULL);
  uv_close((uv_handle_t *)&m.other, NULL);
  CHECK_INT(fibril_moment(), 0);
  return fibril_undefined();
}

LOOP_TEST(a_signal_that_came_before_a_cancellation_is_given) {
  CHECK_INT(fibril_loop_run_sync(loop, end_waits_early, loop, 0, NULL), 0);
}

/* Two handles for the same signal, of which each hears. */
static fibril_value wait_for_the_same(void *arg) {
  fibril_signal *a = open_one(SIGUSR2), *b = open_one(SIGUSR2);
  (void)arg;
  raise(SIGUSR2);
  CHECK_INT(fibril_signal_wait(a), SIGUSR2);
  CHECK_INT(fibril_signal_wait(b), SIGUSR2);
  fibril_signal_close(a);
  raise(SIGUSR2);
  CHECK_INT(fibril_signal_wait(b), SIGUSR2);
  return fibril_undefined();
}

LOOP_TEST(every_handle_hears_of_its_signals) {
  CHECK_INT(fibril_loop_run_sync(loop, wait_for_the_same, NULL, 0, NULL), 0);
}

/* ---- Others have their turn ---- */

#define MANY 200

static fibril_value count_turns(void *turns) {
  while (fibril_moment() == 0) ++*(int *)turns;
  return fibril_undefined();
}

static fibril_value take_many(void *arg) {
  fibril_signal *signal = open_one(SIGUSR2);
  int turns = 0;
  (void)arg;
  for (int i = 0; i < MANY; i++) raise(SIGUSR2);
  CHECK_INT(fibril_sleep(1), 0);
  fibril_future *other = fibril_spawn(count_turns, &turns, NULL);
  int before = turns;
  for (int i = 0; i < MANY; i++) CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  CHECK(turns >= before + MANY / 64);
  fibril_cancel(other);
  fibril_await(other);
  fibril_future_unref(other);
  return fibril_undefined();
}

LOOP_TEST(signals_that_have_come_leave_others_their_turn) {
  CHECK_INT(fibril_loop_run_sync(loop, take_many, NULL, 0, NULL), 0);
}

/* ---- What can't be waited for ---- */

static fibril_value open_wrongly(void *arg) {
  static const int never[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
                              SIGPROF, 0,       -1,      65,     1 << 20};
  fibril_signal *none = NULL;
  (void)arg;
  for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
    int numbers[] = {SIGUSR2, never[i]};
    CHECK_INT(fibril_signal_open(numbers, 2, &none), UV_EINVAL);
  }
  CHECK_INT(fibril_signal_open(NULL, 1, &none), UV_EINVAL);
  CHECK_INT(fibril_signal_open(never, 0, &none), UV_EINVAL);
  CHECK_INT(fibril_signal_open(never, 1, NULL), UV_EINVAL);
  int reserved[] = {SIGUSR2, 32}; /* the C library's own: libuv says so, after the other one */
  CHECK_INT(fibril_signal_open(reserved, 2, &none), UV_EINVAL);
  CHECK(none == NULL);
  return fibril_undefined();
}

static fibril_value open_kept(void *arg) {
  fibril_signal *none = NULL;
  int number = SIGUSR1;
  fibril__loop_keep_signal(arg, SIGUSR1);
  CHECK_INT(fibril_signal_open(&number, 1, &none), UV_EINVAL);
  fibril__loop_keep_signal(arg, 0);
  CHECK_INT(fibril_signal_open(&number, 1, &none), 0);
  return fibril_undefined();
}

static fibril_value open_for_others(void *signal) {
  *(fibril_signal **)signal = open_one(SIGUSR2);
  fibril_signal_detach(*(fibril_signal **)signal);
  return fibril_undefined();
}

LOOP_TEST(signals_that_cant_be_waited_for_are_refused) {
  fibril_signal *signal;
  int number = SIGUSR2;
  CHECK_INT(fibril_loop_run_sync(loop, open_wrongly, NULL, 0, NULL), 0);
  CHECK_INT(fibril_loop_run_sync(loop, open_kept, loop, 0, NULL), 0);
  CHECK_INT(fibril_signal_open(&number, 1, &signal), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_loop_run_sync(loop, open_for_others, &signal, 0, NULL), 0);
  CHECK_INT(fibril_signal_wait(signal), FIBRIL_ENOTCOROUTINE);
  fibril_signal_ref(signal);
  fibril_signal_close(signal);
  CHECK_INT(fibril_signal_wait(signal), UV_EBADF);
  fibril_signal_unref(signal);
}

typedef struct {
  fibril_poster *poster;
  int result;
} late_opener;

static void open_late(void *arg) {
  fibril_signal *none;
  int number = SIGUSR2;
  ((late_opener *)arg)->result = fibril_signal_open(&number, 1, &none);
}

static fibril_value post_at_the_end(void *arg) {
  fibril_suspend();
  CHECK_INT(fibril_post(((late_opener *)arg)->poster, open_late, arg), 0);
  return fibril_undefined();
}

TEST(no_signals_are_waited_for_when_the_loop_ends) {
  uv_loop_t uv;
  fibril_loop *own;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  late_opener late = {fibril_loop_poster(own), 0};
  fibril_future_unref(fibril_loop_spawn(own, post_at_the_end, &late, NULL));
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(late.result, FIBRIL_ECLOSED);
  fibril_poster_unref(late.poster);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* ---- What was there before ---- */

static volatile sig_atomic_t handled, handled_with;

static void handle(int number, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  handled++;
  handled_with = number;
}

static void (*disposition(int number))(int) {
  struct sigaction action;
  sigaction(number, NULL, &action);
  return action.sa_handler;
}

static fibril_value open_twice(void *arg) {
  fibril_signal *first = open_one(SIGUSR2), *second = open_one(SIGUSR2);
  void (*own)(int) = disposition(SIGUSR2);
  (void)arg;
  raise(SIGUSR2);
  CHECK_INT(handled, 0);
  CHECK_INT(fibril_signal_wait(first), SIGUSR2);
  fibril_signal_close(first);
  CHECK(disposition(SIGUSR2) == own);
  raise(SIGUSR2);
  CHECK_INT(fibril_signal_wait(second), SIGUSR2);
  fibril_signal_close(second);
  CHECK(disposition(SIGUSR2) != own);
  return fibril_undefined();
}

static void open_over(fibril_loop *loop, const struct sigaction *action) {
  struct sigaction before, after;
  sigaction(SIGUSR2, action, &before);
  CHECK_INT(fibril_loop_run_sync(loop, open_twice, NULL, 0, NULL), 0);
  sigaction(SIGUSR2, &before, &after);
  CHECK(after.sa_handler == action->sa_handler);
  CHECK_INT(after.sa_flags & SA_NODEFER, action->sa_flags & SA_NODEFER);
}

LOOP_TEST(what_was_done_about_a_signal_is_done_again) {
  struct sigaction ignored = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
  struct sigaction caught = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
  open_over(loop, &ignored);
  open_over(loop, &caught);
  open_over(loop, &usual);
  sigaction(SIGUSR2, &caught, &usual);
  CHECK_INT(fibril_loop_run_sync(loop, open_twice, NULL, 0, NULL), 0);
  raise(SIGUSR2);
  CHECK_INT(handled, 1);
  CHECK_INT(handled_with, SIGUSR2);
  sigaction(SIGUSR2, &usual, NULL);
}

/* libuv's own handler was there, and goes when whoever had it is done with the signal. */
static void on_other(uv_signal_t *other, int number) {
  CHECK_INT(number, SIGUSR2);
  ++*(int *)other->data;
}

typedef struct {
  uv_signal_t other;
  int heard;
} neighbour;

static fibril_value open_beside(void *arg) {
  neighbour *n = arg;
  fibril_signal *signal = open_one(SIGUSR2);
  raise(SIGUSR2);
  CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(n->heard, 1);
  fibril_signal_close(signal);
  raise(SIGUSR2);
  while (n->heard < 2) CHECK_INT(fibril_sleep(1), 0);
  signal = open_one(SIGUSR2);
  uv_signal_stop(&n->other);
  raise(SIGUSR2);
  CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  CHECK_INT(n->heard, 2);
  fibril_signal_close(signal);
  CHECK(disposition(SIGUSR2) == SIG_DFL);
  return fibril_undefined();
}

LOOP_TEST(others_of_the_loop_hear_of_the_same_signal) {
  neighbour n = {.heard = 0};
  CHECK_INT(uv_signal_init(fibril_loop_uv(loop), &n.other), 0);
  n.other.data = &n.heard;
  CHECK_INT(uv_signal_start(&n.other, on_other, SIGUSR2), 0);
  CHECK_INT(fibril_loop_run_sync(loop, open_beside, &n, 0, NULL), 0);
  uv_close((uv_handle_t *)&n.other, NULL);
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
}

/* ---- Other loops ---- */

typedef struct {
  uv_sem_t opened;
  int result;
} elsewhere;

static fibril_value wait_elsewhere(void *arg) {
  elsewhere *e = arg;
  fibril_signal *signal = open_one(SIGUSR2);
  uv_sem_post(&e->opened);
  e->result = fibril_signal_wait(signal);
  return fibril_undefined();
}

static void run_elsewhere(void *arg) {
  uv_loop_t uv;
  fibril_loop *own;
  uv_loop_init(&uv);
  fibril_loop_new(&uv, &own);
  CHECK_INT(fibril_loop_run_sync(own, wait_elsewhere, arg, 0, NULL), 0);
  fibril_loop_close(own, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
}

static fibril_value wait_beside_thread(void *arg) {
  elsewhere *e = arg;
  fibril_signal *signal = open_one(SIGUSR2);
  uv_sem_wait(&e->opened);
  raise(SIGUSR2);
  CHECK_INT(fibril_signal_wait(signal), SIGUSR2);
  return fibril_undefined();
}

LOOP_TEST(every_loop_that_asked_hears_of_a_signal) {
  elsewhere e = {.result = 0};
  uv_thread_t thread;
  struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
  sigaction(SIGUSR2, &ignored, &before);
  uv_sem_init(&e.opened, 0);
  CHECK_INT(uv_thread_create(&thread, run_elsewhere, &e), 0);
  CHECK_INT(fibril_loop_run_sync(loop, wait_beside_thread, &e, 0, NULL), 0);
  uv_thread_join(&thread);
  uv_sem_destroy(&e.opened);
  CHECK_INT(e.result, SIGUSR2);
  CHECK(disposition(SIGUSR2) == SIG_IGN); /* whichever loop was the last one */
  sigaction(SIGUSR2, &before, NULL);
}

/* ---- Whose they are, and what they hold ---- */

static fibril_value hold_while_waiting(void *arg) {
  const unsigned *holds = &fibril__whole_of(arg)->post.holds;
  fibril_signal *signal = open_one(SIGUSR2);
  unsigned before = *holds;
  fibril_future *waiting = fibril_spawn(wait_for, signal, NULL);
  CHECK_INT(*holds, before + 1);
  fibril_signal_unhold(signal);
  CHECK_INT(*holds, before);
  fibril_signal_hold(signal);
  CHECK_INT(*holds, before + 1);
  raise(SIGUSR2);
  CHECK_INT(result_of(waiting), SIGUSR2);
  CHECK_INT(*holds, before);
  return fibril_undefined();
}

static fibril_value wait_unheld(void *result) {
  fibril_signal *signal = open_one(SIGUSR2);
  fibril_signal_unhold(signal);
  *(int *)result = fibril_signal_wait(signal);
  return fibril_undefined();
}

static void hear_nothing(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)error;
  (void)arg;
}

LOOP_TEST(a_handle_of_signals_holds_the_loop_while_somebody_waits) {
  int result = 0;
  CHECK_INT(fibril_loop_run_sync(loop, hold_while_waiting, loop, 0, NULL), 0);
  fibril_loop_set_log(loop, hear_nothing, NULL);
  CHECK_INT(fibril_loop_run_sync(loop, wait_unheld, &result, 0, NULL), FIBRIL_ESTOPPED);
  CHECK_INT(result, UV_ECANCELED);
}

TEST(signals_that_are_detached_are_given_back_when_the_loop_ends) {
  uv_loop_t uv;
  fibril_loop *own;
  fibril_signal *signal;
  struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
  sigaction(SIGUSR2, &ignored, &before);
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  CHECK_INT(fibril_loop_run_sync(own, open_for_others, &signal, 0, NULL), 0);
  CHECK(disposition(SIGUSR2) != SIG_IGN);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(disposition(SIGUSR2) == SIG_IGN);
  CHECK_INT(uv_loop_close(&uv), 0);
  sigaction(SIGUSR2, &before, NULL);
}
