#include "inode_set.h"

#include <stdlib.h>
#include <uv.h>

static bool is_slot_free(const inode *slot) {
  return slot->dev == 0 && slot->ino == 0; /* no file system has an inode 0 */
}

/* Where the file is, or is to be put. The capacity is a power of two and never full. */
static inode *find_slot(const inode_set *set, inode file) {
  uint64_t hash = (file.ino ^ file.dev << 32 ^ file.dev >> 32) * 0x9e3779b97f4a7c15u;
  size_t i = (size_t)(hash >> 32) & (set->capacity - 1);
  while (!is_slot_free(&set->slots[i]) &&
         (set->slots[i].ino != file.ino || set->slots[i].dev != file.dev))
    i = (i + 1) & (set->capacity - 1);
  return &set->slots[i];
}

static bool grow_slots(inode_set *set) {
  inode_set larger = {.used = set->used, .capacity = set->capacity == 0 ? 64 : set->capacity * 2};
  larger.slots = calloc(larger.capacity, sizeof *larger.slots);
  if (larger.slots == NULL) return false;
  for (size_t i = 0; i < set->capacity; i++)
    if (!is_slot_free(&set->slots[i])) *find_slot(&larger, set->slots[i]) = set->slots[i];
  free(set->slots);
  *set = larger;
  return true;
}

int inode_set_add(inode_set *set, inode file) {
  if (set->used * 2 >= set->capacity && !grow_slots(set)) return UV_ENOMEM;
  inode *slot = find_slot(set, file);
  if (!is_slot_free(slot)) return 0;
  *slot = file;
  set->used++;
  return 1;
}

void inode_set_destroy(inode_set *set) {
  free(set->slots);
}
