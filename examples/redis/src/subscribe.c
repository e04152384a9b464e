/* Channels and patterns as an asynchronous generator. */
#include "client.h"

#include <string.h>

/* How long the server may take to confirm that nobody listens any more. */
static const double PATIENCE = 5000;

static fibril_value read_names(fibril_value channels) {
  fibril_value names = fibril_object();
  for (size_t i = 0; i < fibril_array_length(channels); i++) {
    size_t length = 0;
    const char *name = fibril_value_string(fibril_array_get(channels, i), &length);
    if (strlen(name) < length)
      return fibril_error_type("TypeError", "ERR_INVALID_ARG_VALUE",
                               "A channel's name must have no null bytes");
    fibril_object_set(names, name, fibril_boolean(true));
  }
  return names;
}

static fibril_value demand(const subscription *self, const char *verb, fibril_value channels) {
  call own;
  request what = {
      .verb = verb, .args = channels, .confirmations = (uint32_t)fibril_array_length(channels)};
  return connection_request(self->connection, &what, &own);
}

/* Of a word of a push, which is a buffer. */
static fibril_value content(fibril_value word, bool buffers) {
  size_t length = 0;
  const char *data = fibril_value_buffer(word, &length);
  return buffers ? fibril_value_dup(word) : fibril_string(data, length);
}

static fibril_value message(fibril_value push, bool buffers) {
  size_t count = fibril_array_length(push);
  fibril_value made = fibril_object();
  int err = fibril_object_set(made, "channel", content(fibril_array_get(push, count - 2), false));
  if (err == 0)
    err = fibril_object_set(made, "message", content(fibril_array_get(push, count - 1), buffers));
  if (err == 0 && count == 4)
    err = fibril_object_set(made, "pattern", content(fibril_array_get(push, 1), false));
  return err == 0 ? made : fibril_error(err, NULL);
}

static fibril_value hand_over(subscription *self, fibril_generator *generator) {
  fibril_value sent = fibril_yield(generator, fibril_boolean(true)); /* from here on all is heard */
  while (!fibril_is_error(sent)) {
    fibril_value push;
    int err = messages_receive(self, &push);
    if (err == UV_EOF) return fibril_value_dup(self->failure);
    if (err != 0) return fibril_error(err, NULL);
    fibril_value made = message(push, self->buffers);
    fibril_value_free(push);
    sent = fibril_yield(generator, made);
  }
  return sent;
}

/* What nobody else listens to. */
static void unsubscribe(const subscription *self, fibril_value channels) {
  connection *on = self->connection;
  fibril_value left = fibril_array(0);
  for (size_t i = 0; i < fibril_array_length(channels); i++) {
    fibril_value name = fibril_array_get(channels, i);
    if (!messages_have(on, fibril_value_string(name, NULL), self->patterns))
      fibril_array_push(left, fibril_value_dup(name));
  }
  if (!on->open || fibril_array_length(left) == 0) return;
  fibril_mask();
  fibril_deadline_push(PATIENCE);
  fibril_value_free(demand(self, self->patterns ? "PUNSUBSCRIBE" : "UNSUBSCRIBE", left));
  fibril_deadline_pop();
  fibril_unmask();
  if (on->pushes_only && on->subscriptions == NULL) connection_rest(on);
}

fibril_value client_subscribe(client *self, fibril_value channels, subscription *own,
                              fibril_generator *generator) {
  own->connection = self->pushes;
  own->names = read_names(channels);
  if (fibril_is_error(own->names)) return own->names;
  if (fibril_array_length(channels) == 0 || own->limit == 0)
    return fibril_error_type("TypeError", "ERR_INVALID_ARG_VALUE",
                             "A subscription needs a channel");
  int err = messages_listen(own);
  if (err != 0) return fibril_error(err, NULL);
  fibril_value result = demand(own, own->patterns ? "PSUBSCRIBE" : "SUBSCRIBE", channels);
  if (!fibril_is_error(result)) result = hand_over(own, generator);
  messages_leave(own);
  unsubscribe(own, channels);
  return result;
}
