/* The whole of a loop: the parts of the layers below, and the host's. Everybody else passes it
 * around as what it begins with. */
#ifndef FIBRIL_CORE_LOOP_LOOP_H
#define FIBRIL_CORE_LOOP_LOOP_H

#include "../future/clients.h"
#include "descriptors.h"
#include "post.h"

/* The handles in libuv's loop, which keep the struct until they are closed. */
typedef struct fibril__handles {
  uv_check_t check;
  uv_idle_t idle;
  uv_timer_t timer;
  uv_timer_t trim;
  int open;       /* of them, and of others: see fibril__loop_handle_opened */
  uint64_t armed; /* when `timer` fires, in ns; 0: it is off */
} fibril__handles;

/* Who turns it. */
typedef struct fibril__running {
  bool uv; /* fibril_loop_run or run_sync is on the stack, or somebody else's loop it is */
  bool stop;
} fibril__running;

/* Who hears of its end. */
typedef struct fibril__closing {
  void (*closed)(void *arg);
  void *arg;
  bool ending; /* the handles are being closed: a turn inside that leaves it alone */
} fibril__closing;

/* The coroutine that runs when every other one has ended. */
typedef struct fibril__last {
  const char *name;
  fibril_fn fn; /* NULL: there is none */
  void *arg;
} fibril__last;

/* What its user keeps with it. */
typedef struct fibril__loop_data {
  void *data;
  void (*release)(void *data); /* or NULL */
  bool over;                   /* none is taken any more */
} fibril__loop_data;

/* The layer above, which settles what crosses to it in batches. */
typedef struct fibril__upper {
  void (*flush)(void *arg); /* at the end of an iteration, when it has asked to be called */
  /* When the loop closes: every coroutine has ended, while all else still works; */
  void (*unwound)(void *arg);
  /* the user's data has been released. */
  void (*released)(void *arg);
  void *arg;
  bool flush_wanted;
  int signal; /* that is its host's, and nobody else's; 0: none */
} fibril__upper;

/* What a layer above keeps for a loop, at the beginning of its memory: freed with the loop. */
typedef struct fibril__attachment {
  struct fibril__attachment *next;
  const void *key;
  /* Every coroutine has ended, and the loop's handles are about to be closed; NULL: nothing is to
   * be done then. */
  void (*close)(struct fibril__attachment *attachment);
} fibril__attachment;

typedef struct fibril__whole {
  fibril__clients clients;
  fibril__upper upper;
  fibril__handles handles;
  fibril__post_box post;
  fibril__descriptors *descriptors; /* NULL: none has been watched */
  fibril__attachment *attachments;
  fibril__running running;
  fibril__closing closing;
  fibril__last last;
  fibril__loop_data data;
  fibril_log_cb log;
  void *log_arg;
  bool leaks_reported;
} fibril__whole;

static inline fibril__whole *fibril__whole_of(const fibril_loop *loop) {
  return (fibril__whole *)(uintptr_t)loop;
}

/* Somebody else turns libuv's loop, and wants to be called. From then on only fibril__loop_close
 * closes it. */
void fibril__loop_set_upper(fibril_loop *loop, const fibril__upper *upper);

/* Whoever turns it has a signal that nobody may wait for. */
void fibril__loop_keep_signal(fibril_loop *loop, int signal);

/* When the loop closes and no coroutine is left, fn(arg) runs as one that was cancelled, and is
 * masked. What it fails with is logged. `name` is static; `fn` NULL: none. */
void fibril__loop_set_last(fibril_loop *loop, const char *name, fibril_fn fn, void *arg);

/* fibril_loop_close, for whom it belongs to. */
int fibril__loop_close(fibril_loop *loop, void (*closed)(void *arg), void *arg);

/* `flush` is to be called at the end of this iteration, or of the next. */
static inline void fibril__loop_want_flush(fibril_loop *loop) {
  fibril__whole_of(loop)->upper.flush_wanted = true;
  if (FIBRIL__UNLIKELY(!loop->ready.awake)) fibril__loop_activate(loop);
}

/* From malloc; `key`: an address of the layer's own, by which it finds it again; `close` is set. */
void fibril__loop_attach(fibril_loop *loop, const void *key, fibril__attachment *attachment);
/* NULL: nothing. */
static inline fibril__attachment *fibril__loop_attached(const fibril_loop *loop, const void *key) {
  fibril__attachment *one = fibril__whole_of(loop)->attachments;
  while (one != NULL && one->key != key) one = one->next;
  return one;
}

#endif /* FIBRIL_CORE_LOOP_LOOP_H */
