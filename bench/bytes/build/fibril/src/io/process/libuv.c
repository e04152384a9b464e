/* Children by uv_spawn: where the other way does not work, and for what only this one can do. */
#include "process.h"

#include "../../core/scheduler/timeouts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* 0: it runs, 1: it has ended, -1: somebody has reaped it. libuv reaps several, and then tells of
 * each. */
static int look_at(int pid) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return -1;
  return info.si_pid != 0;
}

static void stop_sweep(fibril_process *self) {
  if (self->sweep != 0) fibril_loop_remove_timeout(self->handle.loop, self->sweep);
  self->sweep = 0;
}

static void on_ended(uv_process_t *uv, int64_t status, int signal) {
  fibril_process *self = FIBRIL__CONTAINER(fibril_process, uv, uv);
  stop_sweep(self);
  if (!self->ended) fibril__process_ended(self, 0, status, signal);
}

static void expect_libuv(fibril_process *self);

/* libuv has missed its end: what it has for SIGCHLD has been replaced, or a tool has lost that. */
static void reap(fibril_process *self) {
  int status;
  if (waitpid(self->pid, &status, WNOHANG) == self->pid)
    fibril__process_ended(self, 0, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                          WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  else
    fibril__process_ended(self, FIBRIL_ECHILD, 0, 0);
}

/* libuv never tells of one that somebody else has reaped; and of one that has ended it would have
 * told before the loop comes here again. */
static void sweep(void *arg) {
  fibril_process *self = arg;
  int found = look_at(self->pid);
  bool missed = found > 0 && self->missed;
  self->sweep = 0;
  self->missed = found > 0;
  if (found < 0)
    fibril__process_ended(self, FIBRIL_ECHILD, 0, 0);
  else if (missed)
    reap(self);
  else if (self->waiters.first != NULL)
    expect_libuv(self);
}

/* Without memory for it libuv alone tells. */
static void expect_libuv(fibril_process *self) {
  if (self->sweep != 0) return;
  fibril__timeout_add(self->handle.loop, fibril__deadline(FIBRIL__SWEEP_MS), sweep, self,
                      &self->sweep);
}

static int spawn_libuv(fibril_process *self, const fibril__launch *launch) {
  const fibril_process_options *options = launch->options;
  uv_stdio_container_t *stdio = calloc(launch->count, sizeof *stdio);
  if (stdio == NULL) return UV_ENOMEM;
  for (unsigned i = 0; i < launch->count; i++) {
    stdio[i].flags = launch->fds[i] < 0 ? UV_IGNORE : UV_INHERIT_FD;
    stdio[i].data.fd = launch->fds[i];
  }
  bool session = options->detached || options->group;
  uv_process_options_t own = {.exit_cb = on_ended,
                              .file = launch->path,
                              .args = (char **)(uintptr_t)launch->args,
                              .env = (char **)(uintptr_t)options->env,
                              .cwd = options->cwd,
                              .flags = options->flags | (session ? UV_PROCESS_DETACHED : 0),
                              .stdio_count = (int)launch->count,
                              .stdio = stdio,
                              .uid = options->uid,
                              .gid = options->gid};
  int err = uv_spawn(self->handle.loop->uv, &self->uv, &own);
  free(stdio);
  self->opened = true; /* on failure, too */
  fibril__handle_opened_uv(&self->handle, (uv_handle_t *)&self->uv);
  if (err == 0) self->pid = self->uv.pid;
  return err;
}

static int kill_libuv(fibril_process *self, int signal) {
  if (self->ended || look_at(self->pid) < 0) return UV_ESRCH;
  return kill(self->group ? -self->pid : self->pid, signal) == 0 ? 0
                                                                 : uv_translate_sys_error(errno);
}

/* Closed, libuv reaps it no more. */
static void close_libuv(fibril_process *self) {
  if (!self->opened) return;
  bool reaped = self->pid == 0 || self->ended;
  stop_sweep(self);
  fibril__handle_close_uv(&self->handle, (uv_handle_t *)&self->uv);
  if (!reaped) fibril__process_orphan(self->pid);
}

const fibril__process_way fibril__libuv_way = {spawn_libuv, kill_libuv, expect_libuv, close_libuv};
