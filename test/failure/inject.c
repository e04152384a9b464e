#include "inject.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Which call fails ---- */

static failure_run own_run;
failure_run *failure_current = &own_run;

/* The linker's names for the ends of the section that every site has a pointer in. */
extern const failure_site *const __start_failure_sites[];
extern const failure_site *const __stop_failure_sites[];

size_t failure_count(void) {
  return (size_t)(__stop_failure_sites - __start_failure_sites);
}

const failure_site *failure_at(size_t index) {
  return __start_failure_sites[index];
}

static size_t index_of(const failure_site *site) {
  for (size_t i = 0; i < failure_count(); i++)
    if (failure_at(i) == site) return i;
  abort();
}

void failure_start(unsigned first, unsigned last) {
  failure_run *run = failure_current;
  memset(run, 0, sizeof *run);
  run->first = first;
  run->last = last;
  atomic_store(&run->counting, true);
}

void failure_pause(void) {
  atomic_store(&failure_current->counting, false);
}

void failure_resume(void) {
  atomic_store(&failure_current->counting, true);
}

bool failure_due(const failure_site *site) {
  failure_run *run = failure_current;
  if (!atomic_load(&run->counting)) return false;
  unsigned call = atomic_fetch_add(&run->calls, 1) + 1;
  if (run->first == 0 || call < run->first || call > run->last) return false;
  atomic_fetch_add(&run->failed[index_of(site)], 1);
  return true;
}

bool failure_gave(int code) {
  for (size_t i = 0; i < failure_count(); i++)
    if (failure_at(i)->code == code && atomic_load(&failure_current->failed[i]) > 0) return true;
  return false;
}

/* ---- Blocks that are alive ----
 *
 * Known by address in a table, so that whoever else gets one may free it in any way. */

#define BLOCKS_MAX 262144

static struct {
  pthread_mutex_t mutex;
  size_t length;
  struct {
    void *address;
    const failure_site *site;
  } at[BLOCKS_MAX];
} blocks = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *remember(const failure_site *site, void *address) {
  pthread_mutex_lock(&blocks.mutex);
  if (address != NULL) {
    if (blocks.length == BLOCKS_MAX) abort();
    blocks.at[blocks.length].address = address;
    blocks.at[blocks.length++].site = site;
  }
  pthread_mutex_unlock(&blocks.mutex);
  return address;
}

/* From the end: what is freed is mostly what was made last. */
static void forget(const void *address) {
  pthread_mutex_lock(&blocks.mutex);
  for (size_t i = blocks.length; i-- > 0;) {
    if (blocks.at[i].address != address) continue;
    blocks.at[i] = blocks.at[--blocks.length];
    break;
  }
  pthread_mutex_unlock(&blocks.mutex);
}

size_t failure_blocks(void (*each)(const failure_site *site, void *arg), void *arg) {
  for (size_t i = 0; i < blocks.length; i++) each(blocks.at[i].site, arg);
  return blocks.length;
}

/* ---- What the sites call ---- */

static void *no_memory(void) {
  errno = ENOMEM;
  return NULL;
}

void *failure_malloc(const failure_site *site, size_t size) {
  return failure_due(site) ? no_memory() : remember(site, malloc(size));
}

void *failure_calloc(const failure_site *site, size_t count, size_t size) {
  return failure_due(site) ? no_memory() : remember(site, calloc(count, size));
}

void *failure_realloc(const failure_site *site, void *block, size_t size) {
  if (failure_due(site)) return no_memory();
  forget(block); /* before the address can be another thread's */
  return remember(site, realloc(block, size));
}

char *failure_strdup(const failure_site *site, const char *text) {
  return failure_due(site) ? no_memory() : remember(site, strdup(text));
}

char *failure_strndup(const failure_site *site, const char *text, size_t length) {
  return failure_due(site) ? no_memory() : remember(site, strndup(text, length));
}

void *failure_mmap(const failure_site *site, void *address, size_t length, int protection,
                   int flags, int descriptor, off_t offset) {
  if (failure_due(site)) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  void *memory = mmap(address, length, protection, flags, descriptor, offset);
  return memory == MAP_FAILED ? memory : remember(site, memory);
}

int failure_fs(uv_fs_t *request, int code) {
  memset(request, 0, sizeof *request);
  request->type = UV_FS;
  return code;
}

int failure_close(uv_loop_t *uv, uv_fs_t *request, uv_file fd, int code) {
  if (uv == NULL) close(fd);
  return failure_fs(request, code);
}

int failure_spawn(uv_loop_t *uv, uv_process_t *process, const uv_process_options_t *options) {
  uv_process_options_t none = *options;
  none.file = "/nowhere/fibril";
  return uv_spawn(uv, process, &none);
}

/* ---- What gives blocks back: the linker's --wrap=free --wrap=munmap ---- */

void __real_free(void *block);
int __real_munmap(void *memory, size_t length);

void __wrap_free(void *block) {
  if (block != NULL) forget(block);
  __real_free(block);
}

int __wrap_munmap(void *memory, size_t length) {
  forget(memory);
  return __real_munmap(memory, length);
}
