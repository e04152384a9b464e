/* du(path): what a tree takes, as `du -sb` counts it: the sizes of its files, directories and
 * symbolic links, none of them followed, files with several names once. A directory that can't be
 * read fails the whole. */
#include "addon.h"

#include "export.h"
#include "scan.h"

#include <stdlib.h>

#define CONCURRENCY_MAX 512 /* more than ever get through the gate to the thread pool */
#define DIRECTORIES_PER_JOB 32

typedef struct {
  directory *root;
  directory *pending;
  size_t pending_count;
  inode_set linked; /* files with several names that are counted already */
  uint64_t bytes, files, directories;
  size_t concurrency;
  size_t running;
  batch **batches; /* in the pool; their futures at the same index */
  fibril_future **futures;
} tree;

static void push_directory(tree *t, directory *dir) {
  dir->next = t->pending;
  t->pending = dir;
  t->pending_count++;
}

static directory *pop_directory(directory **list) {
  directory *dir = *list;
  if (dir != NULL) *list = dir->next;
  return dir;
}

/* ---- One batch: a coroutine that is in the pool nearly all the time ---- */

static fibril_value du_run_batch(void *arg) {
  batch *b = arg;
  int err = fibril_work(batch_run, b);
  if (err != 0) batch_fail(b, err, NULL, NULL);
  if (b->abandoned) batch_free(b);
  return fibril_undefined();
}

/* A fair share of what is known, so that a wide tree is read in few jobs and a narrow one in
 * parallel. */
static void du_fill_batch(tree *t, batch *b) {
  size_t share = t->pending_count / t->concurrency;
  if (share < 1) share = 1;
  if (share > DIRECTORIES_PER_JOB) share = DIRECTORIES_PER_JOB;
  for (directory *dir; share > 0 && (dir = pop_directory(&t->pending)) != NULL; share--) {
    t->pending_count--;
    dir->next = b->pending;
    b->pending = dir;
  }
}

/* 0, or why a coroutine could not start. */
static int start_error(fibril_future *future) {
  if (!fibril_future_done(future)) return 0;
  fibril_value result = fibril_future_result(future);
  return fibril_is_error(result) ? fibril_error_code(result) : 0;
}

static int du_start_batch(tree *t) {
  static const fibril_spawn_options options = {
      .size = sizeof options, .name = "du", .stack_size = ADDON_STACK_SIZE};
  batch *b = batch_new(t->root);
  if (b == NULL) return UV_ENOMEM;
  du_fill_batch(t, b);
  fibril_future *future = fibril_spawn(du_run_batch, b, &options);
  int err = start_error(future);
  if (err != 0) {
    fibril_future_unref(future);
    batch_free(b);
    return err;
  }
  t->batches[t->running] = b;
  t->futures[t->running++] = future;
  return 0;
}

/* Lets go of a batch; one that is still in the pool frees itself. */
static void du_drop_batch(tree *t, size_t index) {
  batch *b = t->batches[index];
  fibril_future *future = t->futures[index];
  t->running--;
  t->batches[index] = t->batches[t->running];
  t->futures[index] = t->futures[t->running];
  if (fibril_future_done(future)) {
    batch_free(b);
  } else {
    b->abandoned = true;
    fibril_cancel(future);
  }
  fibril_future_unref(future);
}

/* ---- The tree ---- */

static int count_links(tree *t, const batch *b) {
  for (size_t i = 0; i < b->link_count; i++) {
    int added = inode_set_add(&t->linked, b->links[i].inode);
    if (added < 0) return added;
    if (added == 0) continue;
    t->files++;
    t->bytes += b->links[i].bytes;
  }
  return 0;
}

static fibril_value du_error(int err, const char *syscall, const char *path) {
  return syscall == NULL ? fibril_error(err, NULL) : fibril_error_uv(err, syscall, path);
}

/* Adds what a batch has found. Undefined, or its error. */
static fibril_value du_collect(tree *t, batch *b) {
  if (b->err != 0) return du_error(b->err, b->syscall, b->culprit);
  t->bytes += b->bytes;
  t->files += b->files;
  t->directories += b->directories;
  for (directory *dir; (dir = pop_directory(&b->pending)) != NULL;) push_directory(t, dir);
  int err = count_links(t, b);
  return err != 0 ? fibril_error(err, NULL) : fibril_undefined();
}

static fibril_value du_collect_batch(tree *t, size_t index) {
  fibril_value error = du_collect(t, t->batches[index]);
  du_drop_batch(t, index);
  return error;
}

static fibril_value walk_tree(tree *t) {
  while (t->pending != NULL || t->running > 0) {
    while (t->pending != NULL && t->running < t->concurrency) {
      int err = du_start_batch(t);
      if (err != 0) return fibril_error(err, NULL);
    }
    int index = fibril_await_any(t->futures, t->running);
    if (index < 0) return fibril_error(index, NULL);
    fibril_value error = du_collect_batch(t, (size_t)index);
    if (fibril_is_error(error)) return error;
  }
  return fibril_undefined();
}

static fibril_value du_result(const tree *t) {
  fibril_value result = fibril_object();
  bool set = fibril_object_set(result, "bytes", fibril_number((double)t->bytes)) == 0 &&
             fibril_object_set(result, "files", fibril_number((double)t->files)) == 0 &&
             fibril_object_set(result, "directories", fibril_number((double)t->directories)) == 0;
  return set ? result : fibril_error(UV_ENOMEM, NULL);
}

static fibril_value walk_from_root(tree *t) {
  push_directory(t, directory_hold(t->root));
  t->batches = calloc(t->concurrency, sizeof *t->batches);
  t->futures = calloc(t->concurrency, sizeof *t->futures);
  fibril_value error = fibril_error(UV_ENOMEM, NULL);
  if (t->batches != NULL && t->futures != NULL) error = walk_tree(t);
  while (t->running > 0) du_drop_batch(t, 0);
  for (directory *dir; (dir = pop_directory(&t->pending)) != NULL;) directory_drop(dir);
  directory_drop(t->root);
  inode_set_destroy(&t->linked);
  free(t->batches);
  free(t->futures);
  return fibril_is_error(error) ? error : du_result(t);
}

static fibril_value du_path(fibril_args *args) {
  const char *path = fibril_arg_string(args, 0);
  double concurrency = fibril_value_number(fibril_arg_option(args, 1, "concurrency"));
  if (concurrency < 1)
    return fibril_error_type(
        "RangeError", "ERR_OUT_OF_RANGE",
        "The value of \"options.concurrency\" is out of range. It must be >= 1 && <= 4294967295. "
        "Received 0");
  beginning begin = {.path = path};
  int err = fibril_work(scan_begin, &begin);
  if (err != 0) return fibril_error(err, NULL);
  if (begin.err != 0) return du_error(begin.err, begin.syscall, path);
  tree t = {.root = begin.root,
            .bytes = begin.bytes,
            .concurrency = concurrency < CONCURRENCY_MAX ? (size_t)concurrency : CONCURRENCY_MAX};
  if (t.root != NULL) {
    t.directories = 1;
    return walk_from_root(&t);
  }
  t.files = 1;
  return du_result(&t);
}

int addon_export_du(fibril_module *module) {
  return addon_export(module,
                      "du(path: path, options?: {concurrency?: uint32 = 8, signal?: AbortSignal}): "
                      "Promise<{bytes: number, files: number, directories: number}>",
                      du_path);
}
