/* Stacks taken, put back and trimmed at random: the memory of one is nobody else's, guards stay
 * whole, nothing that is taken is given back to the system, and the pool's books agree. */
#include "../../src/core/switch/stack.h"
#include "fuzz.h"

#include <string.h>

#define MOST 1500

typedef struct {
  fibril__stack *stack;
  uint64_t mark; /* at both of its ends */
} holder;

static fibril__stacks stacks;
static holder held[MOST];
static int count;

static char *last_word(const holder *one) {
  return fibril__stack_top(one->stack) - sizeof one->mark;
}

static void take(void) {
  int cls = fuzz_below(fuzz_once_in(100) ? FIBRIL__STACK_CLASSES : 5);
  holder *one = &held[count++];
  *one = (holder){fibril__stack_get(&stacks, cls), fuzz_bits()};
  REQUIRE(one->stack != NULL);
  REQUIRE(fibril__stack_size(one->stack) == FIBRIL__STACK_MIN << cls);
  one->stack->name = "fuzz";
  memcpy(last_word(one), &one->mark, sizeof one->mark);
  memcpy(one->stack->base, &one->mark, sizeof one->mark);
}

static void check_marks(const holder *one) {
  REQUIRE(memcmp(last_word(one), &one->mark, sizeof one->mark) == 0);
  REQUIRE(memcmp(one->stack->base, &one->mark, sizeof one->mark) == 0);
}

static void put_back(void) {
  holder *one = &held[fuzz_below(count)];
  check_marks(one);
  fibril__stack_put(&stacks, one->stack);
  *one = held[--count];
}

static int count_taken(const fibril__slab *slab) {
  int taken = 0;
  uint32_t vacant = 0;
  for (uint32_t i = 0; i < slab->guarded; i++) {
    taken += fibril__slab_taken(slab, i) != NULL;
    vacant += (slab->slots[i] & ((1u << FIBRIL__SLOT_GUARD_SHIFT) - 1)) != FIBRIL__SLOT_OUT;
  }
  REQUIRE(vacant == slab->free);
  return taken;
}

static void check_books(void) {
  size_t bytes = 0;
  for (const holder *one = held; one < held + count; one++) {
    check_marks(one);
    bytes += fibril__stack_size(one->stack);
  }
  REQUIRE(stacks.taken_bytes - stacks.dirty_bytes == bytes);
  int taken = 0;
  for (int cls = 0; cls < FIBRIL__STACK_CLASSES; cls++)
    for (const fibril__slab *slab = stacks.pools[cls].slabs; slab != NULL; slab = slab->next)
      taken += count_taken(slab);
  REQUIRE(taken == count);
}

void fuzz_play(void) {
  fibril__stacks_init(&stacks);
  for (int rounds = 10; rounds > 0; rounds--) {
    int target = fuzz_once_in(4) ? 0 : fuzz_below(MOST);
    while (count != target) {
      if (count < target)
        take();
      else
        put_back();
      if (fuzz_once_in(200)) fibril__stacks_trim(&stacks);
    }
    if (fuzz_once_in(2)) {
      while (fibril__stacks_trim(&stacks)) continue;
    }
    check_books();
  }
  while (count > 0) put_back();
  fibril__stacks_destroy(&stacks);
}
