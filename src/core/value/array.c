/* fibril_value's arrays. */
#include "array.h"

#include <stdlib.h>
#include <string.h>

/* Room that is asked for at the beginning is in the same piece. */
typedef struct {
  fibril__list list;
  fibril_value first[];
} array_box;

void fibril__list_drop(fibril__list *list, fibril__box **dead) {
  for (size_t i = list->length; i-- > 0;) fibril__value_drop(list->as.items[i], dead);
  if (list->as.items != ((array_box *)list)->first) free(list->as.items);
}

static void destroy_array(fibril__box *box, fibril__box **dead) {
  fibril__list_drop((fibril__list *)box, dead);
  free(box);
}

bool fibril__list_grow(fibril__list *list, size_t count) {
  if (count <= list->capacity - list->length) return true;
  size_t capacity = list->capacity < 4 ? 4 : list->capacity * 2;
  bool is_first = list->as.items == ((array_box *)list)->first;
  fibril_value *items = capacity < SIZE_MAX / sizeof *items
                            ? realloc(is_first ? NULL : list->as.items, capacity * sizeof *items)
                            : NULL;
  if (items == NULL) return false;
  if (is_first) memcpy(items, list->as.items, list->length * sizeof *items);
  list->as.items = items;
  list->capacity = capacity;
  return true;
}

fibril_value fibril_array(size_t capacity) {
  array_box *array = NULL;
  if (capacity < (SIZE_MAX - sizeof *array) / sizeof array->first[0])
    array = malloc(sizeof *array + capacity * sizeof array->first[0]);
  if (array == NULL) return fibril__error_code(UV_ENOMEM);
  array->list.length = 0;
  array->list.capacity = capacity;
  array->list.as.items = array->first;
  return fibril__value_of(FIBRIL_ARRAY, &array->list.box, destroy_array);
}

int fibril_array_push(fibril_value array, fibril_value item) {
  if (fibril__value_is_in(array, item)) return UV_EINVAL;
  item = fibril_value_take(item);
  int err = fibril_value_kind(array) == FIBRIL_ARRAY ? 0 : FIBRIL_ETYPE;
  fibril__list *list = fibril__value_box(array);
  if (err == 0 && !fibril__list_grow(list, 1)) err = UV_ENOMEM;
  if (err == 0)
    list->as.items[list->length++] = item;
  else
    fibril_value_free(item);
  return err;
}

size_t fibril_array_length(fibril_value array) {
  return fibril_value_kind(array) == FIBRIL_ARRAY
             ? ((fibril__list *)fibril__value_box(array))->length
             : 0;
}

fibril_value fibril_array_get(fibril_value array, size_t index) {
  if (index >= fibril_array_length(array)) return fibril_undefined();
  return fibril__value_borrow(((fibril__list *)fibril__value_box(array))->as.items[index]);
}
