/* fibril: async/await for C on a libuv loop, with futures that JavaScript sees as promises.
 *
 * Conventions, unless a function says otherwise:
 *  - "Suspends" means that the calling coroutine waits while the loop goes on; the thread never
 * blocks. Such a function may only be called in a coroutine; elsewhere it gives
 * FIBRIL_ENOTCOROUTINE.
 *  - All functions belong to the loop's thread, but fibril_post, fibril_poster_*,
 *    fibril_callback_send, _trysend, _ref and _unref, and the constructors of values, for values
 *    that stay with the thread until they are handed over.
 *  - Times are milliseconds (double). Errors are negative: libuv's UV_* codes, or FIBRIL_E* below.
 *  - A cancelled coroutine gets UV_ECANCELED from the wait it is in and from every later one, and
 *    one whose deadline has passed UV_ETIMEDOUT, unless it is masked; calls that release something
 *    (close, unlock, unref, free) always act.
 *  - Strings and buffers passed in are copied unless the name says "take".
 */
#ifndef FIBRIL_H
#define FIBRIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FIBRIL_VERSION_MAJOR 0
#define FIBRIL_VERSION_MINOR 1
#define FIBRIL_VERSION_PATCH 0

/* As one number, for #if: FIBRIL_VERSION >= FIBRIL_VERSION_NUMBER(1, 2, 0). */
#define FIBRIL_VERSION_NUMBER(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
#define FIBRIL_VERSION \
  FIBRIL_VERSION_NUMBER(FIBRIL_VERSION_MAJOR, FIBRIL_VERSION_MINOR, FIBRIL_VERSION_PATCH)

#if defined(__GNUC__)
#define FIBRIL_PRINTF(position, first) __attribute__((format(printf, position, first)))
#else
#define FIBRIL_PRINTF(position, first)
#endif

typedef struct fibril_loop fibril_loop;
typedef struct fibril_coroutine fibril_coroutine;
typedef struct fibril_future fibril_future;
typedef struct fibril_generator fibril_generator;
typedef struct fibril_poster fibril_poster;
typedef struct fibril_callback fibril_callback;

/* ---- Errors -------------------------------------------------------------------------------------
 */

/* fibril's own codes, below every code of libuv. */
enum {
  FIBRIL_EALREADY = -5000,      /* the future is settled already; nothing was changed */
  FIBRIL_EPENDING = -5001,      /* the future has no result yet */
  FIBRIL_ENOTCOROUTINE = -5002, /* the call waits, but no coroutine is running */
  FIBRIL_ENOTSTARTED = -5003,   /* a value was sent to a generator that has not started */
  FIBRIL_ECLOSED = -5004,       /* the loop is closing or closed */
  FIBRIL_EBADYIELD = -5005,     /* what was awaited is not a future (NULL) */
  FIBRIL_ERUNNING = -5006,      /* the generator or the loop is running already */
  FIBRIL_ESTOPPED = -5007,      /* the loop was stopped before the result was there */
  FIBRIL_EEXCEPTION = -5008,    /* JavaScript threw, and the error value carries what; or C++ did */
  FIBRIL_ETYPE = -5009,         /* a value is of another kind than the call needs */
  FIBRIL_ESYNC = -5010          /* the call waits, in a generator for a synchronous iterator */
};

/* A sentence for an error code of fibril or libuv ("future is settled already"). Static storage.
 * Callable anywhere. Answers to uv_strerror. */
const char *fibril_strerror(int code);

/* The name of an error code of fibril or libuv ("FIBRIL_EALREADY", "ENOENT"). Static storage.
 * Callable anywhere. Answers to uv_err_name. */
const char *fibril_err_name(int code);

/* ---- Values -------------------------------------------------------------------------------------
 */

typedef enum fibril_kind {
  FIBRIL_UNDEFINED,
  FIBRIL_NULL,
  FIBRIL_BOOLEAN,
  FIBRIL_NUMBER,
  FIBRIL_BIGINT,
  FIBRIL_POINTER,
  FIBRIL_ERROR,
  FIBRIL_STRING,
  FIBRIL_BUFFER,
  FIBRIL_ARRAY,
  FIBRIL_OBJECT,
  FIBRIL_REFERENCE
} fibril_kind;

/* What futures hold and coroutines return: 16 opaque bytes, passed by value.
 *
 * Ownership: a string, buffer, array, object or error made while a coroutine runs belongs to that
 * coroutine (its arena) and lives until the coroutine's result has been taken over; made elsewhere
 * it belongs to the caller. Returning a value, or passing it to fibril_future_set_result,
 * fibril_array_push or fibril_object_set, hands it over. An awaited value is borrowed: it lives as
 * long as its future. fibril_value_dup makes a copy that outlives both and must be freed or handed
 * over. */
typedef struct fibril_value {
  uint64_t tag;
  union {
    double number;
    int64_t integer;
    void *pointer;
  } as;
} fibril_value;

#define FIBRIL_AUTO_LENGTH SIZE_MAX

/* The constructors. They never fail visibly: without memory the result is an error value of
 * UV_ENOMEM. None suspends. */
static inline fibril_value fibril_undefined(void) {
  fibril_value value;
  value.tag = FIBRIL_UNDEFINED;
  value.as.integer = 0;
  return value;
}
static inline fibril_value fibril_null(void) {
  fibril_value value;
  value.tag = FIBRIL_NULL;
  value.as.integer = 0;
  return value;
}
static inline fibril_value fibril_boolean(bool boolean) {
  fibril_value value;
  value.tag = FIBRIL_BOOLEAN;
  value.as.integer = boolean;
  return value;
}
static inline fibril_value fibril_number(double number) {
  fibril_value value;
  value.tag = FIBRIL_NUMBER;
  value.as.number = number;
  return value;
}
static inline fibril_value fibril_bigint(int64_t integer) {
  fibril_value value;
  value.tag = FIBRIL_BIGINT;
  value.as.integer = integer;
  return value;
}
/* For C only: JavaScript never sees it; not owned. */
static inline fibril_value fibril_pointer(void *pointer) {
  fibril_value value;
  value.tag = FIBRIL_POINTER;
  value.as.pointer = pointer;
  return value;
}

/* Copies `length` bytes of UTF-8 (FIBRIL_AUTO_LENGTH: up to the NUL). The copy is NUL-terminated.
 */
fibril_value fibril_string(const char *utf8, size_t length);

/* Copies `length` bytes. */
fibril_value fibril_buffer(const void *data, size_t length);

/* Adopts `data`; `release(data)` is called once when the last user is gone, also when this call
 * fails. */
fibril_value fibril_buffer_take(void *data, size_t length, void (*release)(void *data));

/* An empty array or object, and adding to it. `item` is handed over, also on failure. 0, UV_ENOMEM,
 * or FIBRIL_ETYPE. `key` is copied. */
fibril_value fibril_array(size_t capacity);
int fibril_array_push(fibril_value array, fibril_value item);
fibril_value fibril_object(void);
int fibril_object_set(fibril_value object, const char *key, fibril_value item);

/* An error with a code and a printf-style message (NULL: fibril_strerror(code)). In JavaScript an
 * Error whose `code` is fibril_err_name(code). */
fibril_value fibril_error(int code, const char *format, ...) FIBRIL_PRINTF(2, 3);

/* The error of a failed system call: in JavaScript `errno`, `code`, `syscall` and `path` as Node
 * sets them, the message "ENOENT: no such file or directory, open 'x'". `syscall` and `path` are
 * copied and may be NULL. */
fibril_value fibril_error_uv(int code, const char *syscall, const char *path);

/* An error of a JavaScript class ("TypeError", "RangeError", "Error") with a `code` property of
 * your own, for bad arguments and for errors of a library that has codes. */
fibril_value fibril_error_type(const char *class_name, const char *code, const char *format, ...)
    FIBRIL_PRINTF(3, 4);

/* One more property of the Error that JavaScript gets ("detail", "position"), and what was set.
 * set: `item` is handed over, also on failure; `key` is copied. 0, UV_ENOMEM, or FIBRIL_ETYPE for
 * what is no error, and for one that is a code without a text (fibril_error(code, NULL)). get:
 * borrowed; undefined where there is none. */
int fibril_error_set(fibril_value error, const char *key, fibril_value item);
fibril_value fibril_error_get(fibril_value error, const char *key);

fibril_kind fibril_value_kind(fibril_value value);
bool fibril_is_error(fibril_value value);
bool fibril_value_boolean(fibril_value value);    /* false for other kinds */
double fibril_value_number(fibril_value value);   /* NaN for other kinds; a bigint is converted */
int64_t fibril_value_integer(fibril_value value); /* truncates a number; 0 for other kinds */
void *fibril_value_pointer(fibril_value value);   /* NULL for other kinds */

/* The bytes of a string or buffer, borrowed; `length` may be NULL. NULL for other kinds. */
const char *fibril_value_string(fibril_value value, size_t *length);
void *fibril_value_buffer(fibril_value value, size_t *length);

size_t fibril_array_length(fibril_value array);                  /* 0 for other kinds */
fibril_value fibril_array_get(fibril_value array, size_t index); /* borrowed; undefined outside */
fibril_value fibril_object_get(fibril_value object, const char *key);

/* Of an error value: its code (0 for other kinds), and its message, borrowed. */
int fibril_error_code(fibril_value error);
const char *fibril_error_message(fibril_value error);

/* Another owner of the same value: free it or hand it over. Callable on the loop's thread. */
fibril_value fibril_value_dup(fibril_value value);

/* Takes a value out of the running coroutine's arena: the caller owns what is returned, frees it or
 * hands it over, and the value that was passed is borrowed from it. So a coroutine that runs for
 * long keeps no more than it needs. Of a borrowed value another owner, as fibril_value_dup; an
 * owned one is returned as it is. Callable on the loop's thread. */
fibril_value fibril_value_take(fibril_value value);

/* Drops an owned value; does nothing for a borrowed one or one that the arena owns. */
void fibril_value_free(fibril_value value);

/* ---- Coroutines ---------------------------------------------------------------------------------
 */

/* The body of a coroutine. What it returns becomes the result of its future; an error value, its
 * error. */
typedef fibril_value (*fibril_fn)(void *arg);

typedef struct fibril_spawn_options {
  size_t size;       /* sizeof(fibril_spawn_options) */
  const char *name;  /* for messages and debuggers; borrowed until the coroutine has ended */
  size_t stack_size; /* bytes; 0: 256 KiB. Rounded up to a power of two; 16 KiB to 64 MiB */
} fibril_spawn_options;

/* Starts fn(arg) as a coroutine of the running coroutine's loop and goes on when it waits for the
 * first time or has ended. Returns its future, one reference, never NULL: without memory, outside a
 * coroutine or with bad options the future has failed already. Does not suspend in the sense of a
 * wait: the caller keeps its turn. `options` may be NULL. Tornado: calling a gen.coroutine. */
fibril_future *fibril_spawn(fibril_fn fn, void *arg, const fibril_spawn_options *options);

/* The same from anywhere on the loop's thread. From the loop's stack the coroutine runs at once, up
 * to its first wait. */
fibril_future *fibril_loop_spawn(fibril_loop *loop, fibril_fn fn, void *arg,
                                 const fibril_spawn_options *options);

/* Waits until the future is done; suspends unless it is done already. The value is borrowed from
 * the future. An error value when the future failed, FIBRIL_EBADYIELD for NULL, UV_ECANCELED when
 * the caller was cancelled. Tornado: yield future. */
fibril_value fibril_await(fibril_future *future);

/* The same for at most `timeout` milliseconds, then an error of UV_ETIMEDOUT; the future goes on.
 * Tornado: gen.with_timeout. */
fibril_value fibril_await_timeout(fibril_future *future, double timeout);

/* Waits for all, whatever fails. Undefined, or the first error in the order of the array (borrowed
 * from its future); read the results with fibril_future_result. Tornado: gen.multi. */
fibril_value fibril_await_all(fibril_future *const *futures, size_t count);

/* Waits for the first one that is done. Its index, UV_EINVAL for an empty array, or UV_ECANCELED.
 * Tornado: WaitIterator. */
int fibril_await_any(fibril_future *const *futures, size_t count);

/* Lets the loop do one whole iteration, I/O included. 0 or UV_ECANCELED. Suspends. Tornado:
 * gen.moment. */
int fibril_moment(void);

/* Waits `ms` milliseconds, never less; with 0 the loop has its turn. 0, UV_EINVAL (negative, NaN,
 * above 2^53), or UV_ECANCELED. Suspends. Tornado: gen.sleep. */
int fibril_sleep(double ms);

/* Cancels the coroutine behind a future of fibril_spawn, or settles any other pending future with
 * UV_ECANCELED. 0, or FIBRIL_EALREADY when it is done. Asks, does not wait: await the future to see
 * the end. libdill: hclose, made cooperative. */
int fibril_cancel(fibril_future *future);

/* True when the running coroutine has been cancelled, masked or not. Callable anywhere (false
 * outside a coroutine). */
bool fibril_cancelled(void);

/* For clean-up that has to wait: until the fibril_unmask that belongs to it, waits of the running
 * coroutine are neither ended nor refused because it was cancelled or a deadline passed that was
 * set before. Masks nest. A generator's mask holds for itself, and for generators that it calls.
 * mask: 0, UV_EOVERFLOW (255 deep), FIBRIL_ENOTCOROUTINE. unmask: 0; what the next wait would give,
 * UV_ECANCELED or UV_ETIMEDOUT, when the last mask is gone; UV_EINVAL where there is none.
 * What is left at the coroutine's end is taken off. When the loop closes, masks hold for another
 * five seconds: a coroutine that goes on waiting after that ends the process with a sentence. A
 * fibril_yield to JavaScript gives UV_ECANCELED at once then: nobody asks for a value any more.
 * Neither suspends. Python: asyncio.shield, Trio: CancelScope.shield. */
int fibril_mask(void);
int fibril_unmask(void);

/* A deadline `ms` milliseconds from now, until the fibril_deadline_pop that belongs to it: once it
 * has passed, the wait that the running coroutine is in and every later one give UV_ETIMEDOUT.
 * Deadlines nest, and the earliest wins. They end waits in generators that the coroutine calls, and
 * fibril_group_wait, which cancels the children; a coroutine that it spawns has none. One that is
 * pushed behind a mask holds there. push: 0, UV_EINVAL (NaN), UV_ENOMEM, FIBRIL_ENOTCOROUTINE. pop:
 * 0, UV_ETIMEDOUT when that deadline has passed, UV_EINVAL where there is none. What is left when
 * the coroutine's function returns ends there. Neither suspends. Tornado: gen.with_timeout. */
int fibril_deadline_push(double ms);
int fibril_deadline_pop(void);

/* The milliseconds that are left until the next deadline, 0 when it has passed, INFINITY where
 * there is none; for libraries with timeouts of their own. Callable anywhere. Python:
 * asyncio.timeout. */
double fibril_deadline_left(void);

/* Has release(arg) called when the running coroutine has ended, last one first. Its function has
 * returned by then, so `arg` may not point to one of its local variables. 0, UV_ENOMEM,
 * FIBRIL_ENOTCOROUTINE. `release` runs on the coroutine's stack and may wait. */
int fibril_defer(void (*release)(void *arg), void *arg);

/* Coroutine-local storage. `key` is any address of yours (a static variable). `release` may be NULL
 * and is called when the slot is overwritten or the coroutine ends. set: 0, UV_ENOMEM,
 * FIBRIL_ENOTCOROUTINE. get: NULL when unset. */
int fibril_local_set(const void *key, void *value, void (*release)(void *value));
void *fibril_local_get(const void *key);

/* The name of the running coroutine, "" outside of one; and setting it (borrowed until the
 * coroutine ends). */
const char *fibril_name(void);
void fibril_set_name(const char *name);

/* Switches to the loop's stack, calls fn(data) there and comes back. For what must not run on a
 * coroutine's stack: Node-API above all, and code that needs more stack. `fn` may not wait. Outside
 * a coroutine it is a plain call. Does not suspend. */
void fibril_on_loop(void (*fn)(void *data), void *data);

/* ---- Groups: children that end before their parent goes on --------------------------------------
 */

/* A group of the running coroutine: coroutines that it starts and waits for. When the coroutine
 * ends, what is left of the group is cancelled and waited for, and the group is freed; so none
 * outlives it. NULL without memory or outside a coroutine. A generator that has one must be closed
 * by a coroutine, or the process ends with a sentence. */
typedef struct fibril_group fibril_group;
fibril_group *fibril_group_new(void);

/* fibril_spawn of a child. Its result is dropped; the first one that fails cancels the others. The
 * parent or a child may call it. 0, UV_ENOMEM, UV_EINVAL for bad options, FIBRIL_ENOTCOROUTINE, or
 * UV_ECANCELED when the group has been cancelled: then nothing was started. Does not suspend. */
int fibril_group_spawn(fibril_group *group, fibril_fn fn, void *arg,
                       const fibril_spawn_options *options);

/* Waits until all children have ended. Undefined, or the first error in time, which belongs to the
 * group. When the caller is cancelled, or its deadline passes, its children are cancelled; it still
 * waits for their ends, and gets UV_ECANCELED or UV_ETIMEDOUT. UV_EPERM when another coroutine than
 * the one that made the group calls it. Suspends. */
fibril_value fibril_group_wait(fibril_group *group);

/* Cancels all children; later ones are refused. Callable on the loop's thread. */
void fibril_group_cancel(fibril_group *group);

/* ---- Synchronisation: between the coroutines of one loop ----------------------------------------
 *
 * Each of these is ready when zeroed (static, `= {0}`, calloc), needs no memory and no destroy, and
 * must stay in place while somebody waits. Who waits longest goes first, and what is released is
 * handed to it: nobody overtakes. Functions with a `timeout` suspend; it is in milliseconds, less
 * than 0 for none. They give 0, UV_ETIMEDOUT, UV_ECANCELED, UV_EINVAL (NaN), UV_ENOMEM (only with
 * a timeout) or FIBRIL_ENOTCOROUTINE. All others act at once and may be called anywhere on the
 * loop's thread, also by a cancelled coroutine, unless they say otherwise. */

typedef struct fibril__waiter fibril__waiter;
typedef struct fibril_line {
  fibril__waiter *first, *last;
} fibril_line;

/* lock: 0, UV_ECANCELED, FIBRIL_ENOTCOROUTINE, or UV_EBUSY when the caller holds it already.
 * Suspends. trylock: UV_EBUSY when anybody holds it. unlock: UV_EPERM when the caller doesn't hold
 * it. A coroutine must unlock it before it ends: else nobody gets it any more, and a loop that
 * closes while somebody in fibril_cond_wait still needs it ends the process with a sentence.
 * Answers to uv_mutex_t and Tornado's Lock. */
typedef struct fibril_mutex {
  fibril_coroutine *owner;
  fibril_line line;
} fibril_mutex;
int fibril_mutex_lock(fibril_mutex *mutex);
int fibril_mutex_trylock(fibril_mutex *mutex);
int fibril_mutex_unlock(fibril_mutex *mutex);

/* wait: unlocks the mutex, waits for a signal, and has the mutex again when it returns, however the
 * wait ended. `mutex` may be NULL: coroutines are not preempted. UV_EPERM when the caller doesn't
 * hold it. A signal that nobody waits for is lost. Answers to uv_cond_t and Tornado's Condition. */
typedef struct fibril_cond {
  fibril_line line;
} fibril_cond;
int fibril_cond_wait(fibril_cond *cond, fibril_mutex *mutex, double timeout);
void fibril_cond_signal(fibril_cond *cond);
void fibril_cond_broadcast(fibril_cond *cond);

/* wait: until the event is set, at once when it is. Answers to Tornado's Event. */
typedef struct fibril_event {
  bool set;
  fibril_line line;
} fibril_event;
void fibril_event_set(fibril_event *event);
void fibril_event_clear(fibril_event *event);
int fibril_event_wait(fibril_event *event, double timeout);

/* `value`: how many may pass; set it before the first use. trywait: UV_EAGAIN when nobody may.
 * post: UV_EOVERFLOW. Answers to uv_sem_t and Tornado's Semaphore. */
typedef struct fibril_sem {
  unsigned value;
  fibril_line line;
} fibril_sem;
int fibril_sem_wait(fibril_sem *sem, double timeout);
int fibril_sem_trywait(fibril_sem *sem);
int fibril_sem_post(fibril_sem *sem);

/* wait: until the count is 0, at once when it is. add, done (-1): UV_EINVAL below 0 or above
 * UINT_MAX. */
typedef struct fibril_wait_group {
  unsigned count;
  fibril_line line;
} fibril_wait_group;
int fibril_wait_group_add(fibril_wait_group *group, int delta);
int fibril_wait_group_done(fibril_wait_group *group);
int fibril_wait_group_wait(fibril_wait_group *group, double timeout);

/* A channel of values that holds up to `capacity` of them; with 0 a sender waits for its receiver.
 * NULL without memory. free: drops what is in it; nobody may wait for it any more (the process ends
 * with a sentence). Answers to Tornado's Queue. */
typedef struct fibril_channel fibril_channel;
fibril_channel *fibril_channel_new(size_t capacity);
void fibril_channel_free(fibril_channel *channel);

/* Waits until there is room. The value is handed over, also on failure. UV_EPIPE: the channel is or
 * was closed meanwhile. trysend: UV_EAGAIN instead of waiting. */
int fibril_channel_send(fibril_channel *channel, fibril_value value, double timeout);
int fibril_channel_trysend(fibril_channel *channel, fibril_value value);

/* Waits for a value, which is the caller's to free or hand over; undefined on failure. UV_EOF: the
 * channel is closed and empty. tryreceive: UV_EAGAIN instead of waiting. */
int fibril_channel_receive(fibril_channel *channel, fibril_value *out, double timeout);
int fibril_channel_tryreceive(fibril_channel *channel, fibril_value *out);

/* No value is taken any more; what is in it can still be received, senders that wait get
 * UV_EPIPE. */
void fibril_channel_close(fibril_channel *channel);

/* How many values it holds. */
size_t fibril_channel_length(const fibril_channel *channel);

/* ---- The bare coroutine: the switch without the scheduler's services
 * ------------------------------ */

/* Makes a suspended coroutine without a future. It starts at the first fibril_coroutine_ready. 0,
 * UV_EINVAL, UV_ENOMEM, FIBRIL_ECLOSED. The coroutine frees itself when fn returns; fn's result is
 * dropped. */
int fibril_coroutine_create(fibril_loop *loop, fibril_fn fn, void *arg,
                            const fibril_spawn_options *options, fibril_coroutine **coroutine);

/* Runs a coroutine at once, up to its next wait. Only on the loop's stack; the coroutine must be
 * waiting in fibril_suspend or not have started. 0, or FIBRIL_ERUNNING. */
int fibril_coroutine_resume(fibril_coroutine *coroutine);

/* Puts a coroutine that waits in fibril_suspend (or has not started) at the end of the ready queue.
 * Never runs it inside the call. 0, or FIBRIL_ERUNNING when it is not waiting there. */
int fibril_coroutine_ready(fibril_coroutine *coroutine);

/* The running coroutine, or NULL. */
fibril_coroutine *fibril_coroutine_self(void);

/* Waits until somebody calls fibril_coroutine_ready or _resume. 0, UV_ECANCELED,
 * FIBRIL_ENOTCOROUTINE. */
int fibril_suspend(void);

/* Goes to the end of the ready queue: others that are ready run first; no I/O in between is
 * promised. 0, UV_ECANCELED, FIBRIL_ENOTCOROUTINE. Suspends. */
int fibril_pass(void);

/* ---- Generators ---------------------------------------------------------------------------------
 */

typedef fibril_value (*fibril_generator_fn)(fibril_generator *generator, void *arg);

enum { FIBRIL_DONE = 0, FIBRIL_YIELDED = 1 };

/* A generator that runs nothing until the first next. NULL without memory or with bad options. Own
 * it: unref it once. */
fibril_generator *fibril_generator_new(fibril_loop *loop, fibril_generator_fn fn, void *arg,
                                       const fibril_spawn_options *options);

/* Runs to the next fibril_yield. FIBRIL_YIELDED with the value in *out, FIBRIL_DONE with what fn
 * returned, or FIBRIL_ERUNNING. *out is borrowed until the next call on the generator. A wait
 * inside the generator suspends its caller too, who must then be a coroutine. Tornado/Python: next.
 */
int fibril_generator_next(fibril_generator *generator, fibril_value *out);

/* The same, and the pending fibril_yield returns `value` (handed over). FIBRIL_ENOTSTARTED when it
 * has not started and `value` is not undefined. Python: send. */
int fibril_generator_send(fibril_generator *generator, fibril_value value, fibril_value *out);

/* Ends the generator: its pending yield and every later wait return UV_ECANCELED until fn returns.
 * 0, or FIBRIL_ERUNNING. A generator that has not started just ends. What it still yields is
 * dropped. Python: close. */
int fibril_generator_close(fibril_generator *generator);

/* Drops the owner's reference; a generator not done is closed first. */
void fibril_generator_unref(fibril_generator *generator);

/* In fn: hands `value` over to the caller of next and returns what is sent, borrowed until the next
 * yield; an error value of UV_ECANCELED when the generator is closed, FIBRIL_ENOTCOROUTINE when
 * called from elsewhere. */
fibril_value fibril_yield(fibril_generator *generator, fibril_value value);

/* ---- Futures ------------------------------------------------------------------------------------
 */

/* A pending future, one reference; NULL without memory. Tornado: Future(). */
fibril_future *fibril_future_new(fibril_loop *loop);

/* Another reference to it; returns `future`. */
fibril_future *fibril_future_ref(fibril_future *future);

/* Drops a reference. The last one frees the future; when it failed and nobody read the error, the
 * log hook hears of it. */
void fibril_future_unref(fibril_future *future);

/* Keeps the loop, and with it the process, alive until the future is settled: for what comes from
 * outside, another thread or a library's callback. Timers, I/O and pool work do so by themselves. 0
 * or FIBRIL_EALREADY. */
int fibril_future_hold(fibril_future *future);

/* True once a result or an error is set. */
bool fibril_future_done(const fibril_future *future);

/* The result, borrowed; an error value when it failed; an error of FIBRIL_EPENDING before. Tornado:
 * Future.result. */
fibril_value fibril_future_result(fibril_future *future);

/* Settles. Done callbacks run inside, on the loop's stack and in order of registration; no
 * coroutine does. `value` is handed over (an error value fails the future). 0, or FIBRIL_EALREADY
 * and nothing changes. */
int fibril_future_set_result(fibril_future *future, fibril_value value);

/* Settles with an error of `code`. */
int fibril_future_set_error(fibril_future *future, int code);

typedef void (*fibril_future_cb)(fibril_future *future, void *arg);

/* Calls callback(future, arg) on the loop's stack when the future is done; at once when it is.
 * Callbacks may not wait. *id (may be NULL) is for removal. 0 or UV_ENOMEM. Tornado:
 * add_done_callback. */
int fibril_future_add_done_callback(fibril_future *future, fibril_future_cb callback, void *arg,
                                    uint64_t *id);

/* 0, or UV_ENOENT when it ran or was removed. */
int fibril_future_remove_done_callback(fibril_future *future, uint64_t id);

/* Copies the outcome of `from` to `to` when it is there, unless `to` is done by then. 0 or
 * UV_ENOMEM. Tornado: chain_future. */
int fibril_future_chain(fibril_future *from, fibril_future *to);

/* ---- The loop -----------------------------------------------------------------------------------
 */

/* A scheduler on a libuv loop that is initialised and not closed. 0 or UV_ENOMEM. In an addon the
 * loop exists already: fibril_loop_current in a coroutine. */
int fibril_loop_new(uv_loop_t *uv, fibril_loop **loop);

/* Cancels every coroutine, lets each unwind, closes every handle, then calls closed(arg) (may be
 * NULL) from the libuv loop, which the caller goes on running until then; the fibril_loop is freed
 * after it. 0, or FIBRIL_ECLOSED the second time. */
int fibril_loop_close(fibril_loop *loop, void (*closed)(void *arg), void *arg);

/* The libuv loop that it runs on, for handles of your own. */
uv_loop_t *fibril_loop_uv(const fibril_loop *loop);

/* The loop of the running coroutine, or of the callback that runs; NULL elsewhere. Tornado:
 * IOLoop.current. */
fibril_loop *fibril_loop_current(void);

/* The loop's clock: milliseconds since an arbitrary point, never going back. For call_at. */
double fibril_loop_now(const fibril_loop *loop);

typedef void (*fibril_cb)(void *arg);

/* Calls callback(arg) in the next iteration, in order. Loop's thread; from others: fibril_post. 0,
 * UV_ENOMEM, FIBRIL_ECLOSED. */
int fibril_loop_add_callback(fibril_loop *loop, fibril_cb callback, void *arg);

/* Calls callback(future, arg) in an iteration after the future is done, never inside set_result.
 * The future is referenced meanwhile. 0, UV_ENOMEM, FIBRIL_ECLOSED. Tornado: IOLoop.add_future. */
int fibril_loop_add_future(fibril_loop *loop, fibril_future *future, fibril_future_cb callback,
                           void *arg);

typedef uint64_t fibril_timeout;

/* Calls callback(arg) after `ms` milliseconds, or when fibril_loop_now reaches `when`; never early;
 * equal deadlines in order of creation. *timeout (may be NULL) is for removal, never 0. 0,
 * UV_ENOMEM, UV_EINVAL (NaN), FIBRIL_ECLOSED. */
int fibril_loop_call_later(fibril_loop *loop, double ms, fibril_cb callback, void *arg,
                           fibril_timeout *timeout);
int fibril_loop_call_at(fibril_loop *loop, double when, fibril_cb callback, void *arg,
                        fibril_timeout *timeout);

/* Removes a timeout. One that fired or was removed before is fine; one that is due in this very
 * iteration does not fire. */
void fibril_loop_remove_timeout(fibril_loop *loop, fibril_timeout timeout);

typedef void (*fibril_handler)(int fd, int events, void *arg);

/* Calls handler(fd, events, arg) whenever the descriptor is readable or writable (`events`:
 * UV_READABLE | UV_WRITABLE | UV_DISCONNECT); a failed poll gives a negative `events`. 0, UV_EEXIST
 * for a descriptor that has a handler, or what uv_poll_init says. Of a descriptor without one,
 * update gives UV_ENOENT and remove 0. Tornado: add_handler, update_handler, remove_handler. */
int fibril_loop_add_handler(fibril_loop *loop, int fd, int events, fibril_handler handler,
                            void *arg);
int fibril_loop_update_handler(fibril_loop *loop, int fd, int events);
int fibril_loop_remove_handler(fibril_loop *loop, int fd);

/* Runs a stand-alone loop until fibril_loop_stop; a stop that came before lets it return at once.
 * 0, or FIBRIL_ERUNNING inside itself and for Node's loop. Tornado: IOLoop.start, stop. */
int fibril_loop_run(fibril_loop *loop);
void fibril_loop_stop(fibril_loop *loop);

/* Runs fn(arg) as a coroutine on a stand-alone loop until it has ended; *out (may be NULL) is owned
 * by the caller. `timeout` 0: none. 0 when there is a result (an error value included),
 * UV_ETIMEDOUT (the coroutine is cancelled and awaited), FIBRIL_ERUNNING, FIBRIL_ESTOPPED,
 * UV_ENOMEM. Tornado: IOLoop.run_sync. */
int fibril_loop_run_sync(fibril_loop *loop, fibril_fn fn, void *arg, double timeout,
                         fibril_value *out);

/* Runs what is ready, in order, until nothing is or `most` tasks ran; how many did. Only on the
 * loop's stack. The loop does this by itself; for a host that turns it by hand, and for benchmarks.
 * Does not poll. */
size_t fibril_loop_run_ready(fibril_loop *loop, size_t most);

/* How many coroutines of the loop have not ended. */
size_t fibril_loop_coroutines(const fibril_loop *loop);

/* What there is to say of a coroutine. The strings are borrowed for the call. */
typedef struct fibril_inspection {
  size_t size;           /* sizeof(fibril_inspection) */
  const char *name;      /* "" without one */
  const char *state;     /* "fresh", "running" (or waits for what it called to return), "ready",
                            "waiting", "suspended" (a generator's, between two of its values) */
  const char *waits_for; /* "sleep", "future", "mutex", "poll", "open" ...; NULL unless waiting */
  const char *on; /* the name of the coroutine whose future it is, or who has the mutex; or NULL */
  int fd;         /* that it polls, or -1 */
  double waited;  /* milliseconds on libuv's clock, which stands still during a turn of the loop */
  bool cancelled;
  bool masked;
  size_t stack_used; /* bytes, where it left; of those it asked for, rounded up: */
  size_t stack_size;
} fibril_inspection;

/* Calls each(about, arg) for every coroutine of the loop that has not ended. `each` may not start,
 * resume or end one. */
typedef void (*fibril_inspect_cb)(const fibril_inspection *about, void *arg);
void fibril_loop_inspect(fibril_loop *loop, fibril_inspect_cb each, void *arg);

/* From here on the loop keeps book, and as it closes writes a line to stderr for every coroutine
 * that has not ended, and for every future that failed since and still is there, unread.
 * FIBRIL_LEAKS=1 in the environment does this for all loops. 0 or UV_ENOMEM. */
int fibril_loop_report_leaks(fibril_loop *loop);

/* Hears of errors that nobody will: a future collected with an error never read, a coroutine that
 * waits on after being cancelled at close. NULL restores the default, which writes a line to
 * stderr. */
typedef void (*fibril_log_cb)(const char *message, fibril_value error, void *arg);
void fibril_loop_set_log(fibril_loop *loop, fibril_log_cb log, void *arg);

/* A counted handle through which other threads reach the loop; it may outlive the loop. NULL
 * without memory. */
fibril_poster *fibril_loop_poster(fibril_loop *loop);

/* Any thread: calls callback(arg) on the loop's thread, in order for one poster. 0, UV_ENOMEM, or
 * UV_ECANCELED when the loop is gone (the callback is not called). Tornado: add_callback. */
int fibril_post(fibril_poster *poster, fibril_cb callback, void *arg);

/* Any thread. Another reference, and dropping one; the last frees the poster. */
fibril_poster *fibril_poster_ref(fibril_poster *poster);
void fibril_poster_unref(fibril_poster *poster);

/* ---- I/O as awaits ------------------------------------------------------------------------------
 */

/* Runs fn(arg) on the thread pool and waits. 0, UV_ENOMEM, or UV_ECANCELED: then fn either never
 * ran or has returned. `fn` runs on another thread: of fibril it may call what any thread may.
 * Suspends. Tornado: IOLoop.run_in_executor. */
int fibril_work(void (*fn)(void *arg), void *arg);

typedef struct fibril_work_options {
  size_t size;       /* sizeof(fibril_work_options) */
  const char *name;  /* what fibril_loop_inspect calls it, "work" when NULL; borrowed */
  fibril_sem *limit; /* at most as many of those with the same one at a time as its value says */
  /* Called once, on the loop's thread, when the caller is cancelled or late while fn runs: to have
   * it return early. It may not wait, and may come when fn is just about to return. */
  void (*interrupt)(void *arg);
} fibril_work_options;

/* The same. With a limit below half of UV_THREADPOOL_SIZE slow work leaves threads for files; what
 * waits for the limit is in nobody's way. Also UV_EINVAL for bad options. `options` may be NULL.
 * Suspends. */
int fibril_work_with(void (*fn)(void *arg), void *arg, const fibril_work_options *options);

/* Waits until a descriptor is ready, at most `timeout` milliseconds (negative: for ever). The ready
 * events (UV_READABLE ...), UV_ETIMEDOUT, UV_ECANCELED, UV_EEXIST while another wait or handler has
 * the descriptor, which becomes non-blocking. One with an error pending is ready for all that was
 * asked: reading or writing says what it is. Suspends. */
int fibril_poll_fd(int fd, int events, double timeout);

/* The file system, each like the uv_fs_* call of its name: a result or a negative code; memory
 * stays the caller's. On UV_ECANCELED what a late completion brought (an open descriptor) has been
 * released. Reads and writes at `offset` -1 use and move the file position. All suspend. */
int fibril_fs_open(const char *path, int flags, int mode);
int fibril_fs_close(int fd); /* closes also when cancelled */
int64_t fibril_fs_read(int fd, void *buffer, size_t length, int64_t offset);
int64_t fibril_fs_write(int fd, const void *buffer, size_t length, int64_t offset);
int fibril_fs_stat(const char *path, uv_stat_t *stat);
int fibril_fs_lstat(const char *path, uv_stat_t *stat);
int fibril_fs_fstat(int fd, uv_stat_t *stat);

typedef void (*fibril_dirent_cb)(const char *name, uv_dirent_type_t type, void *arg);

/* Lists a directory in one pool job and calls each(name, type, arg) for every entry, in the order
 * of uv_fs_scandir, on the caller's stack. The number of entries or a negative code. Suspends. */
int fibril_fs_readdir(const char *path, fibril_dirent_cb each, void *arg);

/* ---- JavaScript ---------------------------------------------------------------------------------
 */

/* The decoded arguments of an exported function. They live until the function has returned. */
typedef struct fibril_args fibril_args;
typedef struct fibril_module fibril_module;
typedef fibril_value (*fibril_export_fn)(fibril_args *args);

/* The i-th argument, borrowed: undefined where it was left out and has no default. */
fibril_value fibril_arg(const fibril_args *args, size_t index);

/* A property of the i-th argument, an options object: borrowed, undefined where it was left out and
 * has no default. */
fibril_value fibril_arg_option(const fibril_args *args, size_t index, const char *name);

/* True unless the i-th argument was left out or is null. One that has its default is given. */
bool fibril_arg_given(const fibril_args *args, size_t index);

/* Short forms. string, buffer: borrowed, NULL when left out; the buffer's length, which may be
 * NULL, is 0 then. number: NaN; boolean: false; integer, also of a bigint: 0 when left out. */
const char *fibril_arg_string(const fibril_args *args, size_t index);
void *fibril_arg_buffer(const fibril_args *args, size_t index, size_t *length);
double fibril_arg_number(const fibril_args *args, size_t index);
int64_t fibril_arg_integer(const fibril_args *args, size_t index);
bool fibril_arg_boolean(const fibril_args *args, size_t index);

/* Exports fn as an async function. `signature` is its TypeScript signature, "name(path: string,
 * flag?: boolean): Promise<number>"; it must outlive the module (a literal). Its types check and
 * decode the arguments. Each call runs fn as a coroutine and returns a promise. Inside
 * FIBRIL_MODULE only. A signature that cannot be parsed fails the module's load with its position.
 */
int fibril_export(fibril_module *module, const char *signature, fibril_export_fn fn);

typedef struct fibril_export_options {
  size_t size;       /* sizeof(fibril_export_options) */
  size_t stack_size; /* of each call's coroutine; 0: 256 KiB */
  size_t ahead;      /* of an asynchronous generator; see fibril_export_async_generator */
} fibril_export_options;

/* fibril_export with options. */
int fibril_export_with(fibril_module *module, const char *signature, fibril_export_fn fn,
                       const fibril_export_options *options);

/* ---- Generators for JavaScript ------------------------------------------------------------------
 *
 * A call decodes its arguments, throws if they are bad, and returns an iterator, which is as one of
 * JavaScript's own generator functions. Its first next starts fn as a coroutine, fibril_yield hands
 * a value over, what fn returns ends it: {done: true} with that value, or an error. fibril_yield
 * returns what next(value) sent; an error of FIBRIL_EEXCEPTION for throw(error), which fn cleans up
 * on and returns; one of UV_ECANCELED when the loop was left, return() called, or the iterator
 * collected: then every later yield and wait gives that, and fn has to return. An error value is
 * not handed over: fibril_yield returns it, so a constructor that found no memory ends fn as any
 * error does. Anywhere but in fn itself it gives FIBRIL_ENOTCOROUTINE. */
typedef fibril_value (*fibril_export_generator_fn)(fibril_args *args, fibril_generator *generator);

/* Exports fn as a generator function, "name(count: int32): Generator<number>", for `for...of` and
 * spread. Its consumer does not wait, so fn may not either: whatever waits gives FIBRIL_ESYNC
 * there. 0, or a failed load: UV_EINVAL (an AbortSignal and `ahead` have no meaning here),
 * UV_ENOMEM. Inside FIBRIL_MODULE only. */
int fibril_export_generator(fibril_module *module, const char *signature,
                            fibril_export_generator_fn fn, const fibril_export_options *options);

/* Exports fn as an asynchronous generator function, "name(path: string): AsyncGenerator<object>",
 * for `for await`. fn may wait. Calls of next, throw and return are served in order, one after the
 * other; return resolves when fn has returned. An AbortSignal in the signature ends the wait that
 * fn is in at once; values that it yielded before are still handed over, then next rejects with an
 * AbortError.
 * options->ahead: how many values that nobody has asked for fn may yield before fibril_yield waits,
 * up to 65536; 0: none, it goes on when the next one is asked for. Ahead, what next(value) sends is
 * lost, and throw and return drop the values. 0, UV_EINVAL, UV_ENOMEM. Inside FIBRIL_MODULE only.
 */
int fibril_export_async_generator(fibril_module *module, const char *signature,
                                  fibril_export_generator_fn fn,
                                  const fibril_export_options *options);

/* ---- Classes: a C struct behind a JavaScript object ---------------------------------------------
 *
 * Declared inside FIBRIL_MODULE, with the class's name; `new Name(...)` makes a struct of zeroes
 * and calls the constructor. Methods are exported functions that have an object, getters are plain
 * calls. JavaScript can extend the class. The struct is released once its object has been collected
 * and none of its methods runs any more; at the environment's end when every coroutine has ended.
 * Another `this` than an object of the class is refused with a TypeError of ERR_INVALID_THIS. */
typedef struct fibril_class fibril_class;

typedef struct fibril_class_options {
  size_t size;                  /* sizeof(fibril_class_options) */
  size_t state_size;            /* of the struct, which may hold any type, zeroed */
  void (*release)(void *state); /* its end; NULL: none. See below */
} fibril_class_options;

/* Exports a class. `options` may be NULL. NULL when the module's load has failed (a bad name or bad
 * options, no memory); the functions below accept that. The name must outlive the module.
 *
 * release(state) is called once for every struct that the constructor has been called for, also
 * when that has failed: what it did not set up is zero. It runs on the loop's stack and may not
 * wait; whatever the struct owns it frees (fibril_value_free, fibril_poster_unref ...). The memory
 * itself is fibril's. */
fibril_class *fibril_export_class(fibril_module *module, const char *name,
                                  const fibril_class_options *options);

/* The constructor, "(host: string, port?: int32)": what it returns is dropped, unless it is an
 * error, which `new` throws, as bad arguments are. It runs on the loop's stack and may not wait.
 * Without one, `new` takes no arguments. 0, or a failed load: UV_EINVAL, UV_ENOMEM; an AbortSignal
 * has no meaning here and is UV_EINVAL. */
int fibril_class_constructor(fibril_class *cls, const char *signature, fibril_export_fn fn);

/* A method, like fibril_export_with. A method called "close" that requires no argument is what
 * Symbol.asyncDispose calls. 0, UV_EINVAL, UV_ENOMEM. */
int fibril_class_method(fibril_class *cls, const char *signature, fibril_export_fn fn,
                        const fibril_export_options *options);

/* Methods that are generators, like fibril_export_generator and fibril_export_async_generator: the
 * struct stays until fn has returned, or the iterator has been collected without a next. 0,
 * UV_EINVAL, UV_ENOMEM. */
int fibril_class_generator(fibril_class *cls, const char *signature, fibril_export_generator_fn fn,
                           const fibril_export_options *options);
int fibril_class_async_generator(fibril_class *cls, const char *signature,
                                 fibril_export_generator_fn fn,
                                 const fibril_export_options *options);

/* A property that is read by calling fn, "pid: number", on the loop's stack: it may not wait. An
 * error that it returns is thrown. 0, UV_EINVAL, UV_ENOMEM. */
int fibril_class_getter(fibril_class *cls, const char *signature, fibril_export_fn fn);

/* The struct of the object that a constructor, method or getter was called on, aligned for any
 * type; NULL in an exported function. It stays as long as fn has not returned. */
void *fibril_this(const fibril_args *args);

/* Keeps a struct beyond that, for a coroutine or a callback that goes on after the method that
 * started it: it is released when the object is collected and every fibril_this_ref has had its
 * fibril_this_unref. `state` is what fibril_this gave. Loop's thread, any stack. */
void fibril_this_ref(void *state);
void fibril_this_unref(void *state);

/* ---- Calling JavaScript -------------------------------------------------------------------------
 *
 * A function comes as an argument of type Function; fibril_value_dup keeps it beyond the call. It
 * is called in the AsyncLocalStorage context of the call that brought it. Values of other kinds
 * than FIBRIL_REFERENCE give FIBRIL_ETYPE, one of an environment that ends or has ended
 * FIBRIL_ECLOSED. A failure in it is an error of FIBRIL_EEXCEPTION that carries what was thrown. */

/* Calls a JavaScript function (a reference value) and waits for the promise it returns, if it does.
 * The result, which the coroutine's arena owns, or an error of FIBRIL_EEXCEPTION that carries what
 * was thrown. AsyncLocalStorage is that of the call that brought the function. Suspends. */
fibril_value fibril_call(fibril_value function, const fibril_value *args, size_t count);

/* The same from anywhere on the loop's thread, a callback of libuv or of a library too, without
 * waiting: the function has returned when this does. A future of its result, or of its promise's;
 * one reference, never NULL: without memory and for what is no function it has failed already. The
 * arguments are borrowed. Does not suspend. */
fibril_future *fibril_call_start(fibril_value function, const fibril_value *args, size_t count);

/* The same without a result: what the function throws becomes an uncaughtException, what it rejects
 * an unhandledRejection. 0, UV_ENOMEM, FIBRIL_ETYPE, FIBRIL_ECLOSED. Does not suspend. */
int fibril_call_forget(fibril_value function, const fibril_value *args, size_t count);

typedef struct fibril_callback_options {
  size_t size;  /* sizeof(fibril_callback_options) */
  size_t limit; /* calls that may be under way at once; 0: 256 */
  bool unref;   /* does not keep the process alive */
} fibril_callback_options;

/* A function for other threads to call, counted. It keeps the process alive until its last
 * reference is dropped and the calls made by then have reached JavaScript; a promise that the
 * function returned does not. `function` is borrowed, `options` may be NULL. NULL without memory,
 * with bad options, for what is no function, or when the environment ends. Loop's thread. Answers
 * to napi_create_threadsafe_function. */
fibril_callback *fibril_callback_new(fibril_value function, const fibril_callback_options *options);

/* Any thread, also when the environment is gone. */
fibril_callback *fibril_callback_ref(fibril_callback *callback);
void fibril_callback_unref(fibril_callback *callback);

/* The function, borrowed, for fibril_call and the others; undefined when the environment is gone.
 * Loop's thread. */
fibril_value fibril_callback_function(const fibril_callback *callback);

/* Hears on the loop's stack, where it may not wait, how a call ended: with the function's result or
 * its promise's, borrowed, or an error: FIBRIL_EEXCEPTION, UV_ENOMEM, or UV_ECANCELED when the
 * environment has ended first. Once for every call that was taken. */
typedef void (*fibril_callback_done)(fibril_value result, void *arg);

/* Calls the function on the loop's thread, one call after the other in the order of each thread.
 * A call is under way until the function has returned and the promise that it may have returned is
 * settled; while `limit` calls are, the thread waits. `done` may be NULL: then failures are the
 * process's, as in fibril_call_forget. The arguments are handed over, also on failure; on the
 * thread they may be scalars, strings, buffers, arrays, objects and errors that it made itself. 0,
 * UV_ENOMEM, or UV_ECANCELED when the environment ends or has ended, also while it waits. Any
 * thread; on the loop's it never waits, see trysend. Answers to napi_call_threadsafe_function. */
int fibril_callback_send(fibril_callback *callback, const fibril_value *args, size_t count,
                         fibril_callback_done done, void *arg);

/* The same with UV_EAGAIN instead of waiting. */
int fibril_callback_trysend(fibril_callback *callback, const fibril_value *args, size_t count,
                            fibril_callback_done done, void *arg);

/* Defines the module's entry point: FIBRIL_MODULE(m) { fibril_export(m, ...); } */
#define FIBRIL_MODULE(m)                                                         \
  static void fibril_module_init_(fibril_module *m);                             \
  FIBRIL_MODULE_ENTRY_ void *napi_register_module_v1(void *env, void *exports) { \
    return fibril__module_register(env, exports, fibril_module_init_);           \
  }                                                                              \
  static void fibril_module_init_(fibril_module *m)

#if defined(_WIN32)
#define FIBRIL_MODULE_EXPORT_ __declspec(dllexport)
#else
#define FIBRIL_MODULE_EXPORT_ __attribute__((visibility("default")))
#endif
#ifdef __cplusplus
#define FIBRIL_MODULE_ENTRY_ extern "C" FIBRIL_MODULE_EXPORT_
#else
#define FIBRIL_MODULE_ENTRY_ FIBRIL_MODULE_EXPORT_
#endif

/* What FIBRIL_MODULE expands to calls this; not for direct use. */
void *fibril__module_register(void *env, void *exports, void (*init)(fibril_module *module));

#ifdef __cplusplus
}
#endif

/* ---- C++ ----------------------------------------------------------------------------------------
 *
 * In C++ that is compiled with exceptions (node-gyp: 'cflags_cc!': ['-fno-exceptions']), one that
 * leaves the function of a coroutine, a generator or a class becomes its error: std::bad_alloc
 * UV_ENOMEM, any other FIBRIL_EEXCEPTION with the message of what(). Waits and yields inside catch
 * blocks, and in destructors that an exception calls, are fine. What fibril calls back (done
 * callbacks, handlers, `each`, `release`) and fibril_on_loop's function may not throw. */
#if defined(__cplusplus) && defined(__GNUC__) && defined(__cpp_exceptions)

#include <cxxabi.h>
#include <exception>
#include <new>

/* What a file of C++ tells the library when it is loaded; not for direct use. */
extern "C" void fibril__exceptions_use(fibril_value (*catcher)(fibril_fn fn, void *arg),
                                       void *(*of_thread)());

namespace fibril__cxx {

inline fibril_value catch_all(fibril_fn fn, void *arg) {
  try {
    return fn(arg);
  } catch (const std::bad_alloc &) {
    return fibril_error(UV_ENOMEM, nullptr);
  } catch (const std::exception &exception) {
    return fibril_error(FIBRIL_EEXCEPTION, "%s", exception.what());
  } catch (...) {
    return fibril_error(FIBRIL_EEXCEPTION, "C++ threw what is no std::exception");
  }
}

inline void *of_thread() {
  return abi::__cxa_get_globals();
}

struct exceptions {
  exceptions() {
    fibril__exceptions_use(catch_all, of_thread);
  }
};
static const exceptions used;

} // namespace fibril__cxx

#endif

#endif /* FIBRIL_H */
