/* One wait of every kind that C without JavaScript has, for who looks at what ends or refuses
 * waits. Compiled into the C tests, and into an addon that JavaScript's tests load. */
#include "every_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static fibril_value wait_for_ever(void *arg) {
  (void)arg;
  return fibril_error(fibril_suspend(), NULL);
}

static fibril_value hold_mutex(void *arg) {
  fibril_mutex_lock(arg);
  fibril_suspend();
  fibril_mutex_unlock(arg);
  return fibril_undefined();
}

/* Ends a helper, whatever became of the one it helps. */
static void end_helper(fibril_future *helper) {
  fibril_mask();
  fibril_cancel(helper);
  fibril_await(helper);
  fibril_unmask();
  fibril_future_unref(helper);
}

/* ---- Waits of the core ---- */

static int in_sleep(wait_scene *s) {
  (void)s;
  return fibril_sleep(1e9);
}

static int in_moment(wait_scene *s) {
  int err = 0;
  (void)s;
  while (err == 0) err = fibril_moment();
  return err;
}

static int in_pass(wait_scene *s) {
  int err = 0;
  (void)s;
  while (err == 0) err = fibril_pass();
  return err;
}

static int in_suspend(wait_scene *s) {
  (void)s;
  return fibril_suspend();
}

static int in_future(wait_scene *s) {
  fibril_future *future = fibril_future_new(fibril_loop_current());
  (void)s;
  int err = fibril_error_code(fibril_await(future));
  fibril_future_unref(future);
  return err;
}

static int in_await_timeout(wait_scene *s) {
  fibril_future *future = fibril_future_new(fibril_loop_current());
  (void)s;
  int err = fibril_error_code(fibril_await_timeout(future, 1e9));
  fibril_future_unref(future);
  return err;
}

static int in_spawned(wait_scene *s) {
  fibril_spawn_options options = {sizeof options, "helper", 0};
  fibril_future *helper = fibril_spawn(wait_for_ever, NULL, &options);
  (void)s;
  int err = fibril_error_code(fibril_await(helper));
  end_helper(helper);
  return err;
}

static int in_await_all(wait_scene *s) {
  fibril_future *futures[3];
  (void)s;
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(wait_for_ever, NULL, NULL);
  int err = fibril_error_code(fibril_await_all(futures, 3));
  for (int i = 0; i < 3; i++) end_helper(futures[i]);
  return err;
}

static int in_await_any(wait_scene *s) {
  fibril_future *futures[3];
  (void)s;
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(wait_for_ever, NULL, NULL);
  int err = fibril_await_any(futures, 3);
  for (int i = 0; i < 3; i++) end_helper(futures[i]);
  return err;
}

static int in_group(wait_scene *s) {
  fibril_group *group = fibril_group_new();
  for (int i = 0; i < 3 && !s->childless; i++) fibril_group_spawn(group, wait_for_ever, NULL, NULL);
  return fibril_error_code(fibril_group_wait(group));
}

static fibril_value sleep_in_generator(fibril_generator *generator, void *arg) {
  (void)generator;
  (void)arg;
  return fibril_error(fibril_sleep(1e9), NULL);
}

static int in_generator(wait_scene *s) {
  fibril_value value;
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), sleep_in_generator, NULL, NULL);
  (void)s;
  if (generator == NULL) return fibril_sleep(1e9); /* the loop is closing */
  fibril_generator_next(generator, &value);
  int err = fibril_error_code(value);
  fibril_generator_unref(generator);
  return err;
}

/* ---- Synchronisation ---- */

static int in_mutex(wait_scene *s) {
  fibril_future *holder = fibril_spawn(hold_mutex, &s->mutex, NULL);
  int err = fibril_mutex_lock(&s->mutex);
  end_helper(holder);
  return err;
}

static int in_cond(wait_scene *s) {
  fibril_cond cond = {{NULL, NULL}};
  bool locked = fibril_mutex_lock(&s->mutex) == 0;
  int err = fibril_cond_wait(&cond, locked ? &s->mutex : NULL, -1);
  if (locked && fibril_mutex_unlock(&s->mutex) != 0) return UV_EPERM;
  return err;
}

static int in_event(wait_scene *s) {
  fibril_event event = {0};
  (void)s;
  return fibril_event_wait(&event, -1);
}

static int in_sem(wait_scene *s) {
  fibril_sem sem = {0};
  (void)s;
  return fibril_sem_wait(&sem, 1e9);
}

static int in_wait_group(wait_scene *s) {
  fibril_wait_group group = {.count = 1};
  (void)s;
  return fibril_wait_group_wait(&group, -1);
}

static int in_send(wait_scene *s) {
  return fibril_channel_send(s->channel, fibril_string("unsent", 6), -1);
}

static int in_receive(wait_scene *s) {
  fibril_value value;
  return fibril_channel_receive(s->channel, &value, 1e9);
}

/* ---- I/O ---- */

static int in_poll(wait_scene *s) {
  return fibril_poll_fd(s->fd, UV_READABLE, -1);
}

/* A duplicate: of one descriptor there is one wait. */
static int in_kept_poll(wait_scene *s) {
  fibril_poll *poll;
  int fd = dup(s->fd), err = fibril_poll_open(fd, &poll);
  if (err == 0) {
    err = fibril_poll_wait(poll, UV_READABLE);
    fibril_poll_close(poll);
  }
  close(fd);
  return err;
}

static int in_stream_read(wait_scene *s) {
  fibril_stream *ends[2];
  char byte;
  (void)s;
  int err = fibril_pipe_pair(ends);
  return err != 0 ? err : (int)fibril_stream_read(ends[0], &byte, 1);
}

static int in_stream_write(wait_scene *s) {
  static char much[4 << 20];
  fibril_stream *ends[2];
  (void)s;
  int err = fibril_pipe_pair(ends);
  return err != 0 ? err : fibril_stream_write(ends[0], much, sizeof much);
}

static int in_stream_writev(wait_scene *s) {
  static char much[4 << 20];
  uv_buf_t buffers[] = {uv_buf_init(much, sizeof much), uv_buf_init(much, sizeof much)};
  fibril_stream *ends[2];
  (void)s;
  int err = fibril_pipe_pair(ends);
  return err != 0 ? err : fibril_stream_writev(ends[0], buffers, 2);
}

/* Of a type whose goodbye nobody answers. */
static int wait_in_shutdown(void *self) {
  (void)self;
  return fibril_suspend();
}

static int64_t read_none(void *self, void *buffer, size_t length) {
  (void)self;
  (void)buffer;
  (void)length;
  return 0;
}

static int write_none(void *self, const uv_buf_t *buffers, unsigned count) {
  (void)self;
  (void)buffers;
  (void)count;
  return 0;
}

static void close_none(void *self) {
  (void)self;
}

static int in_shutdown(wait_scene *s) {
  static const fibril_stream_type type = {.size = sizeof type,
                                          .read = read_none,
                                          .write = write_none,
                                          .shutdown = wait_in_shutdown,
                                          .close = close_none};
  fibril_stream *stream;
  (void)s;
  int err = fibril_stream_wrap(&type, NULL, &stream);
  return err != 0 ? err : fibril_stream_shutdown(stream);
}

/* The listener's backlog is full, so that it is asked again and again. */
static int in_pipe_connect(wait_scene *s) {
  static int number;
  fibril_listen_options options = {.size = sizeof options, .backlog = 1};
  fibril_listener *listener;
  fibril_stream *stream;
  char name[32] = "";
  (void)s;
  int length =
      1 + snprintf(name + 1, sizeof name - 1, "fibril-full-%d-%d", (int)getpid(), ++number);
  int err = fibril_pipe_listen(name, (size_t)length, &options, &listener);
  while (err == 0) err = fibril_pipe_connect(name, (size_t)length, &stream);
  return err;
}

static fibril_value handle_none(fibril_stream *stream, void *arg) {
  (void)stream;
  (void)arg;
  return fibril_undefined();
}

static int in_serve(wait_scene *s) {
  fibril_listener *listener;
  (void)s;
  int err = fibril_tcp_listen("127.0.0.1", 0, NULL, &listener);
  return err != 0 ? err : fibril_listener_serve(listener, handle_none, NULL, NULL);
}

static int with_reader(int (*run)(fibril_reader *reader)) {
  fibril_stream *ends[2];
  fibril_reader reader;
  int err = fibril_pipe_pair(ends);
  if (err == 0) err = fibril_reader_init(&reader, ends[0], 0);
  return err != 0 ? err : run(&reader);
}

static int read_exactly(fibril_reader *reader) {
  char text[4];
  return fibril_reader_exact(reader, text, sizeof text);
}

static int read_any(fibril_reader *reader) {
  char text[4];
  return (int)fibril_reader_read(reader, text, sizeof text);
}

static int read_until(fibril_reader *reader) {
  const char *text;
  return (int)fibril_reader_until(reader, ";", 1, &text);
}

static int peek_at(fibril_reader *reader) {
  const char *text;
  return (int)fibril_reader_peek(reader, 1, &text);
}

static int read_all(fibril_reader *reader) {
  fibril_value all;
  return fibril_reader_all(reader, &all);
}

static int in_reader_exact(wait_scene *s) {
  (void)s;
  return with_reader(read_exactly);
}

static int in_reader_read(wait_scene *s) {
  (void)s;
  return with_reader(read_any);
}

static int in_reader_until(wait_scene *s) {
  (void)s;
  return with_reader(read_until);
}

static int in_reader_peek(wait_scene *s) {
  (void)s;
  return with_reader(peek_at);
}

static int in_reader_all(wait_scene *s) {
  (void)s;
  return with_reader(read_all);
}

static int with_writer(int (*run)(fibril_writer *writer, const char *much, size_t length)) {
  static char much[4 << 20];
  fibril_stream *ends[2];
  fibril_writer writer;
  int err = fibril_pipe_pair(ends);
  if (err == 0) err = fibril_writer_init(&writer, ends[0], sizeof much + 1);
  return err != 0 ? err : run(&writer, much, sizeof much);
}

static int write_twice(fibril_writer *writer, const char *much, size_t length) {
  int err = fibril_writer_write(writer, much, length);
  return err != 0 ? err : fibril_writer_write(writer, much, length);
}

static int write_and_flush(fibril_writer *writer, const char *much, size_t length) {
  int err = fibril_writer_write(writer, much, length);
  return err != 0 ? err : fibril_writer_flush(writer);
}

static int in_writer_write(wait_scene *s) {
  (void)s;
  return with_writer(write_twice);
}

static int in_writer_flush(wait_scene *s) {
  (void)s;
  return with_writer(write_and_flush);
}

static int in_memory_read(wait_scene *s) {
  fibril_stream *ends[2];
  char byte;
  (void)s;
  int err = fibril_memory_pair(0, ends);
  return err != 0 ? err : (int)fibril_stream_read(ends[0], &byte, 1);
}

static int in_memory_write(wait_scene *s) {
  fibril_stream *ends[2];
  (void)s;
  int err = fibril_memory_pair(1, ends);
  return err != 0 ? err : fibril_stream_write(ends[0], "two", 3);
}

static int in_reader(wait_scene *s) {
  fibril_stream *ends[2];
  fibril_reader reader;
  const char *line;
  (void)s;
  int err = fibril_memory_pair(0, ends);
  if (err == 0) err = fibril_reader_init(&reader, ends[0], 0);
  if (err == 0) err = fibril_stream_write(ends[1], "no end", 6);
  return err != 0 ? err : (int)fibril_reader_line(&reader, &line);
}

static int in_writer(wait_scene *s) {
  fibril_stream *ends[2];
  fibril_writer writer;
  (void)s;
  int err = fibril_memory_pair(1, ends);
  if (err == 0) err = fibril_writer_init(&writer, ends[0], 1);
  return err != 0 ? err : fibril_writer_printf(&writer, "%d", 22);
}

static int in_copy(wait_scene *s) {
  fibril_stream *ends[2];
  (void)s;
  int err = fibril_memory_pair(0, ends);
  return err != 0 ? err : (int)fibril_stream_copy(ends[0], ends[0]);
}

static int in_copy_both(wait_scene *s) {
  fibril_stream *a[2], *b[2];
  if (s->childless) return fibril_sleep(1e9);
  int err = fibril_memory_pair(0, a);
  if (err == 0) err = fibril_memory_pair(0, b);
  return err != 0 ? err : fibril_stream_copy_both(a[0], b[0]);
}

static int in_linger(wait_scene *s) {
  fibril_stream *ends[2];
  (void)s;
  int err = fibril_memory_pair(0, ends);
  return err != 0 ? err : fibril_stream_linger(ends[0]);
}

static int in_accept(wait_scene *s) {
  fibril_listener *listener;
  fibril_stream *stream;
  (void)s;
  int err = fibril_tcp_listen("127.0.0.1", 0, NULL, &listener);
  return err != 0 ? err : fibril_listener_accept(listener, &stream);
}

static int in_signal(wait_scene *s) {
  fibril_signal *signal;
  int number = SIGURG, err = fibril_signal_open(&number, 1, &signal);
  (void)s;
  if (err != 0) return err;
  err = fibril_signal_wait(signal);
  fibril_signal_close(signal);
  return err;
}

/* `cat` reads what never comes; in a run, a pipe of its own. */
static int in_process(wait_scene *s) {
  const fibril_stdio stdio = {FIBRIL_STDIO_PIPE, 0};
  fibril_process_options options = {
      .size = sizeof options, .file = "cat", .stdio = &stdio, .stdio_count = 1};
  fibril_process *process;
  (void)s;
  int err = fibril_process_spawn(&options, &process);
  if (err != 0) return err;
  err = fibril_process_wait(process, NULL, NULL);
  fibril_process_close(process);
  return err;
}

static int in_process_run(wait_scene *s) {
  const char *const args[] = {"sleep", "1000000", NULL};
  fibril_process_options options = {.size = sizeof options, .file = "sleep", .args = args};
  fibril_value result;
  if (s->childless) return fibril_sleep(1e9);
  return fibril_process_run(&options, &result);
}

/* A backlog that is full answers nobody. */
static int in_connect(wait_scene *s) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr *any = (struct sockaddr *)&address;
  socklen_t size = sizeof address;
  fibril_stream *stream;
  (void)s;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = UV_EIO;
  if (bind(server, any, size) == 0 && listen(server, 0) == 0 &&
      getsockname(server, any, &size) == 0 && connect(first, any, size) == 0)
    err = fibril_tcp_connect("127.0.0.1", ntohs(address.sin_port), NULL, &stream);
  close(first);
  close(server);
  return err;
}

static int in_udp_receive(wait_scene *s) {
  fibril_udp *udp;
  char byte;
  (void)s;
  int err = fibril_udp_open("127.0.0.1", 0, NULL, &udp);
  if (err == 0) err = (int)fibril_udp_receive(udp, &byte, 1, NULL);
  return err;
}

atomic_int every_wait_full;

/* Hidden: what is linked with this finds it. */
__attribute__((visibility("hidden"))) ssize_t sendmsg(int fd, const struct msghdr *message,
                                                      int flags) {
  static atomic_uint refused;
  if (atomic_load(&every_wait_full) == 0) return syscall(SYS_sendmsg, fd, message, flags);
  errno = atomic_fetch_add(&refused, 1) % 2 == 0 ? EINTR : EAGAIN;
  return -1;
}

static int in_udp_send(wait_scene *s) {
  fibril_udp *udp;
  struct sockaddr_in to;
  (void)s;
  uv_ip4_addr("127.0.0.1", 9, &to);
  int err = fibril_udp_open("127.0.0.1", 0, NULL, &udp);
  if (err != 0) return err;
  atomic_fetch_add(&every_wait_full, 1);
  err = fibril_udp_send(udp, "x", 1, (struct sockaddr *)&to);
  atomic_fetch_sub(&every_wait_full, 1);
  return err;
}

static void ignore_address(const struct sockaddr *address, void *arg) {
  (void)address;
  (void)arg;
}

/* In the pool, where a file answers both. */
static int in_lookup(wait_scene *s) {
  (void)s;
  return fibril_dns_lookup("localhost", 0, 0, ignore_address, NULL);
}

static int in_name(wait_scene *s) {
  struct sockaddr_in address;
  char host[64];
  (void)s;
  uv_ip4_addr("127.0.0.1", 0, &address);
  return fibril_dns_name((struct sockaddr *)&address, host, sizeof host);
}

typedef struct {
  uv_sem_t stop;
} stoppable;

static void run_until_stopped(void *arg) {
  uv_sem_wait(&((stoppable *)arg)->stop);
}

static void stop(void *arg) {
  uv_sem_post(&((stoppable *)arg)->stop);
}

/* Runs in the pool when the pool has room, so that there is something to interrupt. */
static int in_work(wait_scene *s) {
  stoppable work;
  fibril_work_options options = {sizeof options, "stoppable", NULL, stop};
  (void)s;
  uv_sem_init(&work.stop, 0);
  int err = fibril_work_with(run_until_stopped, &work, &options);
  uv_sem_destroy(&work.stop);
  return err == 0 ? fibril_moment() : err; /* it ran: what ended it shows at the next wait */
}

static int in_open(wait_scene *s) {
  (void)s;
  int fd = fibril_fs_open("/dev/null", O_RDONLY, 0);
  return fd < 0 ? fd : fibril_fs_close(fd);
}

/* The others need a descriptor; it is opened without the pool. */
static int with_descriptor(int (*run)(int fd)) {
  int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  int err = run(fd);
  int closed = fibril_fs_close(fd);
  return closed != 0 ? closed : err;
}

static int read_one(int fd) {
  char byte;
  return (int)fibril_fs_read(fd, &byte, 1, -1);
}

static int write_one(int fd) {
  return (int)fibril_fs_write(fd, "x", 1, -1);
}

static int stat_open(int fd) {
  uv_stat_t stat;
  return fibril_fs_fstat(fd, &stat);
}

static int in_read(wait_scene *s) {
  (void)s;
  return with_descriptor(read_one);
}

static int in_write(wait_scene *s) {
  (void)s;
  return with_descriptor(write_one);
}

static int in_fstat(wait_scene *s) {
  (void)s;
  return with_descriptor(stat_open);
}

static int in_stat(wait_scene *s) {
  uv_stat_t stat;
  (void)s;
  return fibril_fs_stat("/", &stat);
}

static int in_lstat(wait_scene *s) {
  uv_stat_t stat;
  (void)s;
  return fibril_fs_lstat("/", &stat);
}

static int in_realpath(wait_scene *s) {
  char path[8];
  size_t size = sizeof path;
  (void)s;
  return fibril_fs_realpath("/", path, &size);
}

static void ignore_entry(const char *name, uv_dirent_type_t type, void *arg) {
  (void)name;
  (void)type;
  (void)arg;
}

static int in_readdir(wait_scene *s) {
  (void)s;
  return fibril_fs_readdir("/", ignore_entry, NULL);
}

const every_wait every_waits[] = {
    {"sleep", in_sleep},
    {"moment", in_moment},
    {"pass", in_pass},
    {"suspend", in_suspend},
    {"future", in_future},
    {"awaitTimeout", in_await_timeout},
    {"spawned", in_spawned},
    {"awaitAll", in_await_all},
    {"awaitAny", in_await_any},
    {"group", in_group},
    {"generator", in_generator},
    {"mutex", in_mutex},
    {"cond", in_cond},
    {"event", in_event},
    {"sem", in_sem},
    {"waitGroup", in_wait_group},
    {"send", in_send},
    {"receive", in_receive},
    {"poll", in_poll},
    {"keptPoll", in_kept_poll},
    {"streamRead", in_stream_read},
    {"streamWrite", in_stream_write},
    {"streamWritev", in_stream_writev},
    {"shutdown", in_shutdown},
    {"pipeConnect", in_pipe_connect},
    {"serve", in_serve},
    {"readerExact", in_reader_exact},
    {"readerRead", in_reader_read},
    {"readerUntil", in_reader_until},
    {"readerPeek", in_reader_peek},
    {"readerAll", in_reader_all},
    {"writerWrite", in_writer_write},
    {"writerFlush", in_writer_flush},
    {"memoryRead", in_memory_read},
    {"memoryWrite", in_memory_write},
    {"reader", in_reader},
    {"writer", in_writer},
    {"copy", in_copy},
    {"copyBoth", in_copy_both},
    {"linger", in_linger},
    {"accept", in_accept},
    {"signal", in_signal},
    {"process", in_process},
    {"processRun", in_process_run},
    {"connect", in_connect},
    {"udpReceive", in_udp_receive},
    {"udpSend", in_udp_send},
    {"work", in_work},
    {"open", in_open},
    {"read", in_read},
    {"write", in_write},
    {"fstat", in_fstat},
    {"stat", in_stat},
    {"lstat", in_lstat},
    {"realpath", in_realpath},
    {"readdir", in_readdir},
    {"lookup", in_lookup},
    {"name", in_name},
};
const size_t every_wait_count = sizeof every_waits / sizeof every_waits[0];
