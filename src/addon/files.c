/* readFile and writeFile. A small file takes one job of the thread pool: open, read or write,
 * close. What is larger goes on in pieces, so that it can be cancelled in between. */
#include "addon.h"

#include "blocking.h"
#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SMALL ((size_t)512 * 1024)
#define PIECE ((size_t)4 * 1024 * 1024)
#define UNKNOWN_SIZE ((size_t)64 * 1024)
#define SIZE_LIMIT ((uint64_t)0x7fffffff) /* what Node's readFile takes */

/* A file and what failed with it, as Node names it. It is closed here: a descriptor that the caller
 * gave is duplicated, since it may be closed and its number be another file's before the last
 * piece. */
typedef struct {
  const char *path;
  int fd;            /* -1: not open */
  bool named;        /* by a path */
  fibril_value look; /* a FileHandle's: its descriptor at the moment */
  int err;
  const char *syscall;
} file;

static void fail_file(file *f, int err, const char *syscall) {
  if (f->err != 0) return;
  f->err = err;
  f->syscall = syscall;
}

/* In the pool, as all that is named blocking_. */
static bool open_file(file *f, int flags, int mode) {
  if (!f->named) return f->err == 0;
  f->fd = blocking_open(f->path, flags, mode);
  if (f->fd < 0) fail_file(f, f->fd, "open");
  return f->fd >= 0;
}

static void close_in_pool(file *f) {
  if (f->fd < 0) return;
  int err = blocking_close(f->fd);
  if (err != 0) fail_file(f, err, "close");
  f->fd = -1;
}

/* On the coroutine's stack, whatever happened: also after a cancellation. */
static void close_file(file *f) {
  if (f->fd < 0) return;
  int err = fibril_fs_close(f->fd);
  if (err != 0) fail_file(f, err, "close");
}

/* The path is in the errors in which the newest Node has it. */
static fibril_value file_error(const file *f) {
  if (f->syscall == NULL) return fibril_error(f->err, NULL);
  bool named = f->named && (strcmp(f->syscall, "open") == 0 || strcmp(f->syscall, "read") == 0);
  return fibril_error_uv(f->err, f->syscall, named ? f->path : NULL);
}

/* Before a piece: a FileHandle that was closed meanwhile has no next one. */
static bool is_still_open(file *f, const char *syscall) {
  if (f->err != 0) return false;
  if (fibril_value_kind(f->look) != FIBRIL_REFERENCE) return true;
  fibril_value fd = fibril_call(f->look, NULL, 0);
  if (fibril_is_error(fd))
    fail_file(f, fibril_error_code(fd), NULL);
  else if (!(fibril_value_number(fd) >= 0))
    fail_file(f, UV_EBADF, syscall);
  return f->err == 0;
}

static file file_of(fibril_args *args, size_t look, const char *syscall) {
  file f = {.path = fibril_arg_string(args, 0), .fd = -1, .look = fibril_arg(args, look)};
  int fd = (int)fibril_arg_integer(args, 1);
  f.named = fd < 0 && !fibril_arg_given(args, look);
  if (f.named) return f;
  f.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (f.fd < 0) fail_file(&f, -errno, syscall);
  return f;
}

/* ---- readFile ---- */

typedef struct {
  file file;
  int flags;
  uint64_t size; /* 0: unknown; what /proc says of its files, too */
  bool regular;  /* no pipe or device, where reading may have to wait for somebody */
  bool complete;
  bool too_large;
  char *data;
  size_t length, capacity;
} reading;

static bool make_reading_room(reading *r) {
  if (r->length < r->capacity) return true;
  if (r->capacity >= SIZE_LIMIT) {
    r->size = (uint64_t)r->length + 1;
    r->too_large = true;
    return false;
  }
  size_t capacity = r->capacity > 0 ? r->capacity * 2
                    : r->size > 0   ? (size_t)r->size
                                    : UNKNOWN_SIZE;
  if (capacity > SIZE_LIMIT) capacity = SIZE_LIMIT;
  char *data = realloc(r->data, capacity);
  if (data == NULL) {
    fail_file(&r->file, UV_ENOMEM, NULL);
    return false;
  }
  r->data = data;
  r->capacity = capacity;
  return true;
}

static void add_piece_read(reading *r, int64_t count) {
  if (count < 0) {
    fail_file(&r->file, (int)count, "read");
    return;
  }
  r->length += (size_t)count;
  r->complete = count == 0 || (r->size > 0 && r->length >= r->size);
}

static bool reading_goes_on(const reading *r) {
  return !r->complete && !r->too_large && r->file.err == 0;
}

static size_t next_piece_size(const reading *r) {
  size_t room = r->capacity - r->length;
  return room < PIECE ? room : PIECE;
}

/* Pipes and terminals are opened without blocking: waiting for their other side would take a thread
 * of the pool. For regular files that changes nothing but how a lease is met, and then the second
 * try waits. */
static bool open_to_read(reading *r) {
  file *f = &r->file;
  if (!f->named) return f->err == 0;
  f->fd = blocking_open(f->path, r->flags | O_NONBLOCK, 0666);
  if (f->fd == UV_EAGAIN) return open_file(f, r->flags, 0666);
  if (f->fd < 0) fail_file(f, f->fd, "open");
  return f->fd >= 0;
}

static bool examine_file(reading *r) {
  uv_stat_t stat;
  int err = blocking_fstat(r->file.fd, &stat);
  if (err != 0) {
    fail_file(&r->file, err, "fstat");
    return false;
  }
  r->regular = (stat.st_mode & S_IFMT) == S_IFREG;
  if (r->regular) r->size = stat.st_size;
  r->too_large = r->size > SIZE_LIMIT;
  return !r->too_large;
}

/* The job that is all for a small file. */
static void read_small(void *arg) {
  reading *r = arg;
  if (!open_to_read(r) || !examine_file(r) || !r->regular || r->size > SMALL) return;
  while (r->length < SMALL && reading_goes_on(r) && make_reading_room(r))
    add_piece_read(r, blocking_read(r->file.fd, r->data + r->length, next_piece_size(r)));
  if (r->complete) close_in_pool(&r->file);
}

/* Whether it waited until a pipe or terminal that was opened here has something. */
static bool wait_for_data(reading *r) {
  if (r->regular || !r->file.named) return false;
  int ready = fibril_poll_fd(r->file.fd, UV_READABLE, -1);
  /* What can't be polled, /dev/zero for one, never lets a reader wait. */
  if (ready < 0 && ready != UV_EPERM) fail_file(&r->file, ready, "read");
  return ready >= 0;
}

static void read_piece(reading *r) {
  bool waited = make_reading_room(r) && wait_for_data(r);
  if (!reading_goes_on(r) || !is_still_open(&r->file, "read")) return;
  int64_t count = fibril_fs_read(r->file.fd, r->data + r->length, next_piece_size(r), -1);
  if (count == UV_EAGAIN && waited) return; /* somebody else was faster */
  add_piece_read(r, count);
}

static fibril_value take_data_read(reading *r) {
  char *data = r->data;
  if (r->length < r->capacity) {
    char *shrunk = realloc(data, r->length > 0 ? r->length : 1);
    if (shrunk != NULL) data = shrunk;
  }
  r->data = NULL;
  return fibril_buffer_take(data, r->length, free);
}

static fibril_value size_error(const reading *r) {
  return fibril_error_type("RangeError", "ERR_FS_FILE_TOO_LARGE",
                           "File size (%llu) is greater than 2 GiB", (unsigned long long)r->size);
}

static fibril_value read_file(fibril_args *args) {
  reading r = {.file = file_of(args, 3, fibril_arg_given(args, 3) ? "read" : "fstat"),
               .flags = (int)fibril_arg_integer(args, 2)};
  int err = r.file.err == 0 ? fibril_work(read_small, &r) : 0;
  if (err != 0 && !r.complete) fail_file(&r.file, err, NULL);
  while (reading_goes_on(&r)) read_piece(&r);
  close_file(&r.file);
  fibril_value result;
  if (r.file.err != 0)
    result = file_error(&r.file);
  else
    result = r.too_large ? size_error(&r) : take_data_read(&r);
  free(r.data);
  return result;
}

/* ---- writeFile ---- */

typedef struct {
  file file;
  int flags, mode;
  bool flush;
  const char *data;
  size_t length;
  bool complete;
  atomic_bool aborted; /* while a job runs, which may be waiting for the other side of a FIFO */
} writing;

static void abort_writing(void *arg) {
  writing *w = arg;
  w->aborted = true;
}

static int run_write_job(writing *w, void (*job)(void *arg)) {
  static const fibril_work_options options = {
      .size = sizeof options, .name = "write", .interrupt = abort_writing};
  return fibril_work_with(job, w, &options);
}

static void advance_writing(writing *w, int64_t count) {
  if (count < 0) {
    fail_file(&w->file, (int)count, "write");
    return;
  }
  w->data += count;
  w->length -= (size_t)count;
}

static void flush_file(void *arg) {
  writing *w = arg;
  int err = w->flush ? blocking_fsync(w->file.fd) : 0;
  if (err != 0) fail_file(&w->file, err, "fsync");
  w->complete = err == 0;
}

/* The job that is all for little data. */
static void write_small(void *arg) {
  writing *w = arg;
  if (!open_file(&w->file, w->flags, w->mode) || w->length > SMALL) return;
  while (w->length > 0 && w->file.err == 0 && !w->aborted)
    advance_writing(w, blocking_write(w->file.fd, w->data, w->length));
  if (w->length > 0) return;
  flush_file(w);
  close_in_pool(&w->file);
}

static void write_large(writing *w) {
  while (w->length > 0 && is_still_open(&w->file, "write"))
    advance_writing(
        w, fibril_fs_write(w->file.fd, w->data, w->length < PIECE ? w->length : PIECE, -1));
  if (w->file.err != 0) return;
  w->complete = !w->flush;
  int err = w->flush ? run_write_job(w, flush_file) : 0;
  if (err != 0 && !w->complete) fail_file(&w->file, err, NULL);
}

static fibril_value write_file(fibril_args *args) {
  writing w = {.file = file_of(args, 6, "write"),
               .flags = (int)fibril_arg_integer(args, 3),
               .mode = (int)fibril_arg_integer(args, 4),
               .flush = fibril_arg_boolean(args, 5)};
  w.data = fibril_value_buffer(fibril_arg(args, 2), &w.length);
  int err = w.file.err == 0 ? run_write_job(&w, write_small) : 0;
  if (err != 0 && !w.complete) fail_file(&w.file, err, NULL);
  if (w.file.err == 0 && !w.complete) write_large(&w);
  close_file(&w.file);
  return w.file.err != 0 ? file_error(&w.file) : fibril_undefined();
}

#define WRITE_PARAMETERS                                                             \
  "(path: path, fd: int32, data: bytes, flags: int32, mode: int32, flush: boolean, " \
  "look?: () => number, options?: {signal?: AbortSignal}): Promise<void>"

int addon_export_files(fibril_module *module) {
  int err = addon_export(module,
                         "fsReadFile(path: path, fd: int32, flags: int32, look?: () => number, "
                         "options?: {signal?: AbortSignal}): Promise<bytes>",
                         read_file);
  if (err != 0) return err;
  err = addon_export(module, "fsWriteFile" WRITE_PARAMETERS, write_file);
  if (err != 0) return err;
  /* The descriptor may be another file's by the time that large bytes are there. */
  fibril_export_options options = {
      .size = sizeof options, .stack_size = ADDON_STACK_SIZE, .copy_at_once = true};
  return fibril_export_with(module, "fsWriteDescriptor" WRITE_PARAMETERS, write_file, &options);
}
