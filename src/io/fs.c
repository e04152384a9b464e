/* The file system as awaits: each a uv_fs_* request on the coroutine's stack. */
#include "io.h"

/* The most that every platform's read and write take at once. */
#define LENGTH_MAX ((size_t)0x7ffff000)

typedef struct {
  fibril__job job;
  uv_fs_t req;
} call;

static void on_done(uv_fs_t *req) {
  fibril__job_done(req->data);
}

static int begin(call *self, const char *what) {
  return fibril__job_begin(&self->job, what, (uv_req_t *)&self->req);
}

static uv_loop_t *uv_of(const call *self) {
  return fibril_loop_uv(self->job.wait.coroutine->loop);
}

/* The request's result once libuv is done with it. */
static int64_t wait(call *self, int submitted) {
  int err = fibril__job_wait(&self->job, submitted);
  return err != 0 ? err : self->req.result;
}

static int64_t finish(call *self, int submitted) {
  int64_t result = wait(self, submitted);
  uv_fs_req_cleanup(&self->req);
  return result;
}

/* ---- Descriptors ---- */

int fibril_fs_open(const char *path, int flags, int mode) {
  call self;
  int err = path == NULL ? UV_EINVAL : begin(&self, "open");
  if (err != 0) return err;
  int fd = (int)finish(&self, uv_fs_open(uv_of(&self), &self.req, path, flags, mode, on_done));
  if (fd < 0 && self.job.cancelled && self.req.result >= 0) fibril_fs_close((int)self.req.result);
  return fd;
}

static int close_now(int fd) {
  uv_fs_t req;
  int err = uv_fs_close(NULL, &req, fd, NULL);
  uv_fs_req_cleanup(&req);
  return err;
}

/* It acts whatever happens: where it may not wait, or not any more, or libuv takes no request, at
 * once. So a loop that closes never waits here for the pool, whose threads may be in the hands of
 * others. */
int fibril_fs_close(int fd) {
  call self;
  if (fibril_coroutine_self() == NULL) return FIBRIL_ENOTCOROUTINE;
  if (begin(&self, "close") != 0) return close_now(fd);
  int submitted = uv_fs_close(uv_of(&self), &self.req, fd, on_done);
  int err = (int)finish(&self, submitted);
  if (self.job.cancelled) err = (int)self.req.result;
  return submitted < 0 || err == UV_ECANCELED ? close_now(fd) : err;
}

/* ---- Reading and writing ---- */

static uv_buf_t limited(const void *data, size_t length) {
  uv_buf_t buf = uv_buf_init((char *)data, 0);
  buf.len = length < LENGTH_MAX ? length : LENGTH_MAX;
  return buf;
}

int64_t fibril_fs_read(int fd, void *buffer, size_t length, int64_t offset) {
  call self;
  uv_buf_t buf = limited(buffer, length);
  int err = begin(&self, "read");
  if (err != 0) return err;
  return finish(&self, uv_fs_read(uv_of(&self), &self.req, fd, &buf, 1, offset, on_done));
}

int64_t fibril_fs_write(int fd, const void *buffer, size_t length, int64_t offset) {
  call self;
  uv_buf_t buf = limited(buffer, length);
  int err = begin(&self, "write");
  if (err != 0) return err;
  return finish(&self, uv_fs_write(uv_of(&self), &self.req, fd, &buf, 1, offset, on_done));
}

/* ---- Metadata ---- */

static int finish_stat(call *self, int submitted, uv_stat_t *stat) {
  int result = (int)wait(self, submitted);
  if (result == 0) *stat = self->req.statbuf;
  uv_fs_req_cleanup(&self->req);
  return result;
}

int fibril_fs_stat(const char *path, uv_stat_t *stat) {
  call self;
  int err = path == NULL ? UV_EINVAL : begin(&self, "stat");
  if (err != 0) return err;
  return finish_stat(&self, uv_fs_stat(uv_of(&self), &self.req, path, on_done), stat);
}

int fibril_fs_lstat(const char *path, uv_stat_t *stat) {
  call self;
  int err = path == NULL ? UV_EINVAL : begin(&self, "lstat");
  if (err != 0) return err;
  return finish_stat(&self, uv_fs_lstat(uv_of(&self), &self.req, path, on_done), stat);
}

int fibril_fs_fstat(int fd, uv_stat_t *stat) {
  call self;
  int err = begin(&self, "fstat");
  if (err != 0) return err;
  return finish_stat(&self, uv_fs_fstat(uv_of(&self), &self.req, fd, on_done), stat);
}

int fibril_fs_readdir(const char *path, fibril_dirent_cb each, void *arg) {
  call self;
  int err = path == NULL ? UV_EINVAL : begin(&self, "readdir");
  if (err != 0) return err;
  int count = (int)wait(&self, uv_fs_scandir(uv_of(&self), &self.req, path, 0, on_done));
  uv_dirent_t entry;
  while (count > 0 && uv_fs_scandir_next(&self.req, &entry) == 0) each(entry.name, entry.type, arg);
  uv_fs_req_cleanup(&self.req);
  return count;
}
