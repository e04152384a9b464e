/* What a connection begins with: HELLO or AUTH, and SELECT. */
#include "connection.h"

/* fibril_string of a text. */
static fibril_value text(const char *of) {
  return fibril_string(of, FIBRIL_AUTO_LENGTH);
}

static bool is_given(fibril_value value) {
  return fibril_value_kind(value) == FIBRIL_STRING;
}

/* An array's own item: what the settings have stays theirs. */
static void push_copy(fibril_value array, fibril_value value) {
  fibril_array_push(array, fibril_value_dup(value));
}

static int encode_hello(const settings *of, bytes *out) {
  fibril_value args = fibril_array(4);
  fibril_array_push(args, fibril_number(of->protocol));
  if (is_given(of->password)) {
    fibril_array_push(args, text("AUTH"));
    if (is_given(of->username))
      push_copy(args, of->username);
    else
      fibril_array_push(args, text("default"));
    push_copy(args, of->password);
  }
  return encode_command(out, "HELLO", args);
}

static int encode_auth(const settings *of, bytes *out) {
  fibril_value args = fibril_array(2);
  if (is_given(of->username)) push_copy(args, of->username);
  push_copy(args, of->password);
  return encode_command(out, "AUTH", args);
}

/* How many commands there are, or an error. */
static int encode(const settings *of, bytes *out) {
  int err = 0, count = 0;
  if (of->protocol == 3) {
    err = encode_hello(of, out);
    count++;
  } else if (is_given(of->password)) {
    err = encode_auth(of, out);
    count++;
  }
  if (err == 0 && of->database > 0) {
    fibril_value args = fibril_array(1);
    fibril_array_push(args, fibril_number((double)of->database));
    err = encode_command(out, "SELECT", args);
    count++;
  }
  return err == 0 ? count : err;
}

/* A reply may come although the command could not be written: a server that is full says so and
 * hangs up. */
static fibril_value read_replies(connection *self, parser *replies, int count, int written) {
  const char *place = fibril_value_string(self->settings->host, NULL);
  for (int i = 0; i < count; i++) {
    fibril_value reply;
    replies->buffers = false;
    int err = parser_reply(replies, &reply);
    if (err == UV_EPROTO) return error_protocol(replies->message);
    if (err != 0) return error_connection(written != 0 ? written : err, "connect", place);
    if (fibril_is_error(reply)) return reply;
    fibril_value_free(fibril_value_take(reply));
  }
  return fibril_undefined();
}

fibril_value connection_shake_hands(connection *self, fibril_stream *stream, parser *replies) {
  bytes out = {0};
  int count = encode(self->settings, &out), err = count < 0 ? count : 0;
  if (err == 0 && count > 0) err = fibril_stream_write(stream, out.data, out.length);
  bytes_free(&out);
  if (count < 0) return fibril_error(count, NULL);
  return read_replies(self, replies, count, err);
}
