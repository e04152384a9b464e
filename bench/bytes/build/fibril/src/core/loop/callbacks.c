/* Callbacks in the ready queue. Answers to Tornado's add_callback and add_future. */
#include "../future/future.h"
#include "host.h"

#include <stdlib.h>

typedef struct {
  fibril__task task;
  fibril_cb callback;
  void *arg;
} callback_task;

static void run_callback(fibril__task *task) {
  callback_task *entry = FIBRIL__CONTAINER(callback_task, task, task);
  fibril_cb callback = entry->callback;
  void *arg = entry->arg;
  free(entry);
  callback(arg);
}

int fibril_loop_add_callback(fibril_loop *loop, fibril_cb callback, void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  callback_task *entry = fibril__ready_reserve(&loop->ready) == 0 ? malloc(sizeof *entry) : NULL;
  if (entry == NULL) return UV_ENOMEM;
  *entry = (callback_task){{NULL, run_callback}, callback, arg};
  fibril__ready_expect(&loop->ready);
  fibril__enqueue(loop, &entry->task);
  return 0;
}

typedef struct {
  fibril__task task;
  fibril_loop *loop;
  fibril_future *future;
  fibril_future_cb callback;
  void *arg;
} future_task;

static void future_task_free(future_task *entry) {
  fibril__loop_unref(entry->loop);
  free(entry);
}

static void run_future_callback(fibril__task *task) {
  future_task *entry = FIBRIL__CONTAINER(future_task, task, task);
  entry->callback(entry->future, entry->arg);
  fibril_future_unref(entry->future);
  future_task_free(entry);
}

/* The loop may be gone by then; a future that is done keeps nobody. */
static void enqueue_future_task(fibril_future *future, void *arg) {
  future_task *entry = arg;
  if (fibril__loop_is_gone(entry->loop)) {
    fibril__ready_forget(&entry->loop->ready);
    future_task_free(entry);
    return;
  }
  entry->future = fibril_future_ref(future);
  fibril__enqueue(entry->loop, &entry->task);
}

int fibril_loop_add_future(fibril_loop *loop, fibril_future *future, fibril_future_cb callback,
                           void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  future_task *entry = fibril__ready_reserve(&loop->ready) == 0 ? malloc(sizeof *entry) : NULL;
  if (entry == NULL) return UV_ENOMEM;
  *entry = (future_task){{NULL, run_future_callback}, loop, NULL, callback, arg};
  fibril__ready_expect(&loop->ready);
  fibril__loop_ref(loop);
  if (future->state == FIBRIL__SETTLED) {
    enqueue_future_task(future, entry);
    return 0;
  }
  int err = fibril_future_add_done_callback(future, enqueue_future_task, entry, NULL);
  if (err == 0) return 0;
  fibril__ready_forget(&loop->ready);
  future_task_free(entry);
  return err;
}
