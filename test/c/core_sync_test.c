/* Mutexes, conditions, events, semaphores, wait groups, channels. */
#include "test.h"

#include <math.h>
#include <string.h>

/* What happened, a letter each. */
static char trace[64];

static void note(char letter) {
  size_t length = strlen(trace);
  if (length + 1 < sizeof trace) trace[length] = letter;
}

static void begin(void) {
  memset(trace, 0, sizeof trace);
}

static int code_of(fibril_future *future) {
  int code = (int)fibril_value_number(fibril_await(future));
  fibril_future_unref(future);
  return code;
}

/* ---- Mutex ---- */

typedef struct {
  fibril_mutex *mutex;
  char name;
} worker;

static fibril_value lock_and_note(void *arg) {
  worker *w = arg;
  int err = fibril_mutex_lock(w->mutex);
  if (err != 0) return fibril_number(err);
  note(w->name);
  CHECK_INT(fibril_mutex_trylock(w->mutex), UV_EBUSY);
  CHECK_INT(fibril_mutex_lock(w->mutex), UV_EBUSY);
  CHECK_INT(fibril_moment(), 0);
  note((char)(w->name - 'a' + 'A'));
  CHECK_INT(fibril_mutex_unlock(w->mutex), 0);
  return fibril_number(0);
}

static fibril_value use_mutex(void *arg) {
  (void)arg;
  fibril_mutex mutex = {0};
  worker workers[] = {{&mutex, 'a'}, {&mutex, 'b'}, {&mutex, 'c'}, {&mutex, 'd'}};
  fibril_future *futures[4];
  begin();
  for (int i = 0; i < 4; i++) futures[i] = fibril_spawn(lock_and_note, &workers[i], NULL);
  CHECK_INT(fibril_mutex_unlock(&mutex), UV_EPERM);
  CHECK_INT(fibril_cancel(futures[2]), 0);
  CHECK_INT(code_of(futures[2]), UV_ECANCELED);
  CHECK_INT(code_of(futures[0]), 0);
  CHECK_INT(fibril_mutex_trylock(&mutex), UV_EBUSY); /* it went straight to b */
  CHECK_INT(code_of(futures[1]), 0);
  CHECK_INT(code_of(futures[3]), 0);
  CHECK_STR(trace, "aAbBdD");
  CHECK_INT(fibril_mutex_trylock(&mutex), 0);
  CHECK_INT(fibril_mutex_unlock(&mutex), 0);
  return fibril_undefined();
}

LOOP_TEST(mutex_goes_to_who_waits_longest) {
  CHECK_INT(fibril_loop_run_sync(loop, use_mutex, NULL, 0, NULL), 0);
}

TEST(synchronisation_outside_a_coroutine_is_refused) {
  fibril_mutex mutex = {0};
  fibril_cond cond = {{NULL, NULL}};
  fibril_event event = {0};
  fibril_sem sem = {.value = 1};
  fibril_wait_group group = {0};
  fibril_channel *channel = fibril_channel_new(1);
  fibril_value value;
  CHECK_INT(fibril_mutex_lock(&mutex), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_mutex_trylock(&mutex), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_mutex_unlock(&mutex), UV_EPERM);
  CHECK_INT(fibril_cond_wait(&cond, NULL, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_event_wait(&event, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_sem_wait(&sem, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(sem.value, 1);
  CHECK_INT(fibril_wait_group_wait(&group, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_channel_send(channel, fibril_string("lost", 4), -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_channel_receive(channel, &value, -1), FIBRIL_ENOTCOROUTINE);
  CHECK(fibril_group_new() == NULL);
  fibril_channel_free(channel);
}

/* ---- Condition ---- */

typedef struct {
  fibril_mutex mutex;
  fibril_cond cond;
  int ready;
  double timeout;
} shared;

static fibril_value wait_until_ready(void *arg) {
  shared *s = arg;
  int err = fibril_mutex_lock(&s->mutex);
  while (err == 0 && s->ready == 0) err = fibril_cond_wait(&s->cond, &s->mutex, s->timeout);
  if (err == 0) s->ready--;
  CHECK_INT(fibril_mutex_unlock(&s->mutex), 0); /* it has the mutex in any case */
  return fibril_number(err);
}

static fibril_value use_cond(void *arg) {
  (void)arg;
  shared s = {.timeout = -1};
  fibril_future *futures[3];
  fibril_cond_signal(&s.cond); /* nobody waits: lost */
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(wait_until_ready, &s, NULL);
  CHECK_INT(fibril_cond_wait(&s.cond, &s.mutex, -1), UV_EPERM);
  s.ready = 1;
  fibril_cond_signal(&s.cond);
  CHECK_INT(code_of(futures[0]), 0);
  CHECK(!fibril_future_done(futures[1]) && !fibril_future_done(futures[2]));
  CHECK_INT(fibril_mutex_lock(&s.mutex), 0);
  CHECK_INT(fibril_cancel(futures[1]), 0); /* has to wait for the mutex all the same */
  CHECK_INT(fibril_moment(), 0);
  CHECK(!fibril_future_done(futures[1]));
  CHECK_INT(fibril_mutex_unlock(&s.mutex), 0);
  CHECK_INT(code_of(futures[1]), UV_ECANCELED);
  s.ready = 1;
  fibril_cond_broadcast(&s.cond);
  CHECK_INT(code_of(futures[2]), 0);
  s.timeout = 1;
  CHECK_INT(code_of(fibril_spawn(wait_until_ready, &s, NULL)), UV_ETIMEDOUT);
  s.timeout = NAN;
  CHECK_INT(code_of(fibril_spawn(wait_until_ready, &s, NULL)), UV_EINVAL);
  return fibril_undefined();
}

LOOP_TEST(cond_has_the_mutex_again_however_the_wait_ended) {
  CHECK_INT(fibril_loop_run_sync(loop, use_cond, NULL, 0, NULL), 0);
}

/* ---- Event ---- */

static fibril_value wait_for_event(void *arg) {
  return fibril_number(fibril_event_wait(arg, -1));
}

static fibril_value use_event(void *arg) {
  (void)arg;
  fibril_event event = {0};
  fibril_future *futures[2];
  for (int i = 0; i < 2; i++) futures[i] = fibril_spawn(wait_for_event, &event, NULL);
  CHECK_INT(fibril_event_wait(&event, 0), UV_ETIMEDOUT);
  fibril_event_set(&event);
  fibril_event_clear(&event); /* who waited goes on all the same */
  CHECK_INT(code_of(futures[0]), 0);
  CHECK_INT(code_of(futures[1]), 0);
  CHECK_INT(fibril_event_wait(&event, 1), UV_ETIMEDOUT);
  fibril_event_set(&event);
  CHECK_INT(fibril_event_wait(&event, -1), 0);
  return fibril_undefined();
}

LOOP_TEST(event_lets_everybody_go_on) {
  CHECK_INT(fibril_loop_run_sync(loop, use_event, NULL, 0, NULL), 0);
}

/* ---- Semaphore ---- */

typedef struct {
  fibril_sem *sem;
  char name;
  double timeout;
} client;

static fibril_value pass_sem(void *arg) {
  client *c = arg;
  int err = fibril_sem_wait(c->sem, c->timeout);
  if (err == 0) note(c->name);
  return fibril_number(err);
}

static fibril_value use_sem(void *arg) {
  (void)arg;
  fibril_sem sem = {.value = 2};
  client clients[] = {
      {&sem, 'a', -1}, {&sem, 'b', -1}, {&sem, 'c', 1}, {&sem, 'd', -1}, {&sem, 'e', -1}};
  fibril_future *futures[5];
  begin();
  for (int i = 0; i < 5; i++) futures[i] = fibril_spawn(pass_sem, &clients[i], NULL);
  CHECK_STR(trace, "ab");
  CHECK_INT(code_of(futures[2]), UV_ETIMEDOUT);
  CHECK_INT(fibril_sem_post(&sem), 0);
  CHECK_INT(fibril_sem_trywait(&sem), UV_EAGAIN); /* given to d, though it has not run yet */
  CHECK_INT(code_of(futures[3]), 0);
  CHECK_INT(fibril_cancel(futures[4]), 0);
  CHECK_INT(fibril_sem_post(&sem), 0);
  CHECK_INT(code_of(futures[4]), UV_ECANCELED);
  CHECK_INT(sem.value, 1); /* what a cancelled one left is not lost */
  CHECK_INT(code_of(futures[0]), 0);
  CHECK_INT(code_of(futures[1]), 0);
  CHECK_STR(trace, "abd");
  sem.value = UINT32_MAX;
  CHECK_INT(fibril_sem_post(&sem), UV_EOVERFLOW);
  return fibril_undefined();
}

LOOP_TEST(semaphore_hands_over_and_loses_nothing) {
  CHECK_INT(fibril_loop_run_sync(loop, use_sem, NULL, 0, NULL), 0);
}

static fibril_value cancelled_while_given(void *arg) {
  (void)arg;
  fibril_sem sem = {0};
  client c = {&sem, 'a', -1};
  begin();
  fibril_future *future = fibril_spawn(pass_sem, &c, NULL);
  CHECK_INT(fibril_sem_post(&sem), 0);
  CHECK_INT(fibril_cancel(future), 0); /* too late: it has it */
  CHECK_INT(code_of(future), 0);
  CHECK_STR(trace, "a");
  return fibril_undefined();
}

LOOP_TEST(who_was_given_something_has_it_though_cancelled) {
  CHECK_INT(fibril_loop_run_sync(loop, cancelled_while_given, NULL, 0, NULL), 0);
}

/* ---- Wait group ---- */

static fibril_value finish_one(void *arg) {
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(fibril_wait_group_done(arg), 0);
  return fibril_undefined();
}

static fibril_value use_wait_group(void *arg) {
  (void)arg;
  fibril_wait_group group = {0};
  CHECK_INT(fibril_wait_group_wait(&group, -1), 0);
  CHECK_INT(fibril_wait_group_done(&group), UV_EINVAL);
  CHECK_INT(fibril_wait_group_add(&group, 3), 0);
  for (int i = 0; i < 3; i++) fibril_future_unref(fibril_spawn(finish_one, &group, NULL));
  CHECK_INT(group.count, 3);
  CHECK_INT(fibril_wait_group_wait(&group, -1), 0);
  CHECK_INT(group.count, 0);
  CHECK_INT(fibril_wait_group_add(&group, 1), 0);
  CHECK_INT(fibril_wait_group_wait(&group, 1), UV_ETIMEDOUT);
  CHECK_INT(fibril_wait_group_add(&group, INT32_MAX), 0);
  CHECK_INT(fibril_wait_group_add(&group, INT32_MAX), 0);
  CHECK_INT(fibril_wait_group_add(&group, INT32_MAX), UV_EINVAL);
  return fibril_undefined();
}

LOOP_TEST(wait_group_counts) {
  CHECK_INT(fibril_loop_run_sync(loop, use_wait_group, NULL, 0, NULL), 0);
}

/* ---- Channel ---- */

static fibril_value produce(void *arg) {
  fibril_channel *channel = arg;
  for (int i = 1; i <= 5; i++) {
    int err = fibril_channel_send(channel, fibril_number(i), -1);
    if (err != 0) return fibril_number(err);
    note((char)('0' + i));
  }
  fibril_channel_close(channel);
  return fibril_number(0);
}

static fibril_value consume(void *arg) {
  size_t capacity = *(size_t *)arg;
  fibril_channel *channel = fibril_channel_new(capacity);
  fibril_value value;
  begin();
  fibril_future *producer = fibril_spawn(produce, channel, NULL);
  CHECK_INT(strlen(trace), capacity); /* as far as there is room */
  CHECK_INT(fibril_channel_length(channel), capacity);
  for (int i = 1; i <= 5; i++) {
    CHECK_INT(fibril_channel_receive(channel, &value, -1), 0);
    CHECK_INT(fibril_value_number(value), i);
    CHECK_INT(fibril_moment(), 0);
  }
  CHECK_INT(fibril_channel_receive(channel, &value, -1), UV_EOF);
  CHECK_INT(fibril_value_kind(value), FIBRIL_UNDEFINED);
  CHECK_INT(code_of(producer), 0);
  CHECK_INT(fibril_channel_send(channel, fibril_string("lost", 4), -1), UV_EPIPE);
  fibril_channel_free(channel);
  return fibril_undefined();
}

LOOP_TEST(channel_keeps_the_order_and_bounds_the_sender) {
  size_t capacities[] = {0, 1, 3};
  for (int i = 0; i < 3; i++)
    CHECK_INT(fibril_loop_run_sync(loop, consume, &capacities[i], 0, NULL), 0);
}

static fibril_value receive_string(void *arg) {
  fibril_value value;
  int err = fibril_channel_receive(arg, &value, -1);
  if (err != 0) return fibril_number(err);
  CHECK_STR(fibril_value_string(value, NULL), "kept");
  return value; /* handed over */
}

static fibril_value send_string(void *arg) {
  return fibril_number(fibril_channel_send(arg, fibril_string("kept", 4), -1));
}

/* Strings show who frees what, under a leak checker. */
static fibril_value hand_strings_over(void *arg) {
  (void)arg;
  fibril_channel *channel = fibril_channel_new(1);
  fibril_future *receivers[2], *senders[3];
  fibril_value value;
  for (int i = 0; i < 2; i++) receivers[i] = fibril_spawn(receive_string, channel, NULL);
  CHECK_INT(fibril_channel_trysend(channel, fibril_string("kept", 4)), 0);
  CHECK_STR(fibril_value_string(fibril_await(receivers[0]), NULL), "kept");
  fibril_future_unref(receivers[0]);
  CHECK_INT(fibril_cancel(receivers[1]), 0);
  CHECK_INT(code_of(receivers[1]), UV_ECANCELED);
  for (int i = 0; i < 3; i++) senders[i] = fibril_spawn(send_string, channel, NULL);
  CHECK_INT(fibril_channel_trysend(channel, fibril_string("lost", 4)), UV_EAGAIN);
  CHECK_INT(fibril_channel_send(channel, fibril_string("late", 4), 0), UV_ETIMEDOUT);
  CHECK_INT(fibril_cancel(senders[1]), 0);
  CHECK_INT(code_of(senders[1]), UV_ECANCELED);
  CHECK_INT(fibril_channel_tryreceive(channel, &value), 0);
  CHECK_STR(fibril_value_string(value, NULL), "kept");
  fibril_value_free(value);
  CHECK_INT(code_of(senders[0]), 0);
  CHECK_INT(code_of(senders[2]), 0); /* into the place that became free */
  fibril_future *last = fibril_spawn(send_string, channel, NULL);
  fibril_channel_close(channel);
  CHECK_INT(code_of(last), UV_EPIPE);
  fibril_channel_free(channel); /* with a string in it */
  return fibril_undefined();
}

LOOP_TEST(channel_hands_values_over) {
  CHECK_INT(fibril_loop_run_sync(loop, hand_strings_over, NULL, 0, NULL), 0);
}

TEST(channel_without_memory) {
  CHECK(fibril_channel_new(SIZE_MAX / 2) == NULL);
  fibril_channel_free(NULL);
}

static fibril_value free_too_early(void *arg) {
  fibril_channel *channel = fibril_channel_new(0);
  (void)arg;
  fibril_spawn(receive_string, channel, NULL);
  fibril_channel_free(channel);
  return fibril_undefined();
}

CRASH_TEST(channel_freed_while_somebody_waits, "SIGABRT",
           "fibril_channel_free was called while a coroutine waits for the channel") {
  fibril_loop_run_sync(loop, free_too_early, NULL, 0, NULL);
}

/* ---- An owner that has ended ---- */

static fibril_value lock_and_end(void *arg) {
  CHECK_INT(fibril_mutex_lock(arg), 0);
  return fibril_undefined();
}

/* On the stack of the one before, at its address. */
static fibril_value try_what_is_anothers(void *arg) {
  CHECK_INT(fibril_mutex_trylock(arg), UV_EBUSY);
  CHECK_INT(fibril_mutex_unlock(arg), UV_EPERM);
  CHECK_INT(fibril_deadline_push(1), 0);
  CHECK_INT(fibril_mutex_lock(arg), UV_ETIMEDOUT);
  return fibril_undefined();
}

LOOP_TEST(mutex_of_a_coroutine_that_has_ended_is_not_taken_for_anothers) {
  fibril_mutex mutex = {0};
  CHECK_INT(fibril_loop_run_sync(loop, lock_and_end, &mutex, 0, NULL), 0);
  CHECK_INT(fibril_loop_run_sync(loop, try_what_is_anothers, &mutex, 0, NULL), 0);
}
