/* Commands on their way: written in the order of coming, answered in the same. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

/* What waits to be written. Who comes when there is more waits, too. */
enum { OUT_MOST = 1024 * 1024 };

/* So few are woken at once, on the loop's stack: one that waits alone need not wait for the loop to
 * come round. More wait in the queue, which costs less for each. */
enum { AT_ONCE = 8 };

static slot *slot_at(const connection *self, uint64_t number) {
  return &self->slots[number & (self->room - 1)];
}

static int slots_grow(connection *self) {
  size_t room = self->room == 0 ? 64 : 2 * self->room;
  slot *slots = calloc(room, sizeof *slots);
  if (slots == NULL) return UV_ENOMEM;
  for (uint64_t i = self->first; i != self->next; i++) slots[i & (room - 1)] = *slot_at(self, i);
  free(self->slots);
  self->slots = slots;
  self->room = room;
  return 0;
}

static void unlink_call(connection *self, call *own);

/* ---- On the way out ---- */

static int encode(bytes *out, const request *what) {
  size_t before = out->length, count = fibril_array_length(what->args);
  if (!what->transaction) return encode_command(out, what->verb, what->args);
  int err = encode_command(out, "MULTI", fibril_undefined());
  for (size_t i = 0; i < count && err == 0; i++)
    err = encode_command(out, NULL, fibril_array_get(what->args, i));
  if (err == 0) err = encode_command(out, "EXEC", fibril_undefined());
  if (err != 0) out->length = before;
  return err;
}

static int put(connection *self, const request *what, call *own) {
  size_t before = self->out.length;
  int err = self->next - self->first == self->room ? slots_grow(self) : 0;
  if (err == 0) err = encode(&self->out, what);
  if (err == 0) err = connection_flush(self);
  if (err != 0) {
    self->out.length = before;
    return err;
  }
  own->number = self->next++;
  size_t replies = what->transaction ? fibril_array_length(what->args) + 2 : 1;
  if (what->confirmations > 0) replies = what->confirmations;
  *slot_at(self, own->number) =
      (slot){.call = own, .left = (uint32_t)replies, .confirmation = what->confirmations > 0};
  /* Who does not keep up with messages has to let this reply pass. */
  if (self->subscriptions != NULL) fibril_cond_broadcast(&self->calmed);
  return 0;
}

/* With the gate: until there is a connection, with room. */
static fibril_value enter(connection *self) {
  while (!self->open || self->out.length > OUT_MOST) {
    fibril_value error = connection_open(self);
    if (fibril_is_error(error)) return error;
    int err = self->out.length > OUT_MOST ? fibril_cond_wait(&self->drained, NULL, -1) : 0;
    if (err != 0) return fibril_error(err, NULL);
  }
  return fibril_undefined();
}

fibril_value connection_request(connection *self, const request *what, call *own) {
  int err = fibril_mutex_lock(&self->gate);
  if (err != 0) return fibril_error(err, NULL);
  *own = (call){.waiter = fibril_coroutine_self(), .buffers = what->buffers};
  if (what->transaction) own->replies = fibril_array(fibril_array_length(what->args) + 1);
  fibril_value error = enter(self);
  if (!fibril_is_error(error)) err = put(self, what, own);
  fibril_mutex_unlock(&self->gate);
  if (fibril_is_error(error)) return error;
  if (err != 0) return fibril_error(err, NULL);
  connection_want(self, 1);
  while (!own->done && err == 0) err = fibril_suspend();
  connection_want(self, -1);
  if (own->link != NULL) unlink_call(self, own); /* cancelled when it was to be woken */
  if (own->done) return own->reply;
  slot_at(self, own->number)->call = NULL;
  return fibril_error(err, NULL);
}

/* ---- On the way back ---- */

static void finish(connection *self, call *own, fibril_value reply, bool special) {
  own->reply = fibril_value_take(reply);
  own->special |= special;
  own->done = true;
  own->link = self->finished_end;
  *own->link = own;
  self->finished_end = &own->next;
  self->finished_count++;
}

static void unlink_call(connection *self, call *own) {
  *own->link = own->next;
  if (own->next != NULL)
    own->next->link = own->link;
  else
    self->finished_end = own->link;
  own->next = NULL;
  own->link = NULL;
  self->finished_count--;
}

/* Whoever runs returns, and its `call` is gone. */
static void wake_all(void *arg) {
  connection *self = arg;
  bool few = self->finished_count <= AT_ONCE;
  while (self->finished != NULL) {
    fibril_coroutine *waiter = self->finished->waiter;
    unlink_call(self, self->finished);
    if (few)
      fibril_coroutine_resume(waiter);
    else
      fibril_coroutine_ready(waiter);
  }
}

void requests_wake(connection *self) {
  if (self->finished_count > 0) fibril_on_loop(wake_all, self);
}

bool requests_want_buffers(const connection *self) {
  const slot *next = slot_at(self, self->first);
  return self->first != self->next && next->call != NULL && next->call->buffers;
}

bool requests_settle(connection *self, fibril_value reply, bool special) {
  if (self->first == self->next) return false;
  slot *next = slot_at(self, self->first);
  bool last = next->confirmation || --next->left == 0; /* an error instead of confirmations */
  if (next->call == NULL)
    fibril_value_free(fibril_value_take(reply));
  else if (last)
    finish(self, next->call, reply, special);
  else
    fibril_array_push(next->call->replies, reply);
  if (last) self->first++;
  return true;
}

void requests_confirm(connection *self) {
  slot *next = slot_at(self, self->first);
  if (self->first == self->next || !next->confirmation || --next->left > 0) return;
  if (next->call != NULL) finish(self, next->call, fibril_undefined(), false);
  self->first++;
}

void requests_fail(connection *self, fibril_value error) {
  for (; self->first != self->next; self->first++) {
    slot *next = slot_at(self, self->first);
    if (next->call != NULL) finish(self, next->call, fibril_value_dup(error), false);
  }
  requests_wake(self);
}
