/* src/io, with failing calls. */
#include "inject.h"
#include "scenario.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- The thread pool ---- */

static void do_work(void *arg) {
  *(int *)arg += 1;
}

static fibril_value work_with(void *arg) {
  OK(fibril_work_with(do_work, arg, NULL));
  return fibril_undefined();
}

SCENARIO(work_with_options) {
  int count = 0;
  scenario_run(loop, work_with, &count);
}

static fibril_value work(void *arg) {
  int err = fibril_work(do_work, arg);
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

/* More than pass the gate at once. */
static fibril_value work_at_once(void *arg) {
  enum { JOBS = 5 };
  fibril_future *futures[JOBS];
  int counts[JOBS] = {0};
  (void)arg;
  for (int i = 0; i < JOBS; i++) futures[i] = fibril_spawn(work, &counts[i], NULL);
  for (int i = 0; i < JOBS; i++) {
    bool worked = OK_VALUE(fibril_await(futures[i]));
    MUST(counts[i] == worked);
    fibril_future_unref(futures[i]);
  }
  return fibril_undefined();
}

SCENARIO(jobs_of_the_pool) {
  scenario_run(loop, work_at_once, NULL);
}

/* Once there has been one, each job is a call of libuv's and no more. */
static fibril_value work_again(void *arg) {
  enum { JOBS = 10 };
  int count = 0;
  (void)arg;
  bool worked = OK(fibril_work(do_work, &count));
  unsigned before = failure_current->calls;
  for (int i = 0; i < JOBS; i++) worked &= OK(fibril_work(do_work, &count));
  if (worked && failure_current->first == 0) MUST(failure_current->calls - before == JOBS);
  return fibril_undefined();
}

SCENARIO(jobs_need_no_memory) {
  scenario_run(loop, work_again, NULL);
}

static fibril_value cancelled_jobs(void *arg) {
  enum { JOBS = 4 };
  fibril_future *futures[JOBS];
  int counts[JOBS] = {0};
  (void)arg;
  for (int i = 0; i < JOBS; i++) futures[i] = fibril_spawn(work, &counts[i], NULL);
  for (int i = 0; i < JOBS; i++) fibril_cancel(futures[i]);
  for (int i = 0; i < JOBS; i++) {
    fibril_value value = fibril_await(futures[i]);
    if (fibril_error_code(value) != UV_ECANCELED) OK_VALUE(value);
    fibril_future_unref(futures[i]);
  }
  return fibril_undefined();
}

SCENARIO(cancelled_jobs_of_the_pool) {
  scenario_run(loop, cancelled_jobs, NULL);
}

/* ---- Files ---- */

static void count_entry(const char *name, uv_dirent_type_t type, void *arg) {
  (void)type;
  if (strcmp(name, "file") == 0) *(int *)arg += 1;
}

static void use_file(const char *path) {
  char text[8], real[64];
  size_t size = sizeof real;
  uv_stat_t stat;
  int fd = fibril_fs_open(path, O_RDWR | O_CREAT, 0600);
  if (!OK(fd)) return;
  if (OK(fibril_fs_write(fd, "text", 4, 0)) && OK(fibril_fs_read(fd, text, sizeof text, 0)))
    MUST(memcmp(text, "text", 4) == 0);
  OK(fibril_fs_fstat(fd, &stat));
  OK(fibril_fs_close(fd));
  MUST(fcntl(fd, F_GETFD) == -1);
  OK(fibril_fs_stat(path, &stat));
  OK(fibril_fs_lstat(path, &stat));
  if (OK(fibril_fs_realpath(path, real, &size))) MUST(size == strlen(real) && size < sizeof real);
}

static fibril_value files(void *arg) {
  char path[64];
  int entries = 0;
  snprintf(path, sizeof path, "%s/file", (const char *)arg);
  use_file(path);
  if (OK(fibril_fs_readdir(arg, count_entry, &entries))) MUST(entries == (access(path, F_OK) == 0));
  return fibril_undefined();
}

SCENARIO(files) {
  char folder[] = "/tmp/fibril-failure-XXXXXX", path[64];
  if (mkdtemp(folder) == NULL) {
    scenario_fail("no folder in /tmp");
    return;
  }
  scenario_run(loop, files, folder);
  snprintf(path, sizeof path, "%s/file", folder);
  unlink(path);
  rmdir(folder);
}

/* Closing acts whatever happens. */
static fibril_value close_when_cancelled(void *arg) {
  int fd = *(int *)arg;
  MUST(fibril_suspend() == UV_ECANCELED);
  OK(fibril_fs_close(fd));
  MUST(fcntl(fd, F_GETFD) == -1);
  return fibril_undefined();
}

static bool has_ended(void *arg) {
  return fibril_loop_coroutines(arg) == 0;
}

SCENARIO(closing_when_cancelled) {
  int fd = open("/dev/null", O_RDONLY);
  fibril_future *future = fibril_loop_spawn(loop, close_when_cancelled, &fd, NULL);
  if (OK_VALUE(fibril_future_done(future) ? fibril_future_result(future) : fibril_undefined()))
    MUST(fibril_cancel(future) == 0);
  else
    close(fd);
  scenario_until(loop, has_ended, loop);
  fibril_future_result(future);
  fibril_future_unref(future);
}

/* ---- Descriptors ---- */

static fibril_value poll_both(void *arg) {
  const int *ends = arg;
  if (OK(fibril_poll_fd(ends[1], UV_WRITABLE, -1))) MUST(write(ends[1], "x", 1) == 1);
  OK(fibril_poll_fd(ends[1], UV_WRITABLE, 1e9));
  int events = fibril_poll_fd(ends[0], UV_DISCONNECT, 1);
  if (events != UV_ETIMEDOUT) OK(events);
  return fibril_undefined();
}

SCENARIO(polling) {
  int ends[2];
  MUST(pipe(ends) == 0);
  scenario_run(loop, poll_both, ends);
  close(ends[0]);
  close(ends[1]);
}

/* ---- Handles ---- */

/* What the system refuses to go on watching has gone, for a poll. */
static bool is_ready(fibril_poll *poll, int events) {
  int ready = fibril_poll_wait(poll, events);
  return ready != UV_EBADF && OK(ready);
}

static fibril_value keep_polling(void *arg) {
  const int *ends = arg;
  fibril_poll *reader, *writer;
  if (!OK(fibril_poll_open(ends[1], &writer))) return fibril_undefined();
  MUST(write(ends[1], "x", 1) == 1);
  if (OK(fibril_poll_open(ends[0], &reader))) {
    if (is_ready(writer, UV_WRITABLE)) is_ready(reader, UV_READABLE);
    fibril_poll_close(reader);
  }
  is_ready(writer, UV_WRITABLE);
  fibril_poll_detach(writer);
  return fibril_undefined();
}

SCENARIO(kept_polls) {
  int ends[2];
  MUST(pipe(ends) == 0);
  scenario_run(loop, keep_polling, ends);
  close(ends[0]);
  close(ends[1]);
}

/* What was there before comes back whatever has failed. */
static fibril_value wait_for_signals(void *arg) {
  static const int numbers[] = {SIGUSR2, SIGWINCH};
  fibril_signal *signal;
  (void)arg;
  if (!OK(fibril_signal_open(numbers, 2, &signal))) return fibril_undefined();
  raise(SIGUSR2);
  OK(fibril_signal_wait(signal));
  raise(SIGWINCH);
  OK(fibril_signal_wait(signal));
  fibril_signal_close(signal);
  return fibril_undefined();
}

SCENARIO(signals) {
  struct sigaction ignored = {.sa_handler = SIG_IGN}, now;
  sigaction(SIGUSR2, &ignored, NULL);
  scenario_run(loop, wait_for_signals, NULL);
  sigaction(SIGUSR2, NULL, &now);
  MUST(now.sa_handler == SIG_IGN);
}

/* ---- Handlers ---- */

static void hear(int fd, int events, void *arg) {
  (void)fd;
  (void)events;
  (void)arg;
}

/* The entry of one of which there is a duplicate goes with the set that it is in. */
SCENARIO(handler_of_a_duplicate) {
  int kept[2], gone[2];
  if (pipe(kept) != 0 || pipe(gone) != 0) return;
  int duplicate = dup(gone[0]), last = gone[0];
  if (OK(fibril_loop_add_handler(loop, kept[0], UV_READABLE, hear, NULL)) &&
      OK(fibril_loop_add_handler(loop, gone[0], UV_READABLE, hear, NULL))) {
    close(last);
    last = -1;
    fibril_loop_remove_handler(loop, gone[0]);
    MUST(write(gone[1], "x", 1) == 1);
    for (int i = 0; i < 3; i++) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  }
  fibril_loop_remove_handler(loop, kept[0]);
  fibril_loop_remove_handler(loop, gone[0]);
  for (int i = 0; i < 2; i++) close(kept[i]);
  close(gone[1]);
  if (last >= 0) close(last);
  close(duplicate);
}

/* ---- Names ---- */

static void count_address(const struct sockaddr *address, void *arg) {
  (void)address;
  *(int *)arg += 1;
}

static fibril_value look_up(void *arg) {
  int count = 0, found = fibril_dns_lookup(arg, 80, AF_INET, count_address, &count);
  return OK(found) && found != count ? fibril_error(UV_EIO, NULL) : fibril_undefined();
}

static fibril_value look_up_both(void *arg) {
  fibril_future *futures[2];
  struct sockaddr_in address;
  char host[256];
  (void)arg;
  for (int i = 0; i < 2; i++) futures[i] = fibril_spawn(look_up, "localhost", NULL);
  for (int i = 0; i < 2; i++) {
    OK_VALUE(fibril_await(futures[i]));
    fibril_future_unref(futures[i]);
  }
  uv_ip4_addr("127.0.0.1", 0, &address);
  OK(fibril_dns_name((struct sockaddr *)&address, host, sizeof host));
  return fibril_undefined();
}

SCENARIO(names) {
  scenario_run(loop, look_up_both, NULL);
}

/* ---- UDP ---- */

static void use_groups(fibril_udp *udp) {
  if (OK(fibril_udp_join(udp, "239.255.77.7", "127.0.0.1")))
    OK(fibril_udp_leave(udp, "239.255.77.7", "127.0.0.1"));
}

static void send_to_itself(fibril_udp *udp) {
  struct sockaddr_in to;
  char text[8];
  int port = fibril_udp_port(udp);
  if (!OK(port)) return;
  uv_ip4_addr("127.0.0.1", port, &to);
  if (OK(fibril_udp_send(udp, "text", 4, (struct sockaddr *)&to)))
    OK(fibril_udp_receive(udp, text, sizeof text, NULL));
  if (OK(fibril_udp_connect(udp, (struct sockaddr *)&to))) OK(fibril_udp_connect(udp, NULL));
}

static void use_udp(const char *host) {
  fibril_udp_options options = {.size = sizeof options,
                                .reuseaddr = true,
                                .broadcast = true,
                                .ttl = 3,
                                .multicast_ttl = 3,
                                .multicast_no_loop = true,
                                .multicast_interface = "1",
                                .send_buffer = 10000,
                                .receive_buffer = 10000};
  fibril_udp *udp;
  if (!OK(fibril_udp_open(host, 0, &options, &udp))) return;
  use_groups(udp);
  send_to_itself(udp);
  fibril_udp_close(udp);
}

static fibril_value udp(void *arg) {
  (void)arg;
  use_udp("127.0.0.1");
  use_udp(NULL);
  return fibril_undefined();
}

SCENARIO(datagrams) {
  scenario_run(loop, udp, NULL);
}

/* ---- Connecting ---- */

static void connect_to(int port, const char *from) {
  fibril_tcp_options options = {.size = sizeof options,
                                .keepalive = 3,
                                .send_buffer = 10000,
                                .receive_buffer = 10000,
                                .local_host = from};
  fibril_stream *stream;
  if (OK(fibril_tcp_connect("127.0.0.1", port, &options, &stream))) fibril_stream_close(stream);
  options.local_port = port; /* beside the listener's address */
  options.local_host = "127.0.0.3";
  if (OK(fibril_tcp_connect("127.0.0.1", port, &options, &stream))) fibril_stream_abort(stream);
}

static fibril_value connections(void *arg) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  (void)arg;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  MUST(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 8) == 0);
  MUST(getsockname(server, (struct sockaddr *)&address, &size) == 0);
  connect_to(ntohs(address.sin_port), "127.0.0.2");
  close(server);
  return fibril_undefined();
}

SCENARIO(connections) {
  scenario_run(loop, connections, NULL);
}
