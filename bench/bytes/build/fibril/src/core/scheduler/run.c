/* How coroutines run on the loop's behalf. */
#include "run.h"

#include "call.h"
#include "wait.h"

/* How deep frames may nest on the loop's stack before a new coroutine is queued instead of run at
 * once. */
#define FRAMES_MAX 32

/* Does for a coroutine what it came back for, on the loop's stack. The coroutine to go on with, or
 * NULL. */
static fibril_coroutine *attend_to(fibril_loop *loop, fibril__frame *frame) {
  fibril_coroutine *self = loop->current;
  int after = frame->after;
  loop->current = NULL;
  frame->after = frame->parents == NULL ? FIBRIL__NOTHING : FIBRIL__PARENTS;
  if (after == FIBRIL__HOP) {
    frame->hop(frame->data);
    return self;
  }
  if (after == FIBRIL__START) {
    self->task.next = frame->parents;
    frame->parents = &self->task;
    frame->after = FIBRIL__PARENTS;
    return frame->data;
  }
  if (after == FIBRIL__FINISH) fibril__coroutine_finish(self);
  fibril__task *parent = frame->parents;
  if (parent == NULL) return NULL;
  frame->parents = parent->next;
  if (frame->parents == NULL) frame->after = FIBRIL__NOTHING;
  return FIBRIL__CONTAINER(fibril_coroutine, task, parent);
}

void fibril__run_rest(fibril_loop *loop, fibril__frame *frame) {
  fibril_coroutine *coroutine;
  do {
    coroutine = attend_to(loop, frame);
  } while (coroutine != NULL && !fibril__run_once(loop, frame, coroutine));
}

/* One of this loop may be running another loop. */
void fibril__enter_in(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine) {
  fibril_coroutine *current = loop->current;
  fibril__owner *owner = fibril__call_owner(loop, NULL);
  fibril_loop *here = fibril__frame_push(loop, frame);
  fibril__run_in(loop, frame, coroutine);
  loop->current = current;
  fibril__frame_pop(loop, frame, here);
  fibril__call_owner(loop, owner);
}

void fibril__run_nested(fibril_loop *loop, fibril_coroutine *coroutine) {
  fibril__frame frame;
  if (loop->frame->depth < FRAMES_MAX)
    fibril__enter_in(loop, &frame, coroutine);
  else
    fibril__enqueue(loop, &coroutine->task);
}

void fibril__enter(fibril_loop *loop, fibril_coroutine *coroutine) {
  fibril__owner *owner = fibril__call_owner(loop, NULL);
  fibril__run(loop, coroutine);
  fibril__call_owner(loop, owner);
}

FIBRIL__INLINE size_t drain_inline(fibril_loop *loop, size_t most, bool turn) {
  fibril__frame frame;
  fibril_loop *here = fibril__frame_push(loop, &frame);
  uint64_t start = loop->ready.dequeued;
  uint64_t stop = most < UINT64_MAX - start ? start + most : UINT64_MAX;
  size_t queued;
  while (loop->ready.dequeued < stop && (queued = fibril__queued(loop)) > 0) {
    fibril__task *task = fibril__ready_at(&loop->ready, loop->ready.dequeued);
    fibril_coroutine *coroutine = FIBRIL__CONTAINER(fibril_coroutine, task, task);
    if (turn && (task->run != NULL || coroutine->momentary)) break;
    if (queued > FIBRIL__AHEAD)
      fibril__coroutine_fetch(
          FIBRIL__CONTAINER(const fibril_coroutine, task,
                            fibril__ready_at(&loop->ready, loop->ready.dequeued + FIBRIL__AHEAD)));
    loop->ready.dequeued++;
    if (FIBRIL__LIKELY(task->run == NULL)) {
      coroutine->momentary = false;
      fibril__run_in(loop, &frame, coroutine);
    } else {
      fibril__ready_forget(&loop->ready);
      loop->current = NULL;
      task->run(task);
    }
  }
  loop->current = NULL;
  fibril__frame_pop(loop, &frame, here);
  return (size_t)(loop->ready.dequeued - start);
}

size_t fibril__drain(fibril_loop *loop, size_t most, bool turn) {
  return turn ? drain_inline(loop, most, true) : drain_inline(loop, most, false);
}

/* ---- From a coroutine to the loop's stack ---- */

/* A switch out, in one place. */
static void leave_for_loop(fibril_coroutine *self) {
  fibril__leave(self);
}

void fibril_on_loop(void (*fn)(void *data), void *data) {
  fibril_loop *loop = fibril__loop_here;
  fibril_coroutine *self = loop == NULL ? NULL : loop->current;
  if (self == NULL) {
    fibril__owner *owner = loop == NULL ? NULL : fibril__call_owner(loop, NULL);
    fn(data);
    if (owner != NULL) fibril__call_owner(loop, owner);
    return;
  }
  fibril__frame *frame = self->loop->frame;
  frame->hop = fn;
  frame->data = data;
  frame->after = FIBRIL__HOP;
  leave_for_loop(self);
}

void fibril__start(fibril_loop *loop, fibril_coroutine *child) {
  fibril_coroutine *self = fibril__self();
  if (self != NULL && self->loop == loop) {
    fibril__frame *frame = loop->frame;
    child->state = FIBRIL__ACTIVE;
    frame->data = child;
    frame->after = FIBRIL__START;
    leave_for_loop(self);
  } else if (self == NULL) {
    fibril__enter(loop, child);
  } else {
    child->state = FIBRIL__ACTIVE;
    fibril__enqueue(loop, &child->task);
  }
}

/* ---- Bare coroutines ---- */

int fibril_coroutine_ready(fibril_coroutine *coroutine) {
  if (coroutine->state == FIBRIL__SUSPENDED) {
    fibril__wake(coroutine->root->wait, 0);
    return 0;
  }
  if (coroutine->state != FIBRIL__FRESH) return FIBRIL_ERUNNING;
  coroutine->state = FIBRIL__ACTIVE;
  fibril__enqueue(coroutine->loop, &coroutine->task);
  return 0;
}

int fibril_coroutine_resume(fibril_coroutine *coroutine) {
  fibril_loop **here = fibril__here();
  if (*here != NULL && (*here)->current != NULL) return FIBRIL_ERUNNING;
  if (coroutine->state == FIBRIL__SUSPENDED) {
    fibril__wait_end(coroutine->root->wait);
  } else if (coroutine->state != FIBRIL__FRESH) {
    return FIBRIL_ERUNNING;
  }
  fibril__owner *owner = fibril__call_owner(coroutine->loop, NULL);
  fibril__run_here(coroutine->loop, coroutine, here);
  fibril__call_owner(coroutine->loop, owner);
  return 0;
}

fibril_coroutine *fibril_coroutine_self(void) {
  return fibril__self();
}
