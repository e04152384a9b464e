#include "transfer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"

enum {
  HIGH_WATER = 256 * 1024,  /* of a body that waits to be taken */
  MOST_HEAD = 256 * 1024,   /* as much as a server may send before its body */
  MOST_DROPPED = 64 * 1024, /* of an unwanted body: beyond that a new connection is cheaper */
};

static bool bytes_add(bytes *self, const char *data, size_t length) {
  if (length > self->capacity - self->length) {
    size_t capacity = self->capacity == 0 ? 16 * 1024 : self->capacity;
    while (capacity - self->length < length) capacity *= 2;
    char *grown = realloc(self->data, capacity);
    if (grown == NULL) return false;
    self->data = grown;
    self->capacity = capacity;
  }
  memcpy(self->data + self->length, data, length);
  self->length += length;
  return true;
}

/* ---- What libcurl calls ---- */

/* A line of the head, or a trailer. A head may be followed by another one: after 100 Continue.
 * A proxy's answer to CONNECT is not shown. */
static size_t on_header(char *line, size_t size, size_t count, void *arg) {
  transfer *self = arg;
  size_t length = size * count;
  if (self->has_head) return length;
  if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
    self->head.length = 0;
    const char *space = memchr(line, ' ', length);
    self->status = space == NULL ? 0 : strtol(space, NULL, 10);
  }
  if (self->head.length + length > MOST_HEAD || !bytes_add(&self->head, line, length)) return 0;
  bool is_last = line[0] == '\r' || line[0] == '\n';
  if (is_last && (self->status >= 200 || self->status == 101)) {
    self->has_head = true;
    fibril_event_set(&self->news);
  }
  return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
  transfer *self = arg;
  size_t length = size * count;
  if (self->unwanted) {
    self->dropped += length;
    return self->dropped > MOST_DROPPED ? 0 : length;
  }
  if (self->body.length >= HIGH_WATER) {
    self->paused = true;
    return CURL_WRITEFUNC_PAUSE; /* libcurl stops reading, so TCP stops the server */
  }
  if (!bytes_add(&self->body, data, length)) return 0;
  fibril_event_set(&self->news);
  return length;
}

void transfer_ended(transfer *self, CURLcode code) {
  self->ended = true;
  self->code = code;
  fibril_event_set(&self->news);
}

/* ---- The coroutine's side ---- */

int transfer_init(transfer *self, client *client) {
  *self = (transfer){.client = client, .easy = curl_easy_init()};
  if (self->easy == NULL) return UV_ENOMEM;
  curl_easy_setopt(self->easy, CURLOPT_PRIVATE, self);
  curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, self->text);
  curl_easy_setopt(self->easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(self->easy, CURLOPT_HEADERDATA, self);
  curl_easy_setopt(self->easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(self->easy, CURLOPT_WRITEDATA, self);
  return 0;
}

static void stop(transfer *self) {
  if (self->running) curl_multi_remove_handle(self->client->multi, self->easy);
  self->running = false;
}

void transfer_free(transfer *self) {
  stop(self);
  curl_easy_cleanup(self->easy);
  free(self->head.data);
  free(self->body.data);
}

static fibril_value failure(transfer *self) {
  long sys = 0;
  curl_easy_getinfo(self->easy, CURLINFO_OS_ERRNO, &sys);
  return error_of_curl(self->code, sys, self->text);
}

fibril_value transfer_start(transfer *self, request *request) {
  stop(self);
  self->head.length = self->body.length = self->dropped = 0;
  self->has_head = self->paused = self->unwanted = self->ended = false;
  self->text[0] = '\0';
  self->code = request_apply(request, self->easy);
  if (self->code != CURLE_OK) return failure(self);
  if (curl_multi_add_handle(self->client->multi, self->easy) != CURLM_OK)
    return fibril_error(UV_ENOMEM, NULL);
  self->running = true;
  return fibril_undefined();
}

static fibril_value wait_for_news(transfer *self) {
  fibril_event_clear(&self->news);
  int err = fibril_event_wait(&self->news, -1);
  if (err == UV_ETIMEDOUT) return fibril_error(err, "the transfer took longer than its timeout");
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

fibril_value transfer_head(transfer *self) {
  while (!self->has_head && !self->ended) {
    fibril_value error = wait_for_news(self);
    if (fibril_is_error(error)) return error;
  }
  return self->has_head ? fibril_undefined() : failure(self);
}

fibril_value transfer_skip_body(transfer *self) {
  self->unwanted = true;
  if (self->paused) curl_easy_pause(self->easy, CURLPAUSE_CONT);
  while (!self->ended) {
    fibril_value error = wait_for_news(self);
    if (fibril_is_error(error)) return error;
  }
  return fibril_undefined(); /* how it ended does not matter: the head is there */
}

fibril_value transfer_chunk(transfer *self) {
  while (self->body.length == 0 && !self->ended) {
    fibril_value error = wait_for_news(self);
    if (fibril_is_error(error)) return error;
  }
  if (self->body.length == 0) return self->code == CURLE_OK ? fibril_undefined() : failure(self);
  fibril_value chunk = fibril_buffer_take(self->body.data, self->body.length, free);
  self->body = (bytes){0};
  if (self->paused) {
    self->paused = false;
    curl_easy_pause(self->easy, CURLPAUSE_CONT);
  }
  return chunk;
}

char *transfer_header(const transfer *self, const char *name) {
  size_t length = strlen(name);
  const char *line = self->head.data, *stop = line + self->head.length, *end;
  for (; (end = memchr(line, '\n', (size_t)(stop - line))) != NULL; line = end + 1) {
    if ((size_t)(end - line) <= length || line[length] != ':') continue;
    if (strncasecmp(line, name, length) != 0) continue;
    const char *from = line + length + 1;
    while (from < end && isspace((unsigned char)*from)) from++;
    while (end > from && isspace((unsigned char)end[-1])) end--;
    return strndup(from, (size_t)(end - from));
  }
  return NULL;
}
