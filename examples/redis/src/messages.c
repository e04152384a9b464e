/* What the server pushes: messages of channels, and confirmations. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

/* More bytes than that stop the reading as too many messages do. Far behind, where reading must go
 * on because of replies, is so many times as much. */
enum { BYTES = 16 * 1024 * 1024, FAR = 16 };

/* ---- Who listens ---- */

int messages_listen(subscription *self) {
  self->queue = fibril_channel_new(self->limit * FAR);
  if (self->queue == NULL) return UV_ENOMEM;
  self->next = self->connection->subscriptions;
  self->link = &self->connection->subscriptions;
  if (self->next != NULL) self->next->link = &self->next;
  *self->link = self;
  return 0;
}

void messages_leave(subscription *self) {
  *self->link = self->next;
  if (self->next != NULL) self->next->link = self->link;
  fibril_channel_free(self->queue);
  fibril_value_free(self->failure);
  fibril_cond_broadcast(&self->connection->calmed);
}

static bool has(const subscription *self, const char *name, bool patterns) {
  return self->patterns == patterns &&
         fibril_value_kind(fibril_object_get(self->names, name)) != FIBRIL_UNDEFINED;
}

bool messages_have(const connection *self, const char *name, bool patterns) {
  for (const subscription *it = self->subscriptions; it != NULL; it = it->next)
    if (has(it, name, patterns)) return true;
  return false;
}

static void end(subscription *self, fibril_value error) {
  fibril_value_free(self->failure);
  self->failure = fibril_value_dup(error);
  fibril_channel_close(self->queue);
}

void messages_end(connection *self, fibril_value error) {
  for (subscription *it = self->subscriptions; it != NULL; it = it->next) end(it, error);
  fibril_cond_broadcast(&self->calmed);
}

static bool is_full(const subscription *self) {
  return fibril_channel_length(self->queue) >= self->limit || self->bytes >= BYTES;
}

static size_t bytes_of(fibril_value push) {
  size_t length = 0;
  fibril_value_buffer(fibril_array_get(push, fibril_array_length(push) - 1), &length);
  return length;
}

int messages_receive(subscription *self, fibril_value *out) {
  bool idle = fibril_channel_length(self->queue) == 0, full = is_full(self);
  if (idle) connection_want(self->connection, 1);
  int err = fibril_channel_receive(self->queue, out, -1);
  if (idle) connection_want(self->connection, -1);
  if (err == 0) self->bytes -= bytes_of(*out);
  if (full && !is_full(self)) fibril_cond_broadcast(&self->connection->calmed);
  return err;
}

/* ---- What comes ---- */

static void put(subscription *self, fibril_value push) {
  size_t length = bytes_of(push);
  int err = self->bytes + length > (size_t)BYTES * FAR && self->bytes > 0
                ? UV_EAGAIN
                : fibril_channel_trysend(self->queue, fibril_value_dup(push));
  if (err == 0) self->bytes += length;
  if (err != UV_EAGAIN) return;
  fibril_value error = fibril_value_take(error_behind());
  end(self, error);
  fibril_value_free(error);
}

static bool is(fibril_value word, const char *text) {
  size_t length = 0;
  const char *data = fibril_value_buffer(word, &length);
  return data != NULL && length == strlen(text) && memcmp(data, text, length) == 0;
}

static void deliver(connection *self, fibril_value push, bool patterns) {
  size_t length = 0;
  const char *data = fibril_value_buffer(fibril_array_get(push, 1), &length);
  fibril_value name = fibril_value_take(fibril_string(data, data == NULL ? 0 : length));
  const char *text = fibril_value_string(name, NULL);
  for (subscription *it = self->subscriptions; it != NULL && text != NULL; it = it->next)
    if (has(it, text, patterns)) put(it, push);
  fibril_value_free(name);
}

static bool is_confirmation(fibril_value word) {
  static const char *const words[] = {"subscribe", "unsubscribe", "psubscribe", "punsubscribe"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (is(word, words[i])) return true;
  return false;
}

void messages_take(connection *self, fibril_value push) {
  fibril_value kind = fibril_array_get(push, 0);
  size_t count = fibril_array_length(push);
  push = fibril_value_take(push);
  if (is_confirmation(kind))
    requests_confirm(self);
  else if (count == 3 && is(kind, "message"))
    deliver(self, push, false);
  else if (count == 4 && is(kind, "pmessage"))
    deliver(self, push, true);
  fibril_value_free(push);
}

static bool somebody_is_full(const connection *self) {
  for (const subscription *it = self->subscriptions; it != NULL; it = it->next)
    if (is_full(it)) return true;
  return false;
}

int messages_wait_for_room(connection *self) {
  int err = 0;
  while (err == 0 && self->first == self->next && somebody_is_full(self))
    err = fibril_cond_wait(&self->calmed, NULL, -1);
  return err;
}
