/* The file system without awaits, for jobs that run in the thread pool: libuv's synchronous calls,
 * a result or a negative code each. */
#ifndef FIBRIL_ADDON_BLOCKING_H
#define FIBRIL_ADDON_BLOCKING_H

#include <fibril.h>

int blocking_open(const char *path, int flags, int mode);
int blocking_close(int fd);
int blocking_fstat(int fd, uv_stat_t *stat);
int blocking_fsync(int fd);

/* At the file position; at most 2 GiB at once. */
int64_t blocking_read(int fd, void *buffer, size_t length);
int64_t blocking_write(int fd, const void *buffer, size_t length);

#endif /* FIBRIL_ADDON_BLOCKING_H */
