/* What du does in the thread pool: directories are read and their entries added up, a batch of
 * directories in one job. */
#ifndef FIBRIL_ADDON_SCAN_H
#define FIBRIL_ADDON_SCAN_H

#include "inode_set.h"

#include <stdatomic.h>

/* A directory of the tree. It is opened through its parent's descriptor, never by a path: whatever
 * is renamed, and wherever the process goes meanwhile, what is read is the tree as it was found. */
typedef struct directory directory;
struct directory {
  directory *next;      /* in a list of those that have not been opened */
  directory *parent;    /* NULL: the root */
  inode inode;          /* as it was found: another directory in its place is not it */
  atomic_size_t refs;   /* its owner's, and one of each child */
  atomic_size_t needed; /* who still needs its descriptor: it closes with the last */
  int fd;               /* -1: not kept */
  char name[];          /* the root's is the path that was given */
};

/* A file with several names: which of them counts, only all batches together know. */
typedef struct {
  inode inode;
  uint64_t bytes;
} linked_file;

typedef struct {
  directory *root;    /* held */
  directory *pending; /* before the job: what to read; after it: what it left and what it found */
  uint64_t bytes, files, directories;
  linked_file *links;
  size_t link_count, link_capacity;
  size_t seen;         /* entries, for the job's limit */
  int err;             /* of what failed first; 0 */
  const char *syscall; /* as Node names it; NULL: none */
  char *culprit;       /* the path it failed with; NULL: none */
  bool abandoned;      /* for the owner's use */
} batch;

/* NULL without memory. */
batch *batch_new(directory *root);
void batch_free(batch *b);

/* Another owner, who needs its descriptor. */
directory *directory_hold(directory *dir);

/* Gives up one that has not been opened; of the root, what was held. */
void directory_drop(directory *dir);

/* Notes the first failure. Takes `path`, which may be NULL. */
void batch_fail(batch *b, int err, const char *syscall, char *path);

/* What is at the path that was given. */
typedef struct {
  const char *path;
  directory *root; /* NULL: it is no directory */
  uint64_t bytes;
  int err;
  const char *syscall;
} beginning;

/* The first job: `arg` is a beginning. Opens the root. */
void scan_begin(void *arg);

/* The others: `arg` is a batch. Reads pending directories and those below them, until a limit that
 * keeps jobs short. Files that vanish meanwhile are passed over; a directory that does is an error,
 * since it may only have been renamed. */
void batch_run(void *arg);

#endif /* FIBRIL_ADDON_SCAN_H */
