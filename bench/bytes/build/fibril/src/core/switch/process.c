#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr */
#endif

#include "process.h"

#include "settings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* As libuv reads UV_THREADPOOL_SIZE. */
#define POOL_DEFAULT 4
#define POOL_MAX 1024

/* Used by all when this copy is the first one. Named by the note below, so not static. */
FIBRIL__INTERNAL fibril__process fibril__process_own;
fibril__process fibril__process_own = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                       .warned = ATOMIC_FLAG_INIT};

fibril__process *fibril__shared = &fibril__process_own;

/* ---- The thread pool ---- */

static uint32_t count_pool_threads(void) {
  char text[256];
  bool set = fibril__setting("UV_THREADPOOL_SIZE", text, sizeof text);
  int threads = set ? atoi(text) : POOL_DEFAULT;
  return threads < 1 ? 1 : threads > POOL_MAX ? POOL_MAX : (uint32_t)threads;
}

bool fibril__token_take(void) {
  fibril__process *process = fibril__shared;
  if (process->pool_threads == 0) process->pool_threads = count_pool_threads();
  uint32_t tokens = process->pool_threads < 2 ? 1 : process->pool_threads / 2;
  if (process->tokens_taken >= tokens) return false;
  process->tokens_taken++;
  return true;
}

void fibril__token_return(void) {
  fibril__shared->tokens_taken--;
  for (fibril__candidate *one = fibril__shared->line; one != NULL; one = one->next) one->offer(one);
}

void fibril__token_line_join(fibril__candidate *candidate) {
  fibril__candidate **link = &fibril__shared->line;
  while (*link != NULL) link = &(*link)->next;
  candidate->next = NULL;
  *link = candidate;
}

void fibril__token_line_leave(fibril__candidate *candidate) {
  fibril__candidate **link = &fibril__shared->line;
  while (*link != candidate) link = &(*link)->next;
  *link = candidate->next;
}

bool fibril__token_line_has_others(const fibril__candidate *candidate) {
  const fibril__candidate *first = fibril__shared->line;
  return first != NULL && (first != candidate || first->next != NULL);
}

bool fibril__pool_is_one_thread(void) {
  return fibril__shared->pool_threads == 1;
}

/* ---- Finding the first copy ---- */

#if defined(__ELF__)

#include <link.h>

#define NOTE_NAME "fibril"

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

/* Name's and content's length, version, name, content: where the struct is, counted from there. */
__asm__(".pushsection .note.fibril, \"a\", %note\n"
        ".balign 4\n"
        ".long 7, 4, " TEXT_OF(FIBRIL__PROCESS_VERSION) "\n"
                                                        ".asciz \"" NOTE_NAME "\"\n"
                                                        ".balign 4\n"
                                                        ".long fibril__process_own - .\n"
                                                        ".popsection\n");

static size_t aligned(size_t size, size_t alignment) {
  return (size + alignment - 1) & ~(alignment - 1);
}

/* The struct that a segment of notes tells of, or NULL. */
static fibril__process *look_into_notes(const char *notes, size_t size, size_t alignment) {
  for (ElfW(Nhdr) note; size >= sizeof note;) {
    memcpy(&note, notes, sizeof note);
    size_t name = sizeof note, content = aligned(name + note.n_namesz, alignment);
    size_t end = aligned(content + note.n_descsz, alignment);
    int32_t distance;
    if (note.n_type == FIBRIL__PROCESS_VERSION && note.n_namesz == sizeof NOTE_NAME &&
        note.n_descsz == sizeof distance && content + sizeof distance <= size &&
        memcmp(notes + name, NOTE_NAME, sizeof NOTE_NAME) == 0) {
      memcpy(&distance, notes + content, sizeof distance);
      return (fibril__process *)(uintptr_t)(notes + content + distance);
    }
    if (end >= size) break;
    notes += end;
    size -= end;
  }
  return NULL;
}

static int look_at(struct dl_phdr_info *file, size_t size, void *first) {
  (void)size;
  for (int i = 0; i < file->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &file->dlpi_phdr[i];
    if (segment->p_type != PT_NOTE) continue;
    const char *notes = (const char *)(uintptr_t)(file->dlpi_addr + segment->p_vaddr);
    fibril__process *found =
        look_into_notes(notes, segment->p_memsz, segment->p_align == 8 ? 8 : 4);
    if (found == NULL) continue;
    *(fibril__process **)first = found;
    return 1;
  }
  return 0;
}

typedef struct {
  uintptr_t address;
  const char *name; /* of the file that has it, the linker's own; NULL: only the program has it */
} place;

static int look_for(struct dl_phdr_info *file, size_t size, void *wanted) {
  place *found = wanted;
  (void)size;
  for (int i = 0; i < file->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &file->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD ||
        found->address - (file->dlpi_addr + segment->p_vaddr) >= segment->p_memsz)
      continue;
    if (file->dlpi_name != NULL && file->dlpi_name[0] != '\0') found->name = file->dlpi_name;
    return 1;
  }
  return 0;
}

/* By opening it once more, for good: not every build links with -z nodelete. */
void fibril__process_keep_file(const void *address) {
  place found = {(uintptr_t)address, NULL};
  uv_lib_t library;
  dl_iterate_phdr(look_for, &found);
  if (found.name == NULL) return;
  if (uv_dlopen(found.name, &library) != 0) uv_dlclose(&library); /* only the message */
}

/* Files are told of in the order in which they were loaded. While this one is, no other can be, nor
 * fail to be. */
__attribute__((constructor)) static void find_shared(void) {
  dl_iterate_phdr(look_at, &fibril__shared);
  if (fibril__shared != &fibril__process_own) fibril__process_keep_file(fibril__shared);
}

#else

void fibril__process_keep_file(const void *address) {
  (void)address;
}

#endif
