/* Children by posix_spawn, which copies no page tables however large the heap is, and heard of by a
 * descriptor of the process (pidfd): no signal handler, nobody else's child, no number that is
 * another process' meanwhile. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* POSIX_SPAWN_SETSID */
#endif

#include "process.h"

#include "../../core/switch/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux 5.3 and 5.4; older headers have no names for them. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define P_PIDFD_ 3

extern char **environ;

/* Of glibc 2.29, and found where it is. */
typedef int (*chdir_fn)(posix_spawn_file_actions_t *actions, const char *path);
static chdir_fn add_chdir;

static int open_pidfd(int pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int look_at(int pidfd, siginfo_t *info, int options) {
  int result;
  info->si_pid = 0;
  do result = waitid((idtype_t)P_PIDFD_, (id_t)pidfd, info, WEXITED | WNOHANG | options);
  while (result < 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

/* ---- Whether it works here ---- */

/* Emulators and valgrind find out too late that there is no such program. */
static bool misses_programs(void) {
  char name[] = "/dev/null/fibril", *args[] = {name, NULL};
  pid_t pid;
  int err = posix_spawn(&pid, name, NULL, NULL, args, args + 1);
  if (err == 0) waitpid(pid, NULL, 0);
  return err == ENOTDIR;
}

static bool has_pidfds(void) {
  siginfo_t info;
  int fd = open_pidfd(getpid());
  if (fd < 0) return false;
  bool works =
      syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0 && look_at(fd, &info, 0) == ECHILD;
  close(fd);
  return works;
}

static uv_once_t looked = UV_ONCE_INIT;
static bool works;

static void look(void) {
  uv_lib_t self;
  works = has_pidfds() && misses_programs();
  void *found = NULL;
  if (uv_dlopen(NULL, &self) == 0) uv_dlsym(&self, "posix_spawn_file_actions_addchdir_np", &found);
  memcpy(&add_chdir, &found, sizeof add_chdir);
  uv_dlclose(&self);
}

bool fibril__posix_way_can(const fibril_process_options *options) {
  char way[16];
  if (fibril__setting("FIBRIL_SPAWN", way, sizeof way) && strcmp(way, "uv") == 0) return false;
  uv_once(&looked, look);
  if (!works || options->flags != 0) return false;
  return options->cwd == NULL || add_chdir != NULL;
}

/* ---- Starting ---- */

/* As a process begins: Node ignores SIGPIPE, for one. */
static int set_attributes(posix_spawnattr_t *attributes, bool session) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (session ? POSIX_SPAWN_SETSID : 0);
  int err = posix_spawnattr_setflags(attributes, (short)flags);
  if (err == 0) err = posix_spawnattr_setsigdefault(attributes, &all);
  return err != 0 ? err : posix_spawnattr_setsigmask(attributes, &none);
}

static int add_actions(posix_spawn_file_actions_t *actions, const fibril__launch *launch) {
  const char *cwd = launch->options->cwd;
  int err = cwd == NULL ? 0 : add_chdir(actions, cwd);
  for (unsigned i = 0; err == 0 && i < launch->count; i++) {
    int fd = launch->fds[i];
    err = fd >= 0 ? posix_spawn_file_actions_adddup2(actions, fd, (int)i)
                  : posix_spawn_file_actions_addopen(actions, (int)i, "/dev/null", O_RDWR, 0);
  }
  return err;
}

static int spawn_program(const fibril__launch *launch, const char *path, const char *const *args,
                         const posix_spawn_file_actions_t *actions,
                         const posix_spawnattr_t *attributes, pid_t *pid) {
  const char *const *env = launch->options->env;
  return posix_spawn(pid, path, actions, attributes, (char *const *)(uintptr_t)args,
                     env == NULL ? environ : (char *const *)(uintptr_t)env);
}

/* What has no "#!" and is no binary is the shell's, as execvp has it. */
static int spawn_script(const fibril__launch *launch, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, pid_t *pid) {
  size_t count = 0;
  while (launch->args[count] != NULL) count++;
  const char **args = malloc((count + 2) * sizeof *args);
  if (args == NULL) return ENOMEM;
  args[0] = "sh";
  args[1] = launch->path;
  for (size_t i = 1; i <= count; i++) args[i + 1] = launch->args[i];
  int err = spawn_program(launch, "/bin/sh", args, actions, attributes, pid);
  free(args);
  return err;
}

static int spawn_with(const fibril__launch *launch, posix_spawn_file_actions_t *actions,
                      pid_t *pid) {
  const fibril_process_options *options = launch->options;
  posix_spawnattr_t attributes;
  int err = posix_spawnattr_init(&attributes);
  if (err != 0) return err;
  err = set_attributes(&attributes, options->detached || options->group);
  if (err == 0) err = add_actions(actions, launch);
  if (err == 0) err = spawn_program(launch, launch->path, launch->args, actions, &attributes, pid);
  if (err == ENOEXEC) err = spawn_script(launch, actions, &attributes, pid);
  posix_spawnattr_destroy(&attributes);
  return err;
}

static void on_pidfd_ready(fibril__watcher *watcher, int events);
static void on_pidfd_replaced(fibril__watcher *watcher);

/* The system takes children by itself where SIGCHLD is ignored: then it may have gone already. */
static int watch_child(fibril_process *self) {
  int fd = open_pidfd(self->pid);
  if (fd < 0 && errno == ESRCH) {
    fibril__process_ended(self, FIBRIL_ECHILD, 0, 0);
    return 0;
  }
  if (fd < 0) return uv_translate_sys_error(errno);
  self->watcher = (fibril__watcher){.loop = self->handle.loop,
                                    .fd = fd,
                                    .events = UV_READABLE,
                                    .steady = true,
                                    .unheld = true,
                                    .ready = on_pidfd_ready,
                                    .replaced = on_pidfd_replaced};
  int err = fibril__watcher_start(&self->watcher);
  if (err == 0) return 0;
  self->watcher.fd = -1;
  close(fd);
  return err;
}

static int spawn_posix(fibril_process *self, const fibril__launch *launch) {
  posix_spawn_file_actions_t actions;
  pid_t pid = 0;
  int err = posix_spawn_file_actions_init(&actions);
  if (err != 0) return uv_translate_sys_error(err);
  err = spawn_with(launch, &actions, &pid);
  posix_spawn_file_actions_destroy(&actions);
  if (err != 0) return uv_translate_sys_error(err);
  self->pid = pid;
  err = watch_child(self);
  if (err == 0) return 0;
  kill(pid, SIGKILL);
  fibril__process_orphan(pid);
  self->pid = 0;
  return err;
}

/* ---- Its end ---- */

/* The leader of a group is reaped when it is closed, since the group's number is its own. */
static void hear_of_end(fibril_process *self) {
  siginfo_t info;
  int err = look_at(self->watcher.fd, &info, self->group ? WNOWAIT : 0);
  if (err == 0 && info.si_pid == 0) return;
  fibril__watcher_stop(&self->watcher);
  if (err != 0)
    fibril__process_ended(self, err == ECHILD ? FIBRIL_ECHILD : uv_translate_sys_error(err), 0, 0);
  else if (info.si_code == CLD_EXITED)
    fibril__process_ended(self, 0, info.si_status, 0);
  else
    fibril__process_ended(self, 0, 0, info.si_status);
}

static void lose_pidfd(fibril_process *self) {
  fibril__watcher_stop(&self->watcher);
  self->watcher.fd = -1; /* whoever has closed it */
  fibril__process_ended(self, FIBRIL_ECHILD, 0, 0);
}

static void on_pidfd_ready(fibril__watcher *watcher, int events) {
  fibril_process *self = FIBRIL__CONTAINER(fibril_process, watcher, watcher);
  if (events < 0)
    lose_pidfd(self);
  else
    hear_of_end(self);
}

static void on_pidfd_replaced(fibril__watcher *watcher) {
  lose_pidfd(FIBRIL__CONTAINER(fibril_process, watcher, watcher));
}

static int kill_posix(fibril_process *self, int signal) {
  if (self->watcher.fd < 0 || self->error == FIBRIL_ECHILD) return UV_ESRCH;
  int err = self->group ? kill(-self->pid, signal)
                        : (int)syscall(SYS_pidfd_send_signal, self->watcher.fd, signal, NULL, 0);
  return err == 0 ? 0 : uv_translate_sys_error(errno);
}

static void close_posix(fibril_process *self) {
  if (self->watcher.fd < 0) return;
  bool reaped = self->ended && (self->error == 0 ? !self->group : self->error == FIBRIL_ECHILD);
  if (!self->ended) fibril__watcher_stop(&self->watcher);
  close(self->watcher.fd);
  self->watcher.fd = -1;
  if (!reaped) fibril__process_orphan(self->pid);
}

const fibril__process_way fibril__posix_way = {spawn_posix, kill_posix, NULL, close_posix};
