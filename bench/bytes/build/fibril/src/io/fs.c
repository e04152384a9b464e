/* The file system as awaits: each a synchronous uv_fs_* request that runs in the thread pool. */
#include "pool.h"

#include <string.h>

#include "../core/loop/descriptors.h"

/* The most that every platform's read and write take at once. */
#define LENGTH_MAX ((size_t)0x7ffff000)

typedef struct {
  fibril__job job;
  uv_fs_t req;
  const char *path;
  int fd, flags, mode;
  uv_buf_t buf;
  int64_t offset;
  int64_t result;
} fs_job;

#define RUN(name, request)                              \
  static void name(fibril__job *job) {                  \
    fs_job *self = FIBRIL__CONTAINER(fs_job, job, job); \
    self->result = request;                             \
  }

RUN(run_open, uv_fs_open(NULL, &self->req, self->path, self->flags, self->mode, NULL))
RUN(run_close, uv_fs_close(NULL, &self->req, self->fd, NULL))
RUN(run_read, uv_fs_read(NULL, &self->req, self->fd, &self->buf, 1, self->offset, NULL))
RUN(run_write, uv_fs_write(NULL, &self->req, self->fd, &self->buf, 1, self->offset, NULL))
RUN(run_stat, uv_fs_stat(NULL, &self->req, self->path, NULL))
RUN(run_lstat, uv_fs_lstat(NULL, &self->req, self->path, NULL))
RUN(run_fstat, uv_fs_fstat(NULL, &self->req, self->fd, NULL))
RUN(run_realpath, uv_fs_realpath(NULL, &self->req, self->path, NULL))
RUN(run_scandir, uv_fs_scandir(NULL, &self->req, self->path, 0, NULL))

/* The request's result if it ran, whatever came meanwhile; who called cleans it up then. */
static int64_t run_fs(fs_job *self, const char *what, void (*run)(fibril__job *job)) {
  int err = fibril__job_run(&self->job, what, run);
  return err != 0 ? err : self->result;
}

static void clean_fs(fs_job *self) {
  if (self->job.ran) uv_fs_req_cleanup(&self->req);
}

static int64_t finish_fs(fs_job *self, const char *what, void (*run)(fibril__job *job)) {
  int64_t result = run_fs(self, what, run);
  clean_fs(self);
  return result;
}

/* ---- Descriptors ---- */

int fibril_fs_open(const char *path, int flags, int mode) {
  fs_job self = {.path = path, .flags = flags, .mode = mode};
  if (path == NULL) return UV_EINVAL;
  return (int)finish_fs(&self, "open", run_open);
}

/* It acts whatever happens: where it may not wait, or not any more, at once. So a loop that closes
 * never waits here for the pool, whose threads may be in the hands of others. */
int fibril_fs_close(int fd) {
  fs_job self = {.fd = fd};
  finish_fs(&self, "close", run_close);
  if (!self.job.ran) {
    run_close(&self.job);
    uv_fs_req_cleanup(&self.req);
  }
  fibril_loop *loop = fibril_loop_current();
  if (loop != NULL) fibril__descriptor_closed(loop, fd);
  return (int)self.result;
}

/* ---- Reading and writing ---- */

static uv_buf_t limited_buf(const void *data, size_t length) {
  uv_buf_t buf = uv_buf_init((char *)data, 0);
  buf.len = length < LENGTH_MAX ? length : LENGTH_MAX;
  return buf;
}

int64_t fibril_fs_read(int fd, void *buffer, size_t length, int64_t offset) {
  fs_job self = {.fd = fd, .buf = limited_buf(buffer, length), .offset = offset};
  return finish_fs(&self, "read", run_read);
}

int64_t fibril_fs_write(int fd, const void *buffer, size_t length, int64_t offset) {
  fs_job self = {.fd = fd, .buf = limited_buf(buffer, length), .offset = offset};
  return finish_fs(&self, "write", run_write);
}

/* ---- Metadata ---- */

static int finish_fs_stat(fs_job *self, const char *what, void (*run)(fibril__job *job),
                          uv_stat_t *stat) {
  int result = (int)run_fs(self, what, run);
  if (result == 0) *stat = self->req.statbuf;
  clean_fs(self);
  return result;
}

int fibril_fs_stat(const char *path, uv_stat_t *stat) {
  fs_job self = {.path = path};
  return path == NULL ? UV_EINVAL : finish_fs_stat(&self, "stat", run_stat, stat);
}

int fibril_fs_lstat(const char *path, uv_stat_t *stat) {
  fs_job self = {.path = path};
  return path == NULL ? UV_EINVAL : finish_fs_stat(&self, "lstat", run_lstat, stat);
}

int fibril_fs_fstat(int fd, uv_stat_t *stat) {
  fs_job self = {.fd = fd};
  return finish_fs_stat(&self, "fstat", run_fstat, stat);
}

/* As libuv's functions that fill a caller's buffer. */
static int copy_out(const char *text, char *buffer, size_t *size) {
  size_t length = strlen(text);
  if (length >= *size) {
    *size = length + 1;
    return UV_ENOBUFS;
  }
  memcpy(buffer, text, length + 1);
  *size = length;
  return 0;
}

int fibril_fs_realpath(const char *path, char *buffer, size_t *size) {
  fs_job self = {.path = path};
  if (path == NULL || buffer == NULL || size == NULL) return UV_EINVAL;
  int result = (int)run_fs(&self, "realpath", run_realpath);
  if (result == 0) result = copy_out(self.req.ptr, buffer, size);
  clean_fs(&self);
  return result;
}

int fibril_fs_readdir(const char *path, fibril_dirent_cb each, void *arg) {
  fs_job self = {.path = path};
  if (path == NULL) return UV_EINVAL;
  int count = (int)run_fs(&self, "readdir", run_scandir);
  uv_dirent_t entry;
  while (count > 0 && uv_fs_scandir_next(&self.req, &entry) == 0) each(entry.name, entry.type, arg);
  clean_fs(&self);
  return count;
}
