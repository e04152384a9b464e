#include "process.h"

#include "../net/uv_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A child has 0, 1 and 2 in any case. */
#define STANDARD 3
#define STDIO_MAX 1024

/* ---- The handle ---- */

/* Of a group also when its first process has ended: the others may be there. */
static bool has_to_be_killed(const fibril_process *self) {
  return self->pid != 0 && !self->detached && (!self->ended || self->group);
}

static void close_process(fibril__handle *handle) {
  fibril_process *self = FIBRIL__CONTAINER(fibril_process, handle, handle);
  fibril__process_end_waits(self, UV_ECANCELED);
  for (unsigned i = 0; i < self->stdio_count; i++)
    if (self->stdio[i] != NULL) fibril_stream_close(self->stdio[i]);
  if (has_to_be_killed(self)) self->way->send(self, SIGKILL);
  self->way->close(self);
}

static void free_process(fibril__handle *handle) {
  fibril_process *self = FIBRIL__CONTAINER(fibril_process, handle, handle);
  for (unsigned i = 0; i < self->stdio_count; i++)
    if (self->stdio[i] != NULL) fibril_stream_unref(self->stdio[i]);
  free(self);
}

static const fibril__handle_type process_type = {
    .close = close_process, .free = free_process, .hold = fibril__process_hold_waits};

FIBRIL__HANDLE_FUNCTIONS(process, fibril_process)

int fibril_process_pid(const fibril_process *self) {
  return self->pid;
}

fibril_stream *fibril_process_stdio(const fibril_process *self, unsigned number) {
  return number < self->stdio_count ? self->stdio[number] : NULL;
}

int fibril_process_kill(fibril_process *self, int signal) {
  if (self->handle.closed) return UV_EBADF;
  if (signal < 0 || signal >= NSIG) return UV_EINVAL;
  if (self->ended && !self->group) return UV_ESRCH;
  return self->way->send(self, signal);
}

/* ---- Starting ---- */

/* Above those that the child will have, so that none is overwritten before it is copied. */
static int raise_descriptor(int fd, unsigned count) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, (int)count);
  return copy >= 0 ? copy : uv_translate_sys_error(errno);
}

/* The stream is nobody's but the process', and closed with it. */
static int open_pipe(fibril_process *self, unsigned number, unsigned count) {
  uv_os_sock_t ends[2];
  int err = uv_socketpair(SOCK_STREAM, 0, ends, UV_NONBLOCK_PIPE, 0);
  if (err != 0) return err;
  int fd = raise_descriptor(ends[1], count);
  close(ends[1]);
  err = fd < 0 ? fd : fibril__uv_stream_of(UV_NAMED_PIPE, ends[0], true, &self->stdio[number]);
  if (err != 0) {
    close(ends[0]);
    if (fd >= 0) close(fd);
    return err;
  }
  fibril_stream_detach(fibril_stream_ref(self->stdio[number]));
  return fd;
}

static int open_descriptor(fibril_process *self, const fibril_stdio *stdio, unsigned number,
                           unsigned count) {
  if (stdio->kind == FIBRIL_STDIO_PIPE) return open_pipe(self, number, count);
  return stdio->kind == FIBRIL_STDIO_INHERIT ? raise_descriptor(stdio->fd, count) : -1;
}

static bool valid_stdio(const fibril_process_options *options) {
  if (options->stdio_count > STDIO_MAX) return false;
  if (options->stdio_count > 0 && options->stdio == NULL) return false;
  for (unsigned i = 0; i < options->stdio_count; i++)
    if (options->stdio[i].kind > FIBRIL_STDIO_INHERIT) return false;
  return true;
}

static bool valid_options(const fibril_process_options *options) {
  if (options == NULL || options->size != sizeof *options || options->file == NULL) return false;
  if (options->args != NULL && options->args[0] == NULL) return false;
  unsigned known = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
  return (options->flags & ~known) == 0 && valid_stdio(options);
}

/* UV_EBADF is about a descriptor of the caller's. */
static int open_descriptors(fibril_process *self, fibril__launch *launch) {
  const fibril_process_options *options = launch->options;
  for (unsigned i = 0; i < launch->count; i++) launch->fds[i] = -1;
  for (unsigned i = 0; i < options->stdio_count; i++) {
    int fd = open_descriptor(self, &options->stdio[i], i, launch->count);
    if (fd < -1 || (fd == -1 && options->stdio[i].kind != FIBRIL_STDIO_IGNORE)) return fd;
    launch->fds[i] = fd;
  }
  return 0;
}

static int launch_program(fibril_process *self, const fibril_process_options *options,
                          const char *path) {
  const char *alone[] = {options->file, NULL};
  unsigned count = options->stdio_count > STANDARD ? options->stdio_count : STANDARD;
  int *fds = malloc(count * sizeof *fds);
  if (fds == NULL) return UV_ENOMEM;
  fibril__launch launch = {.options = options,
                           .path = path,
                           .args = options->args == NULL ? alone : options->args,
                           .count = count,
                           .fds = fds};
  int err = open_descriptors(self, &launch);
  if (err == 0) err = self->way->spawn(self, &launch);
  for (unsigned i = 0; i < count; i++)
    if (fds[i] >= 0) close(fds[i]);
  free(fds);
  return err;
}

static int start(fibril_process *self, const fibril_process_options *options) {
  char *path;
  int err = fibril__program_find(options, &path);
  if (err != 0) return err;
  err = launch_program(self, options, path);
  free(path);
  return err;
}

int fibril_process_spawn(const fibril_process_options *options, fibril_process **out) {
  if (out == NULL || !valid_options(options)) return UV_EINVAL;
  fibril_process *self = calloc(1, sizeof *self + options->stdio_count * sizeof *self->stdio);
  if (self == NULL) return UV_ENOMEM;
  self->way = fibril__posix_way_can(options) ? &fibril__posix_way : &fibril__libuv_way;
  self->watcher.fd = -1;
  self->stdio_count = options->stdio_count;
  self->detached = options->detached;
  self->group = options->group;
  int err = fibril__handle_init(&self->handle, &process_type);
  if (err != 0) {
    free(self);
    return err;
  }
  fibril__handle_ref(&self->handle); /* who had a number before may do anything */
  err = start(self, options);
  if (err == 0)
    *out = self;
  else
    fibril__handle_close(&self->handle);
  fibril__handle_unref(&self->handle);
  return err;
}
