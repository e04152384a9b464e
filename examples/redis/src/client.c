#include "client.h"

#include <stdlib.h>
#include <string.h>

/* ---- Settings ---- */

static fibril_value kept(fibril_args *args, const char *name) {
  return fibril_value_dup(fibril_arg_option(args, 0, name));
}

static double number(fibril_args *args, const char *name) {
  return fibril_value_number(fibril_arg_option(args, 0, name));
}

static settings *settings_new(fibril_args *args) {
  settings *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  self->owners = 1;
  self->host = kept(args, "host");
  self->path = kept(args, "path");
  self->username = kept(args, "username");
  self->password = kept(args, "password");
  self->port = (int)number(args, "port");
  self->protocol = (int)number(args, "protocol");
  self->database = (int64_t)number(args, "database");
  self->timeout = number(args, "timeout");
  self->delay = number(args, "delay");
  self->max_delay = number(args, "maxDelay");
  self->attempts = number(args, "attempts");
  self->limits =
      (limits){number(args, "maxBulk"), number(args, "maxItems"), number(args, "maxDepth")};
  return self;
}

void settings_unref(settings *self) {
  if (self == NULL || --self->owners > 0) return;
  fibril_value_free(self->host);
  fibril_value_free(self->path);
  fibril_value_free(self->username);
  fibril_value_free(self->password);
  free(self);
}

/* ---- From the constructor to the end ---- */

fibril_value client_new(fibril_args *args) {
  client *self = fibril_this(args);
  settings *of = settings_new(args);
  if (of == NULL) return fibril_error(UV_ENOMEM, NULL);
  self->main = connection_new(of);
  self->pushes = of->protocol == 3 ? self->main : connection_new(of);
  self->revive = fibril_value_dup(fibril_arg(args, 1));
  settings_unref(of);
  if (self->main == NULL || self->pushes == NULL) return fibril_error(UV_ENOMEM, NULL);
  self->pushes->pushes_only = self->pushes != self->main;
  return fibril_undefined();
}

static void let_go(connection *self) {
  if (self == NULL) return;
  connection_close(self);
  connection_unref(self);
}

void client_release(void *state) {
  client *self = state;
  if (self->pushes != self->main) let_go(self->pushes);
  let_go(self->main);
  fibril_value_free(self->revive);
}

fibril_value client_open(client *self) {
  fibril_value error = connection_open(self->main);
  if (fibril_is_error(error)) connection_close(self->main);
  return error;
}

/* Until the socket is closed, too. */
static void close_and_wait(connection *self) {
  connection_close(self);
  if (self->running != NULL) fibril_await(self->running);
}

fibril_value client_close(client *self) {
  fibril_mask();
  if (self->pushes != self->main) close_and_wait(self->pushes);
  close_and_wait(self->main);
  fibril_unmask();
  return fibril_undefined();
}

/* ---- Commands ---- */

static bool is(fibril_value word, const char *text) {
  size_t length = 0;
  const char *data = fibril_value_string(word, &length);
  if (data == NULL) data = fibril_value_buffer(word, &length);
  return data != NULL && length == strlen(text) && strncasecmp(data, text, length) == 0;
}

static bool is_one_of(fibril_value word, const char *const *words, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (is(word, words[i])) return true;
  return false;
}

fibril_value client_refuse(fibril_value args, bool in_transaction) {
  /* Their replies are not one for each command, or everything after them is something else. */
  static const char *const never[] = {"SUBSCRIBE",  "UNSUBSCRIBE",  "PSUBSCRIBE", "PUNSUBSCRIBE",
                                      "SSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR",    "SYNC",
                                      "PSYNC",      "HELLO",        "RESET"};
  static const char *const ends[] = {"MULTI", "EXEC", "DISCARD"};
  fibril_value name = fibril_array_get(args, 0);
  if (fibril_array_length(args) == 0)
    return fibril_error_type("TypeError", "ERR_INVALID_ARG_VALUE", "A command needs a name");
  bool refused = is_one_of(name, never, sizeof never / sizeof never[0]) ||
                 (is(name, "CLIENT") && is(fibril_array_get(args, 1), "REPLY")) ||
                 (in_transaction && is_one_of(name, ends, sizeof ends / sizeof ends[0]));
  if (!refused) return fibril_undefined();
  const char *text = fibril_value_string(name, NULL);
  return fibril_error_type("TypeError", "ERR_INVALID_ARG_VALUE", "%s can't be sent as a command%s",
                           text == NULL ? "This" : text, in_transaction ? " of a transaction" : "");
}

fibril_value client_revived(const client *self, fibril_value reply, bool special) {
  if (!special) return reply;
  fibril_value revived = fibril_call(self->revive, &reply, 1);
  fibril_value_free(reply);
  return revived;
}

fibril_value client_command(client *self, fibril_value args, bool buffers) {
  request what = {.args = args, .buffers = buffers};
  call own;
  fibril_value reply = client_refuse(args, false);
  if (fibril_is_error(reply)) return reply;
  reply = connection_request(self->main, &what, &own);
  if (fibril_is_error(reply)) {
    fibril_error_set(reply, "command", fibril_value_dup(fibril_array_get(args, 0)));
    return reply;
  }
  return client_revived(self, reply, own.special);
}
