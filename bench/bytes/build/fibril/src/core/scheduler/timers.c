#include "timers.h"

#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX
#define CAPACITY_FIRST 16
#define CAPACITY_KEPT 1024 /* is never given back */

static fibril_timeout handle_of(const fibril__timers *timers, uint32_t slot) {
  return (uint64_t)timers->slots[slot].generation << 32 | slot;
}

/* The slot of a handle that is still good, or NO_SLOT. Generations of live slots are odd. */
static uint32_t slot_of(const fibril__timers *timers, fibril_timeout timeout) {
  uint32_t slot = (uint32_t)timeout, generation = (uint32_t)(timeout >> 32);
  return slot < timers->used && generation & 1 && timers->slots[slot].generation == generation
             ? slot
             : NO_SLOT;
}

static bool before(const fibril__timer *a, const fibril__timer *b) {
  return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

static void place(fibril__timers *timers, uint32_t position, fibril__timer timer) {
  timers->heap[position] = timer;
  timers->slots[timer.slot].position = position;
}

static void sift_up(fibril__timers *timers, uint32_t position, fibril__timer timer) {
  while (position > 0) {
    uint32_t parent = (position - 1) / 4;
    if (!before(&timer, &timers->heap[parent])) break;
    place(timers, position, timers->heap[parent]);
    position = parent;
  }
  place(timers, position, timer);
}

static void sift_down(fibril__timers *timers, uint32_t position, fibril__timer timer) {
  for (;;) {
    uint64_t first = (uint64_t)position * 4 + 1;
    if (first >= timers->length) break;
    uint32_t least = (uint32_t)first,
             last = first + 4 < timers->length ? (uint32_t)first + 4 : timers->length;
    for (uint32_t child = least + 1; child < last; child++)
      if (before(&timers->heap[child], &timers->heap[least])) least = child;
    if (!before(&timers->heap[least], &timer)) break;
    place(timers, position, timers->heap[least]);
    position = least;
  }
  place(timers, position, timer);
}

static void heap_delete(fibril__timers *timers, uint32_t position) {
  fibril__timer last = timers->heap[--timers->length];
  timers->unheld -= timers->heap[position].unheld;
  if (position == timers->length) return;
  if (position > 0 && before(&last, &timers->heap[(position - 1) / 4]))
    sift_up(timers, position, last);
  else
    sift_down(timers, position, last);
}

static void slot_free(fibril__timers *timers, uint32_t slot) {
  timers->slots[slot].generation++;
  timers->slots[slot].position = timers->free;
  timers->free = slot;
}

void fibril__timers_init(fibril__timers *timers) {
  memset(timers, 0, sizeof *timers);
  timers->free = NO_SLOT;
  timers->sparse = UINT32_MAX;
}

/* No handle is good any more. */
void fibril__timers_destroy(fibril__timers *timers) {
  free(timers->heap);
  free(timers->slots);
  free(timers->due);
  fibril__timers_init(timers);
}

/* Each array by itself: when a later one fails, the earlier ones are merely larger than needed. */
static bool timers_resize(fibril__timers *timers, uint32_t capacity) {
  fibril__timer *heap = realloc(timers->heap, capacity * sizeof *heap);
  if (heap == NULL) return false;
  timers->heap = heap;
  fibril__timer_slot *slots = realloc(timers->slots, capacity * sizeof *slots);
  if (slots == NULL) return false;
  timers->slots = slots;
  fibril_timeout *due = realloc(timers->due, capacity * sizeof *due);
  if (due == NULL) return false;
  timers->due = due;
  return true;
}

static bool timers_grow(fibril__timers *timers) {
  if (timers->capacity >= UINT32_MAX / 4) return false;
  uint32_t capacity = timers->capacity == 0 ? CAPACITY_FIRST : timers->capacity * 2;
  if (!timers_resize(timers, capacity)) return false;
  timers->capacity = capacity;
  timers->sparse = UINT32_MAX;
  return true;
}

fibril_timeout fibril__timers_add(fibril__timers *timers, uint64_t deadline, fibril_cb callback,
                                  void *arg, fibril_timeout *home) {
  uint32_t slot = timers->free;
  if (slot != NO_SLOT) {
    timers->free = timers->slots[slot].position;
  } else {
    if (timers->used == timers->capacity && !timers_grow(timers)) return 0;
    slot = timers->used++;
    timers->slots[slot].generation = timers->generation;
  }
  timers->slots[slot].generation++;
  timers->slots[slot].callback = callback;
  timers->slots[slot].arg = arg;
  timers->slots[slot].home = home;
  sift_up(timers, timers->length++, (fibril__timer){deadline, timers->order++, slot, 0});
  return handle_of(timers, slot);
}

void fibril__timers_hold(fibril__timers *timers, fibril_timeout timeout, bool held) {
  uint32_t slot = slot_of(timers, timeout);
  if (slot == NO_SLOT || timers->slots[slot].position == FIBRIL__TIMER_DUE) return;
  fibril__timer *timer = &timers->heap[timers->slots[slot].position];
  timers->unheld -= timer->unheld;
  timer->unheld = !held;
  timers->unheld += timer->unheld;
}

bool fibril__timers_remove(fibril__timers *timers, fibril_timeout timeout) {
  uint32_t slot = slot_of(timers, timeout);
  if (slot == NO_SLOT) return false;
  if (timers->slots[slot].position != FIBRIL__TIMER_DUE)
    heap_delete(timers, timers->slots[slot].position);
  slot_free(timers, slot);
  return true;
}

uint64_t fibril__timers_next(const fibril__timers *timers) {
  return timers->length == 0 ? 0 : timers->heap[0].deadline;
}

/* Of those chosen and not taken, who have not been removed, to the front: with the heap they are no
 * more than there are slots. */
static void compact_due(fibril__timers *timers) {
  uint32_t count = 0;
  for (uint32_t i = timers->due_first; i < timers->due_count; i++)
    if (slot_of(timers, timers->due[i]) != NO_SLOT) timers->due[count++] = timers->due[i];
  timers->due_first = 0;
  timers->due_count = count;
}

void fibril__timers_choose(fibril__timers *timers, uint64_t now) {
  compact_due(timers);
  while (timers->length > 0 && timers->heap[0].deadline <= now) {
    uint32_t slot = timers->heap[0].slot;
    heap_delete(timers, 0);
    timers->slots[slot].position = FIBRIL__TIMER_DUE;
    timers->due[timers->due_count++] = handle_of(timers, slot);
  }
}

bool fibril__timers_take(fibril__timers *timers, fibril_cb *callback, void **arg) {
  uint32_t slot = NO_SLOT;
  while (slot == NO_SLOT && fibril__timers_left(timers))
    slot = slot_of(timers, timers->due[timers->due_first++]);
  if (slot == NO_SLOT) return false;
  *callback = timers->slots[slot].callback;
  *arg = timers->slots[slot].arg;
  slot_free(timers, slot);
  return true;
}

/* ---- Giving memory back ---- */

static bool is_live(const fibril__timers *timers, uint32_t slot) {
  return timers->slots[slot].generation & 1;
}

static void move(fibril__timers *timers, uint32_t from, uint32_t to) {
  fibril__timer_slot *old = &timers->slots[from], *new = &timers->slots[to];
  uint32_t generation = new->generation + 1;
  *new = *old;
  new->generation = generation;
  old->generation++;
  timers->heap[new->position].slot = to;
  *new->home = handle_of(timers, to);
}

/* Moves what can be moved to the lowest slots. How many are in use then, with those in between. */
static uint32_t compact(fibril__timers *timers) {
  uint32_t low = 0, used = 0;
  for (uint32_t slot = timers->used; slot-- > 0;) {
    if (!is_live(timers, slot)) continue;
    while (low < slot && is_live(timers, low)) low++;
    if (low < slot && timers->slots[slot].home != NULL)
      move(timers, slot, low);
    else if (used == 0)
      used = slot + 1;
  }
  return used;
}

/* All slots that are not in use, the lowest first. */
static void relink_free(fibril__timers *timers) {
  timers->free = NO_SLOT;
  for (uint32_t slot = timers->used; slot-- > 0;) {
    if (is_live(timers, slot)) continue;
    timers->slots[slot].position = timers->free;
    timers->free = slot;
  }
}

/* Where the last attempt left much, because of timeouts that can't move, the next one waits until
 * there are half as many. */
void fibril__timers_shrink(fibril__timers *timers) {
  bool worth_it = !fibril__timers_left(timers) && timers->capacity > CAPACITY_KEPT &&
                  timers->length <= timers->capacity / 8 && timers->length <= timers->sparse / 2 &&
                  timers->length < timers->sparse;
  if (!worth_it) return;
  timers->sparse = timers->length;
  uint32_t used = compact(timers), capacity = timers->capacity;
  for (uint32_t slot = used; slot < timers->used; slot++)
    if (timers->slots[slot].generation > timers->generation)
      timers->generation = timers->slots[slot].generation;
  timers->used = used;
  relink_free(timers);
  while (capacity > CAPACITY_KEPT && capacity / 4 >= used) capacity /= 2;
  if (capacity == timers->capacity) return;
  timers->capacity = capacity;
  (void)timers_resize(timers, capacity); /* or they stay larger */
}
