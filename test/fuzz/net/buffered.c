/* Readers and writers over a stream. */
#include "net.h"

#include <stdlib.h>
#include <string.h>

/* ---- The model ---- */

/* Where the mark begins first in the next `length` bytes; `length`: nowhere. */
static uint64_t find_mark(const end *sender, uint64_t length, const char *mark, size_t size) {
  for (uint64_t at = 0; at + size <= length; at++) {
    size_t i = 0;
    while (i < size && byte_at(sender, sender->read + at + i) == mark[i]) i++;
    if (i == size) return at;
  }
  return length;
}

/* What was offered and has not been taken. */
static uint64_t left(const end *sender) {
  return sender->offered - sender->read;
}

static void check_piece(end *sender, const char *piece, int64_t length, const char *mark,
                        size_t size, size_t more) {
  uint64_t whole = (uint64_t)length + more + size;
  REQUIRE(piece[length] == '\0' && (size_t)length <= sender->wire->limit);
  check_bytes(sender, piece, (size_t)length);
  if (!sender->untold)
    REQUIRE(whole <= left(sender) &&
            find_mark(sender, whole, mark, size) == (uint64_t)length + more);
  take_bytes(sender, (size_t)whole);
}

/* Of an end with no mark before it. */
static void check_none(end *sender, const char *mark, size_t size) {
  if (!check_end(sender)) return;
  uint64_t length = sender->wire->exact
                        ? fibril_stream_written(sender->stream) - sender->read
                        : (sender->buffered ? sender->flushed : sender->sent) - sender->read;
  if ((int64_t)length <= 0) return;
  REQUIRE(find_mark(sender, length, mark, size) == length);
}

/* ---- Reading ---- */

static int64_t read_line(end *self, end *sender) {
  const char *line;
  int64_t length = fibril_reader_line(&self->reader, &line);
  uint64_t limit = self->wire->limit;
  if (length >= 0) {
    bool cr = byte_at(sender, sender->read + (uint64_t)length) == '\r';
    if (!cr && length > 0 && !sender->untold) REQUIRE(line[length - 1] != '\r');
    check_piece(sender, line, length, "\n", 1, cr);
  } else if (length == UV_EMSGSIZE && !sender->untold) {
    uint64_t at = find_mark(sender, limit + 2, "\n", 1);
    REQUIRE(left(sender) > limit && at > limit);
    if (at == limit + 1) REQUIRE(byte_at(sender, sender->read + limit) != '\r');
  } else if (length == UV_EOF) {
    check_none(sender, "\n", 1);
  }
  return length;
}

static int64_t read_until(end *self, end *sender) {
  static const char *const marks[] = {"\n", "ab", "\r\n", "\n\n", "abc\rab"};
  const char *mark = marks[fuzz_below(5)], *piece;
  size_t size = strlen(mark);
  int64_t length = fibril_reader_until(&self->reader, mark, size, &piece);
  uint64_t limit = self->wire->limit;
  if (length >= 0)
    check_piece(sender, piece, length, mark, size, 0);
  else if (length == UV_EMSGSIZE && !sender->untold)
    REQUIRE(left(sender) >= limit + size &&
            find_mark(sender, limit + size, mark, size) == limit + size);
  else if (length == UV_EOF)
    check_none(sender, mark, size);
  return length;
}

static int64_t read_exact(end *self, end *sender, size_t length) {
  char *data = net_memory(length);
  int err = fibril_reader_exact(&self->reader, data, length);
  if (err == 0) {
    check_bytes(sender, data, length);
    take_bytes(sender, length);
  }
  free(data);
  if (err == UV_EMSGSIZE) REQUIRE(length > self->wire->limit);
  if (err == UV_EOF && check_end(sender) && !sender->buffered)
    REQUIRE(sender->sent - sender->read < length);
  return err;
}

static int64_t read_some(end *self, end *sender, size_t length) {
  char *data = net_memory(length);
  int64_t count = fibril_reader_read(&self->reader, data, length);
  if (count > 0) {
    check_bytes(sender, data, (size_t)count);
    take_bytes(sender, (size_t)count);
  }
  free(data);
  return count == 0 ? UV_EOF : count;
}

static int64_t peek_some(end *self, end *sender, size_t least) {
  const char *data;
  if (fuzz_once_in(4)) least = 0;
  int64_t count = fibril_reader_peek(&self->reader, least, &data);
  if (count == UV_EMSGSIZE) REQUIRE(least > self->wire->limit);
  if (count == 0 && least > 0) return UV_EOF;
  if (count <= 0) return count == UV_EOF ? UV_EAGAIN : count;
  REQUIRE((size_t)count >= least);
  check_bytes(sender, data, (size_t)count);
  if (fuzz_once_in(3)) return count;
  size_t taken = (size_t)fuzz_below((int)count + 1);
  REQUIRE(fibril_reader_consume(&self->reader, taken) == 0);
  take_bytes(sender, taken);
  return count;
}

static int64_t read_all(end *self, end *sender) {
  fibril_value all;
  size_t length;
  int err = fibril_reader_all(&self->reader, &all);
  if (err == UV_EMSGSIZE && !sender->untold) REQUIRE(left(sender) > self->wire->limit);
  if (err != 0) return err;
  const char *data = fibril_value_buffer(all, &length);
  REQUIRE(length <= self->wire->limit);
  check_bytes(sender, data, length);
  take_bytes(sender, length);
  fibril_value_free(fibril_value_take(all));
  return UV_EOF;
}

/* Seldom beyond the limit, and as often close to it as not. */
static size_t any_within(size_t limit) {
  if (fuzz_once_in(20)) return limit + 1;
  return limit - (size_t)fuzz_below((int)(fuzz_once_in(2) || limit < 3 ? limit : 3));
}

static int64_t read_any(end *self, end *sender) {
  size_t limit = self->wire->limit;
  switch (fuzz_below(8)) {
    case 0:
    case 1: return read_line(self, sender);
    case 2:
    case 3: return read_until(self, sender);
    case 4: return read_exact(self, sender, any_within(limit));
    case 5: return read_some(self, sender, any_length());
    case 6: return peek_some(self, sender, any_within(limit));
    default: return fuzz_once_in(8) ? read_all(self, sender) : read_line(self, sender);
  }
}

/* UV_EOF: nothing is left. With an end in the middle of a piece something is. */
int buffered_read(end *self) {
  end *sender = peer_of(self);
  self->reads++;
  int64_t count = read_any(self, sender);
  self->reads--;
  if (count == UV_EBUSY) REQUIRE(self->reads > 0);
  if (count == UV_EOF && fibril__buffered_length((fibril__buffered *)&self->reader) > 0) {
    check_end(sender);
    return 0;
  }
  if (count == UV_EOF) return UV_EOF;
  bool known = count == UV_EMSGSIZE || count == UV_EBUSY || count == UV_EAGAIN;
  if (known || check_failure(self, count, false)) return 0;
  return net_judge(count, self->stream->handle.closed);
}

/* ---- Writing ---- */

static int add(end *self, size_t length) {
  char *data = net_memory(length + 1);
  fill_bytes(self, self->sent, data, length);
  int err = fuzz_once_in(3) ? fibril_writer_printf(&self->writer, "%s", data)
                            : fibril_writer_write(&self->writer, data, length);
  free(data);
  return err;
}

/* After an error of writing nothing is left; after every other one nothing was added. */
int buffered_write(end *self, size_t length) {
  bool ended = self->shut || self->broken, whole = fuzz_once_in(4);
  fibril__buffered *writer = (fibril__buffered *)&self->writer;
  size_t before = fibril__buffered_length(writer);
  if (!whole && !ended) self->offered = self->sent + length;
  int err = whole ? fibril_writer_flush(&self->writer) : add(self, length);
  size_t after = fibril__buffered_length(writer);
  if (self->stream->broken) self->broken = true;
  if (err == 0) {
    if (!whole) self->sent += length;
    if (after == 0 || whole) self->flushed = self->sent;
    REQUIRE(!ended || whole);
  } else if (self->broken && !ended) {
    REQUIRE(after == 0);
  } else if (!ended) {
    self->offered = self->sent;
    REQUIRE(after == before);
  }
  return err;
}
