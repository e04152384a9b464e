#include "uv_stream.h"

#include "../../core/loop/descriptors.h"
#include "../signal.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* So much is read before anybody asks for it. It begins with what short messages take. */
#define AHEAD_MAX (64 * 1024)
#define AHEAD_FIRST 1024

/* What the system does not take at once is copied, so that who writes may leave, in pieces, so that
 * a large write is not there twice. */
#define PIECE_MAX (64 * 1024)

static fibril__uv_stream *of_uv(void *uv) {
  return FIBRIL__CONTAINER(fibril__uv_stream, stream.handle, ((uv_handle_t *)uv)->data);
}

static int fd_of(const fibril__uv_stream *self) {
  uv_os_fd_t fd = -1;
  uv_fileno(&self->uv.handle, &fd);
  return fd;
}

/* ---- Reading ---- */

static void describe_stream(const fibril__wait *wait, fibril__wait_report *report);

static const fibril__wait_kind read_kind = {.name = "stream read", .describe = describe_stream};
static const fibril__wait_kind write_kind = {.name = "stream write", .describe = describe_stream};
static const fibril__wait_kind shutdown_kind = {.name = "shutdown", .describe = describe_stream};

typedef struct {
  fibril__request request;
  fibril__uv_stream *stream;
} stream_wait;

static void describe_stream(const fibril__wait *wait, fibril__wait_report *report) {
  const stream_wait *self = FIBRIL__CONTAINER(const stream_wait, request.wait, wait);
  report->fd = fd_of(self->stream);
  report->unheld = self->request.unheld;
  fibril__socket_address(report->fd, true, report->address,
                         sizeof report->address); /* stays empty where it has none */
}

static void stop_reading(fibril__uv_stream *self) {
  if (self->on) uv_read_stop(&self->uv.stream);
  self->on = false;
}

/* Where the next bytes go that nobody waits for; of no length: there is no room. */
static uv_buf_t room_ahead(fibril__uv_stream *self) {
  if (self->ahead_at > 0 && self->ahead_at + self->ahead_length == self->ahead_size) {
    memmove(self->ahead, self->ahead + self->ahead_at, self->ahead_length);
    self->ahead_at = 0;
  }
  size_t used = self->ahead_at + self->ahead_length;
  if (used == self->ahead_size && used < AHEAD_MAX) {
    size_t size = used == 0 ? AHEAD_FIRST : 4 * used;
    char *ahead = realloc(self->ahead, size);
    if (ahead == NULL) return uv_buf_init(NULL, 0);
    self->ahead = ahead;
    self->ahead_size = size;
  }
  return uv_buf_init(self->ahead + used, (unsigned)(self->ahead_size - used));
}

/* libuv asks again at once when a buffer was filled: who waits is to go on first. */
static void on_room_wanted(uv_handle_t *uv, size_t suggested, uv_buf_t *buffer) {
  fibril__uv_stream *self = of_uv(uv);
  (void)suggested;
  if (self->reader != NULL) {
    __builtin_prefetch(self->reader);
    __builtin_prefetch(self->to_fetch);
    *buffer = self->room;
  } else {
    *buffer = self->served ? uv_buf_init(NULL, 0) : room_ahead(self);
  }
}

static void end_read(fibril__uv_stream *self, fibril__request *reader, int status) {
  self->reader = NULL;
  self->served = true;
  if (!self->own) stop_reading(self);
  fibril__request_end(reader, status);
}

static void on_bytes(fibril__uv_stream *self, size_t count) {
  fibril__request *reader = self->reader;
  if (reader != NULL) {
    end_read(self, reader, (int)count);
    return;
  }
  self->ahead_length += count;
  if (self->ahead_length == AHEAD_MAX) stop_reading(self);
}

static int start_reading(fibril__uv_stream *self);

static void end_reading(fibril__uv_stream *self, int end) {
  fibril__request *reader = self->reader;
  stop_reading(self);
  self->end = end == UV_EOF && self->lost != 0 ? self->lost : end;
  if (reader != NULL) end_read(self, reader, self->end == UV_EOF ? 0 : self->end);
}

/* libuv takes a hang-up for an end, and has not read up to it: there may be more, or a reset. */
static void read_on(fibril__uv_stream *self) {
  self->on = false;
  int err = self->own || self->reader != NULL ? start_reading(self) : 0;
  if (err != 0) end_reading(self, err);
}

static void on_read(uv_stream_t *uv, ssize_t count, const uv_buf_t *buffer) {
  fibril__uv_stream *self = of_uv(uv);
  if (count > 0) {
    on_bytes(self, (size_t)count);
  } else if (count == UV_ENOBUFS) {
    if (!self->served) stop_reading(self); /* until somebody reads */
    self->served = false;
  } else if (count == UV_EOF && buffer->base == NULL) {
    read_on(self);
  } else if (count < 0) {
    end_reading(self, (int)count);
  }
}

static int start_reading(fibril__uv_stream *self) {
  if (self->on || self->end != 0) return 0;
  int err = uv_read_start(&self->uv.stream, on_room_wanted, on_read);
  self->on = err == 0;
  return err;
}

static size_t take_ahead(fibril__uv_stream *self, void *buffer, size_t length) {
  size_t count = length < self->ahead_length ? length : self->ahead_length;
  memcpy(buffer, self->ahead + self->ahead_at, count);
  self->ahead_at += count;
  self->ahead_length -= count;
  if (self->ahead_length > 0) return count;
  free(self->ahead);
  self->ahead = NULL;
  self->ahead_at = self->ahead_size = 0;
  if (self->own) start_reading(self);
  return count;
}

static bool leave_read(fibril__request *request) {
  fibril__uv_stream *self = FIBRIL__CONTAINER(stream_wait, request, request)->stream;
  self->reader = NULL;
  if (!self->own) stop_reading(self);
  return true;
}

static int64_t read_uv(void *arg, void *buffer, size_t length) {
  fibril__uv_stream *self = arg;
  fibril__handle *handle = &self->stream.handle;
  stream_wait wait = {.stream = self};
  self->served = false;
  if (self->ahead_length > 0) return (int64_t)take_ahead(self, buffer, length);
  if (self->end != 0) return self->end == UV_EOF ? 0 : self->end;
  int err = fibril__handle_begin(handle, FIBRIL__READER, &wait.request, &read_kind, leave_read);
  if (err != 0) return err;
  self->room = uv_buf_init(buffer, 0);
  self->room.len = length < INT_MAX ? length : INT_MAX;
  self->reader = &wait.request;
  self->to_fetch = wait.request.waiter;
  int result = fibril__handle_wait(handle, FIBRIL__READER, start_reading(self));
  self->reader = NULL;
  self->served = false;
  return result;
}

/* The system says once that a connection is lost. Whoever hears of it first, the reading ends so.
 */
static int note_loss(fibril__uv_stream *self, int err) {
  bool lost = err == UV_ECONNRESET || err == UV_ETIMEDOUT || err == UV_ECONNABORTED ||
              err == UV_EHOSTUNREACH || err == UV_ENETUNREACH;
  if (lost && self->lost == 0) self->lost = err;
  return err;
}

static int64_t tryread_uv(void *arg, void *buffer, size_t length) {
  fibril__uv_stream *self = arg;
  if (self->ahead_length > 0) return (int64_t)take_ahead(self, buffer, length);
  if (self->end != 0) return self->end == UV_EOF ? 0 : self->end;
  ssize_t count;
  do count = read(fd_of(self), buffer, length < INT_MAX ? length : INT_MAX);
  while (count < 0 && errno == EINTR);
  if (count == 0 && self->lost != 0) return self->lost;
  return count >= 0 ? count : note_loss(self, uv_translate_sys_error(errno));
}

/* ---- Writing ---- */

/* What libuv writes when nobody may wait for it any more. */
typedef struct {
  uv_write_t req;
  fibril__uv_stream *stream;
  char data[];
} piece;

static void end_writer(fibril__uv_stream *self, int status) {
  fibril__request *writer = fibril__handle_waiting(&self->stream.handle, FIBRIL__WRITER);
  if (writer != NULL) fibril__request_end(writer, status);
}

static void on_written(uv_write_t *req, int status) {
  piece *one = FIBRIL__CONTAINER(piece, req, req);
  if (status != 0) one->stream->handed -= req->bufsml[0].len; /* what libuv had not written */
  note_loss(one->stream, status);
  end_writer(one->stream, status);
  free(one);
}

/* Whoever leaves leaves the write side broken, so that nobody comes after. */
static bool leave_write(fibril__request *request) {
  (void)request;
  return true;
}

typedef struct {
  const uv_buf_t *buffers;
  unsigned count;
  size_t at; /* in the first one */
} rest;

static void take_off(rest *left, size_t length) {
  length += left->at;
  while (left->count > 0 && length >= left->buffers->len) {
    length -= left->buffers->len;
    left->buffers++;
    left->count--;
  }
  left->at = length;
}

static size_t copy_rest(const rest *left, char *data, size_t room) {
  size_t copied = 0;
  for (unsigned i = 0; i < left->count && copied < room; i++) {
    size_t at = i == 0 ? left->at : 0, length = left->buffers[i].len - at;
    if (length > room - copied) length = room - copied;
    if (length > 0) memcpy(data + copied, left->buffers[i].base + at, length);
    copied += length;
  }
  return copied;
}

static size_t length_of(const rest *left) {
  size_t length = 0;
  for (unsigned i = 0; i < left->count; i++) length += left->buffers[i].len;
  return length - left->at;
}

static int start_piece(fibril__uv_stream *self, rest *left) {
  size_t length = length_of(left);
  if (length > PIECE_MAX) length = PIECE_MAX;
  piece *one = malloc(sizeof *one + length);
  if (one == NULL) return UV_ENOMEM;
  one->stream = self;
  uv_buf_t buffer = uv_buf_init(one->data, (unsigned)copy_rest(left, one->data, length));
  int err = uv_write(&one->req, &self->uv.stream, &buffer, 1, on_written);
  if (err != 0) {
    free(one);
    return err;
  }
  take_off(left, length);
  self->handed += length;
  return 0;
}

static int wait_for_piece(fibril__uv_stream *self, rest *left) {
  fibril__handle *handle = &self->stream.handle;
  stream_wait wait = {.stream = self};
  int err = fibril__handle_begin(handle, FIBRIL__WRITER, &wait.request, &write_kind, leave_write);
  if (err != 0) return err;
  return fibril__handle_wait(handle, FIBRIL__WRITER, start_piece(self, left));
}

/* One system call, of at most so many buffers, the first of them from where it is on. */
#define AT_ONCE 16

static int try_rest(fibril__uv_stream *self, const rest *left) {
  uv_buf_t buffers[AT_ONCE];
  unsigned count = left->count < AT_ONCE ? left->count : AT_ONCE;
  if (left->at == 0) return uv_try_write(&self->uv.stream, left->buffers, count);
  memcpy(buffers, left->buffers, count * sizeof *buffers);
  buffers[0].base += left->at;
  buffers[0].len -= left->at;
  return uv_try_write(&self->uv.stream, buffers, count);
}

static int write_uv(void *arg, const uv_buf_t *buffers, unsigned count) {
  fibril__uv_stream *self = arg;
  rest left = {buffers, count, 0};
  take_off(&left, 0);
  while (left.count > 0) {
    int written = try_rest(self, &left);
    if (written < 0 && written != UV_EAGAIN) return note_loss(self, written);
    if (written > 0) {
      take_off(&left, (size_t)written);
      self->handed += (size_t)written;
    } else {
      int err = wait_for_piece(self, &left);
      if (err == 0 && self->stream.handle.closed) err = left.count > 0 ? UV_EBADF : 0;
      if (err != 0) return err;
    }
  }
  return 0;
}

static uint64_t written_uv(const fibril_stream *stream) {
  const fibril__uv_stream *self = FIBRIL__CONTAINER(const fibril__uv_stream, stream, stream);
  return self->handed - self->uv.stream.write_queue_size;
}

static void on_shut(uv_shutdown_t *req, int status) {
  end_writer(req->data, status);
  free(req);
}

static int start_shutdown(fibril__uv_stream *self) {
  uv_shutdown_t *req = malloc(sizeof *req);
  if (req == NULL) return UV_ENOMEM;
  req->data = self;
  int err = uv_shutdown(req, &self->uv.stream, on_shut);
  if (err != 0) free(req);
  return err;
}

/* Terminals and pipes have no end to send before they are closed. */
static bool has_write_end(const fibril__uv_stream *self) {
  int type;
  socklen_t size = sizeof type;
  return self->uv.handle.type == UV_TCP ||
         getsockopt(fd_of(self), SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

static int shutdown_uv(void *arg) {
  fibril__uv_stream *self = arg;
  if (!has_write_end(self)) return 0;
  fibril__handle *handle = &self->stream.handle;
  stream_wait wait = {.stream = self};
  int err =
      fibril__handle_begin(handle, FIBRIL__WRITER, &wait.request, &shutdown_kind, leave_write);
  if (err != 0) {
    self->stream.shut = false; /* it has not begun, and may be asked for again */
    return err;
  }
  return fibril__handle_wait(handle, FIBRIL__WRITER, start_shutdown(self));
}

/* ---- The end ---- */

static void close_uv(fibril__handle *handle) {
  fibril__uv_stream *self = FIBRIL__CONTAINER(fibril__uv_stream, stream.handle, handle);
  if (!self->opened) return;
  if (self->was_blocking) fibril__descriptor_block(fd_of(self));
  self->on = false;
  if (self->given > STDERR_FILENO && self->given != fd_of(self)) close(self->given);
  fibril__handle_close_uv(handle, &self->uv.handle);
}

static void free_uv(fibril__handle *handle) {
  fibril__uv_stream *self = FIBRIL__CONTAINER(fibril__uv_stream, stream.handle, handle);
  free(self->ahead);
  free(self);
}

/* The type's, whose handle does it. */
static void close_nothing(void *arg) {
  (void)arg;
}

/* The system's way to say it: nothing lingers, and the close is a reset. */
static void abort_uv(void *arg) {
  fibril__uv_stream *self = arg;
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  if (self->uv.handle.type == UV_TCP)
    setsockopt(fd_of(self), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

static int release_uv(fibril_stream *stream, fibril_socket *fd, fibril_value *rest) {
  fibril__uv_stream *self = FIBRIL__CONTAINER(fibril__uv_stream, stream, stream);
  int copy = fcntl(fd_of(self), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return uv_translate_sys_error(errno);
  const char *data = self->ahead == NULL ? "" : self->ahead + self->ahead_at;
  fibril_value ahead = fibril_value_take(fibril_buffer(data, self->ahead_length));
  if (fibril_is_error(ahead)) {
    close(copy);
    return fibril_error_code(ahead);
  }
  *fd = copy;
  *rest = ahead;
  return 0;
}

static int address_uv(const fibril_stream *stream, bool peer, char *buffer, size_t length) {
  const fibril__uv_stream *self = FIBRIL__CONTAINER(const fibril__uv_stream, stream, stream);
  return fibril__socket_address(fd_of(self), peer, buffer, length);
}

/* ---- Making one ---- */

static const fibril__handle_type handle_type = {.close = close_uv, .free = free_uv};
static const fibril__stream_extras extras = {address_uv, release_uv, written_uv};
static const fibril_stream_type uv_type = {
    .size = sizeof uv_type,
    .name = "stream",
    .read = read_uv,
    .write = write_uv,
    .shutdown = shutdown_uv,
    .close = close_nothing,
    .tryread = tryread_uv,
    .abort = abort_uv,
};

/* Writing to who has gone is an error, not the end of the process. */
static void ignore_sigpipe(void) {
  fibril__signal_ignore(SIGPIPE);
}

static int init_uv(fibril__uv_stream *self, uv_handle_type kind) {
  uv_loop_t *uv = self->stream.handle.loop->uv;
  if (kind == UV_TTY) return 0;
  return kind == UV_TCP ? uv_tcp_init(uv, &self->uv.tcp) : uv_pipe_init(uv, &self->uv.pipe, 0);
}

static void count_uv(fibril__uv_stream *self) {
  self->opened = true;
  fibril__handle_opened_uv(&self->stream.handle, &self->uv.handle);
}

int fibril__uv_stream_new(uv_handle_type kind, bool own, fibril__uv_stream **out) {
  static uv_once_t once = UV_ONCE_INIT;
  fibril__uv_stream *self = calloc(1, sizeof *self);
  if (self == NULL) return UV_ENOMEM;
  uv_once(&once, ignore_sigpipe);
  self->own = own;
  self->given = -1;
  int err = fibril__stream_init(&self->stream, &handle_type, &uv_type, &extras, self);
  if (err != 0) {
    free(self);
    return err;
  }
  err = init_uv(self, kind);
  if (err != 0) {
    fibril__uv_stream_drop(self);
    return err;
  }
  if (kind != UV_TTY) count_uv(self);
  *out = self;
  return 0;
}

static int open_uv(fibril__uv_stream *self, uv_handle_type kind, fibril_socket fd) {
  if (kind == UV_TCP) return uv_tcp_open(&self->uv.tcp, fd);
  if (kind == UV_NAMED_PIPE) return uv_pipe_open(&self->uv.pipe, fd);
  int err = uv_tty_init(self->stream.handle.loop->uv, &self->uv.tty, fd, 0);
  if (err != 0) return err;
  count_uv(self);
  self->given = fd;
  return 0;
}

int fibril__uv_stream_of(uv_handle_type kind, fibril_socket fd, bool own, fibril_stream **out) {
  fibril__uv_stream *self;
  int flags = own ? O_NONBLOCK : fcntl(fd, F_GETFL);
  if (flags < 0) return uv_translate_sys_error(errno);
  int err = fibril__uv_stream_new(kind, own, &self);
  if (err != 0) return err;
  err = open_uv(self, kind, fd);
  if (err != 0) {
    fibril__uv_stream_drop(self);
    return err;
  }
  self->was_blocking = (flags & O_NONBLOCK) == 0;
  *out = &self->stream;
  return 0;
}
