/* Wires: who has them, and the model of their bytes. */
#include "net.h"

#include <stdlib.h>
#include <string.h>

/* ---- Who has one ---- */

wire *wire_get(void) {
  for (int tries = 0; tries < 4; tries++) {
    wire *one = net.wires[fuzz_below(WIRES)];
    if (one == NULL) continue;
    one->users++;
    return one;
  }
  return NULL;
}

static void free_end(end *self) {
  check_written(self);
  if (self->buffered) {
    fibril_reader_free(&self->reader);
    fibril_writer_free(&self->writer);
  }
  if (self->stream != NULL) fibril_stream_unref(self->stream);
}

void wire_put(wire *one) {
  if (--one->users > 0) return;
  for (int i = 0; i < 2; i++) free_end(&one->ends[i]);
  free(one);
}

/* Begun by a coroutine, used by all. */
static void begin_buffers(end *self) {
  REQUIRE(fibril_reader_init(&self->reader, self->stream, self->wire->limit) == 0);
  REQUIRE(fibril_writer_init(&self->writer, self->stream, 1 + (size_t)fuzz_below(700)) == 0);
  fibril_reader_detach(&self->reader);
  fibril_writer_detach(&self->writer);
}

wire *wire_new(void) {
  static const int densities[] = {3, 20, 300, 5000}, limits[] = {4, 40, 3000, 20000};
  wire *one = net_memory(sizeof *one);
  one->users = 1;
  one->seed = fuzz_bits();
  one->density = densities[fuzz_below(4)];
  one->limit = 1 + (size_t)fuzz_below(limits[fuzz_below(4)]);
  for (int i = 0; i < 2; i++) one->ends[i].wire = one;
  return one;
}

int act_wire(void) {
  int place = fuzz_below(WIRES);
  fibril_stream *streams[2] = {NULL, NULL};
  if (net.wires[place] != NULL && !fuzz_once_in(3)) return 0;
  wire *one = wire_new();
  int err = wire_make(streams, one);
  if (err != 0) {
    wire_put(one);
    return net_judge(err, false);
  }
  for (int i = 0; i < 2; i++) {
    end *self = &one->ends[i];
    self->stream = fibril_stream_ref(streams[i]);
    if (!fuzz_once_in(6)) fibril_stream_detach(streams[i]);
    self->buffered = fuzz_once_in(2) && fibril_coroutine_self() != NULL;
    if (self->buffered) begin_buffers(self);
  }
  wire *old = net.wires[place];
  net.wires[place] = one;
  if (old == NULL) return 0;
  for (int i = 0; i < 2; i++)
    if (old->ends[i].stream != NULL) fibril_stream_close(old->ends[i].stream);
  wire_put(old);
  return 0;
}

/* ---- Bytes ---- */

char byte_at(const end *sender, uint64_t at) {
  const wire *one = sender->wire;
  uint64_t bits = (at + one->seed + (sender == one->ends)) * 0x9e3779b97f4a7c15u;
  bits ^= bits >> 29;
  bits *= 0xbf58476d1ce4e5b9u;
  bits >>= 33;
  if (bits % (uint64_t)one->density == 0) return '\n';
  return "abc\rabc\rx"[bits / 8192 % 9];
}

void fill_bytes(const end *sender, uint64_t at, char *data, size_t length) {
  for (size_t i = 0; i < length; i++) data[i] = byte_at(sender, at + i);
}

void check_bytes(const end *sender, const char *data, size_t length) {
  if (sender->untold) return;
  REQUIRE(sender->read + length <= sender->offered);
  for (size_t i = 0; i < length; i++) REQUIRE(data[i] == byte_at(sender, sender->read + i));
}

void take_bytes(end *sender, size_t length) {
  sender->read += length;
  if (!sender->untold) REQUIRE(sender->read <= sender->offered);
  check_written(sender);
}

/* What has come was written before. */
void check_written(end *sender) {
  if (!sender->wire->exact || sender->stream == NULL) return;
  uint64_t written = fibril_stream_written(sender->stream);
  REQUIRE(written <= sender->offered);
  if (!sender->untold) REQUIRE(sender->read <= written);
  if (!sender->buffered && !sender->broken && !sender->writing) REQUIRE(written == sender->sent);
}

static bool is_closed(const end *self) {
  return self->stream == NULL || self->stream->handle.closed;
}

/* TCP drops what is on the way, both ways, when one closes who has not read all. */
static bool is_lossy(const end *sender) {
  const wire *one = sender->wire;
  if (one->rough || one->ends[0].aborted || one->ends[1].aborted || net_closing()) return true;
  return one->tcp && is_closed(sender) && !sender->saw_end;
}

bool check_end(end *sender) {
  REQUIRE(sender->shut || is_closed(sender) || sender->wire->rough || net_closing());
  return !sender->untold && !sender->broken && !sender->writing && !is_lossy(sender);
}

/* Resets, and nobody there to read. */
bool check_failure(const end *self, int64_t status, bool writing) {
  const end *peer = &self->wire->ends[self == &self->wire->ends[0]];
  if (status != UV_EPIPE && status != UV_ECONNRESET && status != UV_ENOTCONN) return false;
  REQUIRE((writing && (self->shut || self->broken)) || is_closed(peer) || peer->aborted ||
          self->wire->rough || net_closing());
  return true;
}

size_t any_length(void) {
  static const int most[] = {10, 200, 5000, 70000, 300000};
  return 1 + (size_t)fuzz_below(most[fuzz_once_in(30) ? 4 : fuzz_below(4)]);
}
