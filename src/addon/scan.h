/* What du does in the thread pool: directories are read and their entries added up, a batch of
 * directories in one job. */
#ifndef FIBRIL_ADDON_SCAN_H
#define FIBRIL_ADDON_SCAN_H

#include "inode_set.h"

/* A directory whose entries have not been counted. */
typedef struct directory directory;
struct directory {
  directory *next;
  char path[];
};

/* A file with several names: which of them counts, only all batches together know. */
typedef struct {
  inode inode;
  uint64_t bytes;
} linked_file;

typedef struct {
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
batch *batch_new(void);
void batch_free(batch *b);

/* NULL without memory. `name` NULL: just the folder. */
directory *directory_new(const char *folder, const char *name);

/* Notes the first failure. `path` is copied. */
void batch_fail(batch *b, int err, const char *syscall, const char *path);

/* The job: `arg` is a batch. Reads pending directories and those below them, until a limit that
 * keeps jobs short. Entries that vanish meanwhile are passed over. */
void batch_run(void *arg);

#endif /* FIBRIL_ADDON_SCAN_H */
