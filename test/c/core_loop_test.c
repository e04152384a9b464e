/* The loop: phases of an iteration, timeouts, handlers, posts from other threads, run and run_sync.
 */
#include "test.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char text[256];
  size_t length;
} record;

static void note(record *r, char what) {
  if (r->length < sizeof r->text - 1) r->text[r->length++] = what;
}

typedef struct {
  record *record;
  char name;
} noter;

static void note_callback(void *arg) {
  noter *n = arg;
  note(n->record, n->name);
}

static void stop_loop(void *arg) {
  fibril_loop_stop(arg);
}

static void run_until_stopped(fibril_loop *loop) {
  CHECK_INT(fibril_loop_run(loop), 0);
}

/* ---- Phases ---- */

typedef struct {
  fibril_loop *loop;
  record record;
  noter one, two, three, four, past, later;
} phases;

static void queue_past(void *arg) {
  phases *p = arg;
  note(&p->record, '2');
  CHECK_INT(
      fibril_loop_call_at(p->loop, fibril_loop_now(p->loop) - 1000, note_callback, &p->past, NULL),
      0);
  CHECK_INT(fibril_loop_call_later(p->loop, 0, note_callback, &p->later, NULL), 0);
  CHECK_INT(fibril_loop_add_callback(p->loop, note_callback, &p->four), 0);
}

/* A snapshot of callbacks, then the timeouts that were due before it, then the rest in the next
 * iteration: a callback that adds timeouts and callbacks starves nothing. Timeouts that became due
 * while callbacks ran are of the next iteration, where they come after its callbacks. */
LOOP_TEST(iteration_runs_a_snapshot_of_callbacks_then_the_timeouts_due_before) {
  phases p = {.loop = loop};
  noter due = {&p.record, 'd'};
  p.one = (noter){&p.record, '1'};
  p.three = (noter){&p.record, '3'};
  p.four = (noter){&p.record, '4'};
  p.past = (noter){&p.record, 'p'};
  p.later = (noter){&p.record, 'l'};
  fibril_loop_call_at(loop, fibril_loop_now(loop), note_callback, &due, NULL);
  fibril_loop_add_callback(loop, note_callback, &p.one);
  fibril_loop_add_callback(loop, queue_past, &p);
  fibril_loop_add_callback(loop, note_callback, &p.three);
  CHECK_STR(p.record.text, "");
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  CHECK_STR(p.record.text, "123d");
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  CHECK_STR(p.record.text, "123d4pl");
}

typedef struct {
  fibril_loop *loop;
  int count;
} requeuer;

static void requeue(void *arg) {
  requeuer *r = arg;
  if (++r->count < 1000) fibril_loop_add_callback(r->loop, requeue, r);
}

LOOP_TEST(callback_added_by_a_callback_waits_for_the_next_iteration) {
  requeuer r = {loop, 0};
  fibril_loop_add_callback(loop, requeue, &r);
  for (int i = 1; i <= 5; i++) {
    uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
    CHECK_INT(r.count, i);
  }
  while (r.count < 1000) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
}

typedef struct {
  requeuer base;
  bool readable;
} starver;

static void keep_busy(void *arg) {
  starver *s = arg;
  s->base.count++;
  if (!s->readable && s->base.count < 1000000) fibril_loop_add_callback(s->base.loop, keep_busy, s);
}

static void on_readable(int fd, int events, void *arg) {
  starver *s = arg;
  char byte;
  CHECK_INT(events, UV_READABLE);
  CHECK_INT(read(fd, &byte, 1), 1);
  s->readable = true;
  fibril_loop_stop(s->base.loop);
}

LOOP_TEST(busy_callbacks_do_not_starve_io) {
  int fds[2];
  starver s = {.base.loop = loop};
  if (!CHECK(pipe(fds) == 0)) return;
  CHECK_INT(fibril_loop_add_handler(loop, fds[0], UV_READABLE, on_readable, &s), 0);
  fibril_loop_add_callback(loop, keep_busy, &s);
  CHECK_INT(write(fds[1], "x", 1), 1);
  run_until_stopped(loop);
  CHECK(s.base.count < 1000000);
  CHECK_INT(fibril_loop_remove_handler(loop, fds[0]), 0);
  close(fds[0]);
  close(fds[1]);
}

/* ---- Timeouts ---- */

LOOP_TEST(timeouts_fire_by_deadline_then_in_order_of_creation) {
  record r = {0};
  noter n[5] = {{&r, 'a'}, {&r, 'b'}, {&r, 'c'}, {&r, 'd'}, {&r, 'e'}};
  double when = fibril_loop_now(loop) + 5;
  fibril_loop_call_at(loop, when + 1, note_callback, &n[3], NULL);
  fibril_loop_call_at(loop, when, note_callback, &n[0], NULL);
  fibril_loop_call_at(loop, when, note_callback, &n[1], NULL);
  fibril_loop_call_at(loop, when + 1, note_callback, &n[4], NULL);
  fibril_loop_call_at(loop, when, note_callback, &n[2], NULL);
  fibril_loop_call_at(loop, when + 2, stop_loop, loop, NULL);
  run_until_stopped(loop);
  CHECK_STR(r.text, "abcde");
}

typedef struct {
  fibril_loop *loop;
  double due;
  int early;
} punctual;

static void check_time(void *arg) {
  punctual *p = arg;
  if (fibril_loop_now(p->loop) < p->due) p->early++;
}

LOOP_TEST(timeouts_never_fire_early) {
  punctual p[60];
  for (int i = 0; i < 60; i++) {
    double ms = i * 0.37;
    p[i] = (punctual){loop, fibril_loop_now(loop) + ms, 0};
    fibril_loop_call_later(loop, ms, check_time, &p[i], NULL);
  }
  fibril_loop_call_later(loop, 30, stop_loop, loop, NULL);
  run_until_stopped(loop);
  for (int i = 0; i < 60; i++) CHECK_INT(p[i].early, 0);
}

typedef struct {
  noter own;
  fibril_loop *loop;
  fibril_timeout victim;
} remover;

static void remove_victim(void *arg) {
  remover *r = arg;
  note_callback(&r->own);
  fibril_loop_remove_timeout(r->loop, r->victim);
  fibril_loop_remove_timeout(r->loop, r->victim);
}

LOOP_TEST(timeout_removed_by_another_one_due_in_the_same_iteration_does_not_fire) {
  record r = {0};
  double when = fibril_loop_now(loop) + 2;
  remover a = {.own = {&r, 'a'}, .loop = loop};
  noter b = {&r, 'b'}, c = {&r, 'c'};
  fibril_loop_call_at(loop, when, remove_victim, &a, NULL);
  fibril_loop_call_at(loop, when, note_callback, &b, &a.victim);
  fibril_loop_call_at(loop, when, note_callback, &c, NULL);
  fibril_loop_call_at(loop, when, stop_loop, loop, NULL);
  run_until_stopped(loop);
  CHECK_STR(r.text, "ac");
}

LOOP_TEST(removing_a_timeout_twice_or_late_harms_none) {
  record r = {0};
  noter a = {&r, 'a'}, b = {&r, 'b'};
  fibril_timeout first, second;
  CHECK_INT(fibril_loop_call_later(loop, 0, note_callback, &a, &first), 0);
  CHECK(first != 0);
  fibril_loop_remove_timeout(loop, first);
  CHECK_INT(fibril_loop_call_later(loop, 0, note_callback, &b, &second),
            0); /* may be in the same place */
  fibril_loop_remove_timeout(loop, first);
  fibril_loop_remove_timeout(loop, 0);
  fibril_loop_call_later(loop, 1, stop_loop, loop, NULL);
  run_until_stopped(loop);
  CHECK_STR(r.text, "b");
  fibril_loop_remove_timeout(loop, second);
}

LOOP_TEST(timeouts_that_have_passed_keep_their_place) {
  record r = {0};
  noter a = {&r, 'a'}, b = {&r, 'b'}, c = {&r, 'c'};
  fibril_loop_call_later(loop, 0, note_callback, &c, NULL);
  fibril_loop_call_later(loop, -1000, note_callback, &b, NULL);
  fibril_loop_call_later(loop, -2000, note_callback, &a, NULL);
  fibril_loop_call_later(loop, 1, stop_loop, loop, NULL);
  run_until_stopped(loop);
  CHECK_STR(r.text, "abc");
}

LOOP_TEST(timeouts_need_a_number) {
  CHECK_INT(fibril_loop_call_later(loop, 0.0 / 0.0, stop_loop, loop, NULL), UV_EINVAL);
  CHECK_INT(fibril_loop_call_at(loop, 0.0 / 0.0, stop_loop, loop, NULL), UV_EINVAL);
  fibril_timeout never;
  CHECK_INT(fibril_loop_call_later(loop, 1e300, stop_loop, loop, &never), 0);
  CHECK_INT(fibril_loop_call_later(loop, -5, stop_loop, loop, NULL), 0);
  run_until_stopped(loop);
  fibril_loop_remove_timeout(loop, never);
}

#define MANY 5000

typedef struct {
  uint32_t last;
  int fired, wrong;
} sequence;

typedef struct {
  sequence *sequence;
  uint32_t number;
} numbered;

static void check_sequence(void *arg) {
  numbered *n = arg;
  n->sequence->wrong += n->sequence->fired > 0 && n->number < n->sequence->last;
  n->sequence->last = n->number;
  n->sequence->fired++;
}

/* Deadlines at random, half of the timeouts removed again at random. */
LOOP_TEST(timeouts_in_any_number_stay_in_order) {
  static numbered numbers[MANY];
  static fibril_timeout timeouts[MANY];
  sequence s = {0};
  uint32_t random = 1;
  double start = fibril_loop_now(loop);
  for (int i = 0; i < MANY; i++) {
    random = random * 1664525u + 1013904223u;
    numbers[i] = (numbered){&s, random >> 20};
    fibril_loop_call_at(loop, start + numbers[i].number / 1000.0, check_sequence, &numbers[i],
                        &timeouts[i]);
  }
  for (int i = 0; i < MANY; i += 2) fibril_loop_remove_timeout(loop, timeouts[i]);
  fibril_loop_call_at(loop, start + 5, stop_loop, loop, NULL);
  run_until_stopped(loop);
  CHECK_INT(s.fired, MANY / 2);
  CHECK_INT(s.wrong, 0);
}

/* ---- Handlers ---- */

typedef struct {
  fibril_loop *loop;
  int fds[2], other[2];
  record record;
} handled;

static void remove_the_other(int fd, int events, void *arg) {
  handled *h = arg;
  CHECK(events > 0);
  note(&h->record, 'x');
  CHECK_INT(fibril_loop_remove_handler(h->loop, fd), 0);
  CHECK_INT(fibril_loop_remove_handler(h->loop, fd == h->fds[0] ? h->other[0] : h->fds[0]), 0);
  fibril_loop_stop(h->loop);
}

LOOP_TEST(handler_removed_by_a_handler_of_the_same_poll_does_not_run) {
  handled h = {.loop = loop};
  if (!CHECK(pipe(h.fds) == 0 && pipe(h.other) == 0)) return;
  CHECK_INT(write(h.fds[1], "x", 1), 1);
  CHECK_INT(write(h.other[1], "x", 1), 1);
  CHECK_INT(fibril_loop_add_handler(loop, h.fds[0], UV_READABLE, remove_the_other, &h), 0);
  CHECK_INT(fibril_loop_add_handler(loop, h.other[0], UV_READABLE, remove_the_other, &h), 0);
  run_until_stopped(loop);
  CHECK_STR(h.record.text, "x");
  for (int i = 0; i < 2; i++) {
    close(h.fds[i]);
    close(h.other[i]);
  }
}

LOOP_TEST(handlers_hold_the_loop_unless_they_are_unheld) {
  handled h = {.loop = loop};
  uv_loop_t *uv = fibril_loop_uv(loop);
  if (!CHECK(pipe(h.fds) == 0 && pipe(h.other) == 0)) return;
  CHECK_INT(fibril_loop_add_handler(loop, h.fds[0], UV_READABLE, remove_the_other, &h), 0);
  CHECK(uv_loop_alive(uv));
  fibril_loop_unhold_handler(loop, h.fds[0]);
  fibril_loop_unhold_handler(loop, h.fds[0]);
  CHECK(!uv_loop_alive(uv));
  CHECK_INT(fibril_loop_add_handler(loop, h.other[0], UV_READABLE, remove_the_other, &h), 0);
  CHECK(uv_loop_alive(uv));
  CHECK_INT(fibril_loop_remove_handler(loop, h.other[0]), 0);
  CHECK(!uv_loop_alive(uv));
  fibril_loop_hold_handler(loop, h.other[0]); /* there is none */
  CHECK(!uv_loop_alive(uv));
  CHECK_INT(fibril_loop_update_handler(loop, h.fds[0], UV_READABLE), 0);
  CHECK(!uv_loop_alive(uv));
  fibril_loop_hold_handler(loop, h.fds[0]);
  fibril_loop_hold_handler(loop, h.fds[0]);
  CHECK(uv_loop_alive(uv));
  fibril_loop_unhold_handler(loop, h.fds[0]);
  CHECK_INT(write(h.fds[1], "x", 1), 1);
  fibril_loop_hold_handler(loop, h.fds[0]);
  run_until_stopped(loop);
  CHECK_STR(h.record.text, "x");
  for (int i = 0; i < 2; i++) {
    close(h.fds[i]);
    close(h.other[i]);
  }
}

static void sleep_handler(fibril_socket fd, int events, void *arg) {
  (void)fd;
  CHECK_INT(events, UV_EBADF);
  ++*(int *)arg;
}

/* The reader of a pipe has gone: its handler sleeps, and holds nothing whatever it is told. */
LOOP_TEST(a_handler_that_sleeps_holds_nothing) {
  uv_loop_t *uv = fibril_loop_uv(loop);
  int fds[2], told = 0;
  if (!CHECK(pipe(fds) == 0)) return;
  close(fds[0]);
  CHECK_INT(fibril_loop_add_handler(loop, fds[1], UV_WRITABLE, sleep_handler, &told), 0);
  uv_run(uv, UV_RUN_DEFAULT);
  CHECK_INT(told, 1);
  fibril_loop_hold_handler(loop, fds[1]);
  fibril_loop_unhold_handler(loop, fds[1]);
  fibril_loop_hold_handler(loop, fds[1]);
  CHECK(!uv_loop_alive(uv));
  CHECK_INT(fibril_loop_update_handler(loop, fds[1], UV_WRITABLE), 0);
  CHECK(uv_loop_alive(uv));
  uv_run(uv, UV_RUN_DEFAULT);
  CHECK_INT(told, 2);
  CHECK_INT(fibril_loop_remove_handler(loop, fds[1]), 0);
  close(fds[1]);
}

static void note_writable(int fd, int events, void *arg) {
  handled *h = arg;
  note(&h->record, events & UV_WRITABLE ? 'w' : 'r');
  if (events & UV_READABLE) {
    fibril_loop_stop(h->loop);
    return;
  }
  CHECK_INT(fibril_loop_update_handler(h->loop, fd, UV_READABLE), 0);
  CHECK_INT(write(fd == h->fds[0] ? h->fds[1] : h->fds[0], "x", 1), 1);
}

LOOP_TEST(handlers_are_added_changed_and_removed) {
  handled h = {.loop = loop};
  uv_os_sock_t pair[2];
  if (!CHECK(uv_socketpair(SOCK_STREAM, 0, pair, 0, 0) == 0)) return;
  h.fds[0] = pair[0];
  h.fds[1] = pair[1];
  CHECK_INT(fibril_loop_add_handler(loop, pair[0], UV_WRITABLE, note_writable, &h), 0);
  CHECK_INT(fibril_loop_add_handler(loop, pair[0], UV_READABLE, note_writable, &h), UV_EEXIST);
  run_until_stopped(loop);
  CHECK_STR(h.record.text, "wr");
  CHECK_INT(fibril_loop_remove_handler(loop, pair[0]), 0);
  CHECK_INT(fibril_loop_remove_handler(loop, pair[0]), 0);
  CHECK_INT(fibril_loop_update_handler(loop, pair[0], UV_READABLE), UV_ENOENT);
  CHECK_INT(fibril_loop_add_handler(loop, -1, UV_READABLE, note_writable, &h), UV_EBADF);
  close(pair[0]);
  close(pair[1]);
}

static void note_gone(int fd, int events, void *arg) {
  handled *h = arg;
  CHECK_INT(fd, h->fds[0]);
  CHECK_INT(events, UV_EBADF);
  note(&h->record, 'g');
  fibril_loop_stop(h->loop);
}

static void expect_gone(handled *h) {
  run_until_stopped(h->loop);
  CHECK_STR(h->record.text, "g");
  h->record.text[0] = '\0';
  h->record.length = 0;
}

LOOP_TEST(handler_hears_that_its_descriptor_was_closed) {
  handled h = {.loop = loop};
  for (int when = 0; when < 4; when++) {
    if (!CHECK(pipe(h.fds) == 0)) return;
    CHECK_INT(fibril_loop_add_handler(loop, h.fds[0], UV_READABLE, note_gone, &h), 0);
    if (when > 0) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT); /* it is polled by then */
    CHECK_INT(close(h.fds[0]), 0);
    if (when > 1) CHECK_INT(fibril_loop_update_handler(loop, h.fds[0], UV_WRITABLE), 0);
    if (when > 2) CHECK_INT(fibril_loop_update_handler(loop, h.fds[0], UV_READABLE), 0);
    expect_gone(&h);
    CHECK_INT(fibril_loop_add_handler(loop, h.fds[0], UV_READABLE, note_gone, &h), UV_EBADF);
    CHECK_INT(fibril_loop_remove_handler(loop, h.fds[0]), 0);
    close(h.fds[1]);
  }
}

LOOP_TEST(handler_of_a_closed_descriptor_makes_room_for_the_next_of_its_number) {
  handled h = {.loop = loop};
  uv_os_sock_t pair[2];
  if (!CHECK(pipe(h.fds) == 0)) return;
  CHECK_INT(fibril_loop_add_handler(loop, h.fds[0], UV_READABLE, note_gone, &h), 0);
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  if (!CHECK(uv_socketpair(SOCK_STREAM, 0, pair, 0, 0) == 0)) return;
  CHECK_INT(dup2(pair[0], h.fds[0]), h.fds[0]);
  close(pair[0]);
  close(h.fds[1]);
  h.fds[1] = pair[1];
  CHECK_INT(fibril_loop_add_handler(loop, h.fds[0], UV_WRITABLE, note_writable, &h), 0);
  expect_gone(&h);
  run_until_stopped(loop);
  CHECK_STR(h.record.text, "wr");
  CHECK_INT(fibril_loop_remove_handler(loop, h.fds[0]), 0);
  close(h.fds[0]);
  close(h.fds[1]);
}

LOOP_TEST(handlers_of_descriptors_that_are_none_are_refused) {
  int file = open("/proc/self/exe", O_RDONLY);
  for (int fd = 1 << 20; fd < INT32_MAX / 2; fd *= 2)
    CHECK_INT(fibril_loop_add_handler(loop, fd, UV_READABLE, on_readable, NULL), UV_EBADF);
  CHECK_INT(fibril_loop_add_handler(loop, INT32_MAX, UV_READABLE, on_readable, NULL), UV_EBADF);
  CHECK_INT(fibril_loop_add_handler(loop, file, UV_READABLE, on_readable, NULL), UV_EPERM);
  CHECK_INT(fibril_loop_add_handler(loop, file, 0, on_readable, NULL), UV_EINVAL);
  CHECK_INT(fibril_loop_update_handler(loop, file, UV_READABLE), UV_ENOENT);
  close(file);
}

/* What stays is closed with the loop, which the harness sees. */
LOOP_TEST(handlers_end_with_the_loop) {
  int fds[2];
  if (!CHECK(pipe(fds) == 0)) return;
  CHECK_INT(fibril_loop_add_handler(loop, fds[0], UV_READABLE, on_readable, NULL), 0);
}

/* ---- Other threads ---- */

#define POSTERS 4
#define POSTS 2500

typedef struct {
  fibril_loop *loop;
  uv_thread_t thread;
  int next[POSTERS];
  int total, disorder;
} post_office;

typedef struct {
  post_office *office;
  fibril_poster *poster;
  uv_thread_t thread;
  int sender;
} sender;

typedef struct {
  post_office *office;
  int sender, number;
} letter;

static letter letters[POSTERS][POSTS];

static void receive(void *arg) {
  letter *l = arg;
  post_office *office = l->office;
  uv_thread_t here = uv_thread_self();
  office->disorder +=
      office->next[l->sender]++ != l->number || !uv_thread_equal(&here, &office->thread);
  if (++office->total == POSTERS * POSTS) fibril_loop_stop(office->loop);
}

static void send_letters(void *arg) {
  sender *s = arg;
  for (int i = 0; i < POSTS; i++) {
    letters[s->sender][i] = (letter){s->office, s->sender, i};
    CHECK_INT(fibril_post(s->poster, receive, &letters[s->sender][i]), 0);
  }
  fibril_poster_unref(s->poster);
}

LOOP_TEST(posts_of_many_threads_arrive_in_order_on_the_loops_thread) {
  post_office office = {.loop = loop, .thread = uv_thread_self()};
  sender senders[POSTERS];
  for (int i = 0; i < POSTERS; i++) {
    senders[i] = (sender){.office = &office, .poster = fibril_loop_poster(loop), .sender = i};
    CHECK_INT(uv_thread_create(&senders[i].thread, send_letters, &senders[i]), 0);
  }
  run_until_stopped(loop);
  for (int i = 0; i < POSTERS; i++) uv_thread_join(&senders[i].thread);
  CHECK_INT(office.total, POSTERS * POSTS);
  CHECK_INT(office.disorder, 0);
}

static void count_call(void *arg) {
  ++*(int *)arg;
}

TEST(poster_outlives_its_loop) {
  uv_loop_t uv;
  fibril_loop *own;
  int accepted = 0, refused = 0;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_poster *poster = fibril_loop_poster(own), *same = fibril_poster_ref(poster);
  CHECK_INT(fibril_post(poster, count_call, &accepted), 0);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  CHECK(fibril_loop_poster(own) == NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
  CHECK_INT(accepted, 1); /* what was accepted is called */
  CHECK_INT(fibril_post(poster, count_call, &refused), UV_ECANCELED);
  CHECK_INT(refused, 0);
  fibril_poster_unref(poster);
  fibril_poster_unref(same);
}

typedef struct {
  fibril_poster *poster;
  int called;
} last_post;

static fibril_value post_when_cancelled(void *arg) {
  last_post *post = arg;
  CHECK_INT(fibril_suspend(), UV_ECANCELED);
  CHECK_INT(fibril_post(post->poster, count_call, &post->called), 0);
  return fibril_undefined();
}

/* Accepted in the very iteration that closes the loop, after its poll. */
TEST(post_of_the_last_moment_is_called) {
  uv_loop_t uv;
  fibril_loop *own;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  last_post post = {.poster = fibril_loop_poster(own)};
  fibril_future_unref(fibril_loop_spawn(own, post_when_cancelled, &post, NULL));
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
  CHECK_INT(post.called, 1);
  fibril_poster_unref(post.poster);
}

/* ---- run and stop ---- */

LOOP_TEST(stop_before_run_lets_it_return_at_once) {
  record r = {0};
  noter a = {&r, 'a'};
  fibril_loop_stop(loop);
  fibril_loop_add_callback(loop, note_callback, &a);
  run_until_stopped(loop);
  CHECK_STR(r.text, "");
  fibril_loop_add_callback(loop, stop_loop, loop);
  run_until_stopped(loop);
  CHECK_STR(r.text, "a");
}

static fibril_value nothing(void *arg) {
  (void)arg;
  return fibril_undefined();
}

static void run_again(void *arg) {
  fibril_loop *loop = arg;
  CHECK_INT(fibril_loop_run(loop), FIBRIL_ERUNNING);
  CHECK_INT(fibril_loop_run_sync(loop, nothing, NULL, 0, NULL), FIBRIL_ERUNNING);
  fibril_loop_stop(loop);
}

LOOP_TEST(run_inside_run_is_refused) {
  fibril_loop_add_callback(loop, run_again, loop);
  run_until_stopped(loop);
}

static void check_current(void *arg) {
  CHECK(fibril_loop_current() == arg);
  fibril_loop_stop(arg);
}

LOOP_TEST(current_loop_is_the_one_whose_callback_runs) {
  CHECK(fibril_loop_current() == NULL);
  fibril_loop_call_later(loop, 0, check_current, loop, NULL);
  run_until_stopped(loop);
  CHECK(fibril_loop_current() == NULL);
}

/* ---- run_sync ---- */

static fibril_value give_back(void *arg) {
  fibril_sleep(1);
  return fibril_string(arg, FIBRIL_AUTO_LENGTH);
}

LOOP_TEST(run_sync_returns_the_result) {
  fibril_value result;
  CHECK_INT(fibril_loop_run_sync(loop, give_back, "text", 0, &result), 0);
  CHECK_STR(fibril_value_string(result, NULL), "text");
  fibril_value_free(result);
  CHECK_INT(fibril_loop_run_sync(loop, nothing, NULL, 1000, &result), 0);
  CHECK_INT(fibril_value_kind(result), FIBRIL_UNDEFINED);
}

static fibril_value fail(void *arg) {
  fibril_sleep(0);
  return fibril_error(UV_EIO, "%s", (const char *)arg);
}

LOOP_TEST(run_sync_returns_the_error_as_a_value) {
  fibril_value result;
  CHECK_INT(fibril_loop_run_sync(loop, fail, "broken", 0, &result), 0);
  CHECK_INT(fibril_error_code(result), UV_EIO);
  CHECK_STR(fibril_error_message(result), "broken");
  fibril_value_free(result);
}

static fibril_value sleep_long(void *arg) {
  *(int *)arg = fibril_sleep(1000000);
  return fibril_undefined();
}

LOOP_TEST(run_sync_gives_up_after_its_timeout) {
  int slept = 0;
  CHECK_INT(fibril_loop_run_sync(loop, sleep_long, &slept, 5, NULL), UV_ETIMEDOUT);
  CHECK_INT(slept, UV_ECANCELED); /* and the coroutine has ended */
  CHECK_INT(fibril_loop_coroutines(loop), 0);
}

static fibril_value run_inside(void *arg) {
  (void)arg;
  fibril_loop *loop = fibril_loop_current();
  CHECK_INT(fibril_loop_run_sync(loop, nothing, NULL, 0, NULL), FIBRIL_ERUNNING);
  CHECK_INT(fibril_loop_run(loop), FIBRIL_ERUNNING);
  return fibril_undefined();
}

LOOP_TEST(run_sync_inside_itself_is_refused) {
  CHECK_INT(fibril_loop_run_sync(loop, run_inside, NULL, 0, NULL), 0);
}

static fibril_value stop_and_sleep(void *arg) {
  fibril_loop_stop(fibril_loop_current());
  return sleep_long(arg);
}

LOOP_TEST(run_sync_ends_when_the_loop_is_stopped) {
  static int slept;
  CHECK_INT(fibril_loop_run_sync(loop, stop_and_sleep, &slept, 0, NULL), FIBRIL_ESTOPPED);
}

static void ignore_log(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)error;
  ++*(int *)arg;
}

static fibril_value wait_for_nobody(void *arg) {
  *(int *)arg = fibril_suspend();
  return fibril_undefined();
}

LOOP_TEST(run_sync_says_so_when_nothing_can_wake_the_coroutine) {
  int logged = 0, status = 0;
  fibril_loop_set_log(loop, ignore_log, &logged);
  CHECK_INT(fibril_loop_run_sync(loop, wait_for_nobody, &status, 0, NULL), FIBRIL_ESTOPPED);
  CHECK_INT(status, UV_ECANCELED);
  CHECK_INT(logged, 1);
}

/* ---- Two on one libuv loop ---- */

LOOP_TEST(two_schedulers_share_a_libuv_loop) {
  fibril_loop *other;
  record r = {0};
  noter a = {&r, 'a'}, b = {&r, 'b'};
  CHECK_INT(fibril_loop_new(fibril_loop_uv(loop), &other), 0);
  fibril_loop_call_later(other, 1, note_callback, &b, NULL);
  fibril_loop_call_later(loop, 3, note_callback, &a, NULL);
  fibril_loop_call_later(loop, 4, stop_loop, loop, NULL);
  run_until_stopped(loop);
  CHECK_STR(r.text, "ba");
  CHECK_INT(fibril_loop_close(other, stop_loop, loop), 0);
  run_until_stopped(loop);
}
