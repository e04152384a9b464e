/* Synchronisation where several things happen to who waits in one turn: what was handed over is not
 * lost, and nobody overtakes. */
#include "test.h"

#include <string.h>

static int code_of(fibril_future *future) {
  int code = (int)fibril_value_number(fibril_await(future));
  fibril_future_unref(future);
  return code;
}

/* ---- Mutex ---- */

static char trace[16];

static void note(char letter) {
  size_t length = strlen(trace);
  if (length + 1 < sizeof trace) trace[length] = letter;
}

typedef struct {
  fibril_mutex *mutex;
  char name;
} locker;

static fibril_value lock_once(void *arg) {
  locker *l = arg;
  int err = fibril_mutex_lock(l->mutex);
  if (err != 0) return fibril_number(err);
  note(l->name);
  err = fibril_moment(); /* refused once cancelled */
  CHECK_INT(fibril_mutex_unlock(l->mutex), 0);
  return fibril_number(err);
}

static fibril_value cancel_lockers(void *arg) {
  (void)arg;
  fibril_mutex mutex = {0};
  locker lockers[] = {{&mutex, 'a'}, {&mutex, 'b'}, {&mutex, 'c'}};
  fibril_future *futures[3];
  memset(trace, 0, sizeof trace);
  CHECK_INT(fibril_mutex_lock(&mutex), 0);
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(lock_once, &lockers[i], NULL);
  CHECK_INT(fibril_cancel(futures[1]), 0); /* before: it goes to the next */
  CHECK_INT(fibril_mutex_unlock(&mutex), 0);
  CHECK_INT(fibril_cancel(futures[0]), 0); /* after: it has it, and passes it on */
  CHECK_INT(fibril_mutex_trylock(&mutex), UV_EBUSY);
  CHECK_INT(code_of(futures[0]), UV_ECANCELED);
  CHECK_INT(code_of(futures[1]), UV_ECANCELED);
  CHECK_INT(code_of(futures[2]), 0);
  CHECK_STR(trace, "ac");
  CHECK_INT(fibril_mutex_trylock(&mutex), 0);
  CHECK_INT(fibril_mutex_unlock(&mutex), 0);
  return fibril_undefined();
}

LOOP_TEST(mutex_given_to_who_is_cancelled_is_passed_on) {
  CHECK_INT(fibril_loop_run_sync(loop, cancel_lockers, NULL, 0, NULL), 0);
}

static fibril_value lock_thrice(void *arg) {
  locker *l = arg;
  for (int i = 0; i < 3; i++) {
    CHECK_INT(fibril_mutex_lock(l->mutex), 0);
    note(l->name);
    CHECK_INT(fibril_moment(), 0);
    CHECK_INT(fibril_mutex_unlock(l->mutex), 0);
  }
  return fibril_number(0);
}

static fibril_value contend(void *arg) {
  (void)arg;
  fibril_mutex mutex = {0};
  locker lockers[] = {{&mutex, 'a'}, {&mutex, 'b'}, {&mutex, 'c'}};
  fibril_future *futures[3];
  memset(trace, 0, sizeof trace);
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(lock_thrice, &lockers[i], NULL);
  for (int i = 0; i < 3; i++) CHECK_INT(code_of(futures[i]), 0);
  CHECK_STR(trace, "abcabcabc");
  return fibril_undefined();
}

LOOP_TEST(mutex_unlocked_and_locked_again_goes_round) {
  CHECK_INT(fibril_loop_run_sync(loop, contend, NULL, 0, NULL), 0);
}

/* ---- Condition ---- */

typedef struct {
  fibril_cond cond;
  fibril_mutex mutex;
  double timeout;
} signalled;

static fibril_value wait_for_signal(void *arg) {
  signalled *s = arg;
  CHECK_INT(fibril_mutex_lock(&s->mutex), 0);
  int err = fibril_cond_wait(&s->cond, &s->mutex, s->timeout);
  CHECK_INT(fibril_mutex_unlock(&s->mutex), 0);
  return fibril_number(err);
}

static fibril_value signal_and_cancel(void *arg) {
  (void)arg;
  signalled s = {.timeout = -1};
  fibril_future *futures[3];
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(wait_for_signal, &s, NULL);
  CHECK_INT(fibril_cancel(futures[0]), 0); /* the signal is for the next */
  fibril_cond_signal(&s.cond);
  CHECK_INT(fibril_cancel(futures[1]), 0); /* too late: it has the signal */
  CHECK_INT(code_of(futures[0]), UV_ECANCELED);
  CHECK_INT(code_of(futures[1]), 0);
  CHECK(!fibril_future_done(futures[2]));
  fibril_cond_signal(&s.cond);
  CHECK_INT(code_of(futures[2]), 0);
  return fibril_undefined();
}

LOOP_TEST(cond_signal_is_not_lost_to_who_is_cancelled) {
  CHECK_INT(fibril_loop_run_sync(loop, signal_and_cancel, NULL, 0, NULL), 0);
}

/* ---- A timeout in the turn in which it is given what it waits for ---- */

static fibril_value wait_for_sem(void *arg) {
  return fibril_number(fibril_sem_wait(arg, 1));
}

static void post_late(void *arg) {
  CHECK_INT(fibril_sem_post(arg), 0);
}

static fibril_value give_in_time(void *arg) {
  (void)arg;
  fibril_sem sem = {0};
  fibril_loop *loop = fibril_loop_current();
  double due = fibril_loop_now(loop) + 1;
  /* Both are due in one iteration: first in, first out. */
  CHECK_INT(fibril_loop_call_at(loop, due - 1, post_late, &sem, NULL), 0);
  fibril_future *future = fibril_spawn(wait_for_sem, &sem, NULL);
  while (fibril_loop_now(loop) < due + 1) continue;
  CHECK_INT(code_of(future), 0);
  CHECK_INT(sem.value, 0);

  future = fibril_spawn(wait_for_sem, &sem, NULL);
  due = fibril_loop_now(loop) + 1;
  CHECK_INT(fibril_loop_call_at(loop, due, post_late, &sem, NULL), 0);
  while (fibril_loop_now(loop) < due + 1) continue;
  CHECK_INT(code_of(future), UV_ETIMEDOUT);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(sem.value, 1); /* not lost */
  return fibril_undefined();
}

LOOP_TEST(semaphore_given_as_the_timeout_passes_is_not_lost) {
  CHECK_INT(fibril_loop_run_sync(loop, give_in_time, NULL, 0, NULL), 0);
}

/* ---- Channel ---- */

static fibril_value receive_text(void *arg) {
  fibril_value value;
  int err = fibril_channel_receive(arg, &value, -1);
  if (err == 0) CHECK_STR(fibril_value_string(value, NULL), "text");
  fibril_value_free(value);
  return fibril_number(err);
}

static fibril_value cancel_receivers(void *arg) {
  (void)arg;
  fibril_channel *channel = fibril_channel_new(0);
  fibril_future *futures[3];
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(receive_text, channel, NULL);
  CHECK_INT(fibril_cancel(futures[0]), 0);
  CHECK_INT(fibril_channel_trysend(channel, fibril_string("text", 4)), 0);
  CHECK_INT(fibril_cancel(futures[1]), 0); /* it has the value */
  fibril_channel_close(channel);
  CHECK_INT(code_of(futures[0]), UV_ECANCELED);
  CHECK_INT(code_of(futures[1]), 0);
  CHECK_INT(code_of(futures[2]), UV_EOF);
  fibril_channel_free(channel);
  return fibril_undefined();
}

LOOP_TEST(channel_value_is_not_lost_to_who_is_cancelled) {
  CHECK_INT(fibril_loop_run_sync(loop, cancel_receivers, NULL, 0, NULL), 0);
}

/* ---- A mutex that nobody can unlock ---- */

static fibril_value wait_for_cond(void *arg) {
  signalled *s = arg;
  fibril_set_name("waiter");
  fibril_mutex_lock(&s->mutex);
  fibril_cond_wait(&s->cond, &s->mutex, -1);
  fibril_mutex_unlock(&s->mutex);
  return fibril_undefined();
}

static fibril_value end_with_mutex(void *arg) {
  fibril_mutex_lock(&((signalled *)arg)->mutex);
  return fibril_undefined();
}

CRASH_TEST(mutex_of_a_coroutine_that_has_ended, "SIGABRT",
           "coroutine \"waiter\" waits for its mutex, which a coroutine has that has ended") {
  static signalled s;
  fibril_future_unref(fibril_loop_spawn(loop, wait_for_cond, &s, NULL));
  fibril_future_unref(fibril_loop_spawn(loop, end_with_mutex, &s, NULL));
  fibril_loop_close(loop, NULL, NULL);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
}

static fibril_value unlock_at_the_end(void *arg) {
  signalled *s = arg;
  CHECK_INT(fibril_mutex_lock(&s->mutex), 0);
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_sleep(2), 0);
  CHECK_INT(fibril_mutex_unlock(&s->mutex), 0);
  return fibril_undefined();
}

/* While its owner still cleans up it is waited for. */
TEST(mutex_of_a_coroutine_that_ends_later) {
  signalled s = {.timeout = -1};
  uv_loop_t uv;
  fibril_loop *own;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_future *waiter = fibril_loop_spawn(own, wait_for_cond, &s, NULL);
  fibril_future_unref(fibril_loop_spawn(own, unlock_at_the_end, &s, NULL));
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(fibril_future_done(waiter));
  fibril_future_unref(waiter);
  CHECK_INT(uv_loop_close(&uv), 0);
}
