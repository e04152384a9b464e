/* fibril_value's objects: pairs in the order in which they were set, and for more than a few an
 * index of them by the hash of their keys. */
#include "object.h"

#include <stdlib.h>
#include <string.h>

#define KEY_BLOCK 256

/* With room for so many pairs there is an index. */
#define INDEX_FROM 16

/* Keys, one after the other. */
typedef struct key_block {
  struct key_block *next;
  char text[];
} key_block;

/* A small one is all in one piece, and has no index. */
typedef struct {
  fibril__list list;
  uint32_t *index; /* twice as many places as there are for pairs: 1 + a pair's number, or 0 */
  key_block *blocks;
  char *text; /* here is room for keys */
  size_t room;
  fibril__pair first[4];
  char keys[48];
} object_box;

static void destroy_object(fibril__box *box, fibril__box **dead) {
  object_box *object = (object_box *)box;
  for (size_t i = object->list.length; i-- > 0;)
    fibril__value_drop(object->list.as.pairs[i].value, dead);
  if (object->list.as.pairs != object->first) free(object->list.as.pairs);
  free(object->index);
  for (key_block *next; object->blocks != NULL; object->blocks = next) {
    next = object->blocks->next;
    free(object->blocks);
  }
  free(object);
}

fibril_value fibril_object(void) {
  object_box *object = malloc(sizeof *object);
  if (object == NULL) return fibril__error_code(UV_ENOMEM);
  object->list.length = 0;
  object->list.capacity = sizeof object->first / sizeof object->first[0];
  object->list.as.pairs = object->first;
  object->index = NULL;
  object->blocks = NULL;
  object->text = object->keys;
  object->room = sizeof object->keys;
  return fibril__value_of(FIBRIL_OBJECT, &object->list.box, destroy_object);
}

/* ---- Hashes ---- */

/* Keys may come from anywhere: only the process knows which of them fall on the same place. */
static uint64_t secret;
static uv_once_t secret_once = UV_ONCE_INIT;

static void choose_secret(void) {
  if (uv_random(NULL, NULL, &secret, sizeof secret, 0, NULL) != 0)
    secret = uv_hrtime() ^ (uintptr_t)&secret;
}

static inline uint64_t mix(uint64_t hash, uint64_t word) {
  unsigned __int128 product = (unsigned __int128)(hash ^ word) * (secret | 1);
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_key(const char *key, size_t length) {
  uv_once(&secret_once, choose_secret);
  uint64_t hash = mix(length, 0x9e3779b97f4a7c15u), word = 0;
  for (; length > sizeof word; key += sizeof word, length -= sizeof word) {
    memcpy(&word, key, sizeof word);
    hash = mix(hash, word);
  }
  word = 0;
  for (size_t i = 0; i < length; i++) word = word << 8 | (unsigned char)key[i];
  return mix(hash, word);
}

/* ---- Pairs ---- */

static bool has_key(const fibril__pair *pair, const char *key, size_t length, uint64_t hash) {
  return pair->hash == hash && strncmp(pair->key, key, length) == 0 && pair->key[length] == '\0';
}

static inline size_t index_mask(const fibril__list *list) {
  return 2 * list->capacity - 1;
}

/* Where the pair of a key is in the index, or belongs. */
static uint32_t *index_place(const object_box *object, const char *key, size_t length,
                             uint64_t hash) {
  size_t mask = index_mask(&object->list), place = (size_t)hash & mask;
  while (object->index[place] != 0 &&
         !has_key(&object->list.as.pairs[object->index[place] - 1], key, length, hash))
    place = (place + 1) & mask;
  return &object->index[place];
}

static fibril__pair *find(const object_box *object, const char *key, size_t length, uint64_t hash) {
  fibril__pair *pairs = object->list.as.pairs;
  if (object->index != NULL) {
    uint32_t number = *index_place(object, key, length, hash);
    return number == 0 ? NULL : &pairs[number - 1];
  }
  for (fibril__pair *pair = pairs; pair < pairs + object->list.length; pair++)
    if (has_key(pair, key, length, hash)) return pair;
  return NULL;
}

/* Of pairs whose keys are all different. */
static void index_fill(object_box *object) {
  size_t mask = index_mask(&object->list);
  for (size_t i = 0; i < object->list.length; i++) {
    size_t place = (size_t)object->list.as.pairs[i].hash & mask;
    while (object->index[place] != 0) place = (place + 1) & mask;
    object->index[place] = (uint32_t)i + 1;
  }
}

static bool object_grow(object_box *object) {
  fibril__list *list = &object->list;
  size_t capacity = list->capacity * 2;
  if (list->length < list->capacity) return true;
  if (capacity >= UINT32_MAX / 2 || capacity >= SIZE_MAX / sizeof(fibril__pair)) return false;
  bool is_first = list->as.pairs == object->first;
  uint32_t *index = capacity < INDEX_FROM ? NULL : calloc(2 * capacity, sizeof *index);
  if (index == NULL && capacity >= INDEX_FROM) return false;
  fibril__pair *pairs = realloc(is_first ? NULL : list->as.pairs, capacity * sizeof(fibril__pair));
  if (pairs == NULL) {
    free(index);
    return false;
  }
  if (is_first) memcpy(pairs, object->first, sizeof object->first);
  list->as.pairs = pairs;
  list->capacity = capacity;
  free(object->index);
  object->index = index;
  if (index != NULL) index_fill(object);
  return true;
}

static const char *copy_key(object_box *object, const char *key, size_t length) {
  if (object->room <= length) {
    size_t size = length < KEY_BLOCK ? KEY_BLOCK : length + 1;
    key_block *block = size < SIZE_MAX - sizeof *block ? malloc(sizeof *block + size) : NULL;
    if (block == NULL) return NULL;
    block->next = object->blocks;
    object->blocks = block;
    object->text = block->text;
    object->room = size;
  }
  char *copy = memcpy(object->text, key, length);
  copy[length] = '\0';
  object->text += length + 1;
  object->room -= length + 1;
  return copy;
}

/* ---- Setting and getting ---- */

int fibril__object_set(fibril_value object, const char *key, size_t length, fibril_value item) {
  if (fibril__value_is_in(object, item)) return UV_EINVAL;
  item = fibril_value_take(item);
  if (fibril_value_kind(object) != FIBRIL_OBJECT) {
    fibril_value_free(item);
    return FIBRIL_ETYPE;
  }
  object_box *box = fibril__value_box(object);
  fibril__list *list = &box->list;
  uint64_t hash = hash_key(key, length);
  fibril__pair *pair = find(box, key, length, hash);
  if (pair != NULL) {
    fibril_value old = pair->value;
    pair->value = item;
    fibril_value_free(old);
    return 0;
  }
  const char *copy = object_grow(box) ? copy_key(box, key, length) : NULL;
  if (copy == NULL) {
    fibril_value_free(item);
    return UV_ENOMEM;
  }
  if (box->index != NULL) *index_place(box, key, length, hash) = (uint32_t)list->length + 1;
  list->as.pairs[list->length++] = (fibril__pair){copy, hash, item};
  return 0;
}

int fibril_object_set(fibril_value object, const char *key, fibril_value item) {
  return fibril__object_set(object, key, strlen(key), item);
}

fibril_value fibril_object_get(fibril_value object, const char *key) {
  if (fibril_value_kind(object) != FIBRIL_OBJECT) return fibril_undefined();
  size_t length = strlen(key);
  fibril__pair *pair = find(fibril__value_box(object), key, length, hash_key(key, length));
  return pair == NULL ? fibril_undefined() : fibril__value_borrow(pair->value);
}
