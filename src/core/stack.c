#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* madvise, MAP_ANONYMOUS */
#endif

#include "stack.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include "overflow.h"

/* Slabs of a class grow to 64 MiB, so that a process with few coroutines asks for little address
 * space and one with a million still has few mappings. */
#define SLAB_FIRST ((size_t)4 * 1024 * 1024)
#define SLAB_MAX ((size_t)64 * 1024 * 1024)
#define SLAB_GROWTH 4

/* What one fibril__stacks_trim gives back at least, a millisecond or two of work, and the bytes of
 * freed stacks for which it gives back one more, so that looking through very many stays in
 * proportion. */
#define TRIM_STACKS 1024
#define TRIM_SHARE ((size_t)2 * 1024 * 1024)

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif

#if defined(__linux__)
#define GIVE_BACK MADV_DONTNEED
#else
#define GIVE_BACK MADV_FREE
#endif

void fibril__stacks_init(fibril__stacks *stacks) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  *stacks = (fibril__stacks){0};
  for (int i = 0; i < FIBRIL__STACK_CLASSES; i++) {
    size_t size = FIBRIL__STACK_MIN << i;
    stacks->pools[i].size = size < page ? page : size;
  }
}

int fibril__stack_class(size_t size) {
  if (size < FIBRIL__STACK_MIN || size > FIBRIL__STACK_MAX) return UV_EINVAL;
  int cls = 0;
  while (FIBRIL__STACK_MIN << cls < size) cls++;
  return cls;
}

size_t fibril__stack_size(const fibril__stack *stack) {
  return stack->pool->size;
}

static char *map_slab(size_t bytes) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (memory == MAP_FAILED) return NULL;
#ifdef MADV_NOHUGEPAGE
  /* A huge page would make every stack in it resident. Kernels without them refuse the advice. */
  (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
#endif
  return memory;
}

static fibril__slab *slab_new(size_t slot, uint32_t count) {
  fibril__slab *slab = calloc(1, sizeof *slab + count * sizeof slab->stacks[0]);
  if (slab == NULL) return NULL;
  slab->slot = slot;
  slab->count = count;
  slab->memory = map_slab(slot * count);
  if (slab->memory == NULL) {
    free(slab);
    return NULL;
  }
  if (fibril__overflow_publish(slab)) {
    munmap(slab->memory, slot * count);
    free(slab);
    return NULL;
  }
  return slab;
}

static void slab_free(fibril__slab *slab) {
  fibril__overflow_withdraw(slab);
  munmap(slab->memory, slab->slot * slab->count);
  for (uint32_t i = 0; i < slab->guarded; i++) fibril__guard_forget((int)slab->stacks[i].guard);
  free(slab);
}

/* Each slab of a class is larger than the ones before. Address space may be limited (RLIMIT_AS,
 * overcommit_memory=2): then a smaller slab has to do, down to a single stack. */
static int add_slab(fibril__stack_pool *pool) {
  size_t slot = fibril__guard_size() + pool->size;
  size_t bytes = SLAB_FIRST;
  for (const fibril__slab *slab = pool->slabs; slab != NULL; slab = slab->next)
    if (bytes < SLAB_GROWTH * slab->slot * slab->count)
      bytes = SLAB_GROWTH * slab->slot * slab->count;
  if (bytes > SLAB_MAX) bytes = SLAB_MAX;
  uint32_t count = (uint32_t)(bytes / slot);
  if (count == 0) count = 1;
  for (; count > 0; count /= 2) {
    fibril__slab *slab = slab_new(slot, count);
    if (slab == NULL) continue;
    slab->next = pool->slabs;
    pool->slabs = pool->fresh = slab;
    return 0;
  }
  return UV_ENOMEM;
}

static void push_clean(fibril__stack_pool *pool, fibril__stack *stack) {
  stack->state = FIBRIL__STACK_CLEAN;
  stack->next = pool->clean;
  pool->clean = stack;
}

/* Guards the next slots of a slab, more at a time as it fills: one system call for many guards is
 * half the price. */
static void guard_more(fibril__stack_pool *pool) {
  fibril__slab *slab = pool->fresh;
  uint8_t kinds[FIBRIL__GUARD_BATCH];
  uint32_t first = slab->guarded;
  uint32_t count = first == 0 ? 1 : first;
  if (count > FIBRIL__GUARD_BATCH) count = FIBRIL__GUARD_BATCH;
  if (count > slab->count - first) count = slab->count - first;

  fibril__guard_set(slab->memory + first * slab->slot, slab->slot, count, kinds);
  for (uint32_t i = count; i-- > 0;) {
    uint32_t index = first + i;
    fibril__stack *stack = &slab->stacks[index];
    char *end = slab->memory + (index + 1) * slab->slot;
    stack->base = end - pool->size;
    stack->top = end - index % FIBRIL__STACK_COLOURS * FIBRIL__STACK_COLOUR_BYTES;
    stack->pool = pool;
    stack->guard = kinds[i];
    push_clean(pool, stack);
  }
  slab->guarded += count;
  if (slab->guarded == slab->count) pool->fresh = NULL;
}

fibril__stack *fibril__stack_get_clean(fibril__stacks *stacks, int cls) {
  fibril__stack_pool *pool = &stacks->pools[cls];
  if (pool->clean == NULL) {
    if (pool->fresh == NULL && add_slab(pool)) return NULL;
    guard_more(pool);
  }
  fibril__stack *stack = pool->clean;
  pool->clean = stack->next;
  stack->state = FIBRIL__STACK_TAKEN;
  stacks->taken_bytes += pool->size;
  return stack;
}

void fibril__stack_check_canary(const fibril__stack *stack) {
  if (stack->guard != FIBRIL__GUARD_CANARY || fibril__guard_canary_intact(stack->base)) return;
  fibril__overflow_die(stack);
}

void fibril__stacks_destroy(fibril__stacks *stacks) {
  for (int i = 0; i < FIBRIL__STACK_CLASSES; i++) {
    fibril__slab *slab = stacks->pools[i].slabs;
    while (slab != NULL) {
      fibril__slab *next = slab->next;
      slab_free(slab);
      slab = next;
    }
  }
  fibril__stacks_init(stacks);
}

static uint32_t count_dirty(const fibril__slab *slab, int *in_use) {
  uint32_t dirty = 0;
  *in_use = 0;
  for (uint32_t i = 0; i < slab->guarded; i++) {
    dirty += slab->stacks[i].state == FIBRIL__STACK_DIRTY;
    *in_use |= slab->stacks[i].state == FIBRIL__STACK_TAKEN;
  }
  return dirty;
}

/* One system call for each run of free slots; a clean one in between costs less than another call.
 * Locked memory refuses the advice and stays, as its owner asked for. */
static void slab_give_back(fibril__slab *slab) {
  uint32_t i = 0;
  while (i < slab->guarded) {
    if (slab->stacks[i].state != FIBRIL__STACK_DIRTY) {
      i++;
      continue;
    }
    uint32_t first = i;
    uint32_t last = i;
    for (; i < slab->guarded && slab->stacks[i].state != FIBRIL__STACK_TAKEN; i++)
      if (slab->stacks[i].state == FIBRIL__STACK_DIRTY) last = i;
    (void)madvise(slab->memory + first * slab->slot, (last - first + 1) * slab->slot, GIVE_BACK);
  }
}

static void push_free(fibril__stack_pool *pool, fibril__slab *slab) {
  for (uint32_t i = slab->guarded; i-- > 0;) {
    fibril__stack *stack = &slab->stacks[i];
    if (stack->state == FIBRIL__STACK_CLEAN) {
      push_clean(pool, stack);
    } else if (stack->state == FIBRIL__STACK_DIRTY) {
      stack->next = pool->dirty;
      pool->dirty = stack;
    }
  }
}

/* Both lists are made anew from the slabs, in the order of their addresses. Returns what is left of
 * the budget. */
static size_t trim_pool(fibril__stacks *stacks, fibril__stack_pool *pool, size_t budget) {
  pool->dirty = pool->clean = NULL;

  int kept_free = 0;
  fibril__slab **link = &pool->slabs;
  while (*link != NULL) {
    fibril__slab *slab = *link;
    int in_use;
    uint32_t dirty = count_dirty(slab, &in_use);
    if (dirty > 0 && budget == 0) {
      push_free(pool, slab);
      link = &slab->next;
      continue;
    }
    budget = dirty < budget ? budget - dirty : 0;
    stacks->dirty_bytes -= dirty * pool->size;
    stacks->taken_bytes -= dirty * pool->size;
    if (!in_use && kept_free) {
      *link = slab->next;
      if (pool->fresh == slab) pool->fresh = NULL;
      slab_free(slab);
      continue;
    }
    kept_free |= !in_use;
    slab_give_back(slab);
    for (uint32_t i = slab->guarded; i-- > 0;)
      if (slab->stacks[i].state != FIBRIL__STACK_TAKEN) push_clean(pool, &slab->stacks[i]);
    link = &slab->next;
  }
  return budget;
}

int fibril__stacks_trim(fibril__stacks *stacks) {
  size_t budget = TRIM_STACKS + stacks->dirty_bytes / TRIM_SHARE;
  for (int i = 0; i < FIBRIL__STACK_CLASSES; i++) {
    fibril__stack_pool *pool = &stacks->pools[i];
    if (pool->slabs != NULL && budget > 0) budget = trim_pool(stacks, pool, budget);
  }
  return budget == 0 && stacks->dirty_bytes > 0;
}
