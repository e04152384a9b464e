/* The pool of stacks: sizes, order of reuse, guards at every slot, memory given back. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "test.h"

#include "../../src/core/switch/sanitize.h"
#include "../../src/core/switch/stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB ((size_t)1024)

static int class_64k(void) {
  return fibril__stack_class(64 * KIB);
}

static char *end_of(const fibril__stack *stack) {
  return stack->base + fibril__stack_size(stack);
}

/* A generator of numbers that are the same in every run. */
static uint64_t random_next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

/* Whether the system can read a byte: asked of the kernel, which doesn't fault. */
static bool readable(const int fds[2], const char *address) {
  char byte;
  if (write(fds[1], address, 1) != 1) return false;
  return read(fds[0], &byte, 1) == 1;
}

static bool guarded(const int fds[2], const fibril__stack *stack) {
  const char *guard = stack->base - fibril__guard_size();
  if (!readable(fds, stack->base) || !readable(fds, end_of(stack) - 1)) return false;
  if (stack->guard == FIBRIL__GUARD_CANARY) return fibril__guard_canary_intact(stack->base);
  for (const char *page = guard; page < stack->base; page += sysconf(_SC_PAGESIZE))
    if (readable(fds, page)) return false;
  return !readable(fds, stack->base - 1);
}

static int resident_pages(char *start, size_t bytes) {
  unsigned char pages[64];
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  int count = 0;
  if (bytes / page > sizeof pages || mincore(start, bytes, (void *)pages)) return -1;
  for (size_t i = 0; i < bytes / page; i++) count += pages[i] & 1;
  return count;
}

static void get_many(fibril__stacks *stacks, int cls, fibril__stack **list, int count) {
  for (int i = 0; i < count; i++) {
    list[i] = fibril__stack_get(stacks, cls);
    if (!CHECK(list[i] != NULL)) exit(1);
  }
}

static int count_slabs(const fibril__stacks *stacks, int cls) {
  int count = 0;
  for (const fibril__slab *slab = stacks->pools[cls].slabs; slab != NULL; slab = slab->next)
    count++;
  return count;
}

TEST(stack_classes) {
  CHECK_INT(fibril__stack_class(0), UV_EINVAL);
  CHECK_INT(fibril__stack_class(16 * KIB - 1), UV_EINVAL);
  CHECK_INT(fibril__stack_class(16 * KIB), 0);
  CHECK_INT(fibril__stack_class(16 * KIB + 1), 1);
  CHECK_INT(fibril__stack_class(64 * KIB), 2);
  CHECK_INT(fibril__stack_class(256 * KIB), 4);
  CHECK_INT(fibril__stack_class(64 * KIB * KIB), FIBRIL__STACK_CLASSES - 1);
  CHECK_INT(fibril__stack_class(64 * KIB * KIB + 1), UV_EINVAL);
  CHECK_INT(fibril__stack_class(SIZE_MAX), UV_EINVAL);
}

TEST(stack_of_every_class_is_usable) {
  int fds[2];
  fibril__stacks stacks;
  if (!CHECK_INT(pipe(fds), 0)) return;
  fibril__stacks_init(&stacks);
  for (int cls = 0; cls < FIBRIL__STACK_CLASSES; cls++) {
    fibril__stack *stack = fibril__stack_get(&stacks, cls);
    if (!CHECK(stack != NULL)) break;
    CHECK(fibril__stack_size(stack) >= 16 * KIB << cls);
    CHECK_INT(fibril__stack_class(fibril__stack_size(stack)) >= cls, 1);
    CHECK(guarded(fds, stack));
    *stack->base = 1;
    fibril__stack_top(stack)[-1] = 2;
    CHECK_INT(*stack->base + fibril__stack_top(stack)[-1], 3);
    fibril__stack_put(&stacks, stack);
  }
  fibril__stacks_destroy(&stacks);
  close(fds[0]);
  close(fds[1]);
}

TEST(stack_last_freed_is_reused_first) {
  fibril__stacks stacks;
  fibril__stack *list[3];
  fibril__stacks_init(&stacks);
  get_many(&stacks, class_64k(), list, 3);
  list[1]->name = "one";
  for (int i = 0; i < 3; i++) fibril__stack_put(&stacks, list[i]);
  CHECK(list[1]->name == NULL);
  fibril__stack *other = fibril__stack_get(&stacks, fibril__stack_class(128 * KIB));
  CHECK(other != list[2]);
  for (int i = 2; i >= 0; i--) CHECK(fibril__stack_get(&stacks, class_64k()) == list[i]);
  CHECK(fibril__stack_get(&stacks, class_64k()) != NULL);
  fibril__stacks_destroy(&stacks);
}

TEST(stack_tops_are_aligned_and_coloured) {
  fibril__stacks stacks;
  fibril__stack *list[64];
  uint64_t lines = 0;
  int colours = 0;
  fibril__stacks_init(&stacks);
  get_many(&stacks, class_64k(), list, 64);
  for (int i = 0; i < 64; i++) {
    uintptr_t top = (uintptr_t)fibril__stack_top(list[i]);
    size_t in_last_page = (top - 1) % (4 * KIB) + 1;
    CHECK_INT(top % 16, 0);
    CHECK(fibril__stack_top(list[i]) <= end_of(list[i]));
    CHECK(in_last_page >= 3 * KIB);
    lines |= (uint64_t)1 << (in_last_page - 1) / 64;
  }
  for (; lines != 0; lines &= lines - 1) colours++;
  CHECK_INT(colours, FIBRIL__STACK_COLOURS);
  fibril__stacks_destroy(&stacks);
}

/* More than the first slabs hold, so that every batch size and the border between slabs occurs. */
TEST(stack_guard_at_every_slot) {
  enum { COUNT = 1200 };
  static fibril__stack *list[COUNT];
  int fds[2];
  int unguarded = 0;
  fibril__stacks stacks;
  if (!CHECK_INT(pipe(fds), 0)) return;
  fibril__stacks_init(&stacks);
  get_many(&stacks, class_64k(), list, COUNT);
  for (int i = 0; i < COUNT; i++) unguarded += !guarded(fds, list[i]);
  CHECK_INT(unguarded, 0);
  CHECK(count_slabs(&stacks, class_64k()) >= 3);
  fibril__stacks_destroy(&stacks);
  close(fds[0]);
  close(fds[1]);
}

TEST(stack_neighbours_stay_apart) {
  enum { COUNT = 100 };
  fibril__stack *list[COUNT];
  fibril__stacks stacks;
  fibril__stacks_init(&stacks);
  get_many(&stacks, 0, list, COUNT);
  for (int i = 0; i < COUNT; i++)
    memset(list[i]->base, i + 1, (size_t)(fibril__stack_top(list[i]) - list[i]->base));
  int wrong = 0;
  for (int i = 0; i < COUNT; i++)
    for (const char *p = list[i]->base; p < fibril__stack_top(list[i]); p++)
      wrong += *p != (char)(i + 1);
  CHECK_INT(wrong, 0);
  fibril__stacks_destroy(&stacks);
}

#if defined(__linux__)

static long count_maps(void) {
  FILE *file = fopen("/proc/self/maps", "r");
  long lines = 0;
  if (file == NULL) return -1;
  for (int c; (c = getc(file)) != EOF;) lines += c == '\n';
  fclose(file);
  return lines;
}

static long resident_bytes(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  long pages = -1;
  if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) pages = -1;
  if (file != NULL) fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

TEST(stack_hundred_thousand) {
  enum { COUNT = 100000 };
  fibril__stack **list = malloc(COUNT * sizeof *list);
  fibril__stacks stacks;
  if (!CHECK(list != NULL)) return;
  fibril__stacks_init(&stacks);
  memset(list, 1, COUNT * sizeof *list);
  long maps = count_maps();
  long resident = resident_bytes();
  get_many(&stacks, class_64k(), list, COUNT);
  int of_kind[3] = {0};
  for (int i = 0; i < COUNT; i++) {
    memset(fibril__stack_top(list[i]) - 512, i, 512);
    of_kind[list[i]->guard]++;
  }
  int wrong = 0;
  for (int i = 0; i < COUNT; i++) wrong += fibril__stack_top(list[i])[-512] != (char)i;
  CHECK_INT(wrong, 0);
  /* ASan has shadow memory of its own for each stack. */
  if (!FIBRIL__ASAN) CHECK((resident_bytes() - resident) / COUNT <= sysconf(_SC_PAGESIZE) + 128);
  if (fibril__guard_kind() == FIBRIL__GUARD_INSTALL) {
    CHECK_INT(of_kind[FIBRIL__GUARD_INSTALL], COUNT);
    CHECK(count_maps() - maps < 300);
  } else if (fibril__guard_kind() == FIBRIL__GUARD_MPROTECT) {
    CHECK(of_kind[FIBRIL__GUARD_MPROTECT] > 4000);
  }
  fibril__stacks_destroy(&stacks);
  CHECK(count_maps() - maps < 20);
  free(list);
}

/* Locked memory refuses guards of the first kind. */
TEST(stack_guard_on_locked_memory) {
  size_t bytes = 2 * fibril__guard_size();
  char *memory =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!CHECK(memory != MAP_FAILED) || !CHECK_INT(mlock(memory, bytes), 0)) return;
  uint8_t kind = 99;
  fibril__guard_set(memory, bytes, 1, &kind);
  if (fibril__guard_kind() == FIBRIL__GUARD_CANARY)
    CHECK_INT(kind, FIBRIL__GUARD_CANARY);
  else
    CHECK_INT(kind, FIBRIL__GUARD_MPROTECT);
  fibril__guard_forget(kind);
  munmap(memory, bytes);
}

TEST(stack_trim_gives_memory_back) {
  enum { COUNT = 3000 };
  static fibril__stack *list[COUNT];
  static fibril__stack copies[COUNT]; /* what is given back takes the descriptor along */
  int fds[2];
  int wrong = 0;
  fibril__stacks stacks;
  if (!CHECK_INT(pipe(fds), 0)) return;
  fibril__stacks_init(&stacks);
  get_many(&stacks, class_64k(), list, COUNT);
  for (int i = 0; i < COUNT; i++) {
    memset(fibril__stack_top(list[i]) - 8 * KIB, 1 + i % 100, 8 * KIB);
    wrong += resident_pages(list[i]->base, 64 * KIB) < 2;
    copies[i] = *list[i];
  }
  for (int i = 0; i < COUNT; i++)
    if (i % 3 != 0) fibril__stack_put(&stacks, list[i]);
  CHECK(fibril__stacks_want_trim(&stacks));
  int calls = 1;
  while (fibril__stacks_trim(&stacks)) calls++;
  CHECK(calls > 1);
  CHECK(!fibril__stacks_want_trim(&stacks));
  CHECK_INT(stacks.dirty_bytes, 0);

  for (int i = 0; i < COUNT; i++) {
    int resident = resident_pages(copies[i].base, 64 * KIB);
    wrong += i % 3 != 0 ? resident != 0 : resident < 2;
    wrong += !guarded(fds, &copies[i]);
    for (size_t k = 0; i % 3 == 0 && k < 8 * KIB; k += 97)
      wrong += fibril__stack_top(list[i])[-(long)k - 1] != 1 + i % 100;
  }
  CHECK_INT(wrong, 0);
  fibril__stacks_destroy(&stacks);
  close(fds[0]);
  close(fds[1]);
}

#endif

TEST(stack_trim_keeps_one_free_slab) {
  enum { COUNT = 2000 };
  static fibril__stack *list[COUNT];
  fibril__stacks stacks;
  fibril__stacks_init(&stacks);
  get_many(&stacks, class_64k(), list, COUNT);
  CHECK(count_slabs(&stacks, class_64k()) > 3);
  for (int i = 0; i < COUNT; i++) fibril__stack_put(&stacks, list[i]);
  while (fibril__stacks_trim(&stacks)) continue;
  CHECK_INT(count_slabs(&stacks, class_64k()), 1);
  CHECK_INT(stacks.taken_bytes, 0);
  /* And grows again. */
  get_many(&stacks, class_64k(), list, COUNT);
  for (int i = 0; i < COUNT; i++) *list[i]->base = 1;
  CHECK(count_slabs(&stacks, class_64k()) > 1);
  fibril__stacks_destroy(&stacks);
}

TEST(stack_trim_is_wanted_when_more_is_free_than_in_use) {
  enum { COUNT = 300 };
  fibril__stack *list[COUNT];
  fibril__stacks stacks;
  fibril__stacks_init(&stacks);
  get_many(&stacks, class_64k(), list, COUNT);
  for (int i = 0; i < 150; i++) fibril__stack_put(&stacks, list[i]);
  CHECK(!fibril__stacks_want_trim(&stacks));
  fibril__stack_put(&stacks, list[150]);
  CHECK(fibril__stacks_want_trim(&stacks));
  get_many(&stacks, class_64k(), list, 1);
  CHECK(!fibril__stacks_want_trim(&stacks));
  fibril__stacks_destroy(&stacks);

  fibril__stacks_init(&stacks);
  get_many(&stacks, class_64k(), list, 64);
  for (int i = 0; i < 64; i++) fibril__stack_put(&stacks, list[i]);
  CHECK(!fibril__stacks_want_trim(&stacks));
  fibril__stacks_destroy(&stacks);
}

/* What a stack in use holds: its number, at places all over it. */
static void fill(const fibril__stack *stack, uint64_t number) {
  size_t step = fibril__stack_size(stack) / 4;
  for (char *p = stack->base; p < fibril__stack_top(stack); p += step)
    memcpy(p, &number, sizeof number);
  memcpy(fibril__stack_top(stack) - sizeof number, &number, sizeof number);
}

static bool holds(const fibril__stack *stack, uint64_t number) {
  size_t step = fibril__stack_size(stack) / 4;
  for (char *p = stack->base; p < fibril__stack_top(stack); p += step)
    if (memcmp(p, &number, sizeof number) != 0) return false;
  return memcmp(fibril__stack_top(stack) - sizeof number, &number, sizeof number) == 0;
}

/* Returns the number of stacks that did not hold what was put there. */
static int torture(uint64_t seed) {
  enum { COUNT = 400, STEPS = 30000 };
  fibril__stack *list[COUNT] = {NULL};
  uint64_t numbers[COUNT];
  uint64_t random = seed;
  int wrong = 0;
  fibril__stacks stacks;
  fibril__stacks_init(&stacks);
  for (int step = 0; step < STEPS; step++) {
    int i = (int)(random_next(&random) % COUNT);
    if (list[i] == NULL) {
      list[i] = fibril__stack_get(&stacks, (int)(random_next(&random) % 4));
      if (list[i] == NULL) return -1;
      list[i]->name = "torture";
      numbers[i] = seed << 32 | (uint64_t)step;
      fill(list[i], numbers[i]);
    } else {
      wrong += !holds(list[i], numbers[i]);
      fibril__stack_put(&stacks, list[i]);
      list[i] = NULL;
    }
    /* From time to time most are freed at once: then slabs are unmapped. */
    if (step % 5000 == 4999)
      for (int k = 0; k < COUNT - 5; k++)
        if (list[k] != NULL) {
          wrong += !holds(list[k], numbers[k]);
          fibril__stack_put(&stacks, list[k]);
          list[k] = NULL;
        }
    if (step % 1000 == 999) fibril__stacks_trim(&stacks);
  }
  for (int i = 0; i < COUNT; i++) wrong += list[i] != NULL && !holds(list[i], numbers[i]);
  fibril__stacks_destroy(&stacks);
  return wrong;
}

TEST(stack_torture) {
  CHECK_INT(torture(1), 0);
}

static void torture_thread(void *arg) {
  *(int *)arg = torture(1 + (uint64_t) * (int *)arg);
}

/* The pools are each thread's own; the table of slabs, the guard budget and the probe are not. */
TEST(stack_torture_in_threads) {
  enum { THREADS = 4 };
  uv_thread_t threads[THREADS];
  int results[THREADS];
  for (int i = 0; i < THREADS; i++) {
    results[i] = i + 1;
    if (!CHECK_INT(uv_thread_create(&threads[i], torture_thread, &results[i]), 0)) exit(1);
  }
  for (int i = 0; i < THREADS; i++) {
    uv_thread_join(&threads[i]);
    CHECK_INT(results[i], 0);
  }
}
