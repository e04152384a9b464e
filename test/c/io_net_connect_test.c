/* Connecting: to one of several addresses, all of them on loopback. */
#include "test.h"

#include "../../src/io/net/connect.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What an address does with who connects. */
typedef enum { REFUSES, ANSWERS, HANGS } manner;

typedef struct {
  int fd, filler;
  struct sockaddr_storage address;
  char text[FIBRIL__ADDRESS_LENGTH];
} target;

static bool has_ip6(void) {
  return access("/proc/net/if_inet6", R_OK) == 0;
}

/* A listener whose backlog is full takes no connection until it has accepted one. */
static target open_target(const char *host, manner manner) {
  target t = {.fd = -1, .filler = -1};
  struct sockaddr *address = (struct sockaddr *)&t.address;
  socklen_t size = sizeof t.address;
  CHECK_INT(fibril__address_parse(host, 0, &t.address), 0);
  t.fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_INT(bind(t.fd, address, (socklen_t)fibril__address_size(address)), 0);
  CHECK_INT(getsockname(t.fd, address, &size), 0);
  if (manner != REFUSES) CHECK_INT(listen(t.fd, manner == HANGS ? 0 : 8), 0);
  if (manner == HANGS) {
    t.filler = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(t.filler, address, (socklen_t)fibril__address_size(address)), 0);
  }
  fibril__address_format(address, t.text);
  return t;
}

static void close_target(target *t) {
  if (t->filler >= 0) close(t->filler);
  close(t->fd);
}

/* The descriptor that the next one would have: the same as before when all have been closed. */
static int next_descriptor(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(fd);
  return fd;
}

/* ---- A race: which one is connected to, or an error ---- */

#define TARGETS 4

typedef struct {
  manner manners[TARGETS];
  const char *hosts[TARGETS];
  int count;
  double within;
  fibril_tcp_options options;
  /* What comes of it. */
  target targets[TARGETS];
  int result, winner;
  double took;
} game;

static int winner_of(const game *g, fibril_stream *stream) {
  char peer[FIBRIL__ADDRESS_LENGTH];
  CHECK(fibril_stream_peer(stream, peer, sizeof peer) > 0);
  for (int i = 0; i < g->count; i++)
    if (strcmp(peer, g->targets[i].text) == 0) return i;
  FAIL("%s", peer);
  return -1;
}

static fibril__addresses *addresses_of(const game *g) {
  fibril__addresses *all = calloc(1, sizeof *all + TARGETS * sizeof *all->list);
  if (all == NULL) abort();
  all->count = g->count;
  for (int i = 0; i < g->count; i++) all->list[i] = g->targets[i].address;
  return all;
}

static void race(game *g) {
  struct sockaddr_storage any = {.ss_family = AF_UNSPEC};
  fibril_stream *stream = NULL;
  fibril__addresses *all = addresses_of(g);
  double begin = fibril_loop_now(fibril_loop_current());
  g->options.size = sizeof g->options;
  if (g->within > 0) fibril_deadline_push(g->within);
  g->result = fibril__connect_any(all, &g->options, &any, &stream);
  if (g->within > 0) fibril_deadline_pop();
  g->took = fibril_loop_now(fibril_loop_current()) - begin;
  free(all);
  g->winner = -1;
  if (g->result != 0) return;
  g->winner = winner_of(g, stream);
  fibril_stream_close(stream);
}

static void begin_game(game *g) {
  while (g->count < TARGETS && g->hosts[g->count] != NULL) g->count++;
  for (int i = 0; i < g->count; i++) g->targets[i] = open_target(g->hosts[i], g->manners[i]);
}

static void end_game(game *g) {
  for (int i = 0; i < g->count; i++) close_target(&g->targets[i]);
}

static fibril_value play(void *arg) {
  game *g = arg;
  begin_game(g);
  fibril_poll_fd(g->targets[0].fd, UV_READABLE, 0); /* the loop has its descriptors */
  int before = next_descriptor();
  race(g);
  CHECK(g->result == 0 || next_descriptor() == before);
  end_game(g);
  return fibril_undefined();
}

static void run(fibril_loop *loop, fibril_fn fn, void *arg) {
  CHECK_INT(fibril_loop_run_sync(loop, fn, arg, 0, NULL), 0);
}

static void check_winner(fibril_loop *loop, game g, int winner, double at_least) {
  run(loop, play, &g);
  CHECK_INT(g.result, 0);
  CHECK_INT(g.winner, winner);
  CHECK(g.took >= at_least);
}

static void check_error(fibril_loop *loop, game g, int error) {
  run(loop, play, &g);
  CHECK_INT(g.result, error);
}

LOOP_TEST(the_first_that_answers_is_taken) {
  check_winner(loop, (game){.hosts = {"127.0.0.1"}, .manners = {ANSWERS}}, 0, 0);
  check_winner(loop, (game){.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {ANSWERS, ANSWERS}}, 0,
               0);
  if (has_ip6()) check_winner(loop, (game){.hosts = {"::1"}, .manners = {ANSWERS}}, 0, 0);
}

LOOP_TEST(who_refuses_is_passed_over_at_once) {
  game g = {.hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3"},
            .manners = {REFUSES, REFUSES, ANSWERS}};
  run(loop, play, &g);
  CHECK_INT(g.result, 0);
  CHECK_INT(g.winner, 2);
}

LOOP_TEST(who_hangs_is_passed_over_after_a_while) {
  check_winner(loop, (game){.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {HANGS, ANSWERS}}, 1,
               249);
  check_winner(loop,
               (game){.hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"},
                      .manners = {HANGS, REFUSES, HANGS, ANSWERS}},
               3, 499);
}

LOOP_TEST(the_families_take_turns) {
  if (!CHECK(true) || !has_ip6()) return;
  check_winner(loop,
               (game){.hosts = {"::1", "::1", "127.0.0.1", "127.0.0.2"},
                      .manners = {REFUSES, ANSWERS, ANSWERS, ANSWERS}},
               2, 0);
  check_winner(loop,
               (game){.hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"},
                      .manners = {REFUSES, ANSWERS, ANSWERS, REFUSES}},
               1, 0);
  check_winner(loop,
               (game){.hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"},
                      .manners = {REFUSES, REFUSES, ANSWERS, REFUSES}},
               2, 0);
}

LOOP_TEST(where_all_fail_the_first_error_is_told) {
  check_error(loop, (game){.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {REFUSES, REFUSES}},
              UV_ECONNREFUSED);
  game g = {.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {REFUSES, REFUSES}};
  g.options.keepalive = UINT32_MAX; /* an error before any attempt has begun is one as well */
  check_error(loop, g, UV_EINVAL);
}

/* Each attempt's own error: the first one cannot be begun. */
static fibril_value begin_badly(void *arg) {
  fibril__addresses *all = calloc(1, sizeof *all + 2 * sizeof *all->list);
  struct sockaddr_storage any = {.ss_family = AF_UNSPEC};
  static const fibril_tcp_options options = {.size = sizeof options};
  fibril_stream *stream;
  target t = open_target("127.0.0.1", REFUSES);
  (void)arg;
  if (all == NULL) abort();
  all->count = 2;
  all->list[0].ss_family = AF_APPLETALK;
  all->list[1] = t.address;
  int err = fibril__connect_any(all, &options, &any, &stream);
  CHECK(err == UV_EAFNOSUPPORT);
  close_target(&t);
  free(all);
  return fibril_undefined();
}

LOOP_TEST(an_attempt_that_cannot_be_begun_has_failed) {
  run(loop, begin_badly, NULL);
}

/* ---- Slow ones ---- */

static fibril_value race_in_coroutine(void *arg) {
  race(arg);
  return fibril_undefined();
}

/* What a report says of who connects: the last attempt. */
static void check_report(const fibril_inspection *about, void *expected) {
  if (about->waits_for == NULL || strcmp(about->waits_for, "connect") != 0) return;
  CHECK_STR(about->address, *(const char **)expected);
  *(const char **)expected = NULL;
}

/* What hung comes after all, and later than the others were begun. */
static fibril_value answer_late(void *arg) {
  game *g = arg;
  begin_game(g);
  fibril_future *future = fibril_spawn(race_in_coroutine, g, NULL);
  fibril_sleep(300);
  const char *last = g->targets[1].text;
  if (g->manners[1] == HANGS) {
    fibril_loop_inspect(fibril_loop_current(), check_report, &last);
    CHECK(last == NULL);
  }
  close(accept(g->targets[0].fd, NULL, NULL));
  fibril_await(future);
  fibril_future_unref(future);
  end_game(g);
  return fibril_undefined();
}

LOOP_TEST(no_slow_attempt_is_given_up_while_others_go_on) {
  game g = {.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {HANGS, HANGS}};
  run(loop, answer_late, &g);
  CHECK_INT(g.result, 0);
  CHECK_INT(g.winner, 0);
  CHECK(g.took >= 300);
  game refused = {.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {HANGS, REFUSES}};
  run(loop, answer_late, &refused);
  CHECK_INT(refused.result, 0);
  CHECK_INT(refused.winner, 0);
}

/* Both begin in the same turn; the second one has to wait for another delay. */
static fibril_value compare(void *arg) {
  game *games = arg;
  fibril_future *futures[2];
  for (int i = 0; i < 2; i++) begin_game(&games[i]);
  for (int i = 0; i < 2; i++) futures[i] = fibril_spawn(race_in_coroutine, &games[i], NULL);
  fibril_await(futures[0]);
  CHECK_INT(games[1].winner, 0);
  fibril_await(futures[1]);
  for (int i = 0; i < 2; i++) {
    CHECK_INT(games[i].winner, 2);
    fibril_future_unref(futures[i]);
    end_game(&games[i]);
  }
  return fibril_undefined();
}

LOOP_TEST(who_refuses_is_passed_over_at_once_while_another_hangs) {
  game games[] = {
      {.hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3"}, .manners = {HANGS, REFUSES, ANSWERS}},
      {.hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3"}, .manners = {HANGS, HANGS, ANSWERS}}};
  run(loop, compare, games);
}

static fibril_value cancel_race(void *arg) {
  game *g = arg;
  begin_game(g);
  int before = next_descriptor();
  fibril_future *future = fibril_spawn(race_in_coroutine, g, NULL);
  fibril_sleep(260);
  fibril_cancel(future);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK(next_descriptor() <= before + 1); /* the loop's own */
  end_game(g);
  return fibril_undefined();
}

LOOP_TEST(who_is_cancelled_or_late_leaves_nothing) {
  game g = {.hosts = {"127.0.0.1", "127.0.0.2", "127.0.0.3"}, .manners = {HANGS, HANGS, HANGS}};
  run(loop, cancel_race, &g);
  CHECK_INT(g.result, UV_ECANCELED);
  g = (game){.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {HANGS, HANGS}, .within = 5};
  check_error(loop, g, UV_ETIMEDOUT);
}

static fibril_value race_until_the_end(void *arg) {
  game *g = arg;
  begin_game(g);
  race(g);
  CHECK_INT(g->result, UV_ECANCELED);
  end_game(g);
  return fibril_undefined();
}

LOOP_TEST(a_loop_that_closes_ends_who_connects) {
  static game g;
  g = (game){.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {HANGS, HANGS}};
  fibril_future_unref(fibril_loop_spawn(loop, race_until_the_end, &g, NULL));
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
}

/* The descriptor of the one that hangs is closed by others, and has another use. */
static fibril_value rob(void *arg) {
  game *g = arg;
  begin_game(g);
  fibril_poll_fd(g->targets[0].fd, UV_READABLE, 0);
  int fd = next_descriptor();
  fibril_future *future = fibril_spawn(race_in_coroutine, g, NULL);
  fibril_moment();
  close(fd);
  CHECK_INT(open("/dev/null", O_RDONLY | O_CLOEXEC), fd);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
  close(fd);
  end_game(g);
  return fibril_undefined();
}

LOOP_TEST(a_descriptor_of_others_is_left_alone) {
  game g = {.hosts = {"127.0.0.1"}, .manners = {HANGS}};
  run(loop, rob, &g);
  CHECK_INT(g.result, UV_EBADF);
  g = (game){.hosts = {"127.0.0.1", "127.0.0.2"}, .manners = {HANGS, ANSWERS}};
  run(loop, rob, &g);
  CHECK_INT(g.result, 0);
  CHECK_INT(g.winner, 1);
}

/* ---- fibril_tcp_connect ---- */

static int connect_to(const target *t, const char *host, const fibril_tcp_options *options) {
  fibril_stream *stream;
  char peer[FIBRIL__ADDRESS_LENGTH];
  int port = fibril__address_port((const struct sockaddr *)&t->address);
  int err = fibril_tcp_connect(host, port, options, &stream);
  if (err != 0) return err;
  CHECK(fibril_stream_peer(stream, peer, sizeof peer) > 0);
  CHECK_STR(peer, t->text);
  fibril_stream_close(stream);
  return 0;
}

static void talk(const target *t) {
  fibril_stream *stream;
  char text[8] = "";
  int port = fibril__address_port((const struct sockaddr *)&t->address);
  CHECK_INT(fibril_tcp_connect("127.0.0.1", port, NULL, &stream), 0);
  int accepted = accept(t->fd, NULL, NULL);
  CHECK_INT(fibril_stream_write(stream, "hello", 5), 0);
  CHECK_INT(read(accepted, text, sizeof text), 5);
  CHECK_INT(write(accepted, "world", 5), 5);
  close(accepted);
  CHECK_INT(fibril_stream_read(stream, text, sizeof text), 5);
  CHECK_STR(text, "world");
  CHECK_INT(fibril_stream_read(stream, text, sizeof text), 0);
  fibril_stream_close(stream);
}

static fibril_value connect_by_name(void *arg) {
  target t = open_target("127.0.0.1", ANSWERS);
  (void)arg;
  talk(&t);
  CHECK_INT(connect_to(&t, "127.0.0.1", NULL), 0);
  CHECK_INT(connect_to(&t, "two.test", NULL), 0); /* ::1 refuses */
  fibril_tcp_options ip6 = {.size = sizeof ip6, .family = AF_INET6};
  CHECK(connect_to(&t, "two.test", &ip6) < 0);
  CHECK_INT(connect_to(&t, "127.0.0.1", &ip6), UV_EAI_ADDRFAMILY);
  close_target(&t);
  return fibril_undefined();
}

LOOP_TEST(a_name_is_connected_to_by_its_addresses) {
  run(loop, connect_by_name, NULL);
}

static int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK_INT(getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

static int free_port(void) {
  target t = open_target("127.0.0.1", REFUSES);
  int port = fibril__address_port((struct sockaddr *)&t.address);
  close_target(&t);
  return port;
}

static fibril_value connect_with_options(void *arg) {
  target t = open_target("127.0.0.1", ANSWERS);
  fibril_stream *stream;
  fibril_value rest;
  char local[FIBRIL__ADDRESS_LENGTH], expected[FIBRIL__ADDRESS_LENGTH];
  int port = fibril__address_port((struct sockaddr *)&t.address), own = free_port(), fd;
  fibril_tcp_options options = {.size = sizeof options,
                                .delay = true,
                                .keepalive = 7,
                                .send_buffer = 10000,
                                .receive_buffer = 20000,
                                .local_host = "127.0.0.9",
                                .local_port = own};
  (void)arg;
  CHECK_INT(fibril_tcp_connect("two.test", port, &options, &stream), 0);
  CHECK(fibril_stream_address(stream, local, sizeof local) > 0);
  snprintf(expected, sizeof expected, "127.0.0.9:%d", own);
  CHECK_STR(local, expected);
  CHECK_INT(fibril_stream_release(stream, &fd, &rest), 0);
  CHECK_INT(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  CHECK_INT(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  CHECK_INT(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7);
  CHECK_INT(option_of(fd, SOL_SOCKET, SO_SNDBUF), 2 * 10000);
  CHECK_INT(option_of(fd, SOL_SOCKET, SO_RCVBUF), 2 * 20000);
  fibril_value_free(rest);
  close(fd);
  options = (fibril_tcp_options){.size = sizeof options, .local_port = free_port()};
  CHECK_INT(fibril_tcp_connect("two.test", port, &options, &stream), 0);
  CHECK(fibril_stream_address(stream, local, sizeof local) > 0);
  snprintf(expected, sizeof expected, "127.0.0.1:%d", options.local_port);
  CHECK_STR(local, expected);
  CHECK_INT(fibril_stream_release(stream, &fd, &rest), 0);
  CHECK_INT(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  CHECK_INT(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  CHECK_INT(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  fibril_value_free(rest);
  close(fd);
  close_target(&t);
  return fibril_undefined();
}

LOOP_TEST(options_of_connections_are_set) {
  run(loop, connect_with_options, NULL);
}

static void check_bad_options(void) {
  static const fibril_tcp_options bad[] = {
      {.size = 0},
      {.size = sizeof *bad, .send_buffer = -1},
      {.size = sizeof *bad, .receive_buffer = -1},
      {.size = sizeof *bad, .local_port = -1},
      {.size = sizeof *bad, .local_port = 65536},
      {.size = sizeof *bad, .local_host = "localhost"},
      {.size = sizeof *bad, .local_host = ""},
      {.size = sizeof *bad, .local_host = "127.0.0.1", .family = AF_INET6},
      {.size = sizeof *bad, .family = AF_UNIX},
  };
  fibril_stream *stream;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK_INT(fibril_tcp_connect("127.0.0.1", 1, &bad[i], &stream), UV_EINVAL);
}

static fibril_value connect_wrongly(void *arg) {
  fibril_tcp_options elsewhere = {.size = sizeof elsewhere, .local_host = "198.51.100.77"};
  fibril_stream *stream;
  char host[300];
  (void)arg;
  check_bad_options();
  CHECK_INT(fibril_tcp_connect(NULL, 1, NULL, &stream), UV_EINVAL);
  CHECK_INT(fibril_tcp_connect("127.0.0.1", 1, NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_tcp_connect("127.0.0.1", -1, NULL, &stream), UV_EINVAL);
  CHECK_INT(fibril_tcp_connect("127.0.0.1", 65536, NULL, &stream), UV_EINVAL);
  memset(host, 'a', sizeof host);
  host[sizeof host - 1] = '\0';
  CHECK_INT(fibril_tcp_connect(host, 1, NULL, &stream), UV_ENAMETOOLONG);
  CHECK_INT(fibril_tcp_connect("error-2.test", 1, NULL, &stream), UV_EAI_NONAME);
  CHECK_INT(fibril_tcp_connect("127.0.0.1", free_port(), &elsewhere, &stream), UV_EADDRNOTAVAIL);
  CHECK_INT(fibril_tcp_connect("127.0.0.1", free_port(), NULL, &stream), UV_ECONNREFUSED);
  elsewhere.local_host = "127.0.0.9"; /* the addresses of IPv6 are none to try from there */
  CHECK_INT(fibril_tcp_connect("two.test", free_port(), &elsewhere, &stream), UV_ECONNREFUSED);
  return fibril_undefined();
}

LOOP_TEST(errors_of_connecting) {
  fibril_stream *stream;
  run(loop, connect_wrongly, NULL);
  CHECK_INT(fibril_tcp_connect("127.0.0.1", 1, NULL, &stream), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_tcp_connect("two.test", 1, NULL, &stream), FIBRIL_ENOTCOROUTINE);
}
