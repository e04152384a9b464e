#include "post.h"

#include "host.h"
#include "loop.h"

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
  FIBRIL__FIFO(fibril__posted) queue;
  fibril__posted *taken; /* by the loop's thread, which is about to run them */
};

/* Runs all that was taken so far. One of them may turn the loop, which goes on with the rest then,
 * and close it. */
static void run_taken(fibril_loop *loop, fibril_poster *poster) {
  fibril__visit visit = fibril__visit_begin(loop);
  fibril__loop_ref(loop);
  fibril_poster_ref(poster);
  while (poster->taken != NULL) {
    fibril__posted *entry = poster->taken;
    poster->taken = entry->next;
    if (poster->taken != NULL) fibril__loop_activate(loop);
    entry->run(entry);
  }
  fibril_poster_unref(poster);
  fibril__visit_end(loop, visit);
  fibril__loop_unref(loop);
}

/* Runs all that was posted so far, on the loop's thread. */
static void run_posted(fibril_loop *loop) {
  fibril_poster *poster = fibril__loop_poster(loop);
  fibril__posted **end = &poster->taken;
  while (*end != NULL) end = &(*end)->next;
  uv_mutex_lock(&poster->mutex);
  *end = poster->queue.first;
  FIBRIL__FIFO_INIT(&poster->queue);
  uv_mutex_unlock(&poster->mutex);
  run_taken(loop, poster);
}

void fibril__loop_run_posted(fibril_loop *loop) {
  if (fibril__loop_poster(loop)->taken != NULL) run_taken(loop, fibril__loop_poster(loop));
}

static void on_async(uv_async_t *async) {
  fibril_loop *loop = async->data;
  run_posted(loop);
}

fibril_poster *fibril__loop_poster(const fibril_loop *loop) {
  return fibril__whole_of(loop)->post.poster;
}

int fibril__post_init(fibril_loop *loop) {
  fibril__post_box *box = &fibril__whole_of(loop)->post;
  fibril_poster *poster = malloc(sizeof *poster);
  if (poster == NULL) return UV_ENOMEM;
  int err = uv_mutex_init(&poster->mutex);
  if (err == 0) {
    err = uv_async_init(loop->uv, &box->async, on_async);
    if (err != 0) uv_mutex_destroy(&poster->mutex);
  }
  if (err != 0) {
    free(poster);
    return err;
  }
  box->async.data = loop;
  uv_unref((uv_handle_t *)&box->async);
  fibril__loop_handle_opened(loop);
  atomic_init(&poster->refs, 1);
  poster->loop = loop;
  poster->taken = NULL;
  FIBRIL__FIFO_INIT(&poster->queue);
  box->poster = poster;
  return 0;
}

void fibril__post_close(fibril_loop *loop) {
  fibril_poster *poster = fibril__loop_poster(loop);
  uv_mutex_lock(&poster->mutex);
  poster->loop = NULL;
  uv_mutex_unlock(&poster->mutex);
  run_posted(loop); /* what was accepted is called */
}

/* Until here a turn may ask the poster, of which nothing comes any more. */
void fibril__post_close_handle(fibril_loop *loop) {
  fibril_poster_unref(fibril__loop_poster(loop));
  uv_close((uv_handle_t *)&fibril__whole_of(loop)->post.async, fibril__handle_on_closed);
}

fibril_poster *fibril_loop_poster(fibril_loop *loop) {
  return loop->state == FIBRIL__OPEN ? fibril_poster_ref(fibril__loop_poster(loop)) : NULL;
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
  uv_mutex_lock(&poster->mutex);
  fibril_loop *loop = poster->loop;
  if (loop != NULL) {
    FIBRIL__FIFO_ADD(&poster->queue, posted);
    uv_async_send(&fibril__whole_of(loop)
                       ->post.async); /* inside the lock: the handle can't be closed meanwhile */
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

void fibril__post_hold(fibril_loop *loop) {
  fibril__post_box *box = &fibril__whole_of(loop)->post;
  if (box->holds++ == 0) uv_ref((uv_handle_t *)&box->async);
}

void fibril__post_release(fibril_loop *loop) {
  fibril__post_box *box = &fibril__whole_of(loop)->post;
  if (--box->holds == 0 && loop->state != FIBRIL__CLOSED) uv_unref((uv_handle_t *)&box->async);
}

void fibril__post_poke(fibril_loop *loop) {
  uv_async_send(&fibril__whole_of(loop)->post.async);
}
