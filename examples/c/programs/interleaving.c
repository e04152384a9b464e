/* Work goes on while a result is on its way: the next chunk is being read while the last one is
 * being written. Copies a file. */
#include "programs.h"

#include <fcntl.h>
#include <stdio.h>

#define CHUNK 16384

/* Reads a chunk; a coroutine of its own, so that nobody has to wait for it yet. */
static fibril_value read_chunk(void *arg) {
  int fd = *(int *)arg;
  char buffer[CHUNK];
  int64_t length = fibril_fs_read(fd, buffer, sizeof buffer, -1);
  return length < 0 ? fibril_error_uv((int)length, "read", NULL)
                    : fibril_buffer(buffer, (size_t)length);
}

static fibril_future *fetch_next_chunk(int *fd, int number) {
  printf("fetch %d\n", number);
  return fibril_spawn(read_chunk, fd, NULL);
}

/* Writes all of a chunk. 0 or an error code. */
static int flush(int fd, const char *data, size_t length) {
  while (length > 0) {
    int64_t n = fibril_fs_write(fd, data, length, -1);
    if (n < 0) return (int)n;
    data += n;
    length -= (size_t)n;
  }
  return 0;
}

/* The number of bytes copied, or an error. */
static fibril_value copy(int from, int to) {
  double total = 0;
  fibril_value result = fibril_undefined();
  fibril_future *fetching = fetch_next_chunk(&from, 0);
  for (int number = 0; fibril_value_kind(result) == FIBRIL_UNDEFINED; number++) {
    fibril_future *fetched = fetching;
    size_t length = 0;
    fibril_value chunk = fibril_await(fetched);
    const char *data = fibril_value_buffer(chunk, &length);
    fetching = NULL;
    if (data != NULL && length > 0) {
      printf("write %d\n", number);
      fetching = fetch_next_chunk(&from, number + 1);
      int err = flush(to, data, length);
      if (err == 0)
        printf("flushed %d\n", number);
      else
        result = fibril_error_uv(err, "write", NULL);
      total += (double)length;
    } else {
      result = data == NULL ? fibril_value_dup(chunk) : fibril_number(total);
    }
    fibril_future_unref(fetched);
  }
  if (fetching != NULL) { /* the write failed: the read must not outlive its descriptor */
    fibril_await(fetching);
    fibril_future_unref(fetching);
  }
  return result;
}

fibril_value interleaving(fibril_args *args) {
  const char *source = fibril_arg_string(args, 0), *target = fibril_arg_string(args, 1);
  int from = fibril_fs_open(source, O_RDONLY, 0);
  if (from < 0) return fibril_error_uv(from, "open", source);
  int to = fibril_fs_open(target, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (to < 0) {
    fibril_fs_close(from);
    return fibril_error_uv(to, "open", target);
  }
  fibril_value result = copy(from, to);
  fibril_fs_close(from);
  fibril_fs_close(to);
  if (!fibril_is_error(result)) printf("%g bytes\n", fibril_value_number(result));
  return result;
}
