/* What a crowd of timeouts leaves behind: memory is given back, and handles stay good. */
#include "test.h"

#include "../../src/core/future/clients.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CROWD 6000
#define STAY 100 /* one of so many */

static void count(void *arg) {
  ++*(int *)arg;
}

/* One turn, in which nothing is due. */
static void turn(fibril_loop *loop) {
  int called = 0;
  CHECK_INT(fibril_loop_call_later(loop, 0, count, &called, NULL), 0);
  while (called == 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
}

LOOP_TEST(timers_that_were_removed_stay_removed_when_memory_is_given_back) {
  fibril_timeout *old = malloc(CROWD * sizeof *old);
  int late = 0, fired = 0;
  if (!CHECK(old != NULL)) return;
  for (int i = 0; i < CROWD; i++)
    CHECK_INT(fibril_loop_call_later(loop, 1e6, count, &late, &old[i]), 0);
  for (int i = 0; i < CROWD; i++) fibril_loop_remove_timeout(loop, old[i]);
  CHECK(loop->timers.capacity >= CROWD);
  turn(loop);
  CHECK(loop->timers.capacity < CROWD / 4);
  for (int i = 0; i < CROWD; i++)
    CHECK_INT(fibril_loop_call_later(loop, 1, count, &fired, NULL), 0);
  for (int i = 0; i < CROWD; i++) fibril_loop_remove_timeout(loop, old[i]);
  while (fired < CROWD) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(late, 0);
  free(old);
}

LOOP_TEST(timers_that_stay_keep_their_handles_when_memory_is_given_back) {
  fibril_timeout *handles = malloc(CROWD * sizeof *handles);
  int late = 0;
  if (!CHECK(handles != NULL)) return;
  for (int i = 0; i < CROWD; i++)
    CHECK_INT(fibril_loop_call_later(loop, 1e6, count, &late, &handles[i]), 0);
  for (int i = 0; i < CROWD; i++)
    if (i % STAY != 0) fibril_loop_remove_timeout(loop, handles[i]);
  turn(loop);
  CHECK_INT(loop->timers.length, CROWD / STAY);
  for (int i = 0; i < CROWD; i += STAY) fibril_loop_remove_timeout(loop, handles[i]);
  CHECK_INT(loop->timers.length, 0);
  turn(loop);
  CHECK(loop->timers.capacity < CROWD / 4);
  CHECK_INT(late, 0);
  free(handles);
}

/* When a coroutine may wake: its deadline lies between two readings of the clock. */
typedef struct {
  double ms, earliest, latest;
} dream;

static struct {
  double last;
  int woken, cancelled, disorder;
} dreams;

static fibril_value sleep_for(void *arg) {
  dream *one = arg;
  one->earliest = fibril_loop_now(NULL) + one->ms;
  int err = fibril_sleep(one->ms);
  dreams.cancelled += err == UV_ECANCELED;
  if (err != 0) return fibril_undefined();
  dreams.woken++;
  dreams.disorder += one->latest < dreams.last;
  if (one->earliest > dreams.last) dreams.last = one->earliest;
  return fibril_undefined();
}

static bool wakes(int i) {
  return i % STAY == 1 && i > CROWD / 2;
}

/* Of a crowd that sleeps long, some that stay are cancelled later, and others wake, the last one
 * first, when memory has been given back in between: their timeouts have moved. */
LOOP_TEST(timers_of_sleepers_move_when_memory_is_given_back) {
  const fibril_spawn_options small = {.size = sizeof small, .stack_size = 16384};
  fibril_future **futures = malloc(CROWD * sizeof(fibril_future *));
  dream *list = calloc(CROWD, sizeof *list);
  if (!CHECK(futures != NULL) || !CHECK(list != NULL)) return;
  memset(&dreams, 0, sizeof dreams);
  for (int i = 0; i < CROWD; i++) {
    list[i].ms = wakes(i) ? 1000 + (CROWD - i) / 10.0 : 1e6;
    futures[i] = fibril_loop_spawn(loop, sleep_for, &list[i], &small);
    list[i].latest = fibril_loop_now(loop) + list[i].ms;
  }
  for (int i = 0; i < CROWD; i++)
    if (i % STAY != 0 && !wakes(i)) fibril_cancel(futures[i]);
  turn(loop);
  CHECK(loop->timers.capacity < CROWD / 4);
  while (dreams.woken < CROWD / STAY / 2) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(dreams.disorder, 0);
  for (int i = 0; i < CROWD; i += STAY) fibril_cancel(futures[i]);
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(dreams.cancelled, CROWD - CROWD / STAY / 2);
  CHECK_INT(loop->timers.length, 0);
  for (int i = 0; i < CROWD; i++) fibril_future_unref(futures[i]);
  free(futures);
  free(list);
}

/* ---- Coroutines whose future nobody has ---- */

static fibril_value fail_later(void *arg) {
  int err = fibril_sleep(1);
  return err != 0 ? fibril_error(err, NULL) : fibril_error(*(int *)arg, "it failed");
}

static void note_log(const char *message, fibril_value error, void *arg) {
  (void)message;
  CHECK_STR(fibril_error_message(error), "it failed");
  ++*(int *)arg;
}

LOOP_TEST(future_that_nobody_has_is_freed_while_its_coroutine_waits) {
  int logged = 0, code = UV_EIO;
  fibril_loop_set_log(loop, note_log, &logged);
  for (int i = 0; i < 100; i++) {
    fibril_future_unref(fibril_loop_spawn(loop, fail_later, &code, NULL));
    CHECK_INT(fibril__futures_of(loop)->free_count, 1);
  }
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(logged, 100);
}

/* ---- A turn inside a turn ---- */

typedef struct {
  fibril_loop *loop;
  int fired;
  fibril_future *future;
} turns;

static void turn_late(void *arg) {
  ((turns *)arg)->fired += 100;
}

static void turn_one(void *arg) {
  ((turns *)arg)->fired++;
}

static void turn_inside(void *arg) {
  turns *t = arg;
  t->fired++;
  for (int i = 0; i < 2; i++) fibril_loop_call_later(t->loop, 0, turn_late, t, NULL);
  for (int i = 0; i < 5; i++) uv_run(fibril_loop_uv(t->loop), UV_RUN_NOWAIT);
  CHECK_INT(t->fired, 210); /* what was due with it, too */
}

LOOP_TEST(turn_inside_a_timer_loses_none) {
  turns t = {.loop = loop};
  fibril_loop_call_later(loop, 1, turn_inside, &t, NULL);
  for (int i = 0; i < 9; i++) fibril_loop_call_later(loop, 1, turn_one, &t, NULL);
  uint64_t begin = uv_hrtime();
  while (uv_hrtime() - begin < 3000000) continue; /* until all are due */
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  CHECK_INT(t.fired, 210);
}

static void settle_inside(void *arg) {
  turns *t = arg;
  t->fired++;
  fibril_future_set_result(t->future, fibril_undefined());
}

static void turn_note(fibril_future *future, void *arg) {
  CHECK(fibril_future_done(future));
  ((turns *)arg)->fired++;
}

/* As one that blocks until something else is done, in a callback. */
static void block_in_callback(fibril_future *future, void *arg) {
  turns *t = arg;
  (void)future;
  t->future = fibril_future_new(t->loop);
  fibril_future_add_done_callback(t->future, turn_note, t, NULL);
  fibril_loop_add_callback(t->loop, settle_inside, t);
  while (t->fired < 3) uv_run(fibril_loop_uv(t->loop), UV_RUN_NOWAIT);
  fibril_future_unref(t->future);
}

LOOP_TEST(turn_inside_a_done_callback_runs_those_of_other_futures) {
  turns t = {.loop = loop};
  fibril_future *future = fibril_future_new(loop);
  fibril_future_add_done_callback(future, block_in_callback, &t, NULL);
  fibril_future_add_done_callback(future, turn_note, &t, NULL);
  fibril_future_set_result(future, fibril_undefined());
  CHECK_INT(t.fired, 3);
  fibril_future_unref(future);
}

static void turn_nothing(void *arg) {
  (void)arg;
}

static void close_and_turn(void *arg) {
  uv_loop_t *uv = fibril_loop_uv(arg);
  fibril_loop_close(arg, NULL, NULL);
  for (int i = 0; i < 5; i++) uv_run(uv, UV_RUN_NOWAIT);
}

TEST(loop_may_be_closed_in_a_turn_inside_a_turn) {
  uv_loop_t uv;
  fibril_loop *own;
  if (!CHECK_INT(uv_loop_init(&uv), 0) || !CHECK_INT(fibril_loop_new(&uv, &own), 0)) return;
  fibril_loop_call_later(own, 0, close_and_turn, own, NULL);
  for (int i = 0; i < 3; i++) fibril_loop_call_later(own, 0, turn_nothing, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* ---- Posted callbacks, and handlers, that turn the loop ---- */

static void turn_until_two(void *arg) {
  turns *t = arg;
  t->fired++;
  while (t->fired < 2) uv_run(fibril_loop_uv(t->loop), UV_RUN_ONCE);
}

LOOP_TEST(turn_inside_a_posted_callback_runs_those_posted_after_it) {
  turns t = {.loop = loop};
  fibril_poster *poster = fibril_loop_poster(loop);
  CHECK_INT(fibril_post(poster, turn_until_two, &t), 0);
  CHECK_INT(fibril_post(poster, turn_one, &t), 0);
  fibril_poster_unref(poster);
  fibril__loop_hold(loop); /* what is posted keeps no loop alive */
  while (t.fired == 0) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  fibril__loop_release(loop);
  CHECK_INT(t.fired, 2);
}

LOOP_TEST(turn_inside_a_timer_does_not_wait_for_those_that_are_due) {
  turns t = {.loop = loop};
  fibril_loop_call_later(loop, 0, turn_until_two, &t, NULL);
  fibril_loop_call_later(loop, 0, turn_one, &t, NULL);
  while (t.fired == 0) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  CHECK_INT(t.fired, 2);
}

static bool gone;

static void note_gone(void *arg) {
  (void)arg;
  gone = true;
}

static void close_until_gone(fibril_loop *own) {
  if (gone) return;
  uv_loop_t *uv = fibril_loop_uv(own);
  if (fibril_loop_close(own, note_gone, NULL) != 0) return;
  while (!gone) uv_run(uv, UV_RUN_ONCE);
}

static void close_in_handler(int fd, int events, void *arg) {
  (void)fd;
  (void)events;
  close_until_gone(arg);
}

static void close_in_callback(void *arg) {
  close_until_gone(arg);
}

static void close_when_done(fibril_future *future, void *arg) {
  close_until_gone(arg);
  fibril_future_unref(future);
}

static void settle_in_timer(uv_timer_t *timer) {
  fibril_future_set_result(timer->data, fibril_undefined());
  uv_close((uv_handle_t *)timer, NULL);
}

/* From wherever libuv calls fibril, with more to do there. */
TEST(loop_may_be_closed_and_gone_in_any_callback) {
  for (int way = 0; way < 4; way++) {
    uv_loop_t uv;
    fibril_loop *own;
    uv_timer_t timer;
    int fds[2][2];
    gone = false;
    if (!CHECK_INT(uv_loop_init(&uv), 0) || !CHECK_INT(fibril_loop_new(&uv, &own), 0)) return;
    for (int i = 0; i < 2; i++) CHECK(pipe(fds[i]) == 0);
    fibril_future *future = fibril_future_new(own);
    if (way < 2)
      for (int i = 0; i < 2; i++)
        CHECK_INT(fibril_loop_add_handler(own, fds[i][0], UV_READABLE, close_in_handler, own), 0);
    if (way == 0) CHECK(write(fds[0][1], "x", 1) + write(fds[1][1], "x", 1) == 2);
    if (way == 1) close(fds[0][0]); /* found out in a sweep */
    if (way == 2) {
      fibril_poster *poster = fibril_loop_poster(own);
      for (int i = 0; i < 2; i++) CHECK_INT(fibril_post(poster, close_in_callback, own), 0);
      fibril_poster_unref(poster);
    }
    if (way == 3) {
      fibril_future_add_done_callback(future, close_when_done, own, NULL);
      uv_timer_init(&uv, &timer);
      timer.data = future;
      uv_timer_start(&timer, settle_in_timer, 0, 0);
    }
    if (way == 2) fibril__loop_hold(own);
    while (!gone) uv_run(&uv, UV_RUN_ONCE);
    if (way != 3) fibril_future_unref(future);
    uv_run(&uv, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&uv), 0);
    for (int i = 0; i < 4; i++)
      if (way != 1 || i > 0) close(fds[i / 2][i % 2]);
  }
}

/* ---- Numbers of descriptors that are others' by now ---- */

typedef struct {
  int gone, ready;
} ear;

static void hear(int fd, int events, void *arg) {
  ear *e = arg;
  char byte;
  if (events == UV_EBADF)
    e->gone++;
  else
    e->ready += (int)read(fd, &byte, 1);
}

/* The pipe's end gets the number of one that is closed. */
static int take_number(int number, int fds[2]) {
  CHECK(pipe(fds) == 0);
  if (fds[0] == number) return number;
  CHECK_INT(dup2(fds[0], number), number);
  close(fds[0]);
  return fds[0] = number;
}

LOOP_TEST(handler_that_another_replaces_hears_that_its_descriptor_is_gone) {
  ear first = {0}, second = {0};
  int a[2], b[2];
  CHECK(pipe(a) == 0);
  CHECK_INT(fibril_loop_add_handler(loop, a[0], UV_READABLE, hear, &first), 0);
  close(a[0]);
  take_number(a[0], b);
  CHECK_INT(fibril_loop_add_handler(loop, b[0], UV_READABLE, hear, &second), 0);
  CHECK_INT(first.gone, 1);
  CHECK(write(b[1], "x", 1) == 1);
  while (second.ready == 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(first.ready + second.gone, 0);
  fibril_loop_remove_handler(loop, b[0]);
  close(a[1]);
  close(b[0]);
  close(b[1]);
}

/* A new set is made for the entry of a descriptor of which there is a duplicate. */
LOOP_TEST(handler_does_not_move_to_a_descriptor_that_got_its_number) {
  ear first = {0}, other = {0};
  int a[2], b[2], c[2];
  CHECK(pipe(a) == 0 && pipe(b) == 0);
  int duplicate = dup(b[0]);
  CHECK_INT(fibril_loop_add_handler(loop, a[0], UV_READABLE, hear, &first), 0);
  CHECK_INT(fibril_loop_add_handler(loop, b[0], UV_READABLE, hear, &other), 0);
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  close(b[0]);
  fibril_loop_remove_handler(loop, b[0]);
  CHECK(write(b[1], "x", 1) == 1);
  close(a[0]);
  take_number(a[0], c);
  while (first.gone == 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK(write(c[1], "x", 1) == 1);
  for (int i = 0; i < 5; i++) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  CHECK_INT(first.ready, 0);
  CHECK_INT(first.gone, 1);
  fibril_loop_remove_handler(loop, c[0]);
  close(duplicate);
  close(a[1]);
  close(b[1]);
  close(c[0]);
  close(c[1]);
}

/* ---- Holding the loop ---- */

static void hear_nothing(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)error;
  (void)arg;
}

static bool is_alive(fibril_loop *loop) {
  return uv_loop_alive(fibril_loop_uv(loop)) != 0;
}

LOOP_TEST(timeouts_hold_the_loop_unless_they_are_unheld) {
  fibril_timeout first, second;
  int called = 0;
  turn(loop);
  CHECK(!is_alive(loop));
  CHECK_INT(fibril_loop_call_later(loop, 1e6, count, &called, &first), 0);
  CHECK(is_alive(loop));
  fibril_loop_unhold_timeout(loop, first);
  fibril_loop_unhold_timeout(loop, first);
  CHECK(!is_alive(loop));
  CHECK_INT(fibril_loop_call_later(loop, 2e6, count, &called, &second), 0); /* after the first */
  CHECK(is_alive(loop));
  fibril_loop_remove_timeout(loop, second);
  CHECK(!is_alive(loop));
  fibril_loop_unhold_timeout(loop, second);
  fibril_loop_hold_timeout(loop, second); /* it is gone */
  CHECK(!is_alive(loop));
  fibril_loop_hold_timeout(loop, first);
  fibril_loop_hold_timeout(loop, first);
  CHECK(is_alive(loop));
  fibril_loop_unhold_timeout(loop, first);
  fibril_loop_remove_timeout(loop, first);
  CHECK(!is_alive(loop));
  CHECK_INT(fibril_loop_call_later(loop, 1e6, count, &called, &first), 0);
  CHECK(is_alive(loop));
  fibril_loop_remove_timeout(loop, first);
}

/* Of a crowd some are unheld; they fire all the same while something else holds the loop. */
LOOP_TEST(unheld_timeouts_fire_while_the_loop_runs) {
  fibril_timeout timeouts[CROWD / 8];
  int called = 0, last = 0;
  for (int i = 0; i < CROWD / 8; i++) {
    CHECK_INT(fibril_loop_call_later(loop, i % 7, count, &called, &timeouts[i]), 0);
    if (i % 3 != 0) fibril_loop_unhold_timeout(loop, timeouts[i]);
    if (i % 5 == 0) fibril_loop_remove_timeout(loop, timeouts[i]);
  }
  CHECK_INT(fibril_loop_call_later(loop, 20, count, &last, NULL), 0);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK_INT(last, 1);
  CHECK_INT(called, CROWD / 8 - CROWD / 40);
  CHECK_INT(loop->timers.unheld, 0);
  CHECK_INT(fibril_loop_call_later(loop, 1e6, count, &called, &timeouts[0]), 0);
  fibril_loop_unhold_timeout(loop, timeouts[0]);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK_INT(called, CROWD / 8 - CROWD / 40);
  fibril_loop_remove_timeout(loop, timeouts[0]);
}

static fibril_value sleep_beside(void *arg) {
  fibril_timeout timeout;
  CHECK_INT(fibril_loop_call_later(arg, 1e6, count, arg, &timeout), 0);
  fibril_loop_unhold_timeout(arg, timeout);
  CHECK_INT(fibril_sleep(1), 0);
  CHECK_INT(fibril_suspend(), UV_ECANCELED);
  fibril_loop_remove_timeout(arg, timeout);
  return fibril_undefined();
}

LOOP_TEST(an_unheld_timeout_lets_a_loop_see_that_nothing_is_left) {
  fibril_loop_set_log(loop, hear_nothing, NULL);
  CHECK_INT(fibril_loop_run_sync(loop, sleep_beside, loop, 0, NULL), FIBRIL_ESTOPPED);
}
