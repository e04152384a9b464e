/* Bounded channels of values. Answers to Tornado's Queue. */
#include "../value/error.h"
#include "line.h"

#include <stdlib.h>

struct fibril_channel {
  fibril_line senders, receivers;
  bool closed;
  size_t capacity, first, length;
  fibril_value items[]; /* a ring, owned */
};

fibril_channel *fibril_channel_new(size_t capacity) {
  if (capacity > (SIZE_MAX - sizeof(fibril_channel)) / sizeof(fibril_value)) return NULL;
  fibril_channel *channel = malloc(sizeof *channel + capacity * sizeof channel->items[0]);
  if (channel == NULL) return NULL;
  *channel = (fibril_channel){.capacity = capacity};
  return channel;
}

static const fibril__wait_kind channel_kind = {.name = "channel"};

static void store(fibril_channel *channel, fibril_value value) {
  channel->items[(channel->first + channel->length++) % channel->capacity] = value;
}

static fibril_value take_stored(fibril_channel *channel) {
  fibril_value value = channel->items[channel->first];
  channel->first = (channel->first + 1) % channel->capacity;
  channel->length--;
  return value;
}

void fibril_channel_free(fibril_channel *channel) {
  if (channel == NULL) return;
  if (channel->senders.first != NULL || channel->receivers.first != NULL)
    fibril__fatal("fibril_channel_free was called while a coroutine waits for the channel");
  while (channel->length > 0) fibril_value_free(take_stored(channel));
  free(channel);
}

void fibril_channel_close(fibril_channel *channel) {
  channel->closed = true;
  while (fibril__line_next(&channel->receivers, UV_EOF) != NULL) continue;
  while (fibril__line_next(&channel->senders, UV_EPIPE) != NULL) continue;
}

size_t fibril_channel_length(const fibril_channel *channel) {
  return channel->length;
}

/* ---- Without waiting ---- */

static int try_send(fibril_channel *channel, fibril_value owned) {
  if (channel->closed) return UV_EPIPE;
  fibril__waiter *receiver = fibril__line_next(&channel->receivers, 0);
  if (receiver != NULL)
    receiver->value = owned;
  else if (channel->length < channel->capacity)
    store(channel, owned);
  else
    return UV_EAGAIN;
  return 0;
}

/* A place that becomes free goes to the sender that waits longest. */
static int try_receive(fibril_channel *channel, fibril_value *out) {
  bool stored = channel->length > 0;
  if (stored) *out = take_stored(channel);
  fibril__waiter *sender = fibril__line_next(&channel->senders, 0);
  if (sender != NULL && stored)
    store(channel, sender->value);
  else if (sender != NULL)
    *out = sender->value;
  if (stored || sender != NULL) return 0;
  return channel->closed ? UV_EOF : UV_EAGAIN;
}

int fibril_channel_trysend(fibril_channel *channel, fibril_value value) {
  value = fibril_value_take(value);
  int err = try_send(channel, value);
  if (err != 0) fibril_value_free(value);
  return err;
}

int fibril_channel_tryreceive(fibril_channel *channel, fibril_value *out) {
  *out = fibril_undefined();
  return try_receive(channel, out);
}

/* ---- Waiting ---- */

int fibril_channel_send(fibril_channel *channel, fibril_value value, double timeout) {
  fibril__waiter waiter = {.value = fibril_value_take(value)};
  int err = fibril__wait_check(fibril__self());
  if (err == 0) err = try_send(channel, waiter.value);
  if (err == UV_EAGAIN) err = fibril__line_wait(&channel->senders, &waiter, &channel_kind, timeout);
  if (err != 0) fibril_value_free(waiter.value);
  return err;
}

int fibril_channel_receive(fibril_channel *channel, fibril_value *out, double timeout) {
  fibril__waiter waiter = {.value = fibril_undefined()};
  *out = fibril_undefined();
  int err = fibril__wait_check(fibril__self());
  if (err == 0) err = try_receive(channel, out);
  if (err != UV_EAGAIN) return err;
  err = fibril__line_wait(&channel->receivers, &waiter, &channel_kind, timeout);
  if (err == 0) *out = waiter.value;
  return err;
}
