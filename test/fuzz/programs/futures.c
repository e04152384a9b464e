/* Futures: who settles, awaits, cancels and hears of them. */
#include "world.h"

fibril_future *future_get(void) {
  for (int tries = 0; tries < 5; tries++) {
    fibril_future *future = world.futures[fuzz_below(FUTURES)];
    if (future != NULL) return fibril_future_ref(future);
  }
  return NULL;
}

void future_put(fibril_future *future) {
  fibril_future **place = &world.futures[fuzz_below(FUTURES)], *old = *place;
  *place = future;
  if (old != NULL) fibril_future_unref(old);
}

void futures_drop(void) {
  for (int i = 0; i < FUTURES; i++) {
    fibril_future *future = world.futures[i];
    world.futures[i] = NULL;
    if (future != NULL) fibril_future_unref(future);
  }
}

void step_spawn(player *p) {
  if (player_may_start(p)) future_put(fibril_spawn(player_run, player_deeper(p), player_options()));
}

void step_await(player *p) {
  fibril_future *future = future_get();
  if (future == NULL) return;
  bool was_done = fibril_future_done(future), for_ever = fuzz_once_in(8);
  fibril_value value =
      for_ever ? fibril_await(future) : fibril_await_timeout(future, fuzz_below(6));
  if (fibril_future_done(future)) {
    value_read(value);
    value_read(fibril_future_result(future));
    fibril_value_free(fibril_value_dup(value));
  } else {
    REQUIRE(!was_done);
    player_waited(p, fibril_error_code(value), !for_ever);
  }
  fibril_future_unref(future);
}

void step_cancel(player *p) {
  (void)p;
  fibril_future *future = future_get();
  if (future == NULL) return;
  bool was_done = fibril_future_done(future);
  int err = fibril_cancel(future);
  REQUIRE(err == (was_done ? FIBRIL_EALREADY : 0));
  fibril_future_unref(future);
}

void step_await_many(player *p) {
  fibril_future *futures[20];
  size_t count = 0;
  for (int i = 1 + fuzz_below(20); i > 0; i--)
    if ((futures[count] = future_get()) != NULL) count++;
  if (count > 0 && fuzz_once_in(2)) {
    int index = fibril_await_any(futures, count);
    REQUIRE(index < (int)count && (index < 0 || fibril_future_done(futures[index])));
    if (index < 0) player_waited(p, index, false);
  } else if (p->deadlines > 0) {
    fibril_await_all(futures, count);
  }
  while (count > 0) fibril_future_unref(futures[--count]);
}

/* ---- Settling ---- */

static void on_done(fibril_future *future, void *arg) {
  (void)arg;
  REQUIRE(fibril_future_done(future));
  REQUIRE(fibril_moment() == FIBRIL_ENOTCOROUTINE);
  value_read(fibril_future_result(future));
  if (fuzz_once_in(4)) step_cancel(NULL);
  if (fuzz_once_in(400)) world_close();
}

void step_settle(player *p) {
  (void)p;
  fibril_future *future = fuzz_once_in(2) ? fibril_future_new(world.loop) : future_get();
  if (future == NULL) return;
  if (fuzz_once_in(3)) {
    fibril_future *copy = fibril_future_new(world.loop);
    REQUIRE(fibril_future_chain(future, copy) == 0);
    future_put(copy);
  }
  if (fuzz_once_in(3)) fibril_future_hold(future);
  bool was_done = fibril_future_done(future);
  int err = fibril_future_set_result(future, value_any(1));
  if (was_done) REQUIRE(err == FIBRIL_EALREADY);
  future_put(future);
}

void step_callback(player *p) {
  (void)p;
  fibril_future *future = future_get();
  uint64_t id;
  if (future == NULL) return;
  bool was_done = fibril_future_done(future);
  REQUIRE(fibril_future_add_done_callback(future, on_done, NULL, &id) == 0);
  if (fuzz_once_in(2)) {
    int err = fibril_future_remove_done_callback(future, id);
    if (was_done) REQUIRE(err == UV_ENOENT);
  }
  fibril_future_unref(future);
}

void step_add_future(player *p) {
  (void)p;
  fibril_future *future = future_get();
  if (future == NULL) return;
  int err = fibril_loop_add_future(world.loop, future, on_done, NULL);
  REQUIRE(err == (world.closing ? FIBRIL_ECLOSED : 0));
  fibril_future_unref(future);
}
