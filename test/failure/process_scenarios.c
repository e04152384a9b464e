#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif

/* src/io/process, with failing calls. Children end by themselves when their pipes do. */
#include "scenario.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const fibril_stdio stdio[] = {
    {FIBRIL_STDIO_PIPE, 0}, {FIBRIL_STDIO_INHERIT, 2}, {FIBRIL_STDIO_IGNORE, 0}};

static const fibril_process_options cat = {
    .size = sizeof cat, .file = "cat", .stdio = stdio, .stdio_count = 3};

/* Not for long: it may not have heard. */
static void end(fibril_process *process) {
  fibril_process_kill(process, SIGTERM);
  OK(fibril_stream_shutdown(fibril_process_stdio(process, 0)));
  if (OK(fibril_deadline_push(2000))) {
    OK(fibril_process_wait(process, NULL, NULL));
    fibril_deadline_pop();
  }
}

static fibril_value spawn_and_wait(void *arg) {
  static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
  fibril_process_options options = cat;
  fibril_process *process;
  options.group = *(bool *)arg;
  if (options.group) options.env = env;
  if (OK(fibril_process_spawn(&options, &process))) {
    end(process);
    fibril_process_close(process);
  }
  return fibril_undefined();
}

SCENARIO(process) {
  bool group = false;
  scenario_run(loop, spawn_and_wait, &group);
}

SCENARIO(process_group) {
  bool group = true;
  scenario_run(loop, spawn_and_wait, &group);
}

static void with_libuv(fibril_loop *loop, fibril_fn fn, void *arg) {
  setenv("FIBRIL_SPAWN", "uv", 1);
  scenario_run(loop, fn, arg);
}

SCENARIO(process_by_libuv) {
  bool group = false;
  with_libuv(loop, spawn_and_wait, &group);
}

static fibril_value spawn_and_close(void *arg) {
  fibril_process *process;
  (void)arg;
  if (!OK(fibril_process_spawn(&cat, &process))) return fibril_undefined();
  int pid = fibril_process_pid(process);
  fibril_process_close(process);
  waitpid(pid, NULL, 0); /* the thread's, or what it could not reap */
  return fibril_undefined();
}

SCENARIO(process_that_is_closed) {
  scenario_run(loop, spawn_and_close, NULL);
}

SCENARIO(process_by_libuv_that_is_closed) {
  with_libuv(loop, spawn_and_close, NULL);
}

/* Also in a PATH that is longer than most. */
static fibril_value run_script(void *arg) {
  static char folders[2000] = "/";
  fibril_process_options options = {
      .size = sizeof options, .file = arg, .cwd = "/", .input = "input", .input_length = 5};
  fibril_value result;
  for (size_t i = 1; i < sizeof folders - 20; i++) folders[i] = '/';
  char *path = getenv("PATH");
  char *all = NULL;
  if (asprintf(&all, "%s:%s", folders, path == NULL ? "/bin" : path) < 0) abort();
  setenv("PATH", all, 1);
  free(all);
  OK(fibril_process_run(&options, &result));
  return fibril_undefined();
}

SCENARIO(process_run) {
  scenario_run(loop, run_script, "cat");
}

/* The shell's: it says not what it is. */
SCENARIO(process_run_of_a_script) {
  char name[] = "/tmp/fibril-script-XXXXXX";
  int fd = mkstemp(name);
  MUST(fd >= 0 && write(fd, "cat\n", 4) == 4 && fchmod(fd, 0700) == 0 && close(fd) == 0);
  scenario_run(loop, run_script, name);
  unlink(name);
}
