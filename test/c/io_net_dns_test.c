/* Names of hosts and of addresses, with the system's resolver replaced: nothing leaves the process.
 */
#include "test.h"

#include "../../src/io/net/idna.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The resolver: hidden, so that what is linked with the tests finds these ---- */

#define HIDDEN __attribute__((visibility("hidden")))

static atomic_int calls, running, most;
static char asked[300]; /* the last name, where only one is asked at a time */
static uv_sem_t go;     /* what is slow waits for it */

static void answer_slowly(void) {
  int now = atomic_fetch_add(&running, 1) + 1, before = atomic_load(&most);
  while (now > before && !atomic_compare_exchange_weak(&most, &before, now)) {}
  uv_sem_wait(&go);
  atomic_fetch_sub(&running, 1);
}

static struct addrinfo *address_at(int i, int family, struct addrinfo *next) {
  struct addrinfo *one = calloc(1, sizeof *one + sizeof(struct sockaddr_in6));
  if (one == NULL) abort();
  one->ai_family = family;
  one->ai_addr = (struct sockaddr *)(one + 1);
  if (family == AF_INET) {
    char text[20];
    snprintf(text, sizeof text, "127.0.0.%d", i);
    uv_ip4_addr(text, 0, (struct sockaddr_in *)one->ai_addr);
  } else {
    uv_ip6_addr("::1", 0, (struct sockaddr_in6 *)one->ai_addr);
  }
  one->ai_next = next;
  return one;
}

/* Of libuv's own, where that is linked statically: an address, or nothing. */
static int answer_literally(const char *host, struct addrinfo **out) {
  struct sockaddr_storage address;
  if (fibril__address_parse(host, 0, &address) != 0) return EAI_NONAME;
  *out = address_at(1, address.ss_family, NULL);
  memcpy((*out)->ai_addr, &address, fibril__address_size((struct sockaddr *)&address));
  return 0;
}

/* "error-11.test" fails with that error; "slow..." waits; what is left has ::1 and 127.0.0.1. */
HIDDEN int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out) {
  atomic_fetch_add(&calls, 1);
  int error = 0;
  if ((hints->ai_flags & AI_NUMERICHOST) != 0) return answer_literally(host, out);
  if (service != NULL || hints->ai_socktype != SOCK_STREAM || hints->ai_flags != 0) abort();
  if (strncmp(host, "slow", 4) == 0)
    answer_slowly();
  else
    snprintf(asked, sizeof asked, "%s", host);
  if (sscanf(host, "error%d", &error) == 1) {
    errno = ENFILE;
    return error;
  }
  *out = hints->ai_family == AF_INET6 ? NULL : address_at(1, AF_INET, NULL);
  if (hints->ai_family != AF_INET) *out = address_at(0, AF_INET6, *out);
  return 0;
}

HIDDEN void freeaddrinfo(struct addrinfo *one) {
  while (one != NULL) {
    struct addrinfo *next = one->ai_next;
    free(one);
    one = next;
  }
}

/* 127.0.0.1 is "localhost.test", 127.0.0.2 slow, 127.0.0.3 an error. */
HIDDEN int getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t room,
                       char *service, socklen_t service_room, int flags) {
  atomic_fetch_add(&calls, 1);
  if (service != NULL || service_room != 0 || flags != 0 || size > sizeof(struct sockaddr_in6))
    abort();
  const struct sockaddr_in *ip4 = (const struct sockaddr_in *)address;
  uint32_t last = address->sa_family == AF_INET ? ntohl(ip4->sin_addr.s_addr) & 0xff : 1;
  if (last == 2) answer_slowly();
  if (last == 3) return EAI_AGAIN;
  snprintf(host, room, "localhost.test");
  return 0;
}

static void begin_test(void) {
  calls = running = most = 0;
  uv_sem_init(&go, 0);
}

static void end_test(void) {
  uv_sem_destroy(&go);
}

static void let_go(int count) {
  while (count-- > 0) uv_sem_post(&go);
}

/* What a thread does is seen by looking, and the coroutines of the loop go on. */
static void wait_until(const atomic_int *value, int wanted) {
  while (atomic_load(value) < wanted && fibril_sleep(1) == 0) {}
}

/* ---- Lookups ---- */

typedef struct {
  const char *host;
  int port, family;
  int result;
  int count;
  char first[FIBRIL__ADDRESS_LENGTH], last[FIBRIL__ADDRESS_LENGTH];
} question;

static void note(const struct sockaddr *address, void *arg) {
  question *q = arg;
  fibril__address_format(address, q->last);
  if (q->count++ == 0) memcpy(q->first, q->last, sizeof q->first);
}

static fibril_value ask(void *arg) {
  question *q = arg;
  q->result = fibril_dns_lookup(q->host, q->port, q->family, note, q);
  return fibril_undefined();
}

static void check_answer(question q, const char *first, const char *last) {
  ask(&q);
  CHECK_INT(q.result, q.count);
  CHECK_STR(q.first, first);
  CHECK_STR(q.last, last);
}

static fibril_value ask_for_addresses(void *arg) {
  (void)arg;
  check_answer((question){.host = "127.0.0.1", .port = 80}, "127.0.0.1:80", "127.0.0.1:80");
  check_answer((question){.host = "::1", .port = 80}, "[::1]:80", "[::1]:80");
  check_answer((question){.host = "::ffff:127.0.0.1", .family = AF_INET6}, "[::ffff:127.0.0.1]:0",
               "[::ffff:127.0.0.1]:0");
  question other = {.host = "::1", .family = AF_INET};
  ask(&other);
  CHECK_INT(other.result, UV_EAI_ADDRFAMILY);
  CHECK_INT(calls, 0);
  return fibril_undefined();
}

LOOP_TEST(an_address_is_not_looked_up) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_for_addresses, NULL, 0, NULL), 0);
  end_test();
}

static fibril_value ask_for_names(void *arg) {
  (void)arg;
  check_answer((question){.host = "two.test", .port = 80}, "[::1]:80", "127.0.0.1:80");
  check_answer((question){.host = "two.test", .port = 65535, .family = AF_INET}, "127.0.0.1:65535",
               "127.0.0.1:65535");
  check_answer((question){.host = "two.test", .family = AF_INET6}, "[::1]:0", "[::1]:0");
  CHECK_INT(calls, 3);
  return fibril_undefined();
}

LOOP_TEST(a_name_has_addresses_in_the_order_of_the_system) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_for_names, NULL, 0, NULL), 0);
  end_test();
}

/* ---- Errors ---- */

static int lookup_error(const char *host, int port, int family) {
  question q = {.host = host, .port = port, .family = family};
  ask(&q);
  return q.result;
}

static fibril_value ask_wrongly(void *arg) {
  char host[300];
  (void)arg;
  CHECK_INT(lookup_error(NULL, 80, 0), UV_EINVAL);
  CHECK_INT(lookup_error("", 80, 0), UV_EINVAL);
  CHECK_INT(lookup_error("two.test", -1, 0), UV_EINVAL);
  CHECK_INT(lookup_error("two.test", 65536, 0), UV_EINVAL);
  CHECK_INT(lookup_error("127.0.0.1", 65536, 0), UV_EINVAL);
  CHECK_INT(lookup_error("two.test", 80, AF_UNIX), UV_EINVAL);
  CHECK_INT(lookup_error("\xff.test", 80, 0), UV_EINVAL);
  CHECK_INT(fibril_dns_lookup("two.test", 80, 0, NULL, NULL), UV_EINVAL);
  memset(host, 'a', sizeof host);
  host[256] = '\0';
  CHECK_INT(lookup_error(host, 80, 0), UV_ENAMETOOLONG);
  CHECK_INT(calls, 0);
  host[255] = '\0';
  CHECK_INT(lookup_error(host, 80, 0), 2);
  return fibril_undefined();
}

LOOP_TEST(what_can_be_no_name_is_refused) {
  question outside = {.host = "two.test"};
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_wrongly, NULL, 0, NULL), 0);
  ask(&outside);
  CHECK_INT(outside.result, FIBRIL_ENOTCOROUTINE);
  outside.host = "127.0.0.1";
  ask(&outside);
  CHECK_INT(outside.result, FIBRIL_ENOTCOROUTINE);
  end_test();
}

static fibril_value ask_for_errors(void *arg) {
  static const struct {
    int error, code;
  } errors[] = {{EAI_NONAME, UV_EAI_NONAME},
                {EAI_AGAIN, UV_EAI_AGAIN},
                {EAI_FAIL, UV_EAI_FAIL},
                {EAI_FAMILY, UV_EAI_FAMILY},
                {EAI_MEMORY, UV_EAI_MEMORY},
                {EAI_SERVICE, UV_EAI_SERVICE},
                {EAI_SOCKTYPE, UV_EAI_SOCKTYPE},
                {EAI_BADFLAGS, UV_EAI_BADFLAGS},
                {EAI_OVERFLOW, UV_EAI_OVERFLOW},
                {EAI_SYSTEM, UV_ENFILE},
                {-9999, UV_EAI_FAIL}};
  char host[32];
  (void)arg;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    snprintf(host, sizeof host, "error%d.test", errors[i].error);
    CHECK_INT(lookup_error(host, 80, 0), errors[i].code);
  }
  return fibril_undefined();
}

LOOP_TEST(errors_of_the_resolver_have_the_codes_of_libuv) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_for_errors, NULL, 0, NULL), 0);
  end_test();
}

/* ---- Sharing ---- */

#define MANY 1000

static fibril_value ask_many(void *arg) {
  question *questions = arg;
  static fibril_future *futures[MANY];
  for (int i = 0; i < MANY; i++) {
    questions[i] = (question){.host = "slow.test", .port = i};
    futures[i] = fibril_spawn(ask, &questions[i], NULL);
  }
  wait_until(&running, 1);
  let_go(1);
  for (int i = 0; i < MANY; i++) {
    fibril_await(futures[i]);
    fibril_future_unref(futures[i]);
  }
  return fibril_undefined();
}

LOOP_TEST(a_thousand_who_ask_for_one_name_share_a_lookup) {
  static question questions[MANY];
  char last[64];
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_many, questions, 0, NULL), 0);
  CHECK_INT(calls, 1);
  for (int i = 0; i < MANY; i++) {
    snprintf(last, sizeof last, "127.0.0.1:%d", i);
    if (questions[i].result != 2 || strcmp(questions[i].last, last) != 0)
      FAIL("%d: %d, %s", i, questions[i].result, questions[i].last);
  }
  end_test();
}

static fibril_value ask_differently(void *arg) {
  question questions[] = {{.host = "slow.test", .family = AF_INET},
                          {.host = "slow.test", .family = AF_INET6}};
  fibril_future *futures[2];
  (void)arg;
  for (int i = 0; i < 2; i++) futures[i] = fibril_spawn(ask, &questions[i], NULL);
  wait_until(&running, 2);
  let_go(2);
  for (int i = 0; i < 2; i++) {
    fibril_await(futures[i]);
    fibril_future_unref(futures[i]);
    CHECK_INT(questions[i].result, 1);
  }
  CHECK_STR(questions[0].first, "127.0.0.1:0");
  CHECK_STR(questions[1].first, "[::1]:0");
  CHECK_INT(calls, 2);
  return fibril_undefined();
}

LOOP_TEST(who_asks_for_another_family_does_not_share) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_differently, NULL, 0, NULL), 0);
  end_test();
}

/* ---- Leaving ---- */

static fibril_value ask_in_time(void *arg) {
  fibril_deadline_push(5);
  ask(arg);
  fibril_deadline_pop();
  return fibril_undefined();
}

static void await_and_free(fibril_future *future) {
  fibril_await(future);
  fibril_future_unref(future);
}

static fibril_value leave_others(void *arg) {
  question stays = {.host = "slow.test"}, cancelled = stays, late = stays, last = stays;
  (void)arg;
  fibril_future *leaves = fibril_spawn(ask, &cancelled, NULL);
  fibril_future *too_late = fibril_spawn(ask_in_time, &late, NULL);
  fibril_future *waits = fibril_spawn(ask, &stays, NULL);
  fibril_future *waits_last = fibril_spawn(ask, &last, NULL);
  wait_until(&running, 1);
  fibril_cancel(leaves);
  await_and_free(leaves);
  await_and_free(too_late);
  CHECK_INT(cancelled.result, UV_ECANCELED);
  CHECK_INT(late.result, UV_ETIMEDOUT);
  CHECK_INT(running, 1);
  let_go(1);
  await_and_free(waits);
  await_and_free(waits_last);
  CHECK_INT(stays.result, 2);
  CHECK_INT(last.result, 2);
  CHECK_INT(calls, 1);
  return fibril_undefined();
}

LOOP_TEST(who_leaves_a_lookup_leaves_it_to_the_others) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, leave_others, NULL, 0, NULL), 0);
  end_test();
}

static fibril_value come_back(void *arg) {
  question first = {.host = "slow.test"}, second = first;
  (void)arg;
  fibril_future *leaves = fibril_spawn(ask, &first, NULL);
  wait_until(&running, 1);
  fibril_cancel(leaves);
  await_and_free(leaves);
  fibril_future *joins = fibril_spawn(ask, &second, NULL);
  fibril_moment();
  let_go(1);
  await_and_free(joins);
  CHECK_INT(first.result, UV_ECANCELED);
  CHECK_INT(second.result, 2);
  CHECK_INT(calls, 1);
  return fibril_undefined();
}

LOOP_TEST(who_asks_for_what_others_have_left_waits_for_that) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, come_back, NULL, 0, NULL), 0);
  end_test();
}

/* Deadlines that pass while a lookup begins: each a nanosecond further away from its start. */
static fibril_value ask_too_late(void *arg) {
  (void)arg;
  for (int i = 0; i < 500; i++) {
    double left = i * 1e-6;
    question q = {.host = "late.test"};
    CHECK_INT(fibril_deadline_push(0.02), 0);
    while (fibril_deadline_left() > left) {}
    ask(&q);
    fibril_deadline_pop();
    if (q.result != 2) CHECK_INT(q.result, UV_ETIMEDOUT);
  }
  check_answer((question){.host = "late.test"}, "[::1]:0", "127.0.0.1:0");
  return fibril_undefined();
}

LOOP_TEST(a_lookup_that_is_late_before_it_begins_is_forgotten) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_too_late, NULL, 0, NULL), 0);
  end_test();
}

static void check_report(const fibril_inspection *about, void *seen) {
  if (about->waits_for == NULL) return;
  if (strcmp(about->waits_for, "lookup") == 0) CHECK_STR(about->address, "slow.test");
  if (strcmp(about->waits_for, "name") == 0) CHECK_STR(about->address, "127.0.0.2:80");
  *(int *)seen += about->address != NULL;
}

static fibril_value leave_alone(void *arg) {
  question q = {.host = "slow.test"};
  fibril_future *leaves = fibril_spawn(ask, &q, NULL);
  (void)arg;
  wait_until(&running, 1);
  int seen = 0;
  fibril_loop_inspect(fibril_loop_current(), check_report, &seen);
  CHECK_INT(seen, 1);
  fibril_cancel(leaves);
  await_and_free(leaves);
  CHECK_INT(q.result, UV_ECANCELED);
  return fibril_undefined();
}

static void on_closed(void *closed) {
  CHECK_INT(running, 0);
  *(bool *)closed = true;
}

static void begin_loop(uv_loop_t *uv, fibril_loop **own) {
  begin_test();
  CHECK_INT(uv_loop_init(uv), 0);
  CHECK_INT(fibril_loop_new(uv, own), 0);
}

/* Which does not end before the lookup that runs. */
static void end_loop(uv_loop_t *uv, fibril_loop *own) {
  bool closed = false;
  CHECK_INT(running, 1);
  CHECK_INT(fibril_loop_close(own, on_closed, &closed), 0);
  uv_run(uv, UV_RUN_NOWAIT);
  CHECK(!closed);
  let_go(1);
  uv_run(uv, UV_RUN_DEFAULT);
  CHECK(closed);
  CHECK_INT(uv_loop_close(uv), 0);
  end_test();
}

TEST(a_loop_ends_after_a_lookup_that_all_have_left) {
  uv_loop_t uv;
  fibril_loop *own;
  begin_loop(&uv, &own);
  CHECK_INT(fibril_loop_run_sync(own, leave_alone, NULL, 0, NULL), 0);
  end_loop(&uv, own);
}

TEST(a_loop_that_closes_ends_who_waits_for_a_lookup) {
  uv_loop_t uv;
  fibril_loop *own;
  question q = {.host = "slow.test"};
  begin_loop(&uv, &own);
  fibril_future_unref(fibril_loop_spawn(own, ask, &q, NULL));
  while (atomic_load(&running) < 1) uv_run(&uv, UV_RUN_NOWAIT);
  end_loop(&uv, own);
  CHECK_INT(q.result, UV_ECANCELED);
}

/* ---- The pool ---- */

#define NAMES 6

static void on_worked(uv_work_t *work, int status) {
  (void)status;
  *(bool *)work->data = true;
}

static void work(uv_work_t *work) {
  (void)work;
}

static fibril_value ask_for_six(void *arg) {
  question questions[NAMES];
  char hosts[NAMES][24];
  fibril_future *futures[NAMES];
  bool worked = false;
  uv_work_t of_host = {.data = &worked};
  for (int i = 0; i < NAMES; i++) {
    snprintf(hosts[i], sizeof hosts[i], "slow%d.test", i);
    questions[i] = (question){.host = hosts[i]};
    futures[i] = fibril_spawn(ask, &questions[i], NULL);
  }
  wait_until(&running, *(int *)arg);
  uv_queue_work(fibril_loop_uv(fibril_loop_current()), &of_host, work, on_worked);
  while (!worked && fibril_moment() == 0) {}
  CHECK_INT(calls, *(int *)arg);
  fibril_cancel(futures[NAMES - 1]);
  await_and_free(futures[NAMES - 1]);
  CHECK_INT(questions[NAMES - 1].result, UV_ECANCELED);
  let_go(1);
  wait_until(&calls, *(int *)arg + 1);
  fibril_sleep(1);
  CHECK_INT(calls, *(int *)arg + 1);
  let_go(NAMES - 2);
  for (int i = 0; i < NAMES - 1; i++) {
    await_and_free(futures[i]);
    CHECK_INT(questions[i].result, 2);
  }
  CHECK_INT(calls, NAMES - 1);
  return fibril_undefined();
}

LOOP_TEST(lookups_take_half_of_the_pool_and_those_in_the_queue_are_taken_back) {
  const char *threads = getenv("UV_THREADPOOL_SIZE");
  int half = threads == NULL ? 2 : atoi(threads) / 2;
  begin_test();
  if (CHECK(true) && half >= 1 && half < NAMES) {
    CHECK_INT(fibril_loop_run_sync(loop, ask_for_six, &half, 0, NULL), 0);
    CHECK_INT(most, half);
  }
  end_test();
}

/* ---- What is done with addresses ---- */

typedef struct {
  int seen, cancelled;
} idle_visit;

static void dawdle(const struct sockaddr *address, void *arg) {
  idle_visit *visit = arg;
  char text[FIBRIL__ADDRESS_LENGTH];
  for (int i = 0; i < 5; i++)
    if (fibril_moment() != 0) visit->cancelled++;
  fibril__address_format(address, text);
  CHECK_STR(text, visit->seen++ == 0 ? "[::1]:7" : "127.0.0.1:7");
}

static fibril_value ask_and_dawdle(void *arg) {
  CHECK_INT(fibril_dns_lookup("slow.test", 7, 0, dawdle, arg), 2);
  return fibril_undefined();
}

static fibril_value dawdle_all(void *arg) {
  idle_visit visits[3] = {{0, 0}};
  fibril_future *futures[3];
  (void)arg;
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(ask_and_dawdle, &visits[i], NULL);
  wait_until(&running, 1);
  let_go(1);
  while (visits[1].seen == 0) fibril_moment();
  fibril_cancel(futures[1]);
  for (int i = 0; i < 3; i++) {
    await_and_free(futures[i]);
    CHECK_INT(visits[i].seen, 2);
    CHECK(visits[i].cancelled == 0 || i == 1);
  }
  CHECK(visits[1].cancelled > 0);
  return fibril_undefined();
}

LOOP_TEST(who_hears_of_addresses_may_wait_and_be_cancelled) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, dawdle_all, NULL, 0, NULL), 0);
  end_test();
}

/* ---- Other alphabets ---- */

static void check_asked(const char *host, const char *expected) {
  CHECK_INT(lookup_error(host, 80, 0), 2);
  CHECK_STR(asked, expected);
}

static fibril_value ask_in_other_alphabets(void *arg) {
  (void)arg;
  check_asked("b\xc3\xbc"
              "cher.example",
              "xn--bcher-kva.example");
  check_asked("\xe2\x98\x83.net.", "xn--n3h.net.");
  check_asked("a.\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
              "a.xn--r8jz45g.xn--zckzah");
  check_asked("\xf0\x9f\x92\xa9.la", "xn--ls8h.la");
  check_asked("Plain.Name", "Plain.Name");
  return fibril_undefined();
}

LOOP_TEST(names_in_other_alphabets_are_asked_for_as_the_name_service_has_them) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_in_other_alphabets, NULL, 0, NULL), 0);
  end_test();
}

static int ascii_error(const char *host) {
  char out[FIBRIL__HOST_LENGTH + 1];
  return fibril__host_to_ascii(host, out);
}

TEST(what_is_not_utf8_is_no_name) {
  static const char *const texts[] = {"\x80",
                                      "\xc3",
                                      "\xc3(",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xf0\x80\x80\x80",
                                      "a\xe2\x98",
                                      "\xff"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (!CHECK_INT(ascii_error(texts[i]), UV_EINVAL)) FAIL("%zu", i);
}

TEST(a_name_that_grows_too_long_is_told) {
  char host[256] = "";
  for (int i = 0; i < 70; i++) strcat(host, i % 2 == 0 ? "\xc3\xbc" : "x");
  CHECK_INT(ascii_error(host), UV_ENAMETOOLONG); /* a label */
  *host = '\0';
  for (int i = 0; i < 60; i++) strcat(host, "\xc3\xbc.");
  CHECK_INT(ascii_error(host), UV_ENAMETOOLONG);
  memset(host, 'a', 255);
  CHECK_INT(ascii_error(host), 0);
}

/* ---- Names of addresses ---- */

static int name_of(const char *address, char *host, size_t length) {
  struct sockaddr_storage storage;
  CHECK_INT(fibril__address_parse(address, 80, &storage), 0);
  return fibril_dns_name((struct sockaddr *)&storage, host, length);
}

static fibril_value ask_for_names_of_addresses(void *arg) {
  char host[64] = "";
  struct sockaddr other = {.sa_family = AF_UNIX};
  struct sockaddr_in some = {.sin_family = AF_INET};
  (void)arg;
  CHECK_INT(name_of("127.0.0.1", host, sizeof host), 0);
  CHECK_STR(host, "localhost.test");
  CHECK_INT(name_of("::1", host, 15), 0);
  CHECK_INT(name_of("127.0.0.1", host, 14), UV_ENOBUFS);
  CHECK_INT(name_of("127.0.0.1", host, 0), UV_ENOBUFS);
  CHECK_INT(name_of("127.0.0.3", host, sizeof host), UV_EAI_AGAIN);
  CHECK_INT(calls, 5);
  CHECK_INT(fibril_dns_name(NULL, host, sizeof host), UV_EINVAL);
  CHECK_INT(fibril_dns_name((struct sockaddr *)&some, NULL, 1), UV_EINVAL);
  CHECK_INT(fibril_dns_name(&other, host, sizeof host), UV_EINVAL);
  CHECK_INT(calls, 5);
  return fibril_undefined();
}

LOOP_TEST(an_address_has_a_name) {
  char host[64];
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, ask_for_names_of_addresses, NULL, 0, NULL), 0);
  CHECK_INT(name_of("127.0.0.1", host, sizeof host), FIBRIL_ENOTCOROUTINE);
  end_test();
}

static fibril_value ask_slowly(void *result) {
  char host[64];
  *(int *)result = name_of("127.0.0.2", host, sizeof host);
  return fibril_undefined();
}

static fibril_value ask_slowly_in_time(void *result) {
  fibril_deadline_push(5);
  ask_slowly(result);
  fibril_deadline_pop();
  return fibril_undefined();
}

static fibril_value leave_names(void *arg) {
  int cancelled = 0, late = 0;
  (void)arg;
  fibril_future *too_late = fibril_spawn(ask_slowly_in_time, &late, NULL);
  fibril_future *leaves = fibril_spawn(ask_slowly, &cancelled, NULL);
  await_and_free(too_late);
  int seen = 0;
  fibril_loop_inspect(fibril_loop_current(), check_report, &seen);
  CHECK_INT(seen, 1);
  fibril_cancel(leaves);
  await_and_free(leaves);
  CHECK_INT(cancelled, UV_ECANCELED);
  CHECK_INT(late, UV_ETIMEDOUT);
  let_go(2);
  return fibril_undefined();
}

LOOP_TEST(who_asks_for_a_name_may_leave) {
  begin_test();
  CHECK_INT(fibril_loop_run_sync(loop, leave_names, NULL, 0, NULL), 0);
  while (uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT) != 0 && running > 0) {}
  end_test();
}
