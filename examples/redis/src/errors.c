#include "connection.h"

#include <string.h>

/* "WRONGTYPE Operation against ..." has a code; most others are "ERR ...". */
fibril_value error_of_server(const char *text, size_t length) {
  char code[32] = "ERR";
  size_t word = 0;
  while (word < length && ((text[word] >= 'A' && text[word] <= 'Z') || text[word] == '_')) word++;
  if (word > 0 && word < sizeof code && (word == length || text[word] == ' ')) {
    memcpy(code, text, word);
    code[word] = '\0';
  }
  return fibril_error_type("RedisError", code, "%.*s", (int)length, text);
}

fibril_value error_closed(void) {
  return fibril_error_type("RedisError", "ERR_REDIS_CLOSED", "The client has been closed");
}

fibril_value error_connection(int code, const char *call, const char *where) {
  const char *text = code == UV_EOF ? "the server has ended it" : fibril_strerror(code);
  fibril_value error = fibril_error_type(
      "RedisError", "ERR_REDIS_CONNECTION", "%s: %s",
      strcmp(call, "connect") == 0 ? "There is no connection" : "The connection was lost", text);
  fibril_error_set(error, "cause", fibril_error_uv(code, call, where));
  return error;
}

fibril_value error_protocol(const char *message) {
  return fibril_error_type("RedisError", "ERR_REDIS_PROTOCOL", "The server has sent %s", message);
}

fibril_value error_behind(void) {
  return fibril_error_type("RedisError", "ERR_REDIS_BEHIND",
                           "The subscription was too far behind what was published");
}
