#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A job ends after the directory in which it has seen this many entries: a millisecond or two. */
#define ENTRIES_PER_JOB 512

/* ---- Batches ---- */

batch *batch_new(void) {
  return calloc(1, sizeof(batch));
}

void batch_free(batch *b) {
  while (b->pending != NULL) {
    directory *next = b->pending->next;
    free(b->pending);
    b->pending = next;
  }
  free(b->links);
  free(b->culprit);
  free(b);
}

directory *directory_new(const char *folder, const char *name) {
  size_t length = strlen(folder), name_size = name == NULL ? 0 : strlen(name) + 1;
  directory *dir = malloc(sizeof *dir + length + name_size + 1);
  if (dir == NULL) return NULL;
  memcpy(dir->path, folder, length + 1);
  if (name == NULL) return dir;
  if (length > 0 && folder[length - 1] != '/') dir->path[length++] = '/';
  memcpy(dir->path + length, name, name_size);
  return dir;
}

void batch_fail(batch *b, int err, const char *syscall, const char *path) {
  if (b->err != 0) return;
  b->err = err;
  b->syscall = syscall;
  b->culprit = path == NULL ? NULL : strdup(path);
}

static void fail_entry(batch *b, int err, const char *syscall, const directory *dir,
                       const char *name) {
  directory *full = directory_new(dir->path, name);
  batch_fail(b, err, syscall, full == NULL ? dir->path : full->path);
  free(full);
}

/* ---- Counting ---- */

/* What counting needs of a stat. */
typedef struct {
  mode_t mode;
  uint64_t links, bytes;
  inode inode;
} status;

/* The status of an entry itself. 0 or -1 with errno. */
static int status_at(int fd, const char *name, status *out) {
#ifdef STATX_TYPE
  /* glibc's fstatat is newer than what the prebuilt binary may ask for, and looks up more. musl has
   * no statx before 1.2.5. */
  struct statx st;
  unsigned wanted = STATX_TYPE | STATX_NLINK | STATX_SIZE | STATX_INO;
  if (statx(fd, name, AT_SYMLINK_NOFOLLOW, wanted, &st) != 0) return -1;
  *out = (status){.mode = st.stx_mode,
                  .links = st.stx_nlink,
                  .bytes = st.stx_size,
                  .inode = {(uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor, st.stx_ino}};
#else
  struct stat st;
  if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  *out = (status){.mode = st.st_mode,
                  .links = st.st_nlink,
                  .bytes = (uint64_t)st.st_size,
                  .inode = {(uint64_t)st.st_dev, st.st_ino}};
#endif
  return 0;
}

static bool add_link(batch *b, const status *st) {
  if (b->link_count == b->link_capacity) {
    size_t capacity = b->link_capacity == 0 ? 16 : b->link_capacity * 2;
    linked_file *links = realloc(b->links, capacity * sizeof *links);
    if (links == NULL) return false;
    b->links = links;
    b->link_capacity = capacity;
  }
  b->links[b->link_count++] = (linked_file){st->inode, st->bytes};
  return true;
}

static bool add_directory(batch *b, const status *st, const directory *parent, const char *name) {
  directory *dir = directory_new(parent->path, name);
  if (dir == NULL) return false;
  dir->next = b->pending;
  b->pending = dir;
  b->directories++;
  b->bytes += st->bytes;
  return true;
}

static bool add_file(batch *b, const status *st) {
  if (st->links > 1) return add_link(b, st);
  b->files++;
  b->bytes += st->bytes;
  return true;
}

static void count_entry(batch *b, int fd, const directory *dir, const char *name) {
  status st;
  if (status_at(fd, name, &st) != 0) {
    if (errno != ENOENT) fail_entry(b, -errno, "lstat", dir, name);
    return;
  }
  bool added = S_ISDIR(st.mode) ? add_directory(b, &st, dir, name) : add_file(b, &st);
  if (!added) batch_fail(b, -ENOMEM, NULL, NULL);
  b->seen++;
}

/* ---- Reading ---- */

/* Opens a directory whose path may be longer than the system takes at once: piece by piece. */
static int open_directory(const char *path) {
  char head[PATH_MAX];
  int at = AT_FDCWD;
  while (strlen(path) >= PATH_MAX) {
    memcpy(head, path, PATH_MAX - 1);
    head[PATH_MAX - 1] = '\0';
    char *slash = strrchr(head, '/');
    if (slash == NULL || slash == head) break; /* a name too long: openat will say so */
    *slash = '\0';
    int next = openat(at, head, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = errno;
    if (at != AT_FDCWD) close(at);
    errno = err;
    if (next < 0) return -1;
    at = next;
    path += slash - head + 1;
  }
  int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int err = errno;
  if (at != AT_FDCWD) close(at);
  errno = err;
  return fd;
}

/* Removed, or replaced by something else. */
static bool has_vanished(int err) {
  return err == ENOENT || err == ENOTDIR || err == ELOOP;
}

static DIR *open_stream(const char *path) {
  int fd = open_directory(path);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  if (stream != NULL || fd < 0) return stream;
  int err = errno;
  close(fd);
  errno = err;
  return NULL;
}

static bool is_dots(const char *name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static void read_entries(batch *b, const directory *dir) {
  DIR *stream = open_stream(dir->path);
  if (stream == NULL) {
    if (!has_vanished(errno)) batch_fail(b, -errno, "scandir", dir->path);
    return;
  }
  while (b->err == 0) {
    errno = 0;
    const struct dirent *entry = readdir(stream);
    if (entry == NULL) {
      if (errno != 0 && errno != ENOENT) batch_fail(b, -errno, "scandir", dir->path);
      break;
    }
    if (!is_dots(entry->d_name)) count_entry(b, dirfd(stream), dir, entry->d_name);
  }
  closedir(stream);
}

void batch_run(void *arg) {
  batch *b = arg;
  while (b->pending != NULL && b->err == 0 && b->seen < ENTRIES_PER_JOB) {
    directory *dir = b->pending;
    b->pending = dir->next;
    read_entries(b, dir);
    free(dir);
  }
}
