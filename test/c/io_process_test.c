/* Child processes, each test with both ways of starting them. */
#include "test.h"
#include "nothing.h"

#include "../../src/io/process/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The body runs in a coroutine, once with posix_spawn where that works, once with uv_spawn. */
#define PROCESS_TEST(name)                                               \
  static void name##_body(void);                                         \
  static fibril_value name##_run(void *arg) {                            \
    (void)arg;                                                           \
    name##_body();                                                       \
    return fibril_undefined();                                           \
  }                                                                      \
  LOOP_TEST(process_##name) {                                            \
    unsetenv("FIBRIL_SPAWN");                                            \
    CHECK_INT(fibril_loop_run_sync(loop, name##_run, NULL, 0, NULL), 0); \
  }                                                                      \
  LOOP_TEST(process_##name##_by_libuv) {                                 \
    setenv("FIBRIL_SPAWN", "uv", 1);                                     \
    CHECK_INT(fibril_loop_run_sync(loop, name##_run, NULL, 0, NULL), 0); \
    unsetenv("FIBRIL_SPAWN");                                            \
  }                                                                      \
  static void name##_body(void)

static const fibril_stdio pipes[] = {
    {FIBRIL_STDIO_PIPE, 0}, {FIBRIL_STDIO_PIPE, 0}, {FIBRIL_STDIO_PIPE, 0}};

#define SH(text)           \
  (const char *const[]) {  \
    "sh", "-c", text, NULL \
  }

static fibril_process_options of_shell(const char *const *args) {
  return (fibril_process_options){
      .size = sizeof(fibril_process_options), .file = "sh", .args = args};
}

static fibril_process *start(const char *const *args, bool piped) {
  fibril_process_options options = of_shell(args);
  fibril_process *process = NULL;
  if (piped) options.stdio = pipes, options.stdio_count = 3;
  CHECK_INT(fibril_process_spawn(&options, &process), 0);
  return process;
}

static int exit_code(fibril_process *process) {
  int64_t status = -1;
  int signal = -1;
  int err = fibril_process_wait(process, &status, &signal);
  if (err != 0) return err;
  return signal != 0 ? 1000 + signal : (int)status;
}

static void read_text(fibril_process *process, unsigned number, char *text, size_t size) {
  fibril_reader reader;
  fibril_value all = fibril_undefined();
  size_t length = 0;
  fibril_reader_init(&reader, fibril_process_stdio(process, number), size);
  CHECK_INT(fibril_reader_all(&reader, &all), 0);
  const char *data = fibril_value_buffer(all, &length);
  snprintf(text, size, "%.*s", (int)length, data == NULL ? "" : data);
}

/* No child of this process is left, dead or alive. Threads reap those that were killed: their end
 * is waited for here. */
static void no_child_is_left(int pid) {
  siginfo_t info;
  while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0) sched_yield();
  CHECK_INT(errno, ECHILD);
}

/* ---- To the end ---- */

PROCESS_TEST(exits_and_is_waited_for_again) {
  fibril_process *process = start(SH("exit 7"), false);
  int pid = fibril_process_pid(process);
  CHECK(pid > 0);
  CHECK_INT(exit_code(process), 7);
  CHECK_INT(exit_code(process), 7);
  CHECK_INT(fibril_process_wait(process, NULL, NULL), 0);
  CHECK_INT(fibril_process_kill(process, 0), UV_ESRCH);
  CHECK_INT(fibril_process_pid(process), pid);
  CHECK(fibril_process_stdio(process, 0) == NULL);
  fibril_process_close(process);
  no_child_is_left(pid);
}

PROCESS_TEST(is_ended_by_a_signal) {
  fibril_process *process = start(SH("read never"), true);
  CHECK_INT(fibril_process_kill(process, 0), 0);
  CHECK_INT(fibril_process_kill(process, -1), UV_EINVAL);
  CHECK_INT(fibril_process_kill(process, NSIG), UV_EINVAL);
  CHECK_INT(fibril_process_kill(process, SIGTERM), 0);
  CHECK_INT(exit_code(process), 1000 + SIGTERM);
}

/* Another library has its own handler in place of libuv's. */
PROCESS_TEST(is_heard_of_without_sigchld) {
  struct sigaction before, none = {.sa_handler = SIG_DFL};
  fibril_process *exits = start(SH("read line; exit 3"), true);
  fibril_process *killed = start(SH("read line"), true);
  CHECK_INT(sigaction(SIGCHLD, &none, &before), 0);
  CHECK_INT(fibril_stream_shutdown(fibril_process_stdio(exits, 0)), 0);
  CHECK_INT(fibril_process_kill(killed, SIGTERM), 0);
  for (int i = 0; i < 2; i++) {
    CHECK_INT(exit_code(exits), 3);
    CHECK_INT(exit_code(killed), 1000 + SIGTERM);
  }
  CHECK_INT(fibril_process_kill(exits, SIGTERM), UV_ESRCH);
  CHECK_INT(sigaction(SIGCHLD, &before, NULL), 0);
  fibril_process_close(exits);
  fibril_process_close(killed);
}

PROCESS_TEST(has_three_streams) {
  char text[64];
  fibril_process *process = start(SH("read line; echo got $line; echo bad >&2; cat"), true);
  fibril_stream *in = fibril_process_stdio(process, 0);
  CHECK_INT(fibril_stream_write(in, "one\ntwo", 7), 0);
  CHECK_INT(fibril_stream_shutdown(in), 0);
  read_text(process, 1, text, sizeof text);
  CHECK_STR(text, "got one\ntwo");
  read_text(process, 2, text, sizeof text);
  CHECK_STR(text, "bad\n");
  CHECK_INT(exit_code(process), 0);
  CHECK(fibril_process_stdio(process, 3) == NULL);
  fibril_process_close(process);
  CHECK_INT(fibril_stream_write(in, "more", 4), UV_EBADF);
}

/* A descriptor of ours, one number for another, and two that change places. */
PROCESS_TEST(inherits_descriptors) {
  int a[2], b[2];
  char text[8] = "";
  CHECK(pipe2(a, O_CLOEXEC) == 0 && pipe2(b, O_CLOEXEC) == 0);
  fibril_stdio stdio[8] = {{FIBRIL_STDIO_IGNORE, 0}};
  for (int i = 3; i < 8; i++) stdio[i] = (fibril_stdio){FIBRIL_STDIO_IGNORE, 0};
  stdio[1] = (fibril_stdio){FIBRIL_STDIO_INHERIT, a[1]};
  stdio[7] = (fibril_stdio){FIBRIL_STDIO_INHERIT, b[1]};
  fibril_process_options options = of_shell(SH("echo one; echo two >&7"));
  fibril_process *process;
  options.stdio = stdio;
  options.stdio_count = 8;
  CHECK_INT(fibril_process_spawn(&options, &process), 0);
  CHECK_INT(exit_code(process), 0);
  CHECK_INT(read(a[0], text, sizeof text), 4);
  CHECK_STR(text, "one\n");
  memset(text, 0, sizeof text);
  CHECK_INT(read(b[0], text, sizeof text), 4);
  CHECK_STR(text, "two\n");
  stdio[1].fd = a[0];
  close(a[0]);
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EBADF);
  stdio[1].fd = -1;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EBADF);
  close(a[1]);
  close(b[0]);
  close(b[1]);
}

static void output_of(const char *const *args, char *text, size_t size) {
  fibril_process *process = start(args, true);
  read_text(process, 1, text, size);
  CHECK_INT(exit_code(process), 0);
  fibril_process_close(process);
}

static uint64_t mask_in(const char *text, const char *name) {
  const char *found = strstr(text, name);
  CHECK(found != NULL);
  return found == NULL ? 1 : strtoull(found + strlen(name), NULL, 16);
}

/* Signals as a process begins with them, nothing of ours open but what was given. */
PROCESS_TEST(begins_as_a_process_does) {
  sigset_t some, before;
  char text[512];
  sigemptyset(&some);
  sigaddset(&some, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &some, &before);
  void (*ignored)(int) = signal(SIGUSR2, SIG_IGN);
  output_of(SH("exec grep ^Sig /proc/self/status"), text, sizeof text);
  signal(SIGUSR2, ignored);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  CHECK_INT(mask_in(text, "SigBlk:\t"), 0);
  /* posix_spawn leaves those ignored that the C library's threads have for themselves */
  CHECK_INT(mask_in(text, "SigIgn:\t") & ~((uint64_t)7 << 31), 0);
  output_of(SH("exec ls /proc/self/fd"), text, sizeof text);
  int others = 0;
  for (char *line = text, *end; *line != '\0'; line = end + 1) {
    int fd = (int)strtol(line, &end, 10), flags = fcntl(fd, F_GETFD);
    if (fd > 2 && (flags < 0 || (flags & FD_CLOEXEC) != 0)) others++;
  }
  CHECK_INT(others, 1); /* its own, of the folder */
}

PROCESS_TEST(has_its_own_environment_and_folder) {
  char text[128];
  fibril_process_options options = of_shell(SH("echo $A $B; pwd"));
  options.env = (const char *const[]){"A=first", "B=second", NULL};
  options.cwd = "/usr";
  options.stdio = pipes;
  options.stdio_count = 3;
  fibril_process *process;
  CHECK_INT(fibril_process_spawn(&options, &process), 0);
  read_text(process, 1, text, sizeof text);
  CHECK_STR(text, "first second\n/usr\n");
}

/* ---- Programs ---- */

static char folder[64], path[sizeof folder + 256];

static const char *in_folder(const char *name) {
  snprintf(path, sizeof path, "%s/%.255s", folder, name);
  return path;
}

static void make_file(const char *name, const char *text, int mode) {
  int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  CHECK_INT(write(fd, text, strlen(text)), strlen(text));
  fchmod(fd, (mode_t)mode);
  close(fd);
}

static void make_folder(void) {
  snprintf(folder, sizeof folder, "/tmp/fibril-process-XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
}

static void remove_folder(void) {
  DIR *all = opendir(folder);
  for (struct dirent *one; (one = readdir(all)) != NULL;)
    if (one->d_name[0] != '.' && unlink(in_folder(one->d_name)) != 0) rmdir(in_folder(one->d_name));
  closedir(all);
  rmdir(folder);
}

static int spawn_file(const char *file, const char *folders) {
  char variable[256];
  const char *env[] = {variable, NULL};
  fibril_process_options options = {.size = sizeof options, .file = file, .env = env};
  fibril_process *process;
  snprintf(variable, sizeof variable, "PATH=%s", folders);
  int err = fibril_process_spawn(&options, &process);
  if (err != 0) return err;
  err = exit_code(process);
  fibril_process_close(process);
  return err;
}

PROCESS_TEST(is_looked_for_in_its_own_path) {
  char both[128];
  make_folder();
  make_file("here", "#!/bin/sh\nexit 3", 0700);
  make_file("bare", "exit $(($# + 4))", 0700);
  make_file("not-allowed", "#!/bin/sh\nexit 3", 0600);
  CHECK_INT(mkdir(in_folder("sub"), 0700), 0);
  snprintf(both, sizeof both, "/nowhere::%s", folder);
  CHECK_INT(spawn_file("here", both), 3);
  CHECK_INT(spawn_file("here", "/nowhere"), UV_ENOENT);
  CHECK_INT(spawn_file("here", ""), UV_ENOENT);
  CHECK_INT(spawn_file("", folder), UV_ENOENT);
  CHECK_INT(spawn_file("sub", folder), UV_EACCES);
  int bare = spawn_file("bare", folder);
  if (bare != -ENOEXEC) CHECK_INT(bare, 4); /* musl's execvp knows no scripts */
  CHECK_INT(spawn_file(in_folder("here"), "/nowhere"), 3);
  CHECK_INT(spawn_file(in_folder("sub"), "/nowhere"), UV_EACCES);
  CHECK_INT(spawn_file(in_folder("none"), folder), UV_ENOENT);
  CHECK_INT(spawn_file(in_folder("not-allowed"), "/nowhere"), UV_EACCES);
  CHECK_INT(spawn_file("not-allowed", folder), UV_EACCES);
  remove_folder();
}

PROCESS_TEST(is_looked_for_below_its_folder) {
  make_folder();
  make_file("here", "#!/bin/sh\nexit 3", 0700);
  fibril_process_options options = {.size = sizeof options,
                                    .file = "here",
                                    .env = (const char *const[]){"PATH=.", NULL},
                                    .cwd = folder};
  fibril_process *process;
  CHECK_INT(fibril_process_spawn(&options, &process), 0);
  CHECK_INT(exit_code(process), 3);
  options.file = "./here";
  CHECK_INT(fibril_process_spawn(&options, &process), 0);
  CHECK_INT(exit_code(process), 3);
  remove_folder();
  CHECK_INT(fibril_process_spawn(&options, &process), UV_ENOENT);
}

PROCESS_TEST(is_refused_by_the_system) {
  size_t length = 4 << 20;
  char *much = malloc(length);
  memset(much, 'x', length);
  much[length - 1] = '\0';
  fibril_process_options options = of_shell(SH(much));
  fibril_process *process;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_E2BIG);
  free(much);
}

PROCESS_TEST(has_valid_options) {
  fibril_process *process = NULL;
  fibril_process_options options = of_shell(SH("exit 1"));
  CHECK_INT(fibril_process_spawn(NULL, &process), UV_EINVAL);
  CHECK_INT(fibril_process_spawn(&options, NULL), UV_EINVAL);
  options.size--;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EINVAL);
  options.size++;
  options.args = (const char *const[]){NULL};
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EINVAL);
  options = of_shell(NULL);
  options.file = NULL;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EINVAL);
  options = of_shell(NULL);
  options.flags = UV_PROCESS_DETACHED;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EINVAL);
  options.flags = 0;
  options.stdio_count = 3;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EINVAL);
  fibril_stdio bad[] = {{(fibril_stdio_kind)3, 0}};
  options.stdio = bad;
  options.stdio_count = 1;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EINVAL);
  options.stdio_count = 1025;
  CHECK_INT(fibril_process_spawn(&options, &process), UV_EINVAL);
  CHECK(process == NULL);
}

/* ---- Closing ---- */

PROCESS_TEST(is_killed_and_reaped_at_the_close) {
  fibril_process *process = start(SH("trap '' TERM; read never"), true);
  int pid = fibril_process_pid(process);
  fibril_process_ref(process);
  fibril_process_close(process);
  CHECK_INT(fibril_process_wait(process, NULL, NULL), UV_EBADF);
  CHECK_INT(fibril_process_kill(process, SIGTERM), UV_EBADF);
  fibril_process_unref(process);
  no_child_is_left(pid);
}

static fibril_value start_and_leave(void *pid) {
  *(int *)pid = fibril_process_pid(start(SH("read never"), true));
  return fibril_undefined();
}

PROCESS_TEST(ends_with_its_coroutine) {
  int pid = 0;
  fibril_future *future = fibril_spawn(start_and_leave, &pid, NULL);
  fibril_await(future);
  fibril_future_unref(future);
  no_child_is_left(pid);
}

PROCESS_TEST(goes_on_when_it_is_detached) {
  int fds[2];
  char text[8] = "";
  CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
  fibril_stdio stdio[] = {{FIBRIL_STDIO_INHERIT, fds[0]}, {FIBRIL_STDIO_PIPE, 0}};
  fibril_process_options options = of_shell(SH("echo on; read line; exit 0"));
  options.stdio = stdio;
  options.stdio_count = 2;
  options.detached = true;
  fibril_process *process;
  CHECK_INT(fibril_process_spawn(&options, &process), 0);
  CHECK_INT(fibril_stream_read(fibril_process_stdio(process, 1), text, 7), 3);
  int pid = fibril_process_pid(process);
  CHECK_INT(getsid(pid), pid);
  fibril_process_close(process);
  CHECK_INT(kill(pid, 0), 0);
  CHECK_INT(write(fds[1], "x\n", 2), 2);
  no_child_is_left(pid);
  close(fds[0]);
  close(fds[1]);
}

/* `cat` has the pipes until it is killed. */
static fibril_process *start_group(const char *const *args) {
  char line[8];
  fibril_process_options options = of_shell(args);
  fibril_process *process = NULL;
  options.group = true;
  options.stdio = pipes;
  options.stdio_count = 3;
  CHECK_INT(fibril_process_spawn(&options, &process), 0);
  CHECK_INT(fibril_stream_read(fibril_process_stdio(process, 1), line, sizeof line), 3);
  return process;
}

static void its_output_ends(fibril_process *process) {
  char line[8];
  CHECK_INT(fibril_stream_read(fibril_process_stdio(process, 1), line, sizeof line), 0);
}

PROCESS_TEST(of_a_group_takes_the_others_with_it) {
  fibril_process *process = start_group(SH("cat <&0 & echo on; read never <&2"));
  CHECK_INT(fibril_process_kill(process, SIGTERM), 0);
  its_output_ends(process);
  CHECK_INT(exit_code(process), 1000 + SIGTERM);
}

/* Its number is kept for that; libuv gives it back at once. */
PROCESS_TEST(of_a_group_can_be_killed_when_it_has_ended) {
  fibril_process *process = start_group(SH("cat <&0 & echo on; exit 0"));
  const fibril_process_options any = {.flags = 0};
  CHECK_INT(exit_code(process), 0);
  if (fibril__posix_way_can(&any)) {
    CHECK_INT(fibril_process_kill(process, SIGTERM), 0);
  } else {
    CHECK_INT(fibril_process_kill(process, SIGTERM), UV_ESRCH);
    fibril_stream_shutdown(fibril_process_stdio(process, 0));
  }
  its_output_ends(process);
  int pid = fibril_process_pid(process);
  fibril_process_close(process);
  no_child_is_left(pid);
}

typedef struct {
  fibril_process *process;
  int result;
} waiting;

static fibril_value wait_in_turn(void *arg) {
  waiting *self = arg;
  self->result = exit_code(self->process);
  return fibril_undefined();
}

PROCESS_TEST(is_waited_for_by_several) {
  fibril_process *process = start(SH("read line; exit 5"), true);
  waiting all[4];
  fibril_future *futures[4];
  for (int i = 0; i < 4; i++) {
    all[i] = (waiting){process, 1};
    futures[i] = fibril_spawn(wait_in_turn, &all[i], NULL);
  }
  fibril_cancel(futures[1]);
  fibril_process_unhold(process);
  fibril_process_hold(process);
  CHECK_INT(fibril_stream_write(fibril_process_stdio(process, 0), "x\n", 2), 0);
  for (int i = 0; i < 4; i++) {
    fibril_await(futures[i]);
    fibril_future_unref(futures[i]);
    CHECK_INT(all[i].result, i == 1 ? UV_ECANCELED : 5);
  }
}

PROCESS_TEST(wakes_who_waits_at_the_close) {
  fibril_process *process = start(SH("read never"), true);
  waiting one = {process, 1};
  fibril_future *future = fibril_spawn(wait_in_turn, &one, NULL);
  fibril_process_close(process);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(one.result, UV_ECANCELED);
}

/* Somebody else waits for whatever child there is. */
PROCESS_TEST(may_be_reaped_by_others) {
  fibril_process *process = start(SH("exit 3"), false);
  waiting one = {process, 1};
  fibril_future *future = fibril_spawn(wait_in_turn, &one, NULL);
  CHECK_INT(waitpid(fibril_process_pid(process), NULL, 0), fibril_process_pid(process));
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(one.result, FIBRIL_ECHILD);
  CHECK_INT(exit_code(process), FIBRIL_ECHILD);
  CHECK_INT(fibril_process_kill(process, SIGTERM), UV_ESRCH);
}

/* ... or the system does. */
PROCESS_TEST(is_reaped_by_the_system_where_that_is_asked_for) {
  fibril_process *process = start(SH("read line"), true);
  void (*before)(int) = signal(SIGCHLD, SIG_IGN);
  fibril_stream_shutdown(fibril_process_stdio(process, 0));
  CHECK_INT(exit_code(process), FIBRIL_ECHILD);
  signal(SIGCHLD, before);
}

TEST(process_needs_a_loop) {
  fibril_process *process;
  fibril_process_options options = of_shell(SH("exit"));
  CHECK_INT(fibril_process_spawn(&options, &process), FIBRIL_ENOTCOROUTINE);
  fibril_value result;
  CHECK_INT(fibril_process_run(&options, &result), FIBRIL_ENOTCOROUTINE);
}

typedef struct {
  fibril_process *process;
  bool closed;
} last_words;

static void spawn_at_the_end(fibril_future *future, void *arg) {
  last_words *self = arg;
  fibril_process *process;
  fibril_process_options options = of_shell(SH("exit"));
  CHECK_INT(fibril_process_spawn(&options, &process), FIBRIL_ECLOSED);
  fibril_future_unref(future);
  self->closed = true;
}

static void settle(void *future) {
  CHECK_INT(fibril_future_set_result(future, fibril_undefined()), 0);
}

/* The first is ended with the loop, and no other one begun: closing tells of a stream last. */
static fibril_value leave_a_process(void *arg) {
  static const fibril_stream_type type = {.size = sizeof type,
                                          .read = read_nothing,
                                          .write = write_nothing,
                                          .shutdown = shut_nothing,
                                          .close = settle};
  last_words *self = arg;
  fibril_loop *loop = fibril_loop_current();
  fibril_future *future = fibril_future_new(loop);
  fibril_stream *stream;
  self->process = fibril_process_ref(start(SH("read never"), true));
  fibril_process_detach(self->process);
  CHECK_INT(fibril_loop_add_future(loop, future, spawn_at_the_end, self), 0);
  CHECK_INT(fibril_stream_wrap(&type, future, &stream), 0);
  fibril_stream_detach(stream);
  return fibril_undefined();
}

TEST(process_ends_with_its_loop) {
  uv_loop_t uv;
  last_words self = {NULL, false};
  CHECK_INT(uv_loop_init(&uv), 0);
  fibril_loop *own;
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  CHECK_INT(fibril_loop_run_sync(own, leave_a_process, &self, 0, NULL), 0);
  fibril_loop_close(own, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
  CHECK(self.closed);
  int pid = fibril_process_pid(self.process);
  fibril_process_unref(self.process);
  no_child_is_left(pid);
}

/* ---- Run ---- */

static void text_of(fibril_value result, const char *key, char *text, size_t size) {
  size_t length = 0;
  const char *data = fibril_value_buffer(fibril_object_get(result, key), &length);
  snprintf(text, size, "%.*s", (int)length, data == NULL ? "(none)" : data);
}

PROCESS_TEST(is_run_with_input_and_output) {
  char text[32];
  fibril_value result;
  fibril_process_options options = of_shell(SH("cat; echo bad >&2; exit 2"));
  options.input = "some input";
  options.input_length = 10;
  CHECK_INT(fibril_process_run(&options, &result), 0);
  CHECK_INT(fibril_value_number(fibril_object_get(result, "code")), 2);
  CHECK_INT(fibril_value_kind(fibril_object_get(result, "signal")), FIBRIL_NULL);
  text_of(result, "stdout", text, sizeof text);
  CHECK_STR(text, "some input");
  text_of(result, "stderr", text, sizeof text);
  CHECK_STR(text, "bad\n");
  options.args = SH("kill -9 $$");
  CHECK_INT(fibril_process_run(&options, &result), 0);
  CHECK_INT(fibril_value_kind(fibril_object_get(result, "code")), FIBRIL_NULL);
  CHECK_INT(fibril_value_number(fibril_object_get(result, "signal")), SIGKILL);
  text_of(result, "stdout", text, sizeof text);
  CHECK_STR(text, "");
}

/* It reads none of a megabyte, or closes its output and goes on. */
PROCESS_TEST(is_run_though_it_closes_its_pipes) {
  char *much = calloc(1, 1 << 20);
  fibril_value result;
  fibril_process_options options = of_shell(SH("exec <&-; exit 3"));
  options.input = much;
  options.input_length = 1 << 20;
  CHECK_INT(fibril_process_run(&options, &result), 0);
  CHECK_INT(fibril_value_number(fibril_object_get(result, "code")), 3);
  options.args = SH("exec >&- 2>&-; cat >/dev/null; exit 4");
  CHECK_INT(fibril_process_run(&options, &result), 0);
  CHECK_INT(fibril_value_number(fibril_object_get(result, "code")), 4);
  free(much);
}

PROCESS_TEST(is_run_within_its_limit) {
  fibril_value result = fibril_undefined();
  size_t length = 0;
  fibril_process_options options = of_shell(SH("head -c 100000 /dev/zero"));
  options.limit = 100000;
  CHECK_INT(fibril_process_run(&options, &result), 0);
  fibril_value_buffer(fibril_object_get(result, "stdout"), &length);
  CHECK_INT(length, 100000);
  options.limit = 99999;
  CHECK_INT(fibril_process_run(&options, &result), UV_EMSGSIZE);
  options.args = SH("yes >&2");
  CHECK_INT(fibril_process_run(&options, &result), UV_EMSGSIZE);
}

/* Somebody in the background keeps the pipe. */
PROCESS_TEST(is_run_until_its_end_and_no_longer) {
  char text[32];
  fibril_value result = fibril_undefined();
  fibril_process_options options = of_shell(SH("sleep 100 & echo $!"));
  options.grace = 20;
  CHECK_INT(fibril_process_run(&options, &result), 0);
  text_of(result, "stdout", text, sizeof text);
  CHECK(atoi(text) > 0);
  kill(atoi(text), SIGKILL);
}

static fibril_value run_for_ever(void *arg) {
  fibril_value result;
  return fibril_number(fibril_process_run(arg, &result));
}

/* It says that it has heard before it ends. */
PROCESS_TEST(is_run_and_ends_with_who_waits) {
  int fds[2];
  char text[8] = "";
  char script[160];
  CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
  snprintf(script, sizeof script,
           "trap 'echo bye >/proc/%d/fd/%d; exit' TERM; echo up >/proc/%d/fd/%d; while :; do sleep "
           "0.01; done",
           getpid(), fds[1], getpid(), fds[1]);
  fibril_process_options options = of_shell(SH(script));
  fibril_future *future = fibril_spawn(run_for_ever, &options, NULL);
  CHECK_INT(fibril_fs_read(fds[0], text, 3, -1), 3);
  fibril_cancel(future);
  CHECK_INT(fibril_value_number(fibril_await(future)), UV_ECANCELED);
  fibril_future_unref(future);
  CHECK_INT(read(fds[0], text, sizeof text), 4);
  CHECK(memcmp(text, "bye\n", 4) == 0);
  options.args = SH("trap '' TERM; while :; do sleep 0.01; done");
  options.grace = -1;
  future = fibril_spawn(run_for_ever, &options, NULL);
  fibril_moment();
  fibril_cancel(future);
  CHECK_INT(fibril_value_number(fibril_await(future)), UV_ECANCELED);
  fibril_future_unref(future);
  close(fds[0]);
  close(fds[1]);
}

PROCESS_TEST(is_run_with_valid_options) {
  fibril_value result;
  fibril_process_options options = of_shell(SH("exit"));
  CHECK_INT(fibril_process_run(NULL, &result), UV_EINVAL);
  CHECK_INT(fibril_process_run(&options, NULL), UV_EINVAL);
  options.detached = true;
  CHECK_INT(fibril_process_run(&options, &result), UV_EINVAL);
  options.detached = false;
  options.stdio = pipes;
  options.stdio_count = 3;
  CHECK_INT(fibril_process_run(&options, &result), UV_EINVAL);
  options = of_shell(NULL);
  options.file = "no such program";
  CHECK_INT(fibril_process_run(&options, &result), UV_ENOENT);
}
