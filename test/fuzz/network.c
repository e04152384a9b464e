/* The network alone: coroutines that do all of it at random, each cancelled, late or masked at any
 * time; allocations fail in some games, and the loop is closed at any moment. */
#include "../../src/core/loop/loop.h"
#include "net/net.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define PLAYERS 40
#define PATIENCE_MS 30000

static struct {
  uv_loop_t uv;
  uv_timer_t impatience, tick;
  fibril_loop *loop;
  fibril_future *players[PLAYERS];
  int running;
  bool closing, closed;
} game;

static void hear_nothing(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)error;
  (void)arg;
}

static void on_closed(void *arg) {
  (void)arg;
  game.closed = true;
}

static void close_game(void *arg) {
  (void)arg;
  if (game.closing) return;
  game.closing = true;
  REQUIRE(fibril_loop_close(game.loop, on_closed, NULL) == 0);
}

static void show(const fibril_inspection *about, void *arg) {
  (void)arg;
  fprintf(stderr, "\"%s\" is %s, waits for %s, %d, %s, %s%s\n", about->name, about->state,
          about->waits_for == NULL ? "nothing" : about->waits_for, about->fd,
          about->address == NULL ? "" : about->address,
          about->cancelled ? "cancelled" : "not cancelled", about->masked ? ", masked" : "");
}

static void on_impatience(uv_timer_t *timer) {
  (void)timer;
  fibril_loop_inspect(game.loop, show, NULL);
  fuzz_fail("the game ends", __FILE__, __LINE__);
}

/* Nobody may ever come to who waits. */
static void on_tick(uv_timer_t *timer) {
  (void)timer;
}

/* ---- Players ---- */

static void cancel_any(void) {
  fibril_future *future = game.players[fuzz_below(PLAYERS)];
  if (future != NULL) fibril_cancel(future);
}

/* What is cancelled stays so. */
static void check_cancelled(int masks) {
  REQUIRE(net_closing() || (masks == 0 && fibril_cancelled()));
  if (masks == 0) REQUIRE(fibril_sleep(0) == UV_ECANCELED);
}

static fibril_value play(void *arg) {
  int masks = 0, deadlines = 0, err = 0;
  (void)arg;
  game.running++;
  for (int acts = 1 + fuzz_below(60); acts > 0 && err != UV_ECANCELED; acts--) {
    if (fuzz_once_in(30) && fibril_mask() == 0) masks++;
    if (fuzz_once_in(30) && fibril_deadline_push(fuzz_below(5)) == 0) deadlines++;
    if (fuzz_once_in(20)) cancel_any();
    if (fuzz_once_in(3000)) close_game(NULL);
    err = net_act();
    REQUIRE(err == 0 || err == UV_ECANCELED || (err == UV_ETIMEDOUT && deadlines > 0));
    if (err == UV_ECANCELED) check_cancelled(masks);
    for (; masks > 0 && fuzz_once_in(3); masks--) fibril_unmask();
    for (; deadlines > 0 && fuzz_once_in(3); deadlines--) fibril_deadline_pop();
  }
  for (; masks > 0; masks--) fibril_unmask();
  game.running--;
  return fibril_undefined();
}

static void start_some(void) {
  static const fibril_spawn_options options = {.size = sizeof options, .name = "player"};
  for (int count = 3 + fuzz_below(20); count > 0 && !game.closing; count--) {
    fibril_future **place = &game.players[fuzz_below(PLAYERS)], *old = *place;
    *place = fibril_loop_spawn(game.loop, play, NULL, &options);
    if (old != NULL) fibril_future_unref(old);
  }
}

/* ---- The game ---- */

static void begin_game(void) {
  memset(&game, 0, sizeof game);
  REQUIRE(uv_loop_init(&game.uv) == 0);
  uv_timer_init(&game.uv, &game.impatience);
  uv_timer_start(&game.impatience, on_impatience, PATIENCE_MS, 0);
  uv_unref((uv_handle_t *)&game.impatience);
  uv_timer_init(&game.uv, &game.tick);
  uv_timer_start(&game.tick, on_tick, 1, 1);
  REQUIRE(fibril_loop_new(&game.uv, &game.loop) == 0);
  fibril_loop_set_log(game.loop, hear_nothing, NULL);
  game.loop->grace.ms = 2 * PATIENCE_MS; /* who is never woken behind a mask is to be seen */
  net_begin(game.loop);
}

static void end_game(void) {
  close_game(NULL);
  uv_ref((uv_handle_t *)&game.impatience);
  while (!game.closed) uv_run(&game.uv, UV_RUN_ONCE);
  REQUIRE(game.running == 0);
  uv_close((uv_handle_t *)&game.impatience, NULL);
  uv_close((uv_handle_t *)&game.tick, NULL);
  for (int i = 0; i < PLAYERS; i++)
    if (game.players[i] != NULL) fibril_future_unref(game.players[i]);
  net_end();
  uv_run(&game.uv, UV_RUN_DEFAULT);
  REQUIRE(uv_loop_close(&game.uv) == 0);
}

/* What libuv keeps for the process comes with the first loop. */
static int count_descriptors(void) {
  int count = 0;
  uv_loop_t first;
  REQUIRE(uv_loop_init(&first) == 0 && uv_loop_close(&first) == 0);
  DIR *folder = opendir("/proc/self/fd");
  REQUIRE(folder != NULL);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

void fuzz_play(void) {
  int descriptors = count_descriptors();
  begin_game();
  fuzz_fails_in = fuzz_once_in(3) ? 3 + fuzz_below(200) : 0;
  for (int rounds = 1 + fuzz_below(8); rounds > 0 && !game.closed; rounds--) {
    start_some();
    for (int turns = fuzz_below(60); turns > 0 && !game.closed; turns--) {
      uv_run(&game.uv, fuzz_once_in(2) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
      if (fuzz_once_in(5)) cancel_any();
    }
  }
  end_game();
  fuzz_fails_in = 0;
  REQUIRE(count_descriptors() == descriptors);
}
