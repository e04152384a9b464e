/* LISTEN and NOTIFY. While nobody has the turn, a coroutine of its own reads from the server as
 * long as somebody listens; during queries libpq collects notifications by itself. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

typedef struct note {
  struct note *next;
  int pid;
  char payload[];
} note;

struct listener {
  listener *next, **link;
  const char *channel;
  note *first, **last; /* what it has not taken yet */
  fibril_event event;  /* set: there is something, or the connection has ended */
  bool failed;         /* without memory for a notification */
};

static void listener_add(connection *self, listener *it) {
  it->last = &it->first;
  it->next = self->listeners;
  it->link = &self->listeners;
  if (it->next != NULL) it->next->link = &it->next;
  self->listeners = it;
}

static void listener_remove(listener *it) {
  *it->link = it->next;
  if (it->next != NULL) it->next->link = it->link;
  while (it->first != NULL) {
    note *next = it->first->next;
    free(it->first);
    it->first = next;
  }
}

static bool has_listener(const connection *self, const char *channel) {
  for (const listener *it = self->listeners; it != NULL; it = it->next)
    if (strcmp(it->channel, channel) == 0) return true;
  return false;
}

static void put(listener *it, const PGnotify *notify) {
  size_t size = strlen(notify->extra) + 1;
  note *one = malloc(sizeof *one + size);
  if (one == NULL) {
    it->failed = true;
  } else {
    one->next = NULL;
    one->pid = notify->be_pid;
    memcpy(one->payload, notify->extra, size);
    *it->last = one;
    it->last = &one->next;
  }
  fibril_event_set(&it->event);
}

void listeners_deliver(connection *self) {
  PGnotify *notify;
  while ((notify = PQnotifies(self->pq)) != NULL) {
    for (listener *it = self->listeners; it != NULL; it = it->next)
      if (strcmp(it->channel, notify->relname) == 0) put(it, notify);
    PQfreemem(notify);
  }
}

void listeners_wake(connection *self) {
  for (listener *it = self->listeners; it != NULL; it = it->next) fibril_event_set(&it->event);
}

fibril_value listeners_watch(void *state) {
  connection *self = state;
  fibril_this_ref(self);
  while (self->pq != NULL && turn_wait(self, UV_READABLE) == 0) {
    if (!PQconsumeInput(self->pq)) {
      turn_lose(self);
      break;
    }
    listeners_deliver(self);
  }
  fibril_this_unref(self);
  return fibril_undefined();
}

/* LISTEN or UNLISTEN, with the channel's name quoted. */
static fibril_value command(connection *self, const char *verb, const char *channel) {
  fibril_value sql = fibril_error(UV_ENOMEM, NULL);
  size_t length = 2 * strlen(channel) + sizeof "UNLISTEN \"\"";
  char *text = malloc(length), *end;
  if (text == NULL) return sql;
  end = stpcpy(stpcpy(text, verb), " \"");
  for (const char *at = channel; *at != '\0'; at++) {
    if (*at == '"') *end++ = '"';
    *end++ = *at;
  }
  strcpy(end, "\"");
  sql = query_command(self, 0, text);
  free(text);
  return sql;
}

/* A value belongs to the coroutine that makes it: that is the one which yields it. */
static fibril_value note_value(const char *channel, const note *one) {
  fibril_value value = fibril_object();
  int err = fibril_object_set(value, "channel", fibril_string(channel, FIBRIL_AUTO_LENGTH));
  if (err == 0)
    err = fibril_object_set(value, "payload", fibril_string(one->payload, FIBRIL_AUTO_LENGTH));
  if (err == 0) err = fibril_object_set(value, "pid", fibril_number(one->pid));
  return err == 0 ? value : fibril_error(UV_ENOMEM, NULL);
}

/* The next notification; undefined when close() has been called. */
static fibril_value take(connection *self, listener *it) {
  while (it->first == NULL) {
    if (it->failed) return fibril_error(UV_ENOMEM, NULL);
    if (self->closing) return fibril_undefined();
    if (self->pq == NULL) return fibril_error_type("Error", "08006", "%s", self->reason);
    fibril_event_clear(&it->event);
    int err = fibril_event_wait(&it->event, -1);
    if (err != 0) return fibril_error(err, NULL);
  }
  note *one = it->first;
  fibril_value value = note_value(it->channel, one);
  it->first = one->next;
  if (it->first == NULL) it->last = &it->first;
  free(one);
  return value;
}

static fibril_value listen_to(connection *self, listener *it, fibril_generator *generator) {
  fibril_value value = command(self, "LISTEN", it->channel);
  if (fibril_is_error(value)) return value;
  value = fibril_boolean(true); /* the server listens: what is notified from now on will come */
  while (fibril_value_kind(value) != FIBRIL_UNDEFINED && !fibril_is_error(value)) {
    fibril_value sent = fibril_yield(generator, value);
    if (fibril_is_error(sent)) return sent;
    value = take(self, it);
  }
  return value;
}

fibril_value connection_listen(connection *self, const char *channel, fibril_generator *generator) {
  listener it = {.channel = channel};
  listener_add(self, &it);
  fibril_value value = listen_to(self, &it, generator);
  listener_remove(&it);
  if (self->pq != NULL && !self->closing && !has_listener(self, channel)) {
    fibril_mask();
    command(self, "UNLISTEN", channel);
    fibril_unmask();
  }
  return value;
}
