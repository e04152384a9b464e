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
 * proportion. Taking one off the list of the dirty ones is this many times cheaper. */
#define TRIM_STACKS 1024
#define TRIM_SHARE ((size_t)2 * 1024 * 1024)
#define TRIM_TAKEN_OFF 8

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

static int guard_kind(uint8_t slot) {
  return slot >> FIBRIL__SLOT_GUARD_SHIFT;
}

static void set_slot_state(fibril__slab *slab, uint32_t index, unsigned state) {
  slab->slots[index] =
      (uint8_t)(guard_kind(slab->slots[index]) << FIBRIL__SLOT_GUARD_SHIFT | state);
}

static fibril__slab *slab_new(size_t slot, uint32_t count) {
  fibril__slab *slab = calloc(1, sizeof *slab + count);
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
  for (uint32_t i = 0; i < slab->guarded; i++)
    if (fibril__slot_state(slab->slots[i]) == FIBRIL__SLOT_OUT)
      FIBRIL__STACK_REMOVED(fibril__slab_stack(slab, i));
  fibril__memory_anew(slab->memory, slab->slot * slab->count);
  munmap(slab->memory, slab->slot * slab->count);
  for (uint32_t i = 0; i < slab->guarded; i++) fibril__guard_forget(guard_kind(slab->slots[i]));
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

/* One more slot of a slab is free: clean, or resident. */
static void slot_freed(fibril__stack_pool *pool, fibril__slab *slab, uint32_t index,
                       unsigned state) {
  set_slot_state(slab, index, state);
  slab->resident += state == FIBRIL__SLOT_RESIDENT;
  if (index < slab->lowest) slab->lowest = index;
  if (slab->free++ > 0) return;
  slab->next_vacant = pool->vacant;
  pool->vacant = slab;
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
  for (uint32_t i = 0; i < count; i++) {
    slab->slots[first + i] = (uint8_t)(kinds[i] << FIBRIL__SLOT_GUARD_SHIFT);
    slot_freed(pool, slab, first + i, FIBRIL__SLOT_CLEAN);
  }
  slab->guarded += count;
  if (slab->guarded == slab->count) pool->fresh = NULL;
}

/* The first free slot of the first vacant slab. */
static fibril__stack *take_slot(fibril__stacks *stacks, fibril__stack_pool *pool) {
  fibril__slab *slab = pool->vacant;
  uint32_t index = slab->lowest;
  while (fibril__slot_state(slab->slots[index]) == FIBRIL__SLOT_OUT) index++;
  if (fibril__slot_state(slab->slots[index]) == FIBRIL__SLOT_RESIDENT) {
    slab->resident--;
    stacks->dirty_bytes -= pool->size;
  } else {
    stacks->taken_bytes += pool->size;
  }
  set_slot_state(slab, index, FIBRIL__SLOT_OUT);
  slab->lowest = index + 1;
  if (--slab->free == 0) pool->vacant = slab->next_vacant;
  fibril__stack *stack = fibril__slab_stack(slab, index);
  *stack = (fibril__stack){
      .base = slab->memory + (index + 1) * slab->slot - pool->size,
      .pool = pool,
      .slab = slab,
      .index = index,
      .state = FIBRIL__STACK_TAKEN,
      .guard = (uint32_t)guard_kind(slab->slots[index]),
  };
  FIBRIL__STACK_ADDED(stack);
  return stack;
}

fibril__stack *fibril__stack_get_clean(fibril__stacks *stacks, int cls) {
  fibril__stack_pool *pool = &stacks->pools[cls];
  if (pool->vacant == NULL) {
    if (pool->fresh == NULL && add_slab(pool)) return NULL;
    guard_more(pool);
  }
  return take_slot(stacks, pool);
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

/* ---- Giving memory back ---- */

/* Takes up to `most` stacks off the list of the dirty ones: then their slabs know of them. */
static size_t take_off_dirty(fibril__stack_pool *pool, size_t most) {
  size_t count = 0;
  for (; pool->dirty != NULL && count < most; count++) {
    const fibril__stack *stack = pool->dirty;
    pool->dirty = stack->next;
    FIBRIL__STACK_REMOVED(stack);
    slot_freed(pool, stack->slab, stack->index, FIBRIL__SLOT_RESIDENT);
  }
  return count;
}

/* One system call for each run of free slots; a clean one in between costs less than another call.
 * Locked memory refuses the advice and stays, as its owner asked for. */
static void slab_give_back(fibril__slab *slab) {
  uint32_t i = 0;
  while (slab->resident > 0) {
    if (fibril__slot_state(slab->slots[i]) != FIBRIL__SLOT_RESIDENT) {
      i++;
      continue;
    }
    uint32_t first = i, last = i;
    for (; i < slab->guarded && fibril__slot_state(slab->slots[i]) != FIBRIL__SLOT_OUT; i++) {
      if (fibril__slot_state(slab->slots[i]) != FIBRIL__SLOT_RESIDENT) continue;
      set_slot_state(slab, i, FIBRIL__SLOT_CLEAN);
      slab->resident--;
      last = i;
    }
    (void)madvise(slab->memory + first * slab->slot, (last - first + 1) * slab->slot, GIVE_BACK);
  }
}

/* What the slabs have that is resident and free, within a budget; slabs of which nothing is in use
 * go, but for one. Returns what is left of the budget. */
static size_t trim_slabs(fibril__stacks *stacks, fibril__stack_pool *pool, size_t budget) {
  fibril__slab **link = &pool->slabs, **vacant = &pool->vacant;
  int kept_free = 0;
  while (*link != NULL) {
    fibril__slab *slab = *link;
    int put_off = slab->resident > 0 && budget == 0;
    int all_free = slab->free == slab->guarded;
    if (!put_off) {
      budget -= slab->resident < budget ? slab->resident : budget;
      stacks->dirty_bytes -= slab->resident * pool->size;
      stacks->taken_bytes -= slab->resident * pool->size;
      if (all_free && kept_free) {
        *link = slab->next;
        if (pool->fresh == slab) pool->fresh = NULL;
        slab_free(slab);
        continue;
      }
      kept_free |= all_free;
      slab_give_back(slab);
    }
    if (slab->free > 0) {
      *vacant = slab;
      vacant = &slab->next_vacant;
    }
    link = &slab->next;
  }
  *vacant = NULL;
  return budget;
}

int fibril__stacks_trim(fibril__stacks *stacks) {
  size_t budget = TRIM_STACKS + stacks->dirty_bytes / TRIM_SHARE;
  size_t to_take_off = budget * TRIM_TAKEN_OFF;
  for (int i = 0; i < FIBRIL__STACK_CLASSES; i++) {
    fibril__stack_pool *pool = &stacks->pools[i];
    to_take_off -= take_off_dirty(pool, to_take_off);
    /* All of them first: longer runs, and fewer calls. */
    if (pool->slabs != NULL && pool->dirty == NULL && budget > 0)
      budget = trim_slabs(stacks, pool, budget);
  }
  return stacks->dirty_bytes > 0;
}
