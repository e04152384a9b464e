/* A directory tree as an asynchronous generator: entries as they are found, a folder's before those
 * of the folders in it. What is still to be done it keeps in lists of its own: values that a
 * coroutine makes and doesn't hand over stay until it ends, and a tree is large. */
#include <fibril.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct found {
  struct found *next;
  bool directory;
  char path[];
} found;

/* First in, first out. */
typedef struct {
  found *first, *last;
} list;

static void add(list *to, found *entry) {
  entry->next = NULL;
  if (to->first == NULL)
    to->first = entry;
  else
    to->last->next = entry;
  to->last = entry;
}

static found *take(list *from) {
  found *entry = from->first;
  if (entry != NULL) from->first = entry->next;
  return entry;
}

static void clear(list *all) {
  for (found *entry = take(all); entry != NULL; entry = take(all)) free(entry);
}

typedef struct {
  const char *folder;
  list entries;
  bool incomplete; /* no memory was left */
} listing;

/* Called by fibril_fs_readdir for every entry. */
static void add_entry(const char *name, uv_dirent_type_t type, void *arg) {
  listing *listed = arg;
  size_t length = strlen(listed->folder) + strlen(name) + 2;
  found *entry = malloc(sizeof *entry + length);
  if (entry == NULL) {
    listed->incomplete = true;
    return;
  }
  entry->directory = type == UV_DIRENT_DIR;
  snprintf(entry->path, length, "%s/%s", listed->folder, name);
  add(&listed->entries, entry);
}

static fibril_value describe(const found *entry) {
  fibril_value object = fibril_object();
  fibril_object_set(object, "path", fibril_string(entry->path, FIBRIL_AUTO_LENGTH));
  fibril_object_set(object, "directory", fibril_boolean(entry->directory));
  return object;
}

/* Hands the entries of a folder over, and adds the folders among them to `folders`. Undefined, or
 * an error. */
static fibril_value walk_folder(fibril_generator *generator, const char *folder, list *folders) {
  listing listed = {.folder = folder};
  fibril_value result = fibril_undefined();
  int count = fibril_fs_readdir(folder, add_entry, &listed);
  if (count < 0)
    result = fibril_error_uv(count, "scandir", folder);
  else if (listed.incomplete)
    result = fibril_error(UV_ENOMEM, NULL);
  while (!fibril_is_error(result)) {
    found *entry = take(&listed.entries);
    if (entry == NULL) break;
    result = fibril_yield(generator, describe(entry)); /* an error: the loop was left */
    if (entry->directory)
      add(folders, entry);
    else
      free(entry);
  }
  clear(&listed.entries);
  return fibril_is_error(result) ? result : fibril_undefined();
}

static fibril_value walk(fibril_args *args, fibril_generator *generator) {
  list folders = {NULL, NULL};
  fibril_value result = walk_folder(generator, fibril_arg_string(args, 0), &folders);
  for (found *folder; !fibril_is_error(result) && (folder = take(&folders)) != NULL; free(folder))
    result = walk_folder(generator, folder->path, &folders);
  clear(&folders);
  return result;
}

FIBRIL_MODULE(m) {
  /* Up to 64 entries are found before they are asked for. */
  fibril_export_options ahead = {.size = sizeof ahead, .ahead = 64};
  fibril_export_async_generator(m,
                                "walk(path: path, options?: {signal?: AbortSignal}): "
                                "AsyncGenerator<{path: string, directory: boolean}>",
                                walk, &ahead);
}
