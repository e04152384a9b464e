#include "box.h"

#include "list.h"

#include <stdlib.h>

/* One after the other, the first item of a container first. */
__attribute__((noinline)) static void destroy_all(fibril__box *dead) {
  dead->next = NULL;
  while (dead != NULL) {
    fibril__box *box = dead;
    dead = box->next;
    box->destroy(box, &dead);
  }
}

static inline void box_unref(fibril__box *box) {
  if (--box->refs == 0) destroy_all(box);
}

void fibril__value_drop(fibril_value value, fibril__box **dead) {
  fibril__box *box = fibril__value_box(value);
  if (!(value.tag & FIBRIL__OWNED) || --box->refs > 0) return;
  box->next = *dead;
  *dead = box;
}

static void arena_unlink(fibril__box *box) {
  FIBRIL__CHAIN_REMOVE(box);
  box->link = NULL;
}

static void arena_link(fibril__owner *self, fibril__box *box) {
  FIBRIL__CHAIN_ADD(&self->arena, box);
  box->arena = self;
}

fibril_value fibril__value_of(fibril_kind kind, fibril__box *box,
                              void (*destroy)(fibril__box *box, fibril__box **dead)) {
  fibril__owner *self = fibril__owner_here();
  fibril_value value = {(uint64_t)kind | FIBRIL__BOXED, {.pointer = box}};
  box->refs = 1;
  box->destroy = destroy;
  box->link = NULL;
  if (self != NULL)
    arena_link(self, box);
  else
    value.tag |= FIBRIL__OWNED;
  return value;
}

fibril_value fibril_value_take(fibril_value value) {
  if (!(value.tag & FIBRIL__BOXED) || value.tag & FIBRIL__OWNED) return value;
  fibril__box *box = fibril__value_box(value);
  if (box->link != NULL && box->arena == fibril__owner_here())
    arena_unlink(box);
  else
    box->refs++; /* it stays with whoever has it */
  value.tag |= FIBRIL__OWNED;
  return value;
}

/* Keeps in an arena what is in another one. */
typedef struct {
  fibril__box box;
  fibril_value value;
} holder_box;

static void destroy_holder(fibril__box *box, fibril__box **dead) {
  holder_box *holder = (holder_box *)box;
  fibril__value_drop(holder->value, dead);
  free(holder);
}

fibril_value fibril__value_keep(fibril_value value) {
  fibril__owner *self = fibril__owner_here();
  if (self == NULL || !(value.tag & FIBRIL__OWNED)) return value;
  fibril__box *box = fibril__value_box(value);
  if (box->link == NULL) {
    arena_link(self, box);
    return fibril__value_borrow(value);
  }
  holder_box *holder = malloc(sizeof *holder);
  if (holder == NULL) {
    fibril_value_free(value);
    return fibril__error_code(UV_ENOMEM);
  }
  holder->value = value;
  fibril__value_of(FIBRIL_UNDEFINED, &holder->box, destroy_holder);
  return fibril__value_borrow(value);
}

void fibril__arena_release(fibril__owner *owner) {
  while (owner->arena != NULL) {
    fibril__box *box = owner->arena;
    arena_unlink(box);
    box_unref(box);
  }
}

fibril_value fibril_value_dup(fibril_value value) {
  if (value.tag & FIBRIL__BOXED) {
    ((fibril__box *)fibril__value_box(value))->refs++;
    value.tag |= FIBRIL__OWNED;
  }
  return value;
}

void fibril_value_free(fibril_value value) {
  if (value.tag & FIBRIL__OWNED) box_unref(fibril__value_box(value));
}
