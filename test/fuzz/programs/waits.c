/* Waits that need nothing but the loop, and what shields from their ends. */
#include "world.h"

#include <stdlib.h>

void step_sleep(player *p) {
  player_waited(p, fibril_sleep(fuzz_below(4)), false);
}

void step_moment(player *p) {
  player_waited(p, fibril_moment(), false);
}

void step_pass(player *p) {
  player_waited(p, fibril_pass(), false);
}

static void make_ready(void *arg) {
  fibril_coroutine_ready(arg);
}

void step_suspend(player *p) {
  fibril_timeout timeout;
  if (p->generating) return; /* its root would be made ready */
  if (fibril_loop_call_later(world.loop, 1, make_ready, p->self, &timeout) != 0) return;
  player_waited(p, fibril_suspend(), false);
  fibril_loop_remove_timeout(world.loop, timeout);
}

void step_mask(player *p) {
  if (p->masks < 3 && fibril_mask() == 0) p->masks++;
}

void step_unmask(player *p) {
  if (p->masks == 0) return;
  p->masks--;
  fibril_unmask();
}

void step_deadline(player *p) {
  if (p->deadlines < 3 && fuzz_once_in(2)) {
    if (fibril_deadline_push(fuzz_below(6)) == 0) p->deadlines++;
  } else if (p->deadlines > 0) {
    p->deadlines--;
    int err = fibril_deadline_pop();
    REQUIRE(err == 0 || err == UV_ETIMEDOUT);
  }
}

static void clean_up(void *arg) {
  (void)arg;
  if (fuzz_once_in(2)) fibril_moment();
  if (!fuzz_once_in(4) || fibril_mask() != 0) return;
  fibril_sleep(1);
  fibril_unmask();
}

void step_defer(player *p) {
  (void)p;
  REQUIRE(fibril_defer(clean_up, NULL) == 0);
}

void step_local(player *p) {
  static const int key;
  (void)p;
  REQUIRE(fibril_local_set(&key, malloc(4), free) == 0);
}

void step_lend(player *p) {
  (void)p;
  value_lend();
}

static void on_loop(void *arg) {
  REQUIRE(fibril_coroutine_self() == NULL);
  REQUIRE(fibril_sleep(1) == FIBRIL_ENOTCOROUTINE);
  if (fuzz_once_in(3)) future_put(fibril_loop_spawn(world.loop, player_run, arg, player_options()));
}

void step_hop(player *p) {
  fibril_on_loop(on_loop, player_deeper(p));
}

void step_close(player *p) {
  (void)p;
  if (fuzz_once_in(40)) world_close();
}
