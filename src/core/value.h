/* fibril_value from the inside. */
#ifndef FIBRIL_CORE_VALUE_H
#define FIBRIL_CORE_VALUE_H

#include "fibril.h"

/* Tag: the kind in the low byte, then two flags. */
#define FIBRIL__KIND 0xffu
#define FIBRIL__BOXED 0x100u /* `pointer` is a fibril__box */
#define FIBRIL__OWNED 0x200u /* this fibril_value holds a reference to its box */

/* The head of everything on the heap. A box made in a coroutine is in that coroutine's arena, which
 * holds one reference, until somebody takes the value over. */
typedef struct fibril__box fibril__box;
struct fibril__box {
  uint32_t refs;
  fibril__box *next, **link; /* arena; link == NULL: in none */
  void (*destroy)(fibril__box *box);
};

typedef struct fibril__error {
  fibril__box box;
  int code;
  const char *class_name; /* NULL: Error */
  const char *code_name;  /* NULL: fibril_err_name(code) */
  const char *syscall;    /* NULL: not of a system call */
  const char *path;
  const char *message;
  fibril_value exception;  /* FIBRIL_EEXCEPTION: what JavaScript threw */
  fibril_value properties; /* an object, or undefined */
  char text[];             /* what the strings above point into */
} fibril__error;

typedef struct fibril__entry_pair {
  const char *key;
  uint64_t hash; /* of the key */
  fibril_value value;
} fibril__pair;

typedef struct fibril__list {
  fibril__box box;
  size_t length, capacity;
  union {
    fibril_value *items;
    fibril__pair *pairs;
  } as;
} fibril__list;

/* A value of `box`, owned by the running coroutine's arena, or by the caller outside of one. */
fibril_value fibril__value_of(fibril_kind kind, fibril__box *box,
                              void (*destroy)(fibril__box *box));
/* An owned value as seen by who only borrows it. */
static inline fibril_value fibril__value_borrow(fibril_value value) {
  value.tag &= ~(uint64_t)FIBRIL__OWNED;
  return value;
}
/* fibril_object_set with a key that need not end in NUL. */
int fibril__object_set(fibril_value object, const char *key, size_t length, fibril_value item);
/* Gives a value that was made outside of coroutines, and has no other owner yet, to the running
 * coroutine's arena. */
fibril_value fibril__value_keep(fibril_value value);
void fibril__arena_release(fibril__box **arena);

/* An error value that is its code and nothing else: needs no memory. */
static inline fibril_value fibril__error_code(int code) {
  fibril_value value = {FIBRIL_ERROR, {.integer = code}};
  return value;
}
static inline bool fibril__is_error(fibril_value value) {
  return (value.tag & FIBRIL__KIND) == FIBRIL_ERROR;
}
static inline void *fibril__value_box(fibril_value value) {
  return value.as.pointer;
}

/* The error of what JavaScript threw; takes `exception`, an owned reference, also on failure. */
fibril_value fibril__error_exception(fibril_value exception, const char *message);

#endif /* FIBRIL_CORE_VALUE_H */
