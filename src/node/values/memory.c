/* The table of memory that C and JavaScript both have. */
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_PLACES 16

static fibril__memory **place_of(fibril__memory **places, size_t mask, const void *data) {
  uint64_t hash = (uint64_t)(uintptr_t)data * UINT64_C(0x9e3779b97f4a7c15);
  return &places[(size_t)(hash >> 32) & mask];
}

fibril__memories *fibril__memories_new(void) {
  fibril__memories *table = calloc(1, sizeof *table);
  fibril__memory **places = table == NULL ? NULL : calloc(FIRST_PLACES, sizeof *places);
  if (places == NULL) {
    free(table);
    return NULL;
  }
  table->refs = 1;
  table->mask = FIRST_PLACES - 1;
  table->places = places;
  return table;
}

void fibril__memories_unref(fibril__memories *table) {
  if (table == NULL || --table->refs > 0) return;
  free(table->places);
  free(table);
}

/* Without memory for it the places get fuller. */
static void memories_grow(fibril__memories *table) {
  size_t places_count = (table->mask + 1) * 2;
  fibril__memory **places = calloc(places_count, sizeof *places);
  if (places == NULL) return;
  for (size_t i = 0; i <= table->mask; i++) {
    fibril__memory *memory = table->places[i], *next;
    for (; memory != NULL; memory = next) {
      fibril__memory **place = place_of(places, places_count - 1, memory->data);
      next = memory->next;
      memory->next = *place;
      *place = memory;
    }
  }
  free(table->places);
  table->places = places;
  table->mask = places_count - 1;
}

void fibril__memory_init(fibril__memory *memory, fibril__memories *table, void *data, size_t length,
                         void (*destroy)(fibril__memory *memory)) {
  *memory = (fibril__memory){
      .table = table, .refs = 1, .data = data, .length = length, .destroy = destroy};
  if (table == NULL) return;
  if (table->count > table->mask) memories_grow(table);
  fibril__memory **place = place_of(table->places, table->mask, data);
  memory->next = *place;
  *place = memory;
  table->count++;
  table->refs++;
}

static void take_out(fibril__memory *memory) {
  fibril__memories *table = memory->table;
  fibril__memory **at = place_of(table->places, table->mask, memory->data);
  while (*at != memory) at = &(*at)->next;
  *at = memory->next;
  table->count--;
  fibril__memories_unref(table);
}

void fibril__memory_unref(fibril__memory *memory) {
  if (--memory->refs > 0) return;
  if (memory->table != NULL) take_out(memory);
  memory->destroy(memory);
}

fibril__memory *fibril__memory_find(const fibril__memories *table, const void *data) {
  if (table == NULL || table->count == 0) return NULL;
  fibril__memory *memory = *place_of(table->places, table->mask, data);
  while (memory != NULL && memory->data != data) memory = memory->next;
  return memory;
}
