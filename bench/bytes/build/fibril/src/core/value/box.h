/* Values from the inside: the tag, and reference-counted boxes on the heap. A box made in a
 * coroutine is in that coroutine's arena, which holds one reference, until that coroutine hands the
 * value over; whoever else takes it becomes another owner. */
#ifndef FIBRIL_CORE_VALUE_BOX_H
#define FIBRIL_CORE_VALUE_BOX_H

#include "fibril.h"

#include "../switch/arch/switch.h"
#include "../switch/here.h"
#include "../switch/macros.h"

/* Tag: the kind in the low byte, then two flags. */
#define FIBRIL__KIND 0xffu
#define FIBRIL__BOXED 0x100u /* `pointer` is a fibril__box */
#define FIBRIL__OWNED 0x200u /* this fibril_value holds a reference to its box */

/* The head of everything on the heap. */
typedef struct fibril__box fibril__box;
struct fibril__box {
  uint32_t refs;
  fibril__box *next, **link;         /* arena; link == NULL: in none */
  const struct fibril__owner *arena; /* whose it is */
  /* What it holds goes to fibril__value_drop. */
  void (*destroy)(fibril__box *box, fibril__box **dead);
};

/* ---- Arenas ---- */

/* What a coroutine's control block begins with: it owns the values that it makes. */
typedef struct fibril__owner {
  fibril__context context; /* first: fibril__entry passes its address on */
  fibril__box *arena;
} fibril__owner;

/* What a loop begins with: in whose arena a value goes that is made now. */
typedef struct __attribute__((may_alias)) fibril__arenas {
  fibril__owner *owner; /* the running coroutine; NULL: there is none, */
  fibril__owner *call;  /* and it is that of a synchronous function, on the loop's stack; NULL:
                           nobody's, a value is the caller's */
} fibril__arenas;

static inline fibril__owner *fibril__owner_here(void) {
  const fibril__arenas *arenas = (const fibril__arenas *)(const void *)fibril__loop_here;
  if (arenas == NULL) return NULL;
  return arenas->owner != NULL ? arenas->owner : arenas->call;
}

static inline void fibril__arena_init(fibril__owner *owner) {
  owner->arena = NULL;
}

/* What is left in it becomes nobody's. */
void fibril__arena_release(fibril__owner *owner);

/* ---- Values ---- */

/* A value of `box`, owned by the arena of who runs, or by the caller where there is none. */
fibril_value fibril__value_of(fibril_kind kind, fibril__box *box,
                              void (*destroy)(fibril__box *box, fibril__box **dead));
/* fibril_value_free inside a `destroy`: one that nobody has any more is put on the list of those to
 * be destroyed next, so that nothing recurses, however deep values are nested. */
void fibril__value_drop(fibril_value value, fibril__box **dead);
/* An owned value as seen by who only borrows it. */
static inline fibril_value fibril__value_borrow(fibril_value value) {
  value.tag &= ~(uint64_t)FIBRIL__OWNED;
  return value;
}
/* Whether a container would hold itself, and never be freed: that is refused, and nothing is taken
 * over. */
static inline bool fibril__value_is_in(fibril_value container, fibril_value item) {
  return item.tag & FIBRIL__BOXED && container.tag & FIBRIL__BOXED &&
         item.as.pointer == container.as.pointer;
}
/* Gives an owned value to the arena of who runs; where there is none it stays the caller's. An
 * error of UV_ENOMEM where that needs memory: for a value that is in another arena. */
fibril_value fibril__value_keep(fibril_value value);

static inline void *fibril__value_box(fibril_value value) {
  return value.as.pointer;
}

/* ---- Errors that are their code and nothing else: they need no memory ---- */

static inline fibril_value fibril__error_code(int code) {
  fibril_value value = {FIBRIL_ERROR, {.integer = code}};
  return value;
}
static inline bool fibril__is_error(fibril_value value) {
  return (value.tag & FIBRIL__KIND) == FIBRIL_ERROR;
}

#endif /* FIBRIL_CORE_VALUE_BOX_H */
