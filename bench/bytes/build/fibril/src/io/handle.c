#include "handle.h"

#include "../core/loop/host.h"
#include "../core/loop/loop.h"
#include "../core/scheduler/local.h"
#include "../core/value/list.h"

#include <stdlib.h>

/* So many operations, or bytes, in a row end without waiting; then others have their turn. */
#define IN_A_ROW 64
#define BYTES_IN_A_ROW (256 * 1024)

struct fibril__handle_set {
  fibril__attachment attachment;
  fibril__handle *detached;
  /* Since something else ran in the loop: operations that have ended without waiting. */
  uint64_t dequeued;
  unsigned in_a_row;
  size_t bytes;
};

/* By whose addresses a loop knows its set, and a coroutine its list. */
static const char set_key, list_key;

static void close_all(fibril__handle **list) {
  while (*list != NULL) fibril__handle_close(*list);
}

static void close_detached(fibril__attachment *attachment) {
  close_all(&FIBRIL__CONTAINER(fibril__handle_set, attachment, attachment)->detached);
}

static fibril__handle_set *set_of(fibril_loop *loop) {
  fibril__handle_set *set = (fibril__handle_set *)fibril__loop_attached(loop, &set_key);
  if (set != NULL) return set;
  set = calloc(1, sizeof *set);
  if (set == NULL) return NULL;
  set->attachment.close = close_detached;
  fibril__loop_attach(loop, &set_key, &set->attachment);
  return set;
}

/* ---- Owners ---- */

static void close_owned(void *first) {
  if (first != NULL) close_all(((fibril__handle *)first)->link);
}

static int join_list(fibril__handle *handle, fibril_coroutine *owner) {
  fibril__handle **list = &handle->set->detached;
  if (owner != NULL) list = (fibril__handle **)fibril__local_slot(owner, &list_key, close_owned);
  if (list == NULL) return UV_ENOMEM;
  FIBRIL__CHAIN_ADD(list, handle);
  return 0;
}

int fibril__handle_init(fibril__handle *handle, const fibril__handle_type *type) {
  fibril_loop *loop = fibril_loop_current();
  if (loop == NULL) return FIBRIL_ENOTCOROUTINE;
  /* What the last coroutine's end leaves open is closed then, and never again. */
  if (loop->state != FIBRIL__OPEN && fibril__self() == NULL) return FIBRIL_ECLOSED;
  fibril__handle_set *set = set_of(loop);
  if (set == NULL) return UV_ENOMEM;
  handle->type = type;
  handle->loop = loop;
  handle->set = set;
  handle->refs = 1;
  return join_list(handle, fibril__self());
}

int fibril__handle_own(fibril__handle *handle) {
  FIBRIL__CHAIN_REMOVE(handle);
  int err = join_list(handle, fibril__self());
  if (err != 0) FIBRIL__CHAIN_ADD(&handle->set->detached, handle);
  return err;
}

void fibril__handle_detach(fibril__handle *handle) {
  if (handle->closed) return;
  FIBRIL__CHAIN_REMOVE(handle);
  FIBRIL__CHAIN_ADD(&handle->set->detached, handle);
}

/* What who waits has given out is no longer used once the type has closed it. */
void fibril__handle_close(fibril__handle *handle) {
  if (handle->closed) return;
  handle->closed = true;
  FIBRIL__CHAIN_REMOVE(handle);
  handle->type->close(handle);
  for (int i = 0; i < 2; i++)
    if (handle->waits[i] != NULL) fibril__request_end(handle->waits[i], UV_ECANCELED);
  fibril__handle_unref(handle);
}

/* ---- What libuv has of it ---- */

void fibril__handle_opened_uv(fibril__handle *handle, uv_handle_t *uv) {
  uv->data = handle;
  uv_unref(uv);
  fibril__handle_ref(handle);
  fibril__loop_handle_opened(handle->loop);
}

static void on_uv_closed(uv_handle_t *uv) {
  fibril__handle *handle = uv->data;
  fibril_loop *loop = handle->loop;
  fibril__handle_unref(handle);
  fibril__loop_handle_closed(loop);
}

void fibril__handle_close_uv(fibril__handle *handle, uv_handle_t *uv) {
  uv->data = handle;
  uv_close(uv, on_uv_closed);
}

/* ---- Waits ---- */

/* The bytes are of one operation, however many: what it moved at once stays in its cache. */
static bool had_its_turn(const fibril__handle_set *set, const fibril_loop *loop) {
  return set->dequeued == loop->ready.dequeued &&
         (set->in_a_row >= IN_A_ROW || set->bytes >= BYTES_IN_A_ROW);
}

int fibril__handle_check(fibril__handle *handle) {
  if (FIBRIL__UNLIKELY(handle->closed)) return UV_EBADF;
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (FIBRIL__LIKELY(err != 0 || !had_its_turn(handle->set, handle->loop))) return err;
  fibril__handle_ref(handle);
  err = fibril_moment();
  if (err == 0) err = handle->closed ? UV_EBADF : fibril__wait_check(self);
  fibril__handle_unref(handle);
  return err;
}

void fibril__handle_moved(fibril__handle *handle, size_t bytes) {
  fibril__handle_set *set = handle->set;
  uint64_t now = handle->loop->ready.dequeued;
  if (set->dequeued != now) {
    set->dequeued = now;
    set->in_a_row = 0;
    set->bytes = 0;
  }
  set->in_a_row++;
  set->bytes += bytes;
}

void fibril__handle_hold(fibril__handle *handle, bool held) {
  if (handle->closed) return;
  handle->unheld = !held;
  if (handle->type->hold != NULL) handle->type->hold(handle, held);
  for (int i = 0; i < 2; i++)
    if (handle->waits[i] != NULL) fibril__request_hold(handle->waits[i], held);
}
