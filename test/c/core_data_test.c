/* What a loop keeps for its user, and the coroutine that runs when all others have ended. */
#include "../../src/core/loop/loop.h"
#include "test.h"

#include <string.h>

typedef struct {
  uv_loop_t uv;
  fibril_loop *loop;
  char log[256]; /* what has happened, a letter each */
  int statuses[4];
} scene;

static void note(scene *s, const char *letter) {
  strncat(s->log, letter, sizeof s->log - strlen(s->log) - 1);
}

static bool begin(scene *s) {
  memset(s, 0, sizeof *s);
  return CHECK_INT(uv_loop_init(&s->uv), 0) && CHECK_INT(fibril_loop_new(&s->uv, &s->loop), 0);
}

static void note_closed(void *arg) {
  note(arg, "c");
}

static void end(scene *s) {
  CHECK_INT(fibril_loop_close(s->loop, note_closed, s), 0);
  uv_run(&s->uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&s->uv), 0);
}

/* ---- Data ---- */

static void note_release(void *data) {
  scene *s = data;
  CHECK(fibril_loop_current() == s->loop);
  CHECK(fibril_coroutine_self() == NULL);
  CHECK_INT(fibril_sleep(0), FIBRIL_ENOTCOROUTINE);
  note(s, "r");
}

static void note_other_release(void *data) {
  note(data, "o");
}

TEST(a_loop_has_no_data_until_it_is_set) {
  scene s;
  if (!begin(&s)) return;
  CHECK(fibril_loop_data(s.loop) == NULL);
  CHECK_INT(fibril_loop_set_data(s.loop, &s, NULL), 0);
  CHECK(fibril_loop_data(s.loop) == &s);
  end(&s);
  CHECK_STR(s.log, "c");
}

static fibril_value unwind(void *arg) {
  scene *s = arg;
  fibril_suspend();
  CHECK(fibril_loop_data(fibril_loop_current()) == s);
  note(s, "u");
  return fibril_undefined();
}

static void note_post(void *arg) {
  scene *s = arg;
  CHECK(fibril_loop_data(s->loop) == s);
  note(s, "p");
}

static fibril_value post_and_unwind(void *arg) {
  scene *s = arg;
  fibril_poster *poster = fibril_loop_poster(s->loop);
  fibril_suspend();
  CHECK_INT(fibril_post(poster, note_post, s), 0);
  fibril_poster_unref(poster);
  return fibril_undefined();
}

TEST(data_is_released_after_coroutines_and_callbacks) {
  scene s;
  if (!begin(&s)) return;
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), 0);
  fibril_future_unref(fibril_loop_spawn(s.loop, unwind, &s, NULL));
  fibril_future_unref(fibril_loop_spawn(s.loop, post_and_unwind, &s, NULL));
  CHECK_INT(fibril_loop_add_callback(s.loop, note_post, &s), 0);
  end(&s);
  CHECK_STR(s.log, "puprc");
}

static void release_at_the_end(void *data) {
  scene *s = data;
  note_release(data);
  CHECK(fibril_loop_data(s->loop) == NULL);
  CHECK_INT(fibril_loop_set_data(s->loop, s, note_other_release), FIBRIL_ECLOSED);
}

TEST(data_that_is_released_at_the_end_has_no_successor) {
  scene s;
  if (!begin(&s)) return;
  fibril_future *pending = fibril_future_new(s.loop); /* keeps the struct */
  CHECK_INT(fibril_loop_set_data(s.loop, &s, release_at_the_end), 0);
  end(&s);
  CHECK_STR(s.log, "rc");
  CHECK(fibril_loop_data(s.loop) == NULL);
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), FIBRIL_ECLOSED);
  CHECK_STR(s.log, "rc");
  fibril_future_unref(pending);
}

static void release_by_hand(void *data) {
  scene *s = data;
  note_release(data);
  CHECK(fibril_loop_data(s->loop) == s->statuses);
}

TEST(other_data_releases_what_was_there) {
  scene s;
  if (!begin(&s)) return;
  CHECK_INT(fibril_loop_set_data(s.loop, &s, release_by_hand), 0);
  CHECK_INT(fibril_loop_set_data(s.loop, s.statuses, NULL), 0);
  CHECK_STR(s.log, "r");
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), 0);
  CHECK_INT(fibril_loop_set_data(s.loop, NULL, note_other_release), 0); /* of nothing */
  CHECK_INT(fibril_loop_set_data(s.loop, s.statuses, NULL), 0);
  CHECK_INT(fibril_loop_set_data(s.loop, NULL, NULL), 0);
  CHECK_STR(s.log, "rr");
  CHECK(fibril_loop_data(s.loop) == NULL);
  end(&s);
  CHECK_STR(s.log, "rrc");
}

TEST(the_same_data_again_only_changes_its_release) {
  scene s;
  if (!begin(&s)) return;
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), 0);
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_other_release), 0);
  CHECK_STR(s.log, "");
  end(&s);
  CHECK_STR(s.log, "oc");
}

static fibril_value set_other(void *arg) {
  scene *s = arg;
  CHECK_INT(fibril_loop_set_data(s->loop, NULL, NULL), 0);
  CHECK_STR(s->log, "r");
  CHECK(fibril_coroutine_self() != NULL);
  return fibril_undefined();
}

TEST(a_coroutine_has_its_loops_data_released_on_the_loops_stack) {
  scene s;
  if (!begin(&s)) return;
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), 0);
  CHECK_INT(fibril_loop_run_sync(s.loop, set_other, &s, 0, NULL), 0);
  end(&s);
  CHECK_STR(s.log, "rc");
}

static fibril_value set_while_closing(void *arg) {
  scene *s = arg;
  CHECK_INT(fibril_suspend(), UV_ECANCELED);
  CHECK_INT(fibril_loop_set_data(s->loop, s, note_release), 0);
  return fibril_undefined();
}

TEST(data_can_be_set_while_the_loop_closes) {
  scene s;
  if (!begin(&s)) return;
  fibril_future_unref(fibril_loop_spawn(s.loop, set_while_closing, &s, NULL));
  end(&s);
  CHECK_STR(s.log, "rc");
}

static fibril_value leave_open(void *arg) {
  fibril_stream *ends[2];
  CHECK_INT(fibril_memory_pair(0, ends), 0);
  for (int i = 0; i < 2; i++) fibril_stream_detach(ends[i]);
  *(fibril_stream **)arg = ends[0];
  return fibril_undefined();
}

static void note_handle(void *inner) {
  note(inner, "h");
}

static int64_t read_nothing(void *inner, void *buffer, size_t size) {
  (void)inner;
  (void)buffer;
  (void)size;
  return 0;
}

static int write_nothing(void *inner, const uv_buf_t *buffers, unsigned count) {
  (void)inner;
  (void)buffers;
  (void)count;
  return 0;
}

static int shut_nothing(void *inner) {
  (void)inner;
  return 0;
}

static fibril_value leave_wrapped(void *arg) {
  static const fibril_stream_type type = {.size = sizeof type,
                                          .name = "noted",
                                          .read = read_nothing,
                                          .write = write_nothing,
                                          .shutdown = shut_nothing,
                                          .close = note_handle};
  fibril_stream *stream;
  if (!CHECK_INT(fibril_stream_wrap(&type, arg, &stream), 0)) return fibril_undefined();
  fibril_stream_detach(stream);
  return fibril_undefined();
}

TEST(handles_that_nobody_has_closed_outlive_the_data) {
  scene s;
  if (!begin(&s)) return;
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), 0);
  CHECK_INT(fibril_loop_run_sync(s.loop, leave_wrapped, &s, 0, NULL), 0);
  end(&s);
  CHECK_STR(s.log, "rhc");
}

static void close_kept(void *data) {
  fibril_stream *kept = data;
  fibril_stream_close(kept); /* no reference is needed: it is open still */
}

LOOP_TEST(data_may_own_handles_that_its_release_closes) {
  fibril_stream *kept = NULL;
  CHECK_INT(fibril_loop_run_sync(loop, leave_open, &kept, 0, NULL), 0);
  CHECK_INT(fibril_loop_set_data(loop, kept, close_kept), 0);
}

TEST(two_loops_have_data_of_their_own) {
  scene s, other;
  if (!begin(&s) || !begin(&other)) return;
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), 0);
  CHECK_INT(fibril_loop_set_data(other.loop, &other, note_release), 0);
  CHECK(fibril_loop_data(s.loop) == &s && fibril_loop_data(other.loop) == &other);
  end(&s);
  CHECK_STR(s.log, "rc");
  CHECK_STR(other.log, "");
  end(&other);
}

static void close_timer(uv_timer_t *timer) {
  uv_close((uv_handle_t *)timer, NULL);
}

static void turn_the_loop(void *data) {
  scene *s = data;
  uv_timer_t timer;
  uv_timer_init(&s->uv, &timer);
  uv_timer_start(&timer, close_timer, 2, 0);
  for (int i = 0; i < 3; i++) uv_run(&s->uv, UV_RUN_ONCE);
  note(s, "t");
}

TEST(a_release_at_the_end_may_turn_the_loop) {
  scene s;
  if (!begin(&s)) return;
  CHECK_INT(fibril_loop_set_data(s.loop, &s, turn_the_loop), 0);
  end(&s);
  CHECK_STR(s.log, "tc");
}

/* ---- The last coroutine ---- */

static fibril_value run_last(void *arg) {
  scene *s = arg;
  note(s, "l");
  CHECK(fibril_cancelled());
  CHECK_INT(fibril_sleep(1), 0);
  CHECK_INT(fibril_pass(), 0);
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_unmask(), 0);
  CHECK_INT(fibril_sleep(1), 0);
  fibril_future *child = fibril_spawn(unwind, s, NULL);
  CHECK_INT(fibril_error_code(fibril_await(child)), FIBRIL_ECLOSED);
  fibril_future_unref(child);
  CHECK_INT(fibril_loop_call_later(s->loop, 0, note_closed, s, NULL), FIBRIL_ECLOSED);
  note(s, "L");
  return fibril_string("dropped", FIBRIL_AUTO_LENGTH);
}

TEST(the_last_coroutine_waits_between_all_others_and_the_data) {
  scene s;
  if (!begin(&s)) return;
  fibril__loop_set_last(s.loop, "last", run_last, &s);
  CHECK_INT(fibril_loop_set_data(s.loop, &s, note_release), 0);
  fibril_future_unref(fibril_loop_spawn(s.loop, unwind, &s, NULL));
  end(&s);
  CHECK_STR(s.log, "ulLrc");
}

static fibril_value end_at_once(void *arg) {
  note(arg, "l");
  return fibril_undefined();
}

TEST(the_last_coroutine_may_end_at_once) {
  scene s;
  if (!begin(&s)) return;
  fibril__loop_set_last(s.loop, "last", end_at_once, &s);
  end(&s);
  CHECK_STR(s.log, "lc");
}

TEST(the_last_coroutine_is_taken_back) {
  scene s;
  if (!begin(&s)) return;
  fibril__loop_set_last(s.loop, "last", end_at_once, &s);
  fibril__loop_set_last(s.loop, "last", NULL, NULL);
  end(&s);
  CHECK_STR(s.log, "c");
}

static fibril_value outlast(void *arg) {
  scene *s = arg;
  fibril_future *never = fibril_future_new(s->loop);
  s->statuses[0] = fibril_error_code(fibril_await(never));
  s->statuses[1] = fibril_sleep(1);
  fibril_future_unref(never);
  return fibril_error(UV_EIO, "not flushed");
}

static void note_log(const char *message, fibril_value error, void *arg) {
  scene *s = arg;
  CHECK_STR(message, "last failed");
  CHECK_STR(fibril_error_message(error), "not flushed");
  note(s, "e");
}

TEST(the_last_coroutine_has_what_is_left_of_the_grace_and_its_error_is_logged) {
  scene s;
  if (!begin(&s)) return;
  s.loop->grace.ms = 20;
  fibril_loop_set_log(s.loop, note_log, &s);
  fibril__loop_set_last(s.loop, "last", outlast, &s);
  end(&s);
  CHECK_STR(s.log, "ec");
  CHECK_INT(s.statuses[0], UV_ECANCELED);
  CHECK_INT(s.statuses[1], UV_ECANCELED);
}

static fibril_value use_up(void *arg) {
  (void)arg;
  fibril_mask();
  fibril_future *never = fibril_future_new(fibril_loop_current());
  CHECK_INT(fibril_error_code(fibril_await(never)), UV_ECANCELED);
  fibril_future_unref(never);
  return fibril_undefined();
}

TEST(the_last_coroutine_of_a_loop_whose_grace_is_over_may_not_wait) {
  scene s;
  if (!begin(&s)) return;
  s.loop->grace.ms = 5;
  fibril_loop_set_log(s.loop, note_log, &s);
  fibril_future_unref(fibril_loop_spawn(s.loop, use_up, &s, NULL));
  fibril__loop_set_last(s.loop, "last", outlast, &s);
  end(&s);
  CHECK_STR(s.log, "ec");
  CHECK_INT(s.statuses[1], UV_ECANCELED);
}

static fibril_value never_gives_up(void *arg) {
  (void)arg;
  for (;;) fibril_sleep(1);
  return fibril_undefined();
}

CRASH_TEST(the_last_coroutine_that_goes_on_waiting_is_named, "SIGABRT",
           "coroutine \"last one\" goes on waiting although its loop is closing") {
  loop->grace.ms = 1;
  fibril__loop_set_last(loop, "last one", never_gives_up, NULL);
  fibril_loop_close(loop, NULL, NULL);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
}
