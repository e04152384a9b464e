/* The file system as awaits: each a synchronous uv_fs_* request that runs in the thread pool. */
#include "io.h"

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
} call;

#define RUN(name, request)                          \
  static void name(fibril__job *job) {              \
    call *self = FIBRIL__CONTAINER(call, job, job); \
    self->result = request;                         \
  }

RUN(run_open, uv_fs_open(NULL, &self->req, self->path, self->flags, self->mode, NULL))
RUN(run_close, uv_fs_close(NULL, &self->req, self->fd, NULL))
RUN(run_read, uv_fs_read(NULL, &self->req, self->fd, &self->buf, 1, self->offset, NULL))
RUN(run_write, uv_fs_write(NULL, &self->req, self->fd, &self->buf, 1, self->offset, NULL))
RUN(run_stat, uv_fs_stat(NULL, &self->req, self->path, NULL))
RUN(run_lstat, uv_fs_lstat(NULL, &self->req, self->path, NULL))
RUN(run_fstat, uv_fs_fstat(NULL, &self->req, self->fd, NULL))
RUN(run_scandir, uv_fs_scandir(NULL, &self->req, self->path, 0, NULL))

/* The request's result; who called cleans it up if it ran. */
static int64_t wait(call *self, const char *what, void (*run)(fibril__job *job)) {
  int err = fibril__job_run(&self->job, what, run);
  return err != 0 ? err : self->result;
}

static void clean_up(call *self) {
  if (self->job.ran) uv_fs_req_cleanup(&self->req);
}

static int64_t finish(call *self, const char *what, void (*run)(fibril__job *job)) {
  int64_t result = wait(self, what, run);
  clean_up(self);
  return result;
}

/* ---- Descriptors ---- */

int fibril_fs_open(const char *path, int flags, int mode) {
  call self = {.path = path, .flags = flags, .mode = mode};
  if (path == NULL) return UV_EINVAL;
  int fd = (int)finish(&self, "open", run_open);
  if (fd < 0 && self.job.ran && self.result >= 0) fibril_fs_close((int)self.result);
  return fd;
}

/* It acts whatever happens: where it may not wait, or not any more, at once. So a loop that closes
 * never waits here for the pool, whose threads may be in the hands of others. */
int fibril_fs_close(int fd) {
  call self = {.fd = fd};
  if (fibril_coroutine_self() == NULL) return FIBRIL_ENOTCOROUTINE;
  finish(&self, "close", run_close);
  if (!self.job.ran) {
    run_close(&self.job);
    uv_fs_req_cleanup(&self.req);
  }
  return (int)self.result;
}

/* ---- Reading and writing ---- */

static uv_buf_t limited(const void *data, size_t length) {
  uv_buf_t buf = uv_buf_init((char *)data, 0);
  buf.len = length < LENGTH_MAX ? length : LENGTH_MAX;
  return buf;
}

int64_t fibril_fs_read(int fd, void *buffer, size_t length, int64_t offset) {
  call self = {.fd = fd, .buf = limited(buffer, length), .offset = offset};
  return finish(&self, "read", run_read);
}

int64_t fibril_fs_write(int fd, const void *buffer, size_t length, int64_t offset) {
  call self = {.fd = fd, .buf = limited(buffer, length), .offset = offset};
  return finish(&self, "write", run_write);
}

/* ---- Metadata ---- */

static int finish_stat(call *self, const char *what, void (*run)(fibril__job *job),
                       uv_stat_t *stat) {
  int result = (int)wait(self, what, run);
  if (result == 0) *stat = self->req.statbuf;
  clean_up(self);
  return result;
}

int fibril_fs_stat(const char *path, uv_stat_t *stat) {
  call self = {.path = path};
  return path == NULL ? UV_EINVAL : finish_stat(&self, "stat", run_stat, stat);
}

int fibril_fs_lstat(const char *path, uv_stat_t *stat) {
  call self = {.path = path};
  return path == NULL ? UV_EINVAL : finish_stat(&self, "lstat", run_lstat, stat);
}

int fibril_fs_fstat(int fd, uv_stat_t *stat) {
  call self = {.fd = fd};
  return finish_stat(&self, "fstat", run_fstat, stat);
}

int fibril_fs_readdir(const char *path, fibril_dirent_cb each, void *arg) {
  call self = {.path = path};
  if (path == NULL) return UV_EINVAL;
  int count = (int)wait(&self, "readdir", run_scandir);
  uv_dirent_t entry;
  while (count > 0 && uv_fs_scandir_next(&self.req, &entry) == 0) each(entry.name, entry.type, arg);
  clean_up(&self);
  return count;
}
