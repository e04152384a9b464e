/* Allocations that may fail: the linker sends here what the objects call (--wrap). Other threads
 * have their memory, as the game's randomness is the main thread's. */
#include "fuzz.h"

#include <pthread.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);

static pthread_t player;

__attribute__((constructor)) static void note_player(void) {
  player = pthread_self();
}

static bool fails(void) {
  return pthread_equal(pthread_self(), player) && fuzz_fails_in > 0 && fuzz_once_in(fuzz_fails_in);
}

void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size) {
  return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size) {
  return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size) {
  return fails() ? NULL : __real_realloc(block, size);
}
