/* Two streams in memory that are connected to each other: a ring of bytes for each direction. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY (64 * 1024)

typedef struct memory_pair memory_pair;

typedef struct {
  fibril_stream stream;
  memory_pair *pair;
  char *data; /* to be read here: `length` bytes from `at` on, around the end */
  size_t at, length;
  bool ended;       /* nothing comes after that */
  bool reset;       /* and the peer has not said goodbye */
  uint64_t written; /* what the peer has room for, so far */
} memory_end;

struct memory_pair {
  memory_end *ends[2]; /* NULL: freed */
  size_t capacity;
  char data[];
};

static const fibril__wait_kind read_kind = {.name = "stream read"};
static const fibril__wait_kind write_kind = {.name = "stream write"};

/* NULL: it has been closed. */
static memory_end *peer_of(const memory_end *self) {
  memory_end *peer = self->pair->ends[self->pair->ends[0] == self];
  return peer == NULL || peer->stream.handle.closed ? NULL : peer;
}

static void wake(memory_end *self, int which) {
  fibril__request *request =
      self == NULL ? NULL : fibril__handle_waiting(&self->stream.handle, which);
  if (request != NULL) fibril__request_end(request, 0);
}

static bool leave_now(fibril__request *request) {
  (void)request;
  return true;
}

/* Until the peer has done something, or is gone. */
static int wait_for_peer(memory_end *self, int which) {
  const fibril__wait_kind *kind = which == FIBRIL__READER ? &read_kind : &write_kind;
  fibril__request request;
  int err = fibril__handle_begin(&self->stream.handle, which, &request, kind, leave_now);
  return err != 0 ? err : fibril__handle_wait(&self->stream.handle, which, 0);
}

/* ---- The ring ---- */

static size_t take(memory_end *self, char *to, size_t length) {
  size_t capacity = self->pair->capacity;
  if (length > self->length) length = self->length;
  size_t first = capacity - self->at < length ? capacity - self->at : length;
  memcpy(to, self->data + self->at, first);
  memcpy(to + first, self->data, length - first);
  self->at = (self->at + length) % capacity;
  self->length -= length;
  return length;
}

static size_t put(memory_end *self, const char *from, size_t length) {
  size_t capacity = self->pair->capacity, room = capacity - self->length;
  if (length > room) length = room;
  size_t end = (self->at + self->length) % capacity;
  size_t first = capacity - end < length ? capacity - end : length;
  memcpy(self->data + end, from, first);
  memcpy(self->data, from + first, length - first);
  self->length += length;
  return length;
}

/* ---- The type ---- */

static int64_t tryread_memory(void *arg, void *buffer, size_t length) {
  memory_end *self = arg;
  if (self->length > 0) {
    size_t count = take(self, buffer, length);
    wake(peer_of(self), FIBRIL__WRITER);
    return (int64_t)count;
  }
  if (self->reset) return UV_ECONNRESET;
  return self->ended ? 0 : UV_EAGAIN;
}

static int64_t read_memory(void *arg, void *buffer, size_t length) {
  int64_t count;
  while ((count = tryread_memory(arg, buffer, length)) == UV_EAGAIN) {
    int err = wait_for_peer(arg, FIBRIL__READER);
    if (err != 0) return err;
  }
  return count;
}

static int write_piece(memory_end *self, const char *data, size_t length) {
  size_t at = 0;
  while (at < length) {
    memory_end *peer = peer_of(self);
    if (peer == NULL) return self->reset ? UV_ECONNRESET : UV_EPIPE;
    size_t count = put(peer, data + at, length - at);
    at += count;
    self->written += count;
    wake(peer, FIBRIL__READER);
    int err = at < length ? wait_for_peer(self, FIBRIL__WRITER) : 0;
    if (err == 0 && at < length && self->stream.handle.closed) err = UV_EBADF;
    if (err != 0) return err;
  }
  return 0;
}

static int write_memory(void *arg, const uv_buf_t *buffers, unsigned count) {
  int err = 0;
  for (unsigned i = 0; i < count && err == 0; i++)
    err = write_piece(arg, buffers[i].base, buffers[i].len);
  return err;
}

static int shutdown_memory(void *arg) {
  memory_end *peer = peer_of(arg);
  if (peer == NULL) return 0;
  peer->ended = true;
  wake(peer, FIBRIL__READER);
  return 0;
}

static uint64_t written_memory(const fibril_stream *stream) {
  return FIBRIL__CONTAINER(const memory_end, stream, stream)->written;
}

/* ---- The end ---- */

static void abort_memory(void *arg) {
  memory_end *peer = peer_of(arg);
  if (peer != NULL) peer->reset = true;
}

static void close_memory(fibril__handle *handle) {
  memory_end *peer = peer_of(FIBRIL__CONTAINER(memory_end, stream.handle, handle));
  if (peer == NULL) return;
  peer->ended = true;
  for (int i = 0; i < 2; i++) wake(peer, i);
}

static void free_memory(fibril__handle *handle) {
  memory_end *self = FIBRIL__CONTAINER(memory_end, stream.handle, handle);
  memory_pair *pair = self->pair;
  pair->ends[pair->ends[1] == self] = NULL;
  if (pair->ends[0] == NULL && pair->ends[1] == NULL) free(pair);
  free(self);
}

/* The type's, whose handle does it. */
static void close_nothing(void *arg) {
  (void)arg;
}

static const fibril__handle_type handle_type = {.close = close_memory, .free = free_memory};
static const fibril__stream_extras extras = {.written = written_memory};
static const fibril_stream_type memory_type = {
    .size = sizeof memory_type,
    .name = "memory",
    .read = read_memory,
    .write = write_memory,
    .shutdown = shutdown_memory,
    .close = close_nothing,
    .tryread = tryread_memory,
    .abort = abort_memory,
};

/* ---- Making a pair ---- */

static int new_end(memory_pair *pair, int i) {
  memory_end *self = calloc(1, sizeof *self);
  if (self == NULL) return UV_ENOMEM;
  self->pair = pair;
  self->data = pair->data + (i == 0 ? 0 : pair->capacity);
  int err = fibril__stream_init(&self->stream, &handle_type, &memory_type, &extras, self);
  if (err == 0)
    pair->ends[i] = self;
  else
    free(self);
  return err;
}

int fibril_memory_pair(size_t capacity, fibril_stream *out[2]) {
  if (capacity == 0) capacity = CAPACITY;
  if (out == NULL) return UV_EINVAL;
  if (capacity > (SIZE_MAX - sizeof(memory_pair)) / 2) return UV_ENOMEM;
  memory_pair *pair = malloc(sizeof *pair + 2 * capacity);
  if (pair == NULL) return UV_ENOMEM;
  *pair = (memory_pair){.capacity = capacity};
  int err = new_end(pair, 0);
  if (err != 0) {
    free(pair);
    return err;
  }
  err = new_end(pair, 1);
  if (err != 0) {
    fibril_stream_close(&pair->ends[0]->stream);
    return err;
  }
  for (int i = 0; i < 2; i++) out[i] = &pair->ends[i]->stream;
  return 0;
}
