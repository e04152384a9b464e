/* Commands as the server reads them: arrays of strings. */
#ifndef REDIS_ENCODE_H
#define REDIS_ENCODE_H

#include <fibril.h>

/* Bytes that grow. */
typedef struct {
  char *data;
  size_t length, capacity;
} bytes;

/* Adds a command: `verb`, unless it is NULL, and the strings, buffers, numbers and bigints of the
 * array. 0 or UV_ENOMEM, which adds nothing. */
int encode_command(bytes *out, const char *verb, fibril_value args);
void bytes_free(bytes *self);

#endif /* REDIS_ENCODE_H */
