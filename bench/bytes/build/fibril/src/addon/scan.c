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

/* Descriptors that all trees together keep for directories not opened yet. Beyond that, and where
 * there are no more, the way to a directory is walked from the root again. */
#define KEPT_MAX 256

static atomic_size_t kept;

/* ---- Directories ---- */

directory *directory_hold(directory *dir) {
  dir->refs++;
  dir->needed++;
  return dir;
}

static directory *directory_new(directory *parent, const char *name, inode id) {
  size_t size = strlen(name) + 1;
  directory *dir = malloc(sizeof *dir + size);
  if (dir == NULL) return NULL;
  dir->next = NULL;
  dir->parent = parent;
  dir->inode = id;
  atomic_init(&dir->refs, 1);
  atomic_init(&dir->needed, 1);
  dir->fd = -1;
  memcpy(dir->name, name, size);
  if (parent != NULL) directory_hold(parent);
  return dir;
}

static void let_go_of_descriptor(directory *dir) {
  if (--dir->needed > 0 || dir->fd < 0) return;
  close(dir->fd);
  if (dir->parent != NULL) kept--;
}

static void directory_unref(directory *dir) {
  while (dir != NULL && --dir->refs == 0) {
    directory *parent = dir->parent;
    free(dir);
    dir = parent;
  }
}

void directory_drop(directory *dir) {
  let_go_of_descriptor(dir->parent == NULL ? dir : dir->parent);
  directory_unref(dir);
}

/* The path of an entry as the user would write it; `name` NULL: of the directory. NULL without
 * memory. */
static char *path_of(const directory *dir, const char *name) {
  size_t length = name == NULL ? 0 : strlen(name) + 1;
  for (const directory *d = dir; d != NULL; d = d->parent) length += strlen(d->name) + 1;
  char *path = malloc(length + 1);
  if (path == NULL) return NULL;
  char *at = path + length;
  *at = '\0';
  if (name == NULL) {
    name = dir->name;
    dir = dir->parent;
  }
  for (;;) {
    size_t size = strlen(name);
    memcpy(at -= size, name, size);
    if (dir == NULL) break;
    size_t above = strlen(dir->name);
    if (above == 0 || dir->name[above - 1] != '/') *--at = '/';
    name = dir->name;
    dir = dir->parent;
  }
  memmove(path, at, strlen(at) + 1);
  return path;
}

/* ---- Batches ---- */

batch *batch_new(directory *root) {
  batch *b = calloc(1, sizeof *b);
  if (b == NULL) return NULL;
  b->root = directory_hold(root);
  return b;
}

void batch_free(batch *b) {
  while (b->pending != NULL) {
    directory *next = b->pending->next;
    directory_drop(b->pending);
    b->pending = next;
  }
  directory_drop(b->root);
  free(b->links);
  free(b->culprit);
  free(b);
}

void batch_fail(batch *b, int err, const char *syscall, char *path) {
  if (b->err != 0) {
    free(path);
    return;
  }
  b->err = err;
  b->syscall = syscall;
  b->culprit = path;
}

/* ---- Counting ---- */

/* What counting needs of a stat. */
typedef struct {
  mode_t mode;
  uint64_t links, bytes;
  inode inode;
} status;

/* The status of an entry itself; of the descriptor, when the name is empty. 0 or -1 with errno. */
static int status_at(int fd, const char *name, status *out) {
  int flags = AT_SYMLINK_NOFOLLOW | (fd == AT_FDCWD ? 0 : AT_EMPTY_PATH);
#ifdef STATX_TYPE
  /* glibc's fstatat is newer than what the prebuilt binary may ask for, and looks up more. musl has
   * no statx before 1.2.5. */
  struct statx st;
  unsigned wanted = STATX_TYPE | STATX_NLINK | STATX_SIZE | STATX_INO;
  if (statx(fd, name, flags, wanted, &st) != 0) return -1;
  *out = (status){.mode = st.stx_mode,
                  .links = st.stx_nlink,
                  .bytes = st.stx_size,
                  .inode = {(uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor, st.stx_ino}};
#else
  struct stat st;
  if (fstatat(fd, name, &st, flags) != 0) return -1;
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

static bool add_directory(batch *b, const status *st, directory *parent, const char *name) {
  directory *dir = directory_new(parent, name, st->inode);
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

static bool may_be_directory(const struct dirent *entry) {
  return entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
}

static void count_entry(batch *b, int fd, directory *dir, const struct dirent *entry) {
  const char *name = entry->d_name;
  status st;
  if (status_at(fd, name, &st) != 0) {
    int err = errno;
    if (err != ENOENT || may_be_directory(entry)) batch_fail(b, -err, "lstat", path_of(dir, name));
    return;
  }
  bool added = S_ISDIR(st.mode) ? add_directory(b, &st, dir, name) : add_file(b, &st);
  if (!added) batch_fail(b, -ENOMEM, NULL, NULL);
  b->seen++;
}

/* ---- Opening ---- */

#define HOW (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int close_with_errno(int fd, int err) {
  if (fd >= 0) close(fd);
  errno = err;
  return -1;
}

/* Opens a directory in `at`, if it is the one that was found there. Another device has been mounted
 * on it, as automounts are by being looked into. */
static int open_in(int at, const directory *dir) {
  status st;
  int fd = openat(at, dir->name, HOW);
  if (fd < 0) return -1;
  if (status_at(fd, "", &st) != 0) return close_with_errno(fd, errno);
  bool same = st.inode.dev != dir->inode.dev || st.inode.ino == dir->inode.ino;
  return same ? fd : close_with_errno(fd, ENOENT);
}

/* Step by step from the root, whose descriptor is always there. */
static int open_from_root(const directory *root, const directory *dir) {
  size_t depth = 0, i = 0;
  for (const directory *d = dir; d != root; d = d->parent) depth++;
  const directory **way = malloc(depth * sizeof *way);
  if (way == NULL) return close_with_errno(-1, ENOMEM);
  for (const directory *d = dir; d != root; d = d->parent) way[depth - ++i] = d;
  int fd = root->fd;
  for (i = 0; i < depth && fd >= 0; i++) {
    int next = open_in(fd, way[i]);
    int err = errno;
    if (fd != root->fd) close(fd);
    errno = err;
    fd = next;
  }
  free(way);
  return fd;
}

static int open_directory(const directory *root, const directory *dir) {
  if (dir == root) return openat(root->fd, ".", HOW);
  return dir->parent->fd >= 0 ? open_in(dir->parent->fd, dir) : open_from_root(root, dir);
}

/* Keeps the descriptor for the directories that were found in it. */
static void keep_descriptor(directory *dir, int fd) {
  if (dir->parent == NULL || dir->needed == 1) return;
  if (kept++ < KEPT_MAX) dir->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (dir->fd < 0) kept--;
}

/* ---- Reading ---- */

static DIR *open_stream(const directory *root, const directory *dir) {
  int fd = open_directory(root, dir);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  if (stream == NULL && fd >= 0) close_with_errno(fd, errno);
  return stream;
}

static bool is_dots(const char *name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static void read_entries(batch *b, directory *dir) {
  DIR *stream = open_stream(b->root, dir);
  if (stream == NULL) {
    batch_fail(b, -errno, "scandir", path_of(dir, NULL));
    return;
  }
  while (b->err == 0) {
    errno = 0;
    const struct dirent *entry = readdir(stream);
    if (entry == NULL) {
      /* ENOENT: it has been removed, and so is empty. */
      if (errno != 0 && errno != ENOENT) batch_fail(b, -errno, "scandir", path_of(dir, NULL));
      break;
    }
    if (!is_dots(entry->d_name)) count_entry(b, dirfd(stream), dir, entry);
  }
  keep_descriptor(dir, dirfd(stream));
  closedir(stream);
}

void batch_run(void *arg) {
  batch *b = arg;
  while (b->pending != NULL && b->err == 0 && b->seen < ENTRIES_PER_JOB) {
    directory *dir = b->pending;
    b->pending = dir->next;
    read_entries(b, dir);
    if (dir->parent != NULL) let_go_of_descriptor(dir->parent);
    let_go_of_descriptor(dir);
    directory_unref(dir);
  }
}

void scan_begin(void *arg) {
  beginning *begin = arg;
  status st;
  int fd = openat(AT_FDCWD, begin->path, HOW);
  int err = fd < 0 ? errno : 0;
  if (status_at(fd < 0 ? AT_FDCWD : fd, fd < 0 ? begin->path : "", &st) != 0) {
    begin->err = -errno;
    begin->syscall = "lstat";
  } else if (err != 0 && S_ISDIR(st.mode)) {
    begin->err = -err;
    begin->syscall = "scandir";
  } else {
    begin->bytes = st.bytes;
    if (fd >= 0) begin->root = directory_new(NULL, begin->path, st.inode);
    if (fd >= 0 && begin->root == NULL) begin->err = -ENOMEM;
  }
  if (begin->root != NULL)
    begin->root->fd = fd;
  else if (fd >= 0)
    close(fd);
}
