#include <fcntl.h>
#include <fibril.h>

/* Each call runs as a coroutine: where it waits, the event loop goes on. An abort ends the wait. */
static fibril_value count_lines(fibril_args *args) {
  const char *path = fibril_arg_string(args, 0);
  int fd = fibril_fs_open(path, O_RDONLY, 0);
  if (fd < 0) return fibril_error_uv(fd, "open", path);
  char buffer[16384];
  int64_t lines = 0, length;
  while ((length = fibril_fs_read(fd, buffer, sizeof buffer, -1)) > 0)
    for (int64_t i = 0; i < length; i++) lines += buffer[i] == '\n';
  fibril_fs_close(fd);
  if (length < 0) return fibril_error_uv((int)length, "read", NULL);
  return fibril_number((double)lines);
}

/* What is exported here stands in index.js, too; the build writes addon.d.ts from it. */
FIBRIL_MODULE(m) {
  fibril_export(m,
                "/** How many lines a file has. Rejects as `fs.promises.readFile` would. */"
                "countLines(path: path, options?: {signal?: AbortSignal}): Promise<number>",
                count_lines);
}
