#include "blocking.h"

#define LENGTH_MAX ((size_t)0x7ffff000)

int blocking_open(const char *path, int flags, int mode) {
  uv_fs_t req;
  int fd = uv_fs_open(NULL, &req, path, flags, mode, NULL);
  uv_fs_req_cleanup(&req);
  return fd;
}

int blocking_close(int fd) {
  uv_fs_t req;
  int err = uv_fs_close(NULL, &req, fd, NULL);
  uv_fs_req_cleanup(&req);
  return err;
}

int blocking_fstat(int fd, uv_stat_t *stat) {
  uv_fs_t req;
  int err = uv_fs_fstat(NULL, &req, fd, NULL);
  if (err == 0) *stat = req.statbuf;
  uv_fs_req_cleanup(&req);
  return err;
}

int blocking_fsync(int fd) {
  uv_fs_t req;
  int err = uv_fs_fsync(NULL, &req, fd, NULL);
  uv_fs_req_cleanup(&req);
  return err;
}

static uv_buf_t limited_piece(const void *data, size_t length) {
  uv_buf_t buf = uv_buf_init((char *)data, 0);
  buf.len = length < LENGTH_MAX ? length : LENGTH_MAX;
  return buf;
}

int64_t blocking_read(int fd, void *buffer, size_t length) {
  uv_fs_t req;
  uv_buf_t buf = limited_piece(buffer, length);
  int64_t count = uv_fs_read(NULL, &req, fd, &buf, 1, -1, NULL);
  uv_fs_req_cleanup(&req);
  return count;
}

int64_t blocking_write(int fd, const void *buffer, size_t length) {
  uv_fs_t req;
  uv_buf_t buf = limited_piece(buffer, length);
  int64_t count = uv_fs_write(NULL, &req, fd, &buf, 1, -1, NULL);
  uv_fs_req_cleanup(&req);
  return count;
}
