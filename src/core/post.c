/* The way in from other threads. A poster is counted and outlives the loop, so that a thread never
 * holds a pointer into nothing. */
#include "core.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef struct {
  fibril__posted posted;
  fibril_cb callback;
  void *arg;
} posted_callback;

struct fibril_poster {
  atomic_size_t refs;
  uv_mutex_t mutex;
  fibril_loop *loop; /* NULL once closed */
  fibril__posted *head, **tail;
};

/* Runs all that was posted so far, on the loop's thread. */
static void run_posted(fibril_loop *loop) {
  fibril_poster *poster = loop->poster;
  uv_mutex_lock(&poster->mutex);
  fibril__posted *entry = poster->head;
  poster->head = NULL;
  poster->tail = &poster->head;
  uv_mutex_unlock(&poster->mutex);
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = loop;
  while (entry != NULL) {
    fibril__posted *next = entry->next;
    entry->run(entry);
    entry = next;
  }
  fibril__loop_here = here;
}

static void on_async(uv_async_t *async) {
  fibril_loop *loop = async->data;
  run_posted(loop);
}

int fibril__post_init(fibril_loop *loop) {
  fibril_poster *poster = malloc(sizeof *poster);
  if (poster == NULL) return UV_ENOMEM;
  int err = uv_mutex_init(&poster->mutex);
  if (err == 0) {
    err = uv_async_init(loop->uv, &loop->async, on_async);
    if (err != 0) uv_mutex_destroy(&poster->mutex);
  }
  if (err != 0) {
    free(poster);
    return err;
  }
  uv_unref((uv_handle_t *)&loop->async);
  atomic_init(&poster->refs, 1);
  poster->loop = loop;
  poster->head = NULL;
  poster->tail = &poster->head;
  loop->poster = poster;
  return 0;
}

void fibril__post_close(fibril_loop *loop) {
  fibril_poster *poster = loop->poster;
  uv_mutex_lock(&poster->mutex);
  poster->loop = NULL;
  uv_mutex_unlock(&poster->mutex);
  run_posted(loop); /* what was accepted is called */
  fibril_poster_unref(poster);
}

fibril_poster *fibril_loop_poster(fibril_loop *loop) {
  return loop->state == FIBRIL__OPEN ? fibril_poster_ref(loop->poster) : NULL;
}

fibril_poster *fibril_poster_ref(fibril_poster *poster) {
  atomic_fetch_add_explicit(&poster->refs, 1, memory_order_relaxed);
  return poster;
}

void fibril_poster_unref(fibril_poster *poster) {
  if (atomic_fetch_sub_explicit(&poster->refs, 1, memory_order_acq_rel) != 1) return;
  uv_mutex_destroy(&poster->mutex);
  free(poster);
}

int fibril__post(fibril_poster *poster, fibril__posted *posted) {
  posted->next = NULL;
  uv_mutex_lock(&poster->mutex);
  fibril_loop *loop = poster->loop;
  if (loop != NULL) {
    *poster->tail = posted;
    poster->tail = &posted->next;
    uv_async_send(&loop->async); /* inside the lock: the handle can't be closed meanwhile */
  }
  uv_mutex_unlock(&poster->mutex);
  return loop != NULL ? 0 : UV_ECANCELED;
}

static void run_posted_callback(fibril__posted *posted) {
  posted_callback *entry = FIBRIL__CONTAINER(posted_callback, posted, posted);
  fibril_cb callback = entry->callback;
  void *arg = entry->arg;
  free(entry);
  callback(arg);
}

int fibril_post(fibril_poster *poster, fibril_cb callback, void *arg) {
  posted_callback *entry = malloc(sizeof *entry);
  if (entry == NULL) return UV_ENOMEM;
  *entry = (posted_callback){{NULL, run_posted_callback}, callback, arg};
  int err = fibril__post(poster, &entry->posted);
  if (err != 0) free(entry);
  return err;
}

void fibril__loop_hold(fibril_loop *loop) {
  if (loop->holds++ == 0) uv_ref((uv_handle_t *)&loop->async);
}

void fibril__loop_release(fibril_loop *loop) {
  if (--loop->holds == 0 && loop->state != FIBRIL__CLOSED) uv_unref((uv_handle_t *)&loop->async);
}
