/* Memory of C's that JavaScript has, too: counted, so that whoever still uses it keeps it, and
 * found by the address at which its ArrayBuffer begins. One table serves all copies of fibril of a
 * thread: memory of fibril's own addon comes as an argument to another one's.
 *
 * The layout is fixed: another one needs another name in src/node/runtime/18-copies.js, and its
 * copies do not find the memory of those of this one. All of it is that thread's. */
#ifndef FIBRIL_NODE_VALUES_MEMORY_H
#define FIBRIL_NODE_VALUES_MEMORY_H

#include "../env/env.h"

typedef struct fibril__memory fibril__memory;

typedef struct fibril__memories {
  size_t refs; /* of environments, and of what is in it */
  size_t count;
  size_t mask; /* places - 1, a power of two */
  fibril__memory **places;
} fibril__memories;

struct fibril__memory {
  fibril__memories *table; /* NULL: it can't be found */
  fibril__memory *next;    /* in the same place */
  size_t refs;
  unsigned char *data;
  size_t length;
  void (*destroy)(fibril__memory *memory);
};

/* With one reference, the caller's; so has a table. */
void fibril__memory_init(fibril__memory *memory, fibril__memories *table, void *data, size_t length,
                         void (*destroy)(fibril__memory *memory));
void fibril__memory_unref(fibril__memory *memory);
static inline void fibril__memory_ref(fibril__memory *memory) {
  memory->refs++;
}
/* What begins there, or NULL; the table may be NULL, too. */
fibril__memory *fibril__memory_find(const fibril__memories *table, const void *data);

fibril__memories *fibril__memories_new(void);
void fibril__memories_unref(fibril__memories *table);

#endif /* FIBRIL_NODE_VALUES_MEMORY_H */
