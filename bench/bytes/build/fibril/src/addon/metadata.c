/* stat, realpath and readdir, as raw data that lib/native/fs.js turns into Node's objects. */
#include "addon.h"

#include "export.h"

#include <stdlib.h>
#include <string.h>

/* ---- stat ---- */

#define STAT_FIELDS 18

/* In the order of Node's Stats, then seconds and nanoseconds of atime, mtime, ctime, birthtime. */
static void list_fields(const uv_stat_t *stat, int64_t fields[STAT_FIELDS]) {
  const int64_t ordered[STAT_FIELDS] = {
      (int64_t)stat->st_dev,     (int64_t)stat->st_mode,   (int64_t)stat->st_nlink,
      (int64_t)stat->st_uid,     (int64_t)stat->st_gid,    (int64_t)stat->st_rdev,
      (int64_t)stat->st_blksize, (int64_t)stat->st_ino,    (int64_t)stat->st_size,
      (int64_t)stat->st_blocks,  stat->st_atim.tv_sec,     stat->st_atim.tv_nsec,
      stat->st_mtim.tv_sec,      stat->st_mtim.tv_nsec,    stat->st_ctim.tv_sec,
      stat->st_ctim.tv_nsec,     stat->st_birthtim.tv_sec, stat->st_birthtim.tv_nsec,
  };
  memcpy(fields, ordered, sizeof ordered);
}

/* The fields as 64-bit integers for `bigint`, as doubles otherwise: a typed array over the buffer
 * reads them. */
static fibril_value stat_path(fibril_args *args) {
  const char *path = fibril_arg_string(args, 0);
  bool follow = fibril_arg_boolean(args, 1);
  uv_stat_t stat;
  int err = follow ? fibril_fs_stat(path, &stat) : fibril_fs_lstat(path, &stat);
  if (err != 0) return fibril_error_uv(err, follow ? "stat" : "lstat", path);
  int64_t integers[STAT_FIELDS];
  list_fields(&stat, integers);
  if (fibril_arg_boolean(args, 2)) return fibril_buffer(integers, sizeof integers);
  double numbers[STAT_FIELDS];
  for (int i = 0; i < STAT_FIELDS; i++) numbers[i] = (double)integers[i];
  return fibril_buffer(numbers, sizeof numbers);
}

/* ---- realpath ---- */

#define PATH_ROOM ((size_t)4096)

/* The path's bytes: names need not be text. A longer one than usual is asked for once more, and
 * again when the tree has changed meanwhile. */
static fibril_value real_path(fibril_args *args) {
  const char *path = fibril_arg_string(args, 0);
  size_t room = PATH_ROOM, length;
  for (;;) {
    char *buffer = malloc(room);
    if (buffer == NULL) return fibril_error(UV_ENOMEM, NULL);
    length = room;
    int err = fibril_fs_realpath(path, buffer, &length);
    if (err == 0) return fibril_buffer_take(buffer, length, free);
    free(buffer);
    if (err != UV_ENOBUFS) return fibril_error_uv(err, "realpath", path);
    room = length;
  }
}

/* ---- readdir ---- */

/* The entries, one after the other: a byte for the type, the name, a NUL. */
typedef struct {
  char *data;
  size_t length, capacity;
  int unknown; /* entries whose type the file system does not tell */
  int links;
  int err;
} listing;

static void add_entry(const char *name, uv_dirent_type_t type, void *arg) {
  listing *list = arg;
  size_t size = strlen(name) + 2;
  if (list->err != 0) return;
  if (list->capacity - list->length < size) {
    size_t capacity = (list->capacity + size) * 2;
    char *data = realloc(list->data, capacity);
    if (data == NULL) {
      list->err = UV_ENOMEM;
      return;
    }
    list->data = data;
    list->capacity = capacity;
  }
  list->data[list->length] = (char)type;
  memcpy(list->data + list->length + 1, name, size - 1);
  list->length += size;
  list->unknown += type == UV_DIRENT_UNKNOWN;
  list->links += type == UV_DIRENT_LINK;
}

static uv_dirent_type_t type_of_stat(const uv_stat_t *stat) {
  switch (stat->st_mode & S_IFMT) {
    case S_IFREG: return UV_DIRENT_FILE;
    case S_IFDIR: return UV_DIRENT_DIR;
    case S_IFLNK: return UV_DIRENT_LINK;
    case S_IFIFO: return UV_DIRENT_FIFO;
    case S_IFSOCK: return UV_DIRENT_SOCKET;
    case S_IFCHR: return UV_DIRENT_CHAR;
    case S_IFBLK: return UV_DIRENT_BLOCK;
    default: return UV_DIRENT_UNKNOWN;
  }
}

/* What is wanted of the types of entries, as lib/native/fs.js says it. */
enum { NO_TYPES, OWN_TYPES, TARGET_TYPES };

#define LEADS_TO_DIRECTORY 0x80 /* beside the type of a link */

/* The type of one entry, asked for by its path. 0 or a negative code. */
static int ask_type(const char *path, int wanted, char *type) {
  uv_stat_t stat;
  int err = 0;
  if (*type == UV_DIRENT_UNKNOWN) {
    err = fibril_fs_lstat(path, &stat);
    if (err == 0) *type = (char)type_of_stat(&stat);
    if (err == UV_ENOENT) err = 0; /* gone meanwhile: its type stays unknown */
  }
  if (err != 0 || *type != UV_DIRENT_LINK || wanted != TARGET_TYPES) return err;
  err = fibril_fs_stat(path, &stat);
  if (err == 0 && type_of_stat(&stat) == UV_DIRENT_DIR)
    *type = (char)(UV_DIRENT_LINK | LEADS_TO_DIRECTORY);
  return err == UV_ECANCELED ? err : 0; /* others lead nowhere */
}

/* Asks for the types that the list lacks. 0 or a negative code. */
static int ask_types(const char *path, int wanted, listing *list) {
  size_t base = strlen(path);
  char *full = malloc(base + list->length + 1);
  if (full == NULL) return UV_ENOMEM;
  memcpy(full, path, base);
  full[base] = '/';
  int err = 0;
  for (size_t at = 0; err == 0 && at < list->length;) {
    size_t size = strlen(list->data + at + 1) + 2;
    memcpy(full + base + 1, list->data + at + 1, size - 1);
    err = ask_type(full, wanted, list->data + at);
    at += size;
  }
  free(full);
  return err;
}

static fibril_value read_directory(fibril_args *args) {
  const char *path = fibril_arg_string(args, 0);
  int wanted = (int)fibril_arg_integer(args, 1);
  listing list = {0};
  int err = fibril_fs_readdir(path, add_entry, &list);
  if (err >= 0) err = list.err;
  const char *syscall = "scandir";
  bool complete = list.unknown == 0 && (list.links == 0 || wanted != TARGET_TYPES);
  if (err == 0 && wanted != NO_TYPES && !complete) {
    err = ask_types(path, wanted, &list);
    syscall = "lstat";
  }
  if (err == 0) return fibril_buffer_take(list.data, list.length, free);
  free(list.data);
  return fibril_error_uv(err, syscall,
                         fibril_arg_given(args, 2) ? fibril_arg_string(args, 2) : path);
}

int addon_export_metadata(fibril_module *module) {
  int err = addon_export(
      module, "fsStat(path: path, follow: boolean, bigint?: boolean): Promise<bytes>", stat_path);
  if (err != 0) return err;
  err = addon_export(module, "fsRealpath(path: path): Promise<bytes>", real_path);
  if (err != 0) return err;
  /* `shown` is in errors where `path` is not what the user gave. */
  return addon_export(module, "fsReaddir(path: path, types: int32, shown?: path): Promise<bytes>",
                      read_directory);
}
