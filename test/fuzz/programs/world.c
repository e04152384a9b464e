/* A game: a world is made, players meet, the loop is closed from anywhere, and nothing is left. */
#define _GNU_SOURCE
#include "world.h"

#include "../net/net.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE (1 << 20)
#define RESCUE_MS 2000
#define PATIENCE_MS 30000 /* more than masks hold in a loop that closes */

world_state world;

static void hear_nothing(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)arg;
  value_read(error);
}

static void on_closed(void *arg) {
  (void)arg;
  REQUIRE(!world.closed);
  world.closed = true;
}

void world_close(void) {
  bool again = world.closing;
  world.closing = true;
  REQUIRE(fibril_loop_close(world.loop, on_closed, NULL) == (again ? FIBRIL_ECLOSED : 0));
}

static void show(const fibril_inspection *about, void *arg) {
  (void)arg;
  fprintf(stderr, "\"%s\" is %s, waits for %s, %s%s\n", about->name, about->state,
          about->waits_for == NULL ? "nothing" : about->waits_for,
          about->cancelled ? "cancelled" : "not cancelled", about->masked ? ", masked" : "");
}

static uv_timer_t impatience, rescue;

static void on_impatience(uv_timer_t *timer) {
  (void)timer;
  fibril_loop_inspect(world.loop, show, NULL);
  fuzz_fail("the game ends", __FILE__, __LINE__);
}

/* Who is masked may wait for ever as long as the loop is open, and who has cancelled it with it. */
static void on_rescue(uv_timer_t *timer) {
  (void)timer;
  if (!world.closing) world_close();
}

/* One that is on a disk: to Linux reading at the position is one step with moving it for those, not
 * for memfd_create's. */
static int open_file(void) {
  char path[] = "/tmp/fibril-fuzz-XXXXXX";
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd >= 0) unlink(path);
  return fd;
}

static void make_world(void) {
  memset(&world, 0, sizeof world);
  world.budget = 60 + fuzz_below(200);
  world.sems[0].value = 1;
  world.sems[1].value = 2;
  world.jobs.value = 2;
  REQUIRE(uv_loop_init(&world.uv) == 0);
  uv_timer_init(&world.uv, &impatience);
  uv_timer_start(&impatience, on_impatience, PATIENCE_MS, 0);
  uv_unref((uv_handle_t *)&impatience);
  uv_timer_init(&world.uv, &rescue);
  uv_unref((uv_handle_t *)&rescue);
  REQUIRE(fibril_loop_new(&world.uv, &world.loop) == 0);
  fibril_loop_set_log(world.loop, hear_nothing, NULL);
  net_begin(world.loop);
  world.poster = fibril_loop_poster(world.loop);
  REQUIRE(world.poster != NULL);
  for (int i = 0; i < CHANNELS; i++) world.channels[i] = fibril_channel_new((size_t)i);
  for (int i = 0; i < PIPES; i++) REQUIRE(pipe2(world.pipes[i], O_NONBLOCK | O_CLOEXEC) == 0);
  world.file = open_file();
  REQUIRE(world.file >= 0 && ftruncate(world.file, FILE_SIZE) == 0);
}

static void start(int depth) {
  future_put(fibril_loop_spawn(world.loop, player_run, (void *)(intptr_t)depth, player_options()));
}

/* ---- Three ways to run ---- */

static void run_by_hand(void) {
  for (int turns = fuzz_below(40); turns > 0 && !world.closed; turns--) {
    uv_run(&world.uv, UV_RUN_NOWAIT);
    if (world.closed) return;
    if (fuzz_once_in(3)) usleep(100);
    if (fuzz_once_in(5)) step_cancel(NULL);
    if (fuzz_once_in(4)) start(fuzz_below(4));
  }
}

static void stop(void *arg) {
  (void)arg;
  if (fuzz_once_in(2)) world_close();
  fibril_loop_stop(world.loop);
}

static void run_until_stopped(void) {
  if (fibril_loop_call_later(world.loop, fuzz_below(20), stop, NULL, NULL) != 0) return;
  int err = fibril_loop_run(world.loop);
  REQUIRE(err == 0 || err == FIBRIL_ECLOSED);
}

static void run_for_a_result(void) {
  fibril_value value;
  uv_timer_start(&rescue, on_rescue, RESCUE_MS, 0);
  int err = fibril_loop_run_sync(world.loop, player_run, NULL, 1 + fuzz_below(20), &value);
  uv_timer_stop(&rescue);
  REQUIRE(err == 0 || err == UV_ETIMEDOUT || err == FIBRIL_ESTOPPED || err == FIBRIL_ECLOSED);
  value_read(value);
  fibril_value_free(value);
}

/* ---- The end ---- */

static void close_world(void) {
  if (!world.closing) world_close();
  if (fuzz_once_in(2)) futures_drop();
  uv_ref((uv_handle_t *)&impatience);
  while (!world.closed) uv_run(&world.uv, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&impatience, NULL);
  uv_close((uv_handle_t *)&rescue, NULL);
  futures_drop();
  net_end();
  fibril_poster_unref(world.poster);
}

static void check_nothing_is_left(void) {
  REQUIRE(world.players == 0);
  for (int i = 0; i < CHANNELS; i++) {
    size_t length = fibril_channel_length(world.channels[i]);
    REQUIRE(world.sent[i] - world.received[i] == (int)length);
    fibril_channel_free(world.channels[i]);
  }
  REQUIRE(world.payloads == 0);
  for (int i = 0; i < MUTEXES; i++) REQUIRE(world.holders[i] == NULL);
  REQUIRE(world.sems[0].value == 1 && world.sems[1].value == 2 && world.jobs.value == 2);
  REQUIRE(lseek(world.file, 0, SEEK_CUR) == world.file_read);
  uv_run(&world.uv, UV_RUN_DEFAULT);
  REQUIRE(uv_loop_close(&world.uv) == 0);
  for (int i = 0; i < PIPES; i++) {
    close(world.pipes[i][0]);
    close(world.pipes[i][1]);
  }
  close(world.file);
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
  static void (*const RUNS[])(void) = {run_by_hand, run_until_stopped, run_for_a_result};
  int descriptors = count_descriptors();
  make_world();
  for (int i = 0; i < 6; i++) start(0);
  if (fuzz_once_in(20)) world_close();
  for (int runs = 1 + fuzz_below(3); runs > 0 && !world.closed; runs--) RUNS[fuzz_below(3)]();
  close_world();
  check_nothing_is_left();
  REQUIRE(count_descriptors() == descriptors);
}
