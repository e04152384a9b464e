/* fibril_value's maps and sets: items in the order in which they came, and for more than a few an
 * index of them by the hash of their keys. A set is a map of keys alone. */
#include "map.h"

#include "hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With more entries than this there is an index. */
#define FEW 8

typedef struct {
  fibril__list list;
  size_t stride;   /* items of an entry: 2 of a map, 1 of a set */
  size_t places;   /* of the index, a power of two; 0: there is none */
  uint32_t *index; /* 1 + an entry's number, or 0 */
} map_box;

static void destroy_map(fibril__box *box, fibril__box **dead) {
  map_box *map = (map_box *)box;
  fibril__list_drop(&map->list, dead);
  free(map->index);
  free(map);
}

static fibril_value map_new(fibril_kind kind, size_t stride) {
  map_box *map = calloc(1, sizeof *map);
  if (map == NULL) return fibril__error_code(UV_ENOMEM);
  map->stride = stride;
  return fibril__value_of(kind, &map->list.box, destroy_map);
}

fibril_value fibril_map(void) {
  return map_new(FIBRIL_MAP, 2);
}

fibril_value fibril_set(void) {
  return map_new(FIBRIL_SET, 1);
}

/* ---- Keys ---- */

/* What of a value JavaScript's maps compare: -0 is 0, and NaN is NaN. */
static uint64_t key_word(fibril_value key) {
  if (key.tag & FIBRIL__BOXED || fibril_value_kind(key) == FIBRIL_POINTER)
    return (uintptr_t)key.as.pointer;
  if (fibril_value_kind(key) != FIBRIL_NUMBER && fibril_value_kind(key) != FIBRIL_DATE)
    return (uint64_t)key.as.integer;
  double number = isnan(key.as.number) ? NAN : key.as.number + 0.0;
  uint64_t word;
  memcpy(&word, &number, sizeof word);
  return word;
}

static uint64_t hash_key(fibril_value key) {
  size_t length;
  const char *text = fibril_value_string(key, &length);
  if (text != NULL) return fibril__hash_bytes(text, length);
  return fibril__hash_word(key_word(key) ^ (key.tag & FIBRIL__KIND) << 56);
}

static bool same_key(fibril_value a, fibril_value b) {
  size_t a_length, b_length;
  if (fibril_value_kind(a) != fibril_value_kind(b)) return false;
  const char *text = fibril_value_string(a, &a_length);
  if (text == NULL) return key_word(a) == key_word(b);
  const char *other = fibril_value_string(b, &b_length);
  return a_length == b_length && memcmp(text, other, a_length) == 0;
}

/* ---- Entries ---- */

static inline size_t map_size(const map_box *map) {
  return map->list.length / map->stride;
}

static fibril_value *entry_at(const map_box *map, size_t number) {
  return &map->list.as.items[number * map->stride];
}

/* Where the entry of a key is in the index, or belongs. */
static uint32_t *index_place(const map_box *map, fibril_value key) {
  size_t place = (size_t)hash_key(key) & (map->places - 1);
  while (map->index[place] != 0 && !same_key(*entry_at(map, map->index[place] - 1), key))
    place = (place + 1) & (map->places - 1);
  return &map->index[place];
}

static fibril_value *find_entry(const map_box *map, fibril_value key) {
  if (map->places > 0) {
    uint32_t number = *index_place(map, key);
    return number == 0 ? NULL : entry_at(map, number - 1);
  }
  for (size_t i = 0; i < map_size(map); i++)
    if (same_key(*entry_at(map, i), key)) return entry_at(map, i);
  return NULL;
}

/* Of keys that are equal the first one is found. */
static void index_entry(map_box *map, size_t number) {
  uint32_t *place = index_place(map, *entry_at(map, number));
  if (*place == 0) *place = (uint32_t)number + 1;
}

/* Room for one more entry, in the index as well. */
static bool map_grow(map_box *map) {
  size_t size = map_size(map);
  if (!fibril__list_grow(&map->list, map->stride)) return false;
  if (size < FEW || size < map->places / 2) return true;
  size_t places = map->places == 0 ? FEW * 4 : map->places * 2;
  uint32_t *index = places <= UINT32_MAX / 2 ? calloc(places, sizeof *index) : NULL;
  if (index == NULL) return false;
  free(map->index);
  map->index = index;
  map->places = places;
  for (size_t i = 0; i < size; i++) index_entry(map, i);
  return true;
}

/* Takes what it is given, also on failure. `other`: JavaScript has told the key from all that are
 * there, so it is none of them. */
static int add_entry(map_box *map, fibril_value key, fibril_value item, bool other) {
  fibril_value *entry = other ? NULL : find_entry(map, key);
  if (entry != NULL) {
    fibril_value_free(key);
    if (map->stride == 1) return 0;
    fibril_value old = entry[1];
    entry[1] = item;
    fibril_value_free(old);
    return 0;
  }
  if (!map_grow(map)) {
    fibril_value_free(key);
    fibril_value_free(item);
    return UV_ENOMEM;
  }
  map->list.as.items[map->list.length++] = key;
  if (map->stride == 2) map->list.as.items[map->list.length++] = item;
  if (map->places > 0) index_entry(map, map_size(map) - 1);
  return 0;
}

static int add_to(fibril_value container, fibril_kind kind, fibril_value key, fibril_value item,
                  bool other) {
  if (fibril__value_is_in(container, key) || fibril__value_is_in(container, item)) return UV_EINVAL;
  key = fibril_value_take(key);
  item = fibril_value_take(item);
  if (fibril_value_kind(container) == kind)
    return add_entry(fibril__value_box(container), key, item, other);
  fibril_value_free(key);
  fibril_value_free(item);
  return FIBRIL_ETYPE;
}

static size_t size_of(fibril_value container, fibril_kind kind) {
  return fibril_value_kind(container) == kind ? map_size(fibril__value_box(container)) : 0;
}

/* ---- Maps ---- */

int fibril_map_set(fibril_value map, fibril_value key, fibril_value item) {
  return add_to(map, FIBRIL_MAP, key, item, false);
}

int fibril__map_add(fibril_value map, fibril_value key, fibril_value item) {
  return add_to(map, FIBRIL_MAP, key, item, true);
}

fibril_value fibril_map_get(fibril_value map, fibril_value key) {
  if (size_of(map, FIBRIL_MAP) == 0) return fibril_undefined();
  const fibril_value *entry = find_entry(fibril__value_box(map), key);
  return entry == NULL ? fibril_undefined() : fibril__value_borrow(entry[1]);
}

bool fibril_map_has(fibril_value map, fibril_value key) {
  return size_of(map, FIBRIL_MAP) > 0 && find_entry(fibril__value_box(map), key) != NULL;
}

size_t fibril_map_size(fibril_value map) {
  return size_of(map, FIBRIL_MAP);
}

fibril_value fibril_map_key(fibril_value map, size_t index) {
  if (index >= size_of(map, FIBRIL_MAP)) return fibril_undefined();
  return fibril__value_borrow(entry_at(fibril__value_box(map), index)[0]);
}

fibril_value fibril_map_value(fibril_value map, size_t index) {
  if (index >= size_of(map, FIBRIL_MAP)) return fibril_undefined();
  return fibril__value_borrow(entry_at(fibril__value_box(map), index)[1]);
}

/* ---- Sets ---- */

int fibril_set_add(fibril_value set, fibril_value item) {
  return add_to(set, FIBRIL_SET, item, fibril_undefined(), false);
}

int fibril__set_add(fibril_value set, fibril_value item) {
  return add_to(set, FIBRIL_SET, item, fibril_undefined(), true);
}

bool fibril_set_has(fibril_value set, fibril_value item) {
  return size_of(set, FIBRIL_SET) > 0 && find_entry(fibril__value_box(set), item) != NULL;
}

size_t fibril_set_size(fibril_value set) {
  return size_of(set, FIBRIL_SET);
}

fibril_value fibril_set_get(fibril_value set, size_t index) {
  if (index >= size_of(set, FIBRIL_SET)) return fibril_undefined();
  return fibril__value_borrow(*entry_at(fibril__value_box(set), index));
}
