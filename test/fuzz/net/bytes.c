/* Reading, writing and closing streams as they are. */
#include "net.h"

#include <stdlib.h>
#include <unistd.h>

static end *end_of(wire *one) {
  return &one->ends[fuzz_below(2)];
}

static bool is_closed(const end *self) {
  return self->stream->handle.closed;
}

/* ---- Reading ---- */

static void check_end_of(end *self) {
  end *sender = peer_of(self);
  self->saw_end = true;
  if (!check_end(sender)) return;
  REQUIRE(sender->read >= (sender->buffered ? sender->flushed : sender->sent));
  if (sender->wire->exact) REQUIRE(sender->read == fibril_stream_written(sender->stream));
}

static int read_raw(end *self) {
  size_t length = any_length();
  char *data = net_memory(length);
  bool try = fuzz_once_in(4);
  self->reads++;
  int64_t count = (try ? fibril_stream_tryread : fibril_stream_read)(self->stream, data, length);
  self->reads--;
  if (count > 0) {
    check_bytes(peer_of(self), data, (size_t)count);
    take_bytes(peer_of(self), (size_t)count);
  }
  free(data);
  if (count == 0) check_end_of(self);
  if (count == UV_EAGAIN && try) return 0;
  if (count == UV_EBUSY) REQUIRE(self->reads > 0);
  if (count == UV_EBUSY || check_failure(self, count, false)) return 0;
  return net_judge(count, is_closed(self));
}

static int read_end(end *self) {
  if (!self->buffered) return read_raw(self);
  int err = buffered_read(self);
  if (err != UV_EOF) return err;
  check_end_of(self);
  return 0;
}

int act_read(void) {
  wire *one = wire_get();
  if (one == NULL) return 0;
  end *self = end_of(one);
  int err = 0;
  for (int times = 1 + fuzz_below(4); times > 0 && err == 0; times--) err = read_end(self);
  wire_put(one);
  return err;
}

/* ---- Writing ---- */

static int write_pieces(end *self, const char *data, size_t length) {
  uv_buf_t pieces[30];
  unsigned count = 0;
  if (fuzz_once_in(2)) return fibril_stream_write(self->stream, data, length);
  for (size_t at = 0; at < length || count == 0;) {
    size_t size = length - at;
    if (count < 29 && size > 0) size = (size_t)fuzz_below((int)size + 1);
    pieces[count++] = uv_buf_init((char *)(uintptr_t)data + at, (unsigned)size);
    at += size;
  }
  return fibril_stream_writev(self->stream, pieces, count);
}

/* A write that ends without breaking the stream has sent all, or nothing. */
static int write_raw(end *self, size_t length) {
  char *data = net_memory(length);
  fill_bytes(self, self->sent, data, length);
  bool ended = self->shut || self->broken;
  if (!ended) self->offered = self->sent + length;
  int err = write_pieces(self, data, length);
  free(data);
  if (err == 0) {
    REQUIRE(!ended);
    self->sent += length;
  } else if (!self->stream->broken && !self->broken) {
    self->offered = self->sent;
  }
  if (self->stream->broken) self->broken = true;
  return err;
}

/* Of no bytes: whoever writes keeps others out. */
static void check_busy(const end *self) {
  int err = fibril_stream_write(self->stream, "", 0);
  REQUIRE(err <= 0);
}

int act_write(void) {
  wire *one = wire_get();
  if (one == NULL) return 0;
  end *self = end_of(one);
  int err = 0;
  if (self->writing || self->shutting) {
    check_busy(self);
  } else {
    self->writing = true;
    err = (self->buffered ? buffered_write : write_raw)(self, any_length());
    self->writing = false;
    check_written(self);
    err = check_failure(self, err, true) ? 0 : net_judge(err, is_closed(self));
  }
  wire_put(one);
  return err;
}

/* ---- Ends ---- */

static int flush(end *self) {
  if (!self->buffered || fuzz_once_in(4)) return 0;
  self->writing = true;
  int err = fibril_writer_flush(&self->writer);
  self->writing = false;
  if (err == 0) self->flushed = self->sent;
  if (self->stream->broken) self->broken = true;
  return err;
}

/* What lingering has dropped nobody knows. */
static int end_writing(end *self) {
  bool linger = fuzz_once_in(4);
  int err = flush(self);
  if (err != 0) return err;
  bool before = self->shut;
  self->shut = true;
  if (linger) peer_of(self)->untold = true;
  self->reads += linger;
  err = (linger ? fibril_stream_linger : fibril_stream_shutdown)(self->stream);
  self->reads -= linger;
  if (self->stream->broken) self->broken = true;
  if (!self->stream->shut) self->shut = before;
  if (linger && err == 0) self->saw_end = true;
  return err == UV_EBUSY && linger ? 0 : err;
}

int act_shutdown(void) {
  wire *one = wire_get();
  if (one == NULL) return 0;
  end *self = end_of(one);
  int err = 0;
  if (!self->writing && !self->shutting) {
    self->shutting = true;
    err = end_writing(self);
    self->shutting = false;
    err = check_failure(self, err, true) ? 0 : net_judge(err, is_closed(self));
  }
  wire_put(one);
  return err;
}

int act_close(void) {
  wire *one = wire_get();
  if (one == NULL) return 0;
  end *self = end_of(one);
  if (fuzz_once_in(3)) {
    self->aborted = true;
    fibril_stream_abort(self->stream);
  } else {
    fibril_stream_close(self->stream);
  }
  char byte;
  int64_t status = fibril_stream_tryread(self->stream, &byte, 1);
  REQUIRE(status < 0 && fibril_stream_shutdown(self->stream) < 0);
  wire_put(one);
  return 0;
}

int act_hold(void) {
  wire *one = wire_get();
  if (one == NULL) return 0;
  fibril_stream *stream = end_of(one)->stream;
  char address[64];
  switch (fuzz_below(4)) {
    case 0: fibril_stream_hold(stream); break;
    case 1: fibril_stream_unhold(stream); break;
    case 2: fibril_stream_detach(stream); break;
    default: REQUIRE(fibril_stream_peer(stream, address, sizeof address) != UV_EINVAL); break;
  }
  wire_put(one);
  return 0;
}

/* What was read ahead comes along, and what comes later is read by another stream. */
static int release_end(end *self) {
  fibril_socket fd;
  fibril_value rest;
  char first;
  if (fibril_stream_tryread(self->stream, &first, 1) == 1) {
    check_bytes(peer_of(self), &first, 1);
    take_bytes(peer_of(self), 1);
  }
  int err = fibril_stream_release(self->stream, &fd, &rest);
  if (err == UV_ENOTSUP || err == UV_EBUSY) return 0;
  if (err != 0) return net_judge(err, is_closed(self));
  size_t length;
  const char *data = fibril_value_buffer(rest, &length);
  check_bytes(peer_of(self), data, length);
  take_bytes(peer_of(self), length);
  fibril_value_free(rest);
  fibril_stream *stream;
  self->wire->exact = false;
  err = fibril_stream_adopt(fd, &stream);
  if (err != 0) {
    close(fd);
    return net_judge(err, false);
  }
  fibril_stream_unref(self->stream);
  self->stream = fibril_stream_ref(stream);
  return 0;
}

int act_release(void) {
  wire *one = wire_get();
  if (one == NULL) return 0;
  end *self = end_of(one);
  int err = 0;
  bool idle = !self->writing && !self->shutting && self->reads == 0;
  if (idle && !self->buffered && !self->broken) err = release_end(self);
  wire_put(one);
  return err;
}

/* ---- Who waits is woken ---- */

/* Behind a mask, with the other end gone, both ways come to an end. */
static void read_to_end(end *self) {
  for (int tries = 0; tries < 200; tries++) {
    if (self->reads > 0 || self->saw_end || is_closed(self)) return;
    if (read_end(self) != 0) return;
  }
}

static void write_to_end(end *self) {
  for (int tries = 0; tries < 200; tries++) {
    if (self->writing || self->shutting || self->broken || self->shut || is_closed(self)) return;
    self->writing = true;
    int err = write_raw(self, any_length());
    self->writing = false;
    if (err == UV_ECANCELED) REQUIRE(net_closing() || is_closed(self));
  }
}

int act_finish(void) {
  wire *one = wire_get();
  if (one == NULL) return 0;
  if (fibril_mask() == 0) {
    end *self = end_of(one);
    fibril_stream_close(peer_of(self)->stream);
    if (self->buffered || fuzz_once_in(2))
      read_to_end(self);
    else
      write_to_end(self);
    fibril_unmask();
  }
  wire_put(one);
  return 0;
}
