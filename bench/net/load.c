/* The load of bench/net.js: connections that send a message and wait for its echo, again and again.
 *
 *     load PORT CONNECTIONS SIZE [BUSY]
 *
 * Prints "ready" when all are connected and each has had an answer. Then for each line that comes
 * it prints how many answers there were, and how many seconds that took:
 *
 *  - "go MS": the first BUSY connections are used for so long,
 *  - "short MS": new connections, CONNECTIONS of them at a time, closed after one answer,
 *  - "all": one message on each connection. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 512
#define CONNECTED_AT_ONCE 100
/* Closed connections keep their ports for a while, for each of so many addresses. */
#define SOURCES 16

typedef struct {
  int fd;
  size_t unsent, awaited;
  bool full; /* what is unsent waits until the system takes more */
} connection;

static struct {
  int port, count, busy, epoll;
  size_t size;
  char *message, *answer;
  connection *connections;
  /* Of what runs now. */
  bool anew;    /* a new connection for each message */
  double until; /* 0: one message each */
  int waiting;
  uint64_t answers, opened;
} state;

static void require(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void watch(connection *one, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = one};
  require(epoll_ctl(state.epoll, operation, one->fd, &event) == 0, "epoll_ctl");
}

static void connect_it(connection *one) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  int on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(state.opened++ % SOURCES));
  one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(one->fd >= 0, "socket");
  setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  require(bind(one->fd, (struct sockaddr *)&address, sizeof address) == 0, "bind");
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)state.port);
  require(connect(one->fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
  fcntl(one->fd, F_SETFL, O_NONBLOCK);
  setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(one, EPOLL_CTL_ADD, EPOLLIN);
}

static void send_more(connection *one) {
  ssize_t sent = send(one->fd, state.message + state.size - one->unsent, one->unsent, MSG_NOSIGNAL);
  require(sent > 0 || errno == EAGAIN, "send");
  if (sent > 0) one->unsent -= (size_t)sent;
  if (one->full == (one->unsent > 0)) return;
  one->full = !one->full;
  watch(one, EPOLL_CTL_MOD, one->full ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void ask(connection *one) {
  one->unsent = one->awaited = state.size;
  state.waiting++;
  send_more(one);
}

static void ask_anew(connection *one) {
  close(one->fd);
  connect_it(one);
  ask(one);
}

static void hear(connection *one) {
  ssize_t count = recv(one->fd, state.answer, one->awaited, 0);
  if (count < 0 && errno == EAGAIN) return;
  require(count > 0, "a connection was lost");
  one->awaited -= (size_t)count;
  if (one->awaited > 0) return;
  state.answers++;
  state.waiting--;
  if (state.until == 0 || now() >= state.until) return;
  (state.anew ? ask_anew : ask)(one);
}

static void go_on(void) {
  struct epoll_event events[EVENTS_AT_ONCE];
  while (state.waiting > 0) {
    int count = epoll_wait(state.epoll, events, EVENTS_AT_ONCE, 30000);
    require(count > 0 || errno == EINTR, "no answer for half a minute");
    for (int i = 0; i < count; i++) {
      connection *one = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) send_more(one);
      if (events[i].events & ~(uint32_t)EPOLLOUT) hear(one);
    }
  }
}

/* Messages on so many connections, for so many seconds; 0: one each. */
static void run(connection *first, int count, double seconds) {
  double begin = now();
  state.answers = 0;
  state.until = seconds > 0 ? begin + seconds : 0;
  for (int i = 0; i < count; i++) (state.anew ? ask_anew : ask)(first + i);
  go_on();
  printf("%llu %.9f\n", (unsigned long long)state.answers, now() - begin);
  fflush(stdout);
}

static void connect_all(void) {
  for (int i = 0; i < state.count; i++) {
    connect_it(state.connections + i);
    ask(state.connections + i);
    if ((i + 1) % CONNECTED_AT_ONCE == 0) go_on();
  }
  go_on();
  printf("ready\n");
  fflush(stdout);
}

static void obey(const char *line) {
  double ms;
  if (sscanf(line, "go %lf", &ms) == 1) {
    run(state.connections, state.busy, ms / 1e3);
  } else if (sscanf(line, "short %lf", &ms) == 1) {
    state.anew = true;
    run(state.connections, state.count, ms / 1e3);
  } else {
    run(state.connections, state.count, 0);
  }
}

static void raise_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
  char line[64];
  require(argc >= 4, "usage: load PORT CONNECTIONS SIZE [BUSY]");
  raise_limit();
  state.port = atoi(argv[1]);
  state.count = atoi(argv[2]);
  state.size = (size_t)atoi(argv[3]);
  state.busy = argc > 4 ? atoi(argv[4]) : state.count;
  state.message = calloc(1, state.size);
  state.answer = malloc(state.size);
  state.connections = calloc((size_t)state.count, sizeof *state.connections);
  state.epoll = epoll_create1(EPOLL_CLOEXEC);
  require(state.message != NULL && state.answer != NULL && state.connections != NULL, "memory");
  connect_all();
  while (fgets(line, sizeof line, stdin) != NULL) obey(line);
  return 0;
}
