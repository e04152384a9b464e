/* A handle: what stays open over several waits. It is counted. It belongs to the coroutine that
 * made it, whose end closes it, after all that was deferred; detached, or made outside of a
 * coroutine, it is closed by whoever has it, at the latest by its loop's end.
 *
 *        made ----> owned by its coroutine --- detach ---> in its loop's list
 *                            |                                    |
 *                            '-- close, or the end of either -----'
 *                                             |
 *                                             v
 *                             closed: every call gives UV_EBADF
 *                                             |
 *                          the last reference: of the owner, of who
 *                            waits, of libuv until it has let go
 *                                             v
 *                                           freed
 */
#ifndef FIBRIL_IO_HANDLE_H
#define FIBRIL_IO_HANDLE_H

#include "request.h"

typedef struct fibril__handle fibril__handle;

typedef struct fibril__handle_type {
  /* Once, on any stack of the loop's thread: ends who waits, and lets go of what the system has. */
  void (*close)(fibril__handle *handle);
  /* Nobody has it any more; the loop may be gone. */
  void (*free)(fibril__handle *handle);
  /* Where it is another handle that is waited for, inside; NULL: none. */
  void (*hold)(fibril__handle *handle, bool held);
} fibril__handle_type;

/* What a loop keeps of them. */
typedef struct fibril__handle_set fibril__handle_set;

struct fibril__handle {
  const fibril__handle_type *type;
  fibril_loop *loop;
  fibril__handle_set *set;
  fibril__handle *next, **link; /* in the list of its owner, or of its loop */
  fibril__request *waits[2];    /* of who reads and who writes, or their like */
  unsigned refs;
  bool closed;
  bool unheld; /* who waits for it does not keep the loop alive */
};

/* Whose wait it is, one of each at a time. */
enum { FIBRIL__READER, FIBRIL__WRITER };

/* Begins one, with its owner's reference, in memory that is zeroed. 0, FIBRIL_ENOTCOROUTINE where
 * no loop is known, FIBRIL_ECLOSED outside of a coroutine while the loop closes, or UV_ENOMEM: then
 * it is no handle. */
int fibril__handle_init(fibril__handle *handle, const fibril__handle_type *type);
/* It is the running coroutine's from here on; with UV_ENOMEM nobody's, as if detached. */
int fibril__handle_own(fibril__handle *handle);
void fibril__handle_detach(fibril__handle *handle);
/* Drops the owner's reference, too. Again: nothing happens. */
void fibril__handle_close(fibril__handle *handle);

static inline void fibril__handle_ref(fibril__handle *handle) {
  handle->refs++;
}
static inline void fibril__handle_unref(fibril__handle *handle) {
  if (--handle->refs == 0) handle->type->free(handle);
}

/* Of libuv's handle in one: keeps both until libuv has let go. `data` becomes the handle. */
void fibril__handle_close_uv(fibril__handle *handle, uv_handle_t *uv);
/* Counts libuv's handle, which is open from here on and never keeps the loop alive by itself. */
void fibril__handle_opened_uv(fibril__handle *handle, uv_handle_t *uv);

/* ---- Waits ---- */

/* What every call on it has to ask first: UV_EBADF, or what a wait gives. Where many have ended
 * without waiting, others have their turn here. */
int fibril__handle_check(fibril__handle *handle);
/* An operation has ended without waiting, as far as the caller knows, and moved so many bytes. */
void fibril__handle_moved(fibril__handle *handle, size_t bytes);

/* fibril__request_begin for a wait on it; UV_EBUSY when somebody else is in that one. After 0
 * fibril__handle_wait comes next. */
static inline int fibril__handle_begin(fibril__handle *handle, int which, fibril__request *request,
                                       const fibril__wait_kind *kind, fibril__stop_fn stop) {
  if (FIBRIL__UNLIKELY(handle->waits[which] != NULL)) return UV_EBUSY;
  int err = fibril__request_begin(request, kind, stop);
  if (FIBRIL__UNLIKELY(err != 0)) return err;
  if (FIBRIL__UNLIKELY(handle->unheld)) fibril__request_hold(request, false);
  handle->waits[which] = request;
  return 0;
}

/* As fibril__request_wait. Closing the handle ends the wait with UV_ECANCELED. */
static inline int fibril__handle_wait(fibril__handle *handle, int which, int started) {
  fibril__handle_ref(handle);
  int result = fibril__request_wait(handle->waits[which], started);
  handle->waits[which] = NULL;
  fibril__handle_unref(handle);
  return result;
}

/* Who is in that wait and has not been woken; NULL: nobody. */
static inline fibril__request *fibril__handle_waiting(const fibril__handle *handle, int which) {
  fibril__request *request = handle->waits[which];
  return request == NULL || request->wait.woken ? NULL : request;
}

void fibril__handle_hold(fibril__handle *handle, bool held);

/* What every kind of handle has, `type` with its fibril__handle in a member `handle`. */
#define FIBRIL__HANDLE_FUNCTIONS(noun, type)   \
  type *fibril_##noun##_ref(type *noun) {      \
    fibril__handle_ref(&noun->handle);         \
    return noun;                               \
  }                                            \
  void fibril_##noun##_unref(type *noun) {     \
    fibril__handle_unref(&noun->handle);       \
  }                                            \
  void fibril_##noun##_detach(type *noun) {    \
    fibril__handle_detach(&noun->handle);      \
  }                                            \
  void fibril_##noun##_hold(type *noun) {      \
    fibril__handle_hold(&noun->handle, true);  \
  }                                            \
  void fibril_##noun##_unhold(type *noun) {    \
    fibril__handle_hold(&noun->handle, false); \
  }                                            \
  void fibril_##noun##_close(type *noun) {     \
    fibril__handle_close(&noun->handle);       \
  }

#endif /* FIBRIL_IO_HANDLE_H */
