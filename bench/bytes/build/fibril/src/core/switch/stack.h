/* Coroutine stacks: slabs of guarded slots, handed out last in, first out. One pool per loop, used
 * from the loop's thread only. */
#ifndef FIBRIL_CORE_STACK_H_
#define FIBRIL_CORE_STACK_H_

#include <stddef.h>
#include <stdint.h>

#include "guard.h"
#include "sanitize.h"

/* Class k holds stacks of 16 KiB << k. */
#define FIBRIL__STACK_MIN ((size_t)16 * 1024)
#define FIBRIL__STACK_MAX ((size_t)64 * 1024 * 1024)
#define FIBRIL__STACK_CLASSES 13

/* The stacks' tops differ by multiples of a cache line, or else all control blocks would share the
 * few cache sets of one offset in a page. With 16 of them, and a line for the descriptor, a
 * sleeping coroutine has at least 3 KiB of its one resident page left. */
#define FIBRIL__STACK_COLOURS 16
#define FIBRIL__STACK_COLOUR_BYTES 64

/* From this many bytes of used and freed stacks on, and when they are more than those in use, they
 * are worth giving back. Whole stacks are counted: how much of one was written to is not known. */
#define FIBRIL__STACK_TRIM_BYTES ((size_t)4 * 1024 * 1024)

enum {
  FIBRIL__STACK_TAKEN,
  FIBRIL__STACK_DIRTY /* free, used before */
};

/* What a slab knows of a slot, beside the kind of its guard. */
enum {
  FIBRIL__SLOT_OUT,     /* taken, or in the list of the dirty ones: it has a descriptor */
  FIBRIL__SLOT_CLEAN,   /* free, without memory of its own */
  FIBRIL__SLOT_RESIDENT /* free, and its memory is to be given back */
};
#define FIBRIL__SLOT_GUARD_SHIFT 2

typedef struct fibril__slab fibril__slab;
typedef struct fibril__stack fibril__stack;
typedef struct fibril__stack_pool fibril__stack_pool;
typedef struct fibril__stacks fibril__stacks;

/* A stack's descriptor lies just above its top, in the same page as the control block: one that is
 * not in use costs its slab a byte, however many there once were. One slot of a slab, and its top
 * page, which is all that a coroutine costs that waits not far from where it began:
 *
 *     low addresses                                                             high addresses
 *     +----------------+------------------------------------------------------+-------- - - -
 *     |     guard      |                        stack                         | next slot's guard
 *     +----------------+------------------------------------------------------+-------- - - -
 *     ^ slot i         ^ base              untouched: no memory      | top page ^ slot i + 1
 *                                                                    |          |
 *                      .---------------------------------------------'          |
 *     the top page:    |                                                        |
 *                      +----------------+---------+---------------+-------------+----------+
 *                      |  frames, down  |  room   | control block |  fibril__   |  colour  |
 *                      |  to the sp  <--|         |   192 bytes   |  stack, 64  | 0 to 960 |
 *                      +----------------+---------+---------------+-------------+----------+
 *
 * room: of fibril__coroutine_prepare, a call and its arguments; else nothing. colour: so that the
 * control blocks of neighbours lie in different sets of the cache. */
struct fibril__stack {
  /* In the list of the dirty ones. */
  _Alignas(FIBRIL__STACK_COLOUR_BYTES) fibril__stack *next;
  char *base;       /* lowest usable address, just above the guard */
  const char *name; /* the coroutine's, for the overflow message; NULL when free */
  fibril__stack_pool *pool;
  fibril__slab *slab;
  uint32_t index; /* in the slab */
  uint32_t state; /* FIBRIL__STACK_TAKEN or DIRTY */
  uint32_t guard; /* FIBRIL__GUARD_* */
#if defined(FIBRIL_VALGRIND)
  unsigned valgrind; /* its number there */
#endif
};

_Static_assert(sizeof(fibril__stack) == FIBRIL__STACK_COLOUR_BYTES, "a cache line");

/* The stacks of one class. */
struct fibril__stack_pool {
  fibril__stack *dirty; /* the last freed first */
  size_t size;          /* of a stack */
  fibril__slab *slabs;
  fibril__slab *vacant; /* the slabs with slots that are guarded and free */
  fibril__slab *fresh;  /* the slab with slots that have no guard yet, if any */
};

struct fibril__slab {
  fibril__slab *next;
  fibril__slab *next_vacant;
  char *memory; /* `count` slots: guard, then stack */
  size_t slot;
  uint32_t count;
  uint32_t guarded; /* slots that have been handed out or are free; the others were never touched */
  uint32_t free; /* slots that are clean or resident; with any it is in the list of vacant ones */
  uint32_t resident; /* slots that are resident */
  uint32_t lowest;   /* below it all are out */
  uint8_t slots[];   /* FIBRIL__SLOT_*, and the guard's kind */
};

struct fibril__stacks {
  size_t dirty_bytes; /* of the free stacks that were used and have not been given back */
  size_t taken_bytes; /* of all that are not clean: those, and those in use */
  fibril__stack_pool pools[FIBRIL__STACK_CLASSES];
};

/* `stacks` stays where it is until it is destroyed. */
FIBRIL__INTERNAL void fibril__stacks_init(fibril__stacks *stacks);

/* Unmaps everything. All stacks have been put back. */
FIBRIL__INTERNAL void fibril__stacks_destroy(fibril__stacks *stacks);

/* The class of the smallest stacks of at least `size` bytes, or UV_EINVAL below 16 KiB and above 64
 * MiB. */
FIBRIL__INTERNAL int fibril__stack_class(size_t size);

/* One past the highest usable address, a multiple of a cache line. */
static inline char *fibril__stack_top(const fibril__stack *stack) {
  return (char *)stack;
}

static inline unsigned fibril__slot_state(uint8_t slot) {
  return slot & ((1u << FIBRIL__SLOT_GUARD_SHIFT) - 1);
}

/* Where the descriptor of the stack in slot `index` is. */
static inline fibril__stack *fibril__slab_stack(const fibril__slab *slab, uint32_t index) {
  char *end = slab->memory + (index + 1) * slab->slot;
  end -= index % FIBRIL__STACK_COLOURS * FIBRIL__STACK_COLOUR_BYTES;
  return (fibril__stack *)(void *)(end - sizeof(fibril__stack));
}

/* The stack in slot `index` if it is in use, else NULL. The overflow handler asks too, of any
 * thread's slabs. */
static inline fibril__stack *fibril__slab_taken(const fibril__slab *slab, uint32_t index) {
  if (index >= slab->guarded || fibril__slot_state(slab->slots[index]) != FIBRIL__SLOT_OUT)
    return NULL;
  fibril__stack *stack = fibril__slab_stack(slab, index);
  return stack->state == FIBRIL__STACK_TAKEN && stack->base != NULL ? stack : NULL;
}

/* Bytes of the stack, as the overflow message gives them. */
static inline size_t fibril__stack_size(const fibril__stack *stack) {
  return stack->pool->size;
}

/* The name of the coroutine that has it. */
static inline void fibril__stack_set_name(fibril__stack *stack, const char *name) {
  stack->name = name;
}

/* The stack that the next fibril__stack_get of a class gives, if it was used before; else NULL. */
static inline const fibril__stack *fibril__stack_next(const fibril__stacks *stacks, int cls) {
  return stacks->pools[cls].dirty;
}

/* Gives the memory of free stacks back to the system: a bounded share of it, so that no loop stands
 * still for long. 1 when there is more to give back, else 0. */
FIBRIL__INTERNAL int fibril__stacks_trim(fibril__stacks *stacks);

/* The slow paths of what stands below. */
FIBRIL__INTERNAL fibril__stack *fibril__stack_get_clean(fibril__stacks *stacks, int cls);
FIBRIL__INTERNAL void fibril__stack_check_canary(const fibril__stack *stack);

/* A stack of a class, or NULL without memory. Its contents are whatever was there. */
static inline fibril__stack *fibril__stack_get(fibril__stacks *stacks, int cls) {
  fibril__stack_pool *pool = &stacks->pools[cls];
  fibril__stack *stack = pool->dirty;
  if (__builtin_expect(stack == NULL, 0)) return fibril__stack_get_clean(stacks, cls);
  pool->dirty = stack->next;
  stack->state = FIBRIL__STACK_TAKEN;
  stacks->dirty_bytes -= pool->size;
  return stack;
}

static inline void fibril__stack_put(fibril__stacks *stacks, fibril__stack *stack) {
  fibril__stack_pool *pool = stack->pool;
  stack->name = NULL;
  stack->state = FIBRIL__STACK_DIRTY;
  stack->next = pool->dirty;
  pool->dirty = stack;
  stacks->dirty_bytes += pool->size;
}

/* Whether the loop should arm its timer that calls fibril__stacks_trim. */
static inline int fibril__stacks_want_trim(const fibril__stacks *stacks) {
  return stacks->dirty_bytes > FIBRIL__STACK_TRIM_BYTES &&
         stacks->dirty_bytes > stacks->taken_bytes - stacks->dirty_bytes;
}

/* Ends the process with a sentence when the stack has overflowed and no guard page could say so. To
 * be called whenever the coroutine stops running: a flag test where all guards are pages. */
static inline void fibril__stack_check(const fibril__stack *stack) {
  int watch = atomic_load_explicit(&fibril__watch, memory_order_relaxed);
  if (__builtin_expect(watch & FIBRIL__WATCH_CANARIES, 0)) fibril__stack_check_canary(stack);
}

#endif
