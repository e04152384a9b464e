/* UDP, on loopback alone. */
#include "test.h"
#include "nothing.h"

#include "../../src/io/net/address.h"
#include "every_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void run(fibril_loop *loop, fibril_fn fn, void *arg) {
  CHECK_INT(fibril_loop_run_sync(loop, fn, arg, 0, NULL), 0);
}

static fibril_udp *open_with(const char *host, const fibril_udp_options *options) {
  fibril_udp *udp = NULL;
  CHECK_INT(fibril_udp_open(host, 0, options, &udp), 0);
  return udp;
}

/* Where it is to be found on a host. */
static struct sockaddr_storage address_of(const fibril_udp *udp, const char *host) {
  struct sockaddr_storage address;
  CHECK_INT(fibril__address_parse(host, fibril_udp_port(udp), &address), 0);
  return address;
}

static int send_text(fibril_udp *udp, const char *text, const struct sockaddr_storage *to) {
  return fibril_udp_send(udp, text, strlen(text), (const struct sockaddr *)to);
}

static void check_comes(fibril_udp *udp, const char *expected) {
  char text[64] = "";
  fibril_deadline_push(10000);
  int64_t count = fibril_udp_receive(udp, text, sizeof text - 1, NULL);
  fibril_deadline_pop();
  CHECK_INT(count, strlen(expected));
  CHECK_STR(text, expected);
}

static int64_t receive_within(fibril_udp *udp, double ms) {
  char text[64];
  fibril_deadline_push(ms);
  int64_t count = fibril_udp_receive(udp, text, sizeof text, NULL);
  fibril_deadline_pop();
  return count;
}

/* What a coroutine opened, and gave away. */
static fibril_value open_and_detach(void *out) {
  fibril_udp *udp = open_with("127.0.0.1", NULL);
  fibril_udp_detach(udp);
  fibril_udp_detach(udp);
  *(fibril_udp **)out = udp;
  return fibril_undefined();
}

static void await_and_free(fibril_future *future) {
  fibril_await(future);
  fibril_future_unref(future);
}

/* ---- There and back ---- */

static fibril_value echo(void *arg) {
  fibril_udp *udp = arg;
  char data[70000];
  struct sockaddr_storage from;
  int64_t count;
  while ((count = fibril_udp_receive(udp, data, sizeof data, &from)) >= 0)
    CHECK_INT(fibril_udp_send(udp, data, (size_t)count, (struct sockaddr *)&from), 0);
  return fibril_error((int)count, NULL);
}

static void check_echo(const char *listens, const char *sends, const char *target) {
  static char sent[65507], back[sizeof sent + 1];
  fibril_udp *server = open_with(listens, NULL), *client = open_with(sends, NULL);
  struct sockaddr_storage to = address_of(server, target), from;
  fibril_spawn_options options = {sizeof options, "echo", 256 * 1024};
  fibril_future *echoes = fibril_spawn(echo, server, &options);
  static const size_t lengths[] = {1, 0, 1400, sizeof sent};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    memset(sent, 'a' + (int)i, lengths[i]);
    CHECK_INT(fibril_udp_send(client, sent, lengths[i], (struct sockaddr *)&to), 0);
    CHECK_INT(fibril_udp_receive(client, back, sizeof back, &from), lengths[i]);
    CHECK_INT(memcmp(sent, back, lengths[i]), 0);
    CHECK_INT(fibril__address_port((struct sockaddr *)&from), fibril_udp_port(server));
  }
  fibril_udp_close(server);
  CHECK_INT(fibril_error_code(fibril_await(echoes)), UV_ECANCELED);
  fibril_future_unref(echoes);
  fibril_udp_close(client);
}

static fibril_value echo_everywhere(void *arg) {
  (void)arg;
  check_echo("127.0.0.1", "127.0.0.1", "127.0.0.1");
  check_echo("127.0.0.1", "0.0.0.0", "127.0.0.1");
  check_echo(NULL, "127.0.0.1", "127.0.0.1");
  if (access("/proc/net/if_inet6", R_OK) != 0) return fibril_undefined();
  check_echo("::1", "::1", "::1");
  check_echo(NULL, "::1", "::1");
  check_echo("127.0.0.1", NULL, "127.0.0.1"); /* one for IPv6 sends to IPv4, too */
  check_echo("127.0.0.1", NULL, "::ffff:127.0.0.1");
  return fibril_undefined();
}

LOOP_TEST(datagrams_go_and_come) {
  run(loop, echo_everywhere, NULL);
}

static fibril_value cut_short(void *arg) {
  fibril_udp *udp = open_with("127.0.0.1", NULL);
  struct sockaddr_storage to = address_of(udp, "127.0.0.1"), from;
  char text[5] = "";
  (void)arg;
  memset(&from, 0, sizeof from);
  CHECK_INT(send_text(udp, "too long", &to), 0);
  CHECK_INT(send_text(udp, "next", &to), 0);
  CHECK_INT(send_text(udp, "any", &to), 0);
  CHECK_INT(fibril_udp_receive(udp, text, 4, &from), UV_EMSGSIZE);
  CHECK_STR(text, "too ");
  CHECK_INT(fibril__address_port((struct sockaddr *)&from), fibril_udp_port(udp));
  CHECK_INT(fibril_udp_receive(udp, text, 4, NULL), 4);
  CHECK_STR(text, "next");
  CHECK_INT(fibril_udp_receive(udp, text, 0, NULL), UV_EMSGSIZE);
  return fibril_undefined();
}

LOOP_TEST(a_datagram_that_is_cut_is_told) {
  run(loop, cut_short, NULL);
}

/* ---- Cancelled, late, closed, busy ---- */

typedef struct {
  fibril_udp *udp;
  double within;
  int64_t result;
  char text[16];
} reception;

static fibril_value receive(void *arg) {
  reception *r = arg;
  if (r->within > 0) fibril_deadline_push(r->within);
  r->result = fibril_udp_receive(r->udp, r->text, sizeof r->text, NULL);
  if (r->within > 0) fibril_deadline_pop();
  return fibril_undefined();
}

static void check_report(const fibril_inspection *about, void *seen) {
  if (about->waits_for == NULL || strcmp(about->waits_for, "udp receive") != 0) return;
  CHECK(about->fd >= 0);
  CHECK(about->address != NULL && strncmp(about->address, "127.0.0.1:", 10) == 0);
  *(bool *)seen = true;
}

static fibril_value leave(void *arg) {
  fibril_udp *udp = open_with("127.0.0.1", NULL);
  struct sockaddr_storage to = address_of(udp, "127.0.0.1");
  reception cancelled = {.udp = udp}, late = {.udp = udp, .within = 5}, served = {.udp = udp};
  (void)arg;
  fibril_future *future = fibril_spawn(receive, &cancelled, NULL);
  fibril_moment();
  CHECK_INT(receive_within(udp, 10000), UV_EBUSY);
  bool seen = false;
  fibril_loop_inspect(fibril_loop_current(), check_report, &seen);
  CHECK(seen);
  fibril_cancel(future);
  await_and_free(future);
  CHECK_INT(cancelled.result, UV_ECANCELED);
  await_and_free(fibril_spawn(receive, &late, NULL));
  CHECK_INT(late.result, UV_ETIMEDOUT);
  future = fibril_spawn(receive, &served, NULL);
  fibril_moment();
  CHECK_INT(send_text(udp, "hello", &to), 0);
  await_and_free(future);
  CHECK_INT(served.result, 5);
  CHECK_STR(served.text, "hello");
  return fibril_undefined();
}

LOOP_TEST(who_leaves_has_received_nothing) {
  run(loop, leave, NULL);
}

/* One that goes on in the same turn of the loop as `r`, and before it. */
typedef struct {
  reception first, r;
  fibril_future *future;
  bool closes;
  fibril_udp *next;
} meddling;

static fibril_value meddle(void *arg) {
  meddling *m = arg;
  receive(&m->first);
  CHECK_STR(m->r.text, "");
  CHECK_INT(receive_within(m->r.udp, 10000), UV_EBUSY); /* it is for who waited */
  if (!m->closes) {
    fibril_cancel(m->future);
    return fibril_undefined();
  }
  struct sockaddr_storage to;
  fibril_udp_close(m->r.udp);
  m->next = open_with("127.0.0.1", NULL); /* with its descriptor */
  to = address_of(m->next, "127.0.0.1");
  CHECK_INT(send_text(m->next, "not yours", &to), 0);
  return fibril_undefined();
}

static fibril_value be_meddled_with(void *arg) {
  meddling *m = arg;
  m->first.udp = open_with("127.0.0.1", NULL);
  m->r.udp = open_with("127.0.0.1", NULL);
  struct sockaddr_storage one = address_of(m->first.udp, "127.0.0.1");
  struct sockaddr_storage other = address_of(m->r.udp, "127.0.0.1");
  fibril_future *meddler = fibril_spawn(meddle, m, NULL);
  m->future = fibril_spawn(receive, &m->r, NULL);
  fibril_sleep(1);
  CHECK_INT(send_text(m->first.udp, "go", &one), 0);
  CHECK_INT(send_text(m->first.udp, "hello", &other), 0);
  await_and_free(meddler);
  await_and_free(m->future);
  return fibril_undefined();
}

LOOP_TEST(what_has_come_is_given_to_who_was_cancelled_after_it) {
  meddling m = {.closes = false};
  run(loop, be_meddled_with, &m);
  CHECK_INT(m.r.result, 5);
  CHECK_STR(m.r.text, "hello");
}

LOOP_TEST(who_was_about_to_receive_when_it_was_closed_leaves_others_alone) {
  meddling m = {.closes = true};
  run(loop, be_meddled_with, &m);
  CHECK_INT(m.r.result, UV_ECANCELED);
  CHECK_STR(m.r.text, "");
}

/* ---- Sending that has to wait: the system never makes it on loopback ---- */

typedef struct {
  fibril_udp *udp;
  struct sockaddr_storage to;
  double within;
  int result;
} sending;

static fibril_value send_hello(void *arg) {
  sending *s = arg;
  if (s->within > 0) fibril_deadline_push(s->within);
  s->result = send_text(s->udp, "hello", &s->to);
  if (s->within > 0) fibril_deadline_pop();
  return fibril_undefined();
}

static fibril_value make_room(void *arg) {
  for (int i = 0; i < 3; i++) fibril_sleep(1);
  check_comes(arg, ""); /* nothing but this was sent */
  every_wait_full = 0;
  return fibril_undefined();
}

static fibril_value send_into_full(void *arg) {
  fibril_udp *udp = open_with("127.0.0.1", NULL);
  sending s = {.udp = udp, .to = address_of(udp, "127.0.0.1")}, cancelled = s, late = s, ended = s;
  (void)arg;
  CHECK_INT(send_text(udp, "", &s.to), 0);
  every_wait_full = 1;
  fibril_future *room = fibril_spawn(make_room, udp, NULL);
  send_hello(&s);
  CHECK_INT(s.result, 0);
  CHECK_INT(every_wait_full, 0);
  await_and_free(room);
  check_comes(udp, "hello");
  every_wait_full = 1;
  fibril_future *future = fibril_spawn(send_hello, &cancelled, NULL);
  fibril_moment();
  CHECK_INT(send_text(udp, "me too", &s.to), UV_EBUSY);
  every_wait_full = 0;
  CHECK_INT(send_text(udp, "me first", &s.to), UV_EBUSY);
  every_wait_full = 1;
  fibril_cancel(future);
  await_and_free(future);
  CHECK_INT(cancelled.result, UV_ECANCELED);
  late.within = 5;
  send_hello(&late);
  CHECK_INT(late.result, UV_ETIMEDOUT);
  CHECK_INT(receive_within(udp, 5), UV_ETIMEDOUT);
  future = fibril_spawn(send_hello, &ended, NULL);
  fibril_moment();
  fibril_udp_close(udp);
  await_and_free(future);
  CHECK_INT(ended.result, UV_ECANCELED);
  every_wait_full = 0;
  return fibril_undefined();
}

LOOP_TEST(sending_waits_until_there_is_room) {
  run(loop, send_into_full, NULL);
}

/* ---- Peers ---- */

static fibril_value connect_to_one(void *arg) {
  fibril_udp *a = open_with("127.0.0.1", NULL), *b = open_with("127.0.0.1", NULL);
  fibril_udp *other = open_with("127.0.0.1", NULL);
  struct sockaddr_storage to_a = address_of(a, "127.0.0.1"), to_b = address_of(b, "127.0.0.1");
  struct sockaddr none = {.sa_family = AF_UNIX};
  (void)arg;
  CHECK_INT(fibril_udp_connect(a, NULL), UV_ENOTCONN);
  CHECK_INT(fibril_udp_connect(a, &none), UV_EINVAL);
  CHECK_INT(send_text(a, "nowhere", NULL), UV_EDESTADDRREQ);
  CHECK_INT(fibril_udp_connect(a, (struct sockaddr *)&to_b), 0);
  CHECK_INT(fibril_udp_connect(a, (struct sockaddr *)&to_b), UV_EISCONN);
  CHECK_INT(send_text(a, "to b", NULL), 0);
  CHECK_INT(send_text(a, "to b", &to_b), UV_EISCONN);
  check_comes(b, "to b");
  CHECK_INT(send_text(other, "not heard", &to_a), 0);
  CHECK_INT(send_text(b, "heard", &to_a), 0);
  check_comes(a, "heard");
  CHECK_INT(fibril_udp_connect(a, NULL), 0);
  CHECK_INT(fibril_udp_port(a), fibril__address_port((struct sockaddr *)&to_a));
  CHECK_INT(send_text(other, "heard, too", &to_a), 0);
  check_comes(a, "heard, too");
  CHECK_INT(send_text(a, "back", &to_b), 0);
  check_comes(b, "back");
  return fibril_undefined();
}

LOOP_TEST(a_connected_socket_has_one_peer) {
  run(loop, connect_to_one, NULL);
}

static fibril_value be_refused(void *arg) {
  fibril_udp *gone = open_with("127.0.0.1", NULL), *udp = open_with("127.0.0.1", NULL);
  struct sockaddr_storage nowhere = address_of(gone, "127.0.0.1");
  (void)arg;
  fibril_udp_close(gone);
  CHECK_INT(fibril_udp_connect(udp, (struct sockaddr *)&nowhere), 0);
  reception waiting = {.udp = udp};
  fibril_future *future = fibril_spawn(receive, &waiting, NULL);
  fibril_sleep(1);
  CHECK_INT(send_text(udp, "anybody?", NULL), 0);
  await_and_free(future);
  CHECK_INT(waiting.result, UV_ECONNREFUSED);
  CHECK_INT(send_text(udp, "anybody?", NULL), 0);
  CHECK_INT(receive_within(udp, 1000), UV_ECONNREFUSED);
  CHECK_INT(send_text(udp, "anybody?", NULL), 0);
  CHECK_INT(send_text(udp, "anybody?", NULL), UV_ECONNREFUSED);
  CHECK_INT(receive_within(udp, 5), UV_ETIMEDOUT);
  return fibril_undefined();
}

LOOP_TEST(a_connected_socket_hears_that_its_peer_is_not_there) {
  run(loop, be_refused, NULL);
}

/* ---- Whose it is, and its end ---- */

static fibril_value open_and_end(void *port) {
  fibril_udp *udp = open_with("127.0.0.1", NULL);
  *(int *)port = fibril_udp_port(udp);
  return fibril_undefined();
}

static fibril_value be_owner(void *arg) {
  fibril_udp *udp, *kept;
  char text[4];
  int port = 0;
  (void)arg;
  await_and_free(fibril_spawn(open_and_end, &port, NULL));
  CHECK_INT(fibril_udp_open("127.0.0.1", port, NULL, &udp), 0);
  CHECK_INT(fibril_udp_port(udp), port);
  CHECK_INT(fibril_udp_open("127.0.0.1", port, NULL, &kept), UV_EADDRINUSE);
  CHECK(fibril_udp_ref(udp) == udp);
  fibril_udp_close(udp);
  fibril_udp_close(udp);
  struct sockaddr_storage to;
  fibril__address_parse("127.0.0.1", port, &to);
  CHECK_INT(fibril_udp_receive(udp, text, sizeof text, NULL), UV_EBADF);
  CHECK_INT(fibril_udp_receive(udp, NULL, 0, NULL), UV_EBADF);
  CHECK_INT(send_text(udp, "hello", &to), UV_EBADF);
  CHECK_INT(fibril_udp_connect(udp, (struct sockaddr *)&to), UV_EBADF);
  CHECK_INT(fibril_udp_join(udp, "239.1.1.1", NULL), UV_EBADF);
  CHECK_INT(fibril_udp_leave(udp, "239.1.1.1", NULL), UV_EBADF);
  CHECK_INT(fibril_udp_port(udp), UV_EBADF);
  fibril_udp_unref(udp);
  await_and_free(fibril_spawn(open_and_detach, &kept, NULL));
  CHECK(fibril_udp_port(kept) > 0);
  return fibril_undefined(); /* its loop closes it */
}

LOOP_TEST(a_socket_ends_with_its_coroutine_or_its_loop) {
  run(loop, be_owner, NULL);
}

LOOP_TEST(a_loop_may_end_before_a_socket_that_nobody_waits_for) {
  reception r = {.result = 1};
  run(loop, open_and_detach, &r.udp);
  struct sockaddr_storage to = address_of(r.udp, "127.0.0.1");
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  fibril_future *future = fibril_loop_spawn(loop, receive, &r, NULL);
  fibril_udp_unhold(r.udp);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK_INT(r.result, 1);
  fibril_udp_hold(r.udp);
  CHECK(uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT) != 0);
  sending s = {.udp = r.udp, .to = to};
  fibril_future_unref(fibril_loop_spawn(loop, send_hello, &s, NULL));
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK_INT(r.result, 5);
  fibril_future_unref(future);
}

static fibril_value receive_for_ever(void *arg) {
  char text[4];
  CHECK_INT(fibril_udp_receive(arg, text, sizeof text, NULL), UV_ECANCELED);
  CHECK_INT(fibril_udp_receive(arg, text, sizeof text, NULL), UV_ECANCELED);
  return fibril_undefined();
}

LOOP_TEST(a_loop_that_closes_ends_who_receives) {
  fibril_udp *udp = NULL;
  run(loop, open_and_detach, &udp);
  fibril_future_unref(fibril_loop_spawn(loop, receive_for_ever, udp, NULL));
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
}

/* ---- Turns ---- */

static fibril_value count_moments(void *count) {
  while (fibril_moment() == 0) ++*(int *)count;
  return fibril_undefined();
}

#define DATAGRAMS 1000

static fibril_value be_busy(void *arg) {
  fibril_udp *udp = open_with("127.0.0.1", NULL);
  struct sockaddr_storage to = address_of(udp, "127.0.0.1");
  int turns = 0, before, received = 0;
  (void)arg;
  fibril_future *future = fibril_spawn(count_moments, &turns, NULL);
  for (int i = 0; i < DATAGRAMS; i++) CHECK_INT(send_text(udp, "flood", &to), 0);
  CHECK(turns >= DATAGRAMS / 64 - 1);
  before = turns;
  int last = before;
  for (; receive_within(udp, 200) == 5; last = turns) received++;
  CHECK(received > 0 && received <= DATAGRAMS); /* the system drops what it has no room for */
  CHECK(last - before >= received / 64 - 1);
  CHECK_INT(send_text(udp, "after", &to), 0);
  check_comes(udp, "after");
  fibril_cancel(future);
  await_and_free(future);
  return fibril_undefined();
}

LOOP_TEST(others_have_their_turn_in_a_flood) {
  run(loop, be_busy, NULL);
}

/* ---- Options ---- */

/* The descriptor that the next socket will have. */
static int next_descriptor(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(fd);
  return fd;
}

static int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  CHECK_INT(getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

static const fibril_udp_options many_options = {.size = sizeof many_options,
                                                .reuseaddr = true,
                                                .ipv6only = true,
                                                .broadcast = true,
                                                .ttl = 3,
                                                .multicast_ttl = 4,
                                                .multicast_no_loop = true,
                                                .multicast_interface = "1",
                                                .send_buffer = 10000,
                                                .receive_buffer = 20000};

static void check_options(const char *host, bool ip6) {
  int fd = next_descriptor();
  fibril_udp *udp = open_with(host, &many_options), *twin = NULL;
  CHECK_INT(option_of(fd, SOL_SOCKET, SO_BROADCAST), 1);
  CHECK_INT(option_of(fd, SOL_SOCKET, SO_SNDBUF), 2 * 10000); /* as Linux counts it */
  CHECK_INT(option_of(fd, SOL_SOCKET, SO_RCVBUF), 2 * 20000);
  CHECK_INT(option_of(fd, IPPROTO_IP, IP_TTL), 3);
  CHECK_INT(option_of(fd, IPPROTO_IP, IP_MULTICAST_TTL), 4);
  CHECK_INT(option_of(fd, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
  CHECK_INT(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  CHECK_INT(fibril_udp_open(host, fibril_udp_port(udp), &many_options, &twin), 0);
  if (!ip6) return;
  CHECK_INT(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  CHECK_INT(option_of(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 3);
  CHECK_INT(option_of(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 4);
  CHECK_INT(option_of(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 0);
  CHECK_INT(option_of(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF), 1);
}

/* Bound to all addresses: of one it has that option anyway. */
static void check_ip6only(void) {
  static const fibril_udp_options options = {.size = sizeof options, .ipv6only = true};
  fibril_udp *udp, *ip4;
  int fd = next_descriptor();
  CHECK_INT(fibril_udp_open(NULL, 0, &options, &udp), 0);
  CHECK_INT(option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  CHECK_INT(fibril_udp_open("0.0.0.0", fibril_udp_port(udp), NULL, &ip4), 0);
}

static fibril_value set_options(void *arg) {
  (void)arg;
  check_options("127.0.0.1", false);
  if (access("/proc/net/if_inet6", R_OK) != 0) return fibril_undefined();
  check_options("::1", true);
  check_ip6only();
  return fibril_undefined();
}

LOOP_TEST(options_are_set) {
  run(loop, set_options, NULL);
}

static fibril_value broadcast(void *arg) {
  static const fibril_udp_options allowed = {.size = sizeof allowed, .broadcast = true};
  fibril_udp *udp = open_with("0.0.0.0", NULL), *sends = open_with("127.0.0.1", &allowed);
  struct sockaddr_storage all = address_of(udp, "127.255.255.255");
  (void)arg;
  CHECK_INT(send_text(udp, "to all", &all), UV_EACCES);
  CHECK_INT(send_text(sends, "to all", &all), 0);
  check_comes(udp, "to all");
  return fibril_undefined();
}

LOOP_TEST(broadcasts_want_to_be_allowed) {
  run(loop, broadcast, NULL);
}

/* ---- Groups ---- */

static void check_group(const char *host, const char *group, const char *interface,
                        const char *leaves_by) {
  fibril_udp_options options = {.size = sizeof options, .multicast_interface = leaves_by};
  fibril_udp *hears = open_with(host, NULL), *sends = open_with(host, &options);
  struct sockaddr_storage to = address_of(hears, group);
  CHECK_INT(fibril_udp_leave(hears, group, interface), UV_EADDRNOTAVAIL);
  CHECK_INT(fibril_udp_join(hears, group, interface), 0);
  CHECK_INT(fibril_udp_join(hears, group, interface), UV_EADDRINUSE);
  CHECK_INT(send_text(sends, "to the group", &to), 0);
  check_comes(hears, "to the group");
  CHECK_INT(fibril_udp_leave(hears, group, interface), 0);
  CHECK_INT(send_text(sends, "to nobody", &to), 0);
  CHECK_INT(receive_within(hears, 5), UV_ETIMEDOUT);
  fibril_udp_close(hears);
  fibril_udp_close(sends);
}

/* Loopback carries no groups of IPv6. */
static void check_membership(const char *group, const char *interface, const char *leaves_by) {
  fibril_udp_options options = {.size = sizeof options, .multicast_interface = leaves_by};
  fibril_udp *udp = open_with("::1", &options);
  CHECK_INT(fibril_udp_leave(udp, group, interface), UV_EADDRNOTAVAIL);
  CHECK_INT(fibril_udp_join(udp, group, interface), 0);
  CHECK_INT(fibril_udp_join(udp, group, interface), UV_EADDRINUSE);
  CHECK_INT(fibril_udp_leave(udp, group, interface), 0);
  CHECK_INT(fibril_udp_leave(udp, group, interface), UV_EADDRNOTAVAIL);
}

static fibril_value join_groups(void *arg) {
  (void)arg;
  check_group("0.0.0.0", "239.255.77.1", "127.0.0.1", "127.0.0.1");
  check_group("0.0.0.0", "239.255.77.2", "lo", "lo");
  check_group("0.0.0.0", "239.255.77.3", "1", "1");
  if (access("/proc/net/if_inet6", R_OK) != 0) return fibril_undefined();
  check_membership("ff01::7701", "lo", "lo");
  check_membership("ff01::7702%lo", NULL, "::1%lo");
  check_group(NULL, "239.255.77.4", "lo", "lo");
  return fibril_undefined();
}

LOOP_TEST(groups_are_joined_and_left) {
  run(loop, join_groups, NULL);
}

static fibril_value join_wrongly(void *arg) {
  fibril_udp *udp = open_with(NULL, NULL);
  (void)arg;
  CHECK_INT(fibril_udp_join(udp, NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_udp_join(udp, "localhost", NULL), UV_EINVAL);
  CHECK_INT(fibril_udp_join(udp, "127.0.0.1", "lo"), UV_EINVAL);
  CHECK_INT(fibril_udp_join(udp, "::1", "lo"), UV_EINVAL);
  CHECK_INT(fibril_udp_leave(udp, "127.0.0.1", "lo"), UV_EINVAL);
  CHECK_INT(fibril_udp_join(udp, "239.255.77.1", "no-such-one"), UV_ENODEV);
  CHECK_INT(fibril_udp_join(udp, "239.255.77.1", "::1"), UV_ENODEV);
  CHECK_INT(fibril_udp_join(udp, "ff01::7701", "127.0.0.1"), UV_ENODEV);
  CHECK_INT(fibril_udp_leave(udp, "239.255.77.1", "no-such-one"), UV_ENODEV);
  return fibril_undefined();
}

LOOP_TEST(what_is_no_group_is_refused) {
  run(loop, join_wrongly, NULL);
}

/* ---- Errors ---- */

static int open_error(const char *host, int port, const fibril_udp_options *options) {
  fibril_udp *udp;
  int err = fibril_udp_open(host, port, options, &udp);
  if (err == 0) fibril_udp_close(udp);
  return err;
}

static void check_bad_options(void) {
  static const fibril_udp_options bad[] = {
      {.size = 0},
      {.size = sizeof *bad, .ttl = 256},
      {.size = sizeof *bad, .ttl = -1},
      {.size = sizeof *bad, .multicast_ttl = 256},
      {.size = sizeof *bad, .send_buffer = -1},
      {.size = sizeof *bad, .receive_buffer = -1},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK_INT(open_error("127.0.0.1", 0, &bad[i]), UV_EINVAL);
}

static fibril_value fail(void *arg) {
  static const fibril_udp_options nowhere = {.size = sizeof nowhere, .multicast_interface = "none"};
  static char huge[65508];
  fibril_udp *udp = open_with("localhost", NULL); /* a name is looked up */
  struct sockaddr_storage to = address_of(udp, "127.0.0.1");
  struct sockaddr other = {.sa_family = AF_UNIX};
  char text[8];
  (void)arg;
  CHECK_INT(fibril_udp_open("127.0.0.1", 0, NULL, NULL), UV_EINVAL);
  CHECK_INT(open_error("127.0.0.1", 65536, NULL), UV_EINVAL);
  CHECK_INT(open_error(NULL, -1, NULL), UV_EINVAL);
  check_bad_options();
  CHECK_INT(open_error("198.51.100.77", 0, NULL), UV_EADDRNOTAVAIL);
  CHECK(open_error("error-2.test", 0, NULL) < 0);
  CHECK_INT(open_error("127.0.0.1", 0, &nowhere), UV_ENODEV);
  CHECK_INT(fibril_udp_receive(udp, NULL, 8, NULL), UV_EINVAL);
  CHECK_INT(fibril_udp_send(udp, NULL, 1, (struct sockaddr *)&to), UV_EINVAL);
  CHECK_INT(fibril_udp_send(udp, text, 1, &other), UV_EINVAL);
  udp = open_with("127.0.0.1", NULL);
  CHECK_INT(fibril_udp_send(udp, huge, sizeof huge, (struct sockaddr *)&to), UV_EMSGSIZE);
  return fibril_undefined();
}

LOOP_TEST(errors_of_sockets) {
  char text[8];
  fibril_udp *udp = NULL;
  run(loop, fail, NULL);
  run(loop, open_and_detach, &udp);
  struct sockaddr_storage to = address_of(udp, "127.0.0.1");
  CHECK_INT(fibril_udp_receive(udp, text, sizeof text, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(send_text(udp, "hello", &to), FIBRIL_ENOTCOROUTINE);
  fibril_udp_close(udp);
}

static void open_on_the_loop(void *done) {
  CHECK_INT(open_error("127.0.0.1", 0, NULL), 0);
  CHECK_INT(open_error(NULL, 0, NULL), 0);
  CHECK_INT(open_error("localhost", 0, NULL), FIBRIL_ENOTCOROUTINE); /* it would wait */
  *(bool *)done = true;
}

LOOP_TEST(a_socket_wants_a_loop) {
  bool done = false;
  CHECK_INT(open_error("127.0.0.1", 0, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_loop_add_callback(loop, open_on_the_loop, &done), 0);
  while (!done) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
}

/* Runs while the loop ends, when its handles have been closed. */
static void open_at_the_end(fibril_future *future, void *closed) {
  fibril_future_unref(future);
  fibril_stream *ends[2];
  fibril_listener *listener;
  int fds[2], master = posix_openpt(O_RDWR | O_NOCTTY);
  CHECK_INT(open_error("127.0.0.1", 0, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_pipe_pair(ends), FIBRIL_ECLOSED);
  CHECK_INT(fibril_tcp_listen("127.0.0.1", 0, NULL, &listener), FIBRIL_ECLOSED);
  CHECK_INT(fibril_pipe_listen("\0fibril-late", 12, NULL, &listener), FIBRIL_ECLOSED);
  CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  CHECK_INT(fibril_stream_adopt(fds[0], ends), FIBRIL_ECLOSED);
  close(fds[0]);
  close(fds[1]);
  if (CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)) {
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK_INT(fibril_tty_open(slave, ends), FIBRIL_ECLOSED);
    close(slave);
    close(master);
  }
  *(bool *)closed = true;
}

static void settle(void *future) {
  CHECK_INT(fibril_future_set_result(future, fibril_undefined()), 0);
}

static fibril_value leave_a_stream(void *closed) {
  static const fibril_stream_type type = {.size = sizeof type,
                                          .read = read_nothing,
                                          .write = write_nothing,
                                          .shutdown = shut_nothing,
                                          .close = settle};
  fibril_loop *loop = fibril_loop_current();
  fibril_future *future = fibril_future_new(loop);
  fibril_stream *stream;
  CHECK_INT(fibril_loop_add_future(loop, future, open_at_the_end, closed), 0);
  CHECK_INT(fibril_stream_wrap(&type, future, &stream), 0);
  fibril_stream_detach(stream);
  return fibril_undefined();
}

TEST(a_loop_that_ends_has_no_new_sockets) {
  uv_loop_t uv;
  fibril_loop *own;
  bool closed = false;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  run(own, leave_a_stream, &closed);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(closed);
  CHECK_INT(uv_loop_close(&uv), 0);
}
