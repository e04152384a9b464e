/* Whole streams: from one to another, both ways, to nowhere. */
#include "stream.h"

#include "../../core/future/group.h"

#include <stdlib.h>

#define CHUNK (64 * 1024)

static int64_t copy_through(fibril_stream *from, fibril_stream *to, char *buffer) {
  int64_t total = 0;
  for (;;) {
    int64_t count = fibril_stream_read(from, buffer, CHUNK);
    if (count <= 0) return count == 0 ? total : count;
    int err = fibril_stream_write(to, buffer, (size_t)count);
    if (err != 0) return err;
    total += count;
  }
}

static int check_both(fibril_stream *a, fibril_stream *b) {
  return b->handle.closed ? UV_EBADF : fibril__handle_check(&a->handle);
}

static void keep_both(fibril_stream *a, fibril_stream *b) {
  fibril_stream_ref(a);
  fibril_stream_ref(b);
}

static void drop_both(fibril_stream *a, fibril_stream *b) {
  fibril_stream_unref(b);
  fibril_stream_unref(a);
}

/* Others may close them meanwhile. */
int64_t fibril_stream_copy(fibril_stream *from, fibril_stream *to) {
  keep_both(from, to);
  int64_t total = check_both(from, to);
  if (total == 0) {
    char *buffer = malloc(CHUNK);
    total = buffer == NULL ? UV_ENOMEM : copy_through(from, to, buffer);
    free(buffer);
  }
  drop_both(from, to);
  return total;
}

/* ---- Both ways ---- */

typedef struct {
  fibril_stream *from, *to;
} direction;

static fibril_value copy_direction(void *arg) {
  direction one = *(direction *)arg;
  int64_t total = fibril_stream_copy(one.from, one.to);
  int err = total < 0 ? (int)total : fibril_stream_shutdown(one.to);
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

/* One direction may fail while the other is started. */
static int copy_in_group(fibril_group *group, fibril_stream *a, fibril_stream *b) {
  static const fibril_spawn_options options = {.size = sizeof options, .name = "copy"};
  direction both[2] = {{a, b}, {b, a}};
  int err = 0;
  for (int i = 0; i < 2 && err == 0; i++)
    err = fibril_group_spawn(group, copy_direction, &both[i], &options);
  if (err != 0) fibril_group_cancel(group);
  int first = fibril_error_code(fibril_group_wait(group));
  fibril__group_end(group);
  return first != 0 ? first : err;
}

int fibril_stream_copy_both(fibril_stream *a, fibril_stream *b) {
  keep_both(a, b);
  int err = check_both(a, b);
  if (err == 0) {
    fibril_group *group = fibril_group_new();
    err = group == NULL ? UV_ENOMEM : copy_in_group(group, a, b);
  }
  drop_both(a, b);
  return err;
}

/* ---- To nowhere ---- */

int fibril_stream_linger(fibril_stream *stream) {
  char dropped[4096];
  int64_t count = 1;
  fibril_stream_ref(stream);
  int err = fibril_stream_shutdown(stream);
  while (err == 0 && count > 0) {
    count = fibril_stream_read(stream, dropped, sizeof dropped);
    if (count < 0) err = (int)count;
  }
  fibril_stream_unref(stream);
  return err;
}
