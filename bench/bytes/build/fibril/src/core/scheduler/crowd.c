#include "crowd.h"

void fibril__coroutines_each(fibril_loop *loop,
                             void (*each)(fibril_coroutine *coroutine, void *arg), void *arg) {
  for (int cls = 0; cls < FIBRIL__STACK_CLASSES; cls++)
    for (fibril__slab *slab = loop->stacks.pools[cls].slabs; slab != NULL; slab = slab->next)
      for (uint32_t i = 0; i < slab->guarded; i++) {
        const fibril__stack *stack = fibril__slab_taken(slab, i);
        if (stack != NULL) each(fibril__coroutine_of(stack), arg);
      }
}

typedef struct {
  uint64_t id;
  const fibril_coroutine *coroutine;
} search;

static void compare_id(fibril_coroutine *coroutine, void *arg) {
  search *wanted = arg;
  if (coroutine->id == wanted->id) wanted->coroutine = coroutine;
}

const fibril_coroutine *fibril__coroutine_with_id(fibril_loop *loop, uint64_t id) {
  search wanted = {id, NULL};
  if (id != 0) fibril__coroutines_each(loop, compare_id, &wanted);
  return wanted.coroutine;
}

void fibril__coroutines_mark_ready(fibril_loop *loop, bool listed) {
  const fibril__ready *ready = &loop->ready;
  for (uint64_t i = ready->dequeued; i != ready->enqueued; i++) {
    fibril__task *task = fibril__ready_at(ready, i);
    if (task->run == NULL) FIBRIL__CONTAINER(fibril_coroutine, task, task)->listed = listed;
  }
}
