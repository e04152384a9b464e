/* The way in from other threads. A poster is counted and outlives the loop, so that a thread never
 * holds a pointer into nothing. */
#ifndef FIBRIL_CORE_LOOP_POST_H
#define FIBRIL_CORE_LOOP_POST_H

#include "fibril.h"

/* A loop's. */
typedef struct fibril__post_box {
  fibril_poster *poster;
  uv_async_t async;
  unsigned holds; /* of those who expect something: the handle keeps libuv's loop alive */
} fibril__post_box;

/* What is posted without allocating: `run` gets it back on the loop's thread. */
typedef struct fibril__posted fibril__posted;
struct fibril__posted {
  fibril__posted *next;
  void (*run)(fibril__posted *posted);
};

int fibril__post_init(fibril_loop *loop);
/* From here on nothing is accepted. */
void fibril__post_close(fibril_loop *loop);
void fibril__post_close_handle(fibril_loop *loop);

/* The loop's, as long as that is open: who keeps it has to refer to it. */
fibril_poster *fibril__loop_poster(const fibril_loop *loop);
/* Any thread. 0, or UV_ECANCELED when the loop is gone. */
int fibril__post(fibril_poster *poster, fibril__posted *posted);
/* In a turn of the loop inside a posted callback: the rest of what was posted. */
void fibril__loop_run_posted(fibril_loop *loop);
/* A poll that is under way returns. */
void fibril__post_poke(fibril_loop *loop);

/* As fibril__loop_hold and _release. */
void fibril__post_hold(fibril_loop *loop);
void fibril__post_release(fibril_loop *loop);

#endif /* FIBRIL_CORE_LOOP_POST_H */
