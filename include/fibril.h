/* fibril: async/await for C on a libuv loop, with futures that JavaScript sees as promises. This
 * header is the reference, too: docs/c-api.md is made of it, by `npm run reference`.
 *
 * What holds everywhere, unless a function says otherwise:
 *
 *  - Times are milliseconds (double). Errors are negative: libuv's UV_* codes, or FIBRIL_E* below.
 *  - A cancelled coroutine gets UV_ECANCELED from the wait it is in and from every later one, and
 *    one whose deadline has passed UV_ETIMEDOUT, unless it is masked; calls that release something
 *    (close, unlock, unref, free) always act.
 *  - A completed operation gives its result; cancellation shows at the next wait. What has begun
 *    and uses the caller's memory or has an effect (a job of the thread pool) is waited for; what
 *    has come is given (bytes, a descriptor, events that were ready), however late. So UV_ECANCELED
 *    and UV_ETIMEDOUT mean that the operation did not happen; only of a stream's write a part may
 *    have.
 *  - When its loop closes every coroutine is cancelled, and cleans up and returns. One that waits
 *    on nevertheless ends the process with a sentence, at its 10000th refused wait.
 *  - Strings and buffers passed in are copied unless the name says "take". A pointer may be NULL
 *    only where that is said.
 *  - Structs of options begin with their size, `{.size = sizeof options}`. Another size is
 *    UV_EINVAL.
 *
 * A function's comment ends in lines that programs read as well:
 *
 *  - `Where:` says where it may be called. A coroutine: elsewhere it gives FIBRIL_ENOTCOROUTINE, or
 *    what its errors say. The loop's thread: on a coroutine's stack or the loop's own. The loop's
 *    stack: in no coroutine. Any thread. The value's thread: the one that has made the value, until
 *    that is handed over, and the loop's thread ever after. An exported function: while it runs.
 *    FIBRIL_MODULE: inside its braces, nowhere else. "Suspends" means that the calling coroutine
 *    waits while the loop goes on; the thread never blocks. Whatever lacks the word does not wait.
 *  - `Ownership:` says who frees what. Borrowed: not the caller's to free. Owned: the caller frees
 *    it, or hands it over. Handed over: the function's from here on, whatever it returns.
 *  - `Errors:` lists each code, and when it comes. Where others can come from below, "those of"
 *    says from where.
 *
 * Errors of a wait: UV_ECANCELED the coroutine has been cancelled; UV_ETIMEDOUT a deadline of
 * fibril_deadline_push has passed; FIBRIL_ENOTCOROUTINE no coroutine is running, or it is a
 * generator that the loop's stack runs, where nothing can wait; FIBRIL_ESYNC it is a synchronous
 * function, or a generator for a synchronous iterator, which nobody waits for. */
#ifndef FIBRIL_H
#define FIBRIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Versions -----------------------------------------------------------------------------------
 *
 * Those of the package. An addon compiles its own copy of fibril, so that header and library always
 * are of one version, and no binary interface has to stay the same.
 *
 * What is promised is the source: what compiles without a warning and works with a version goes on
 * doing so with every later one of the same major version. Functions, error codes, types of
 * signatures and members at the end of structs of options may be added; an `enum` may grow, so that
 * a `switch` over one wants a `default`. Not covered: what begins with `fibril__`, the members of
 * fibril_value and of the structs of synchronisation, the text of messages. Before 1.0.0 each minor
 * version counts as a major one. What a release removes or changes stands under that word in
 * CHANGELOG.md. */

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

/* ---- Types: opaque, whose owner their functions name ----------------------------------------- */

/* Pointers to these are all that there is of them. */
typedef struct fibril_loop fibril_loop;
typedef struct fibril_coroutine fibril_coroutine;
typedef struct fibril_future fibril_future;
typedef struct fibril_generator fibril_generator;
typedef struct fibril_poster fibril_poster;
typedef struct fibril_callback fibril_callback;

/* A socket's descriptor: an int but for Windows. */
typedef uv_os_sock_t fibril_socket;

/* ---- Errors ---------------------------------------------------------------------------------- */

/* fibril's own codes, below every code of libuv. */
enum {
  FIBRIL_EALREADY = -5000,      /* the future is settled already; nothing was changed */
  FIBRIL_EPENDING = -5001,      /* the future has no result yet */
  FIBRIL_ENOTCOROUTINE = -5002, /* the call waits, but no coroutine is running */
  FIBRIL_ENOTSTARTED = -5003,   /* a value was sent to a generator that has not started */
  FIBRIL_ECLOSED = -5004,       /* the loop is closing or closed */
  FIBRIL_EBADYIELD = -5005,     /* what was awaited is not a future (NULL) */
  FIBRIL_ERUNNING = -5006,      /* the generator, the coroutine or the loop is running already */
  FIBRIL_ESTOPPED = -5007,      /* the loop was stopped before the result was there */
  FIBRIL_EEXCEPTION = -5008,    /* JavaScript threw, and the error value carries what; or C++ did */
  FIBRIL_ETYPE = -5009,         /* a value is of another kind than the call needs */
  FIBRIL_ESYNC = -5010,         /* the call waits, in what is synchronous for JavaScript */
  FIBRIL_ECHILD = -5011         /* somebody else has reaped the process */
};

/* A sentence for an error code of fibril or libuv ("future is settled already"). Answers to
 * uv_strerror.
 * Where: any thread.
 * Ownership: the text is static.
 * Errors: none. */
const char *fibril_strerror(int code);

/* The name of an error code of fibril or libuv ("FIBRIL_EALREADY", "ENOENT"). Answers to
 * uv_err_name.
 * Where: any thread.
 * Ownership: the text is static.
 * Errors: none. */
const char *fibril_err_name(int code);

/* ---- Values -------------------------------------------------------------------------------------
 *
 * What futures hold and coroutines return. Numbers, booleans, null and undefined have no owner. A
 * string, buffer, array, object or error made while a coroutine runs belongs to that coroutine (its
 * arena) and lives until the coroutine's result has been taken over, and so with a synchronous
 * function's call, for which all that follows is true as well; made elsewhere it belongs to the
 * caller. Returning a value hands it over, and so
 * does passing it to fibril_future_set_result, fibril_generator_send, fibril_yield,
 * fibril_array_push or fibril_object_set: one's own or an owned value goes, and of one that is
 * somebody else's, another coroutine's, a future's, a group's, who gets it becomes another owner
 * and nobody loses it. What is returned is taken over before anything is cleaned up:
 * `fibril_defer(unref, future); return fibril_await(future);` is right, though the clean-up frees
 * the future. In C++ a destructor runs before that: there `return
 * fibril_value_dup(fibril_await(future));`.
 *
 * What was handed over lives as long as whom it went to: an array that is freed, a yielded row that
 * nobody has any more. For a value that goes to several, a label in every row, hand over
 * fibril_value_dup(label).
 *
 * The one that must not be returned as it is: what your own C code keeps, in a struct or a static
 * variable. It would be handed over, and freed behind your back. `return fibril_value_dup(kept);`,
 * with a fibril_value_free(kept) where the struct ends; the same goes for fibril_object_set and the
 * others above.
 *
 * An awaited value is borrowed: it lives as long as its future, and where nobody has the future any
 * more when the wait ends, as long as the coroutine that awaited it. fibril_value_dup makes a copy
 * that outlives both.
 *
 * Values nest as deep as memory allows; none may contain itself. To JavaScript they cross up to a
 * million deep, on every thread's stack: what is deeper becomes a RangeError with the code
 * ERR_FIBRIL_TOO_DEEP, a string that is longer than V8's are an Error of ERR_STRING_TOO_LONG. */

/* What a value is. FIBRIL_REFERENCE: a JavaScript value that C holds without a copy;
 * FIBRIL_INSTANCE: an object of a class of the addon's own. */
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
  FIBRIL_REFERENCE,
  FIBRIL_INSTANCE,
  FIBRIL_DATE,
  FIBRIL_MAP,
  FIBRIL_SET
} fibril_kind;

/* What JavaScript has the bytes of a FIBRIL_BUFFER as: a Buffer of Node's, an ArrayBuffer itself,
 * or a view of one. FLOAT16_ARRAY is for a Node that has Float16Array, 24 and later. */
typedef enum fibril_view {
  FIBRIL_VIEW_BUFFER,
  FIBRIL_VIEW_ARRAYBUFFER,
  FIBRIL_VIEW_DATAVIEW,
  FIBRIL_VIEW_INT8_ARRAY,
  FIBRIL_VIEW_UINT8_ARRAY,
  FIBRIL_VIEW_UINT8_CLAMPED_ARRAY,
  FIBRIL_VIEW_INT16_ARRAY,
  FIBRIL_VIEW_UINT16_ARRAY,
  FIBRIL_VIEW_INT32_ARRAY,
  FIBRIL_VIEW_UINT32_ARRAY,
  FIBRIL_VIEW_FLOAT32_ARRAY,
  FIBRIL_VIEW_FLOAT64_ARRAY,
  FIBRIL_VIEW_BIGINT64_ARRAY,
  FIBRIL_VIEW_BIGUINT64_ARRAY,
  FIBRIL_VIEW_FLOAT16_ARRAY
} fibril_view;

/* 16 opaque bytes, passed by value. */
typedef struct fibril_value {
  uint64_t tag;
  union {
    double number;
    int64_t integer;
    void *pointer;
  } as;
} fibril_value;

/* As a length: up to the NUL. */
#define FIBRIL_AUTO_LENGTH SIZE_MAX

/* What JavaScript has by these names; the pointer is for C only, there it is undefined.
 * Where: any thread.
 * Ownership: none has an owner; what the pointer points to stays the caller's.
 * Errors: none. */
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
static inline fibril_value fibril_pointer(void *pointer) {
  fibril_value value;
  value.tag = FIBRIL_POINTER;
  value.as.pointer = pointer;
  return value;
}

/* A moment, in milliseconds since 1970 began in UTC: a Date in JavaScript, which holds whole
 * milliseconds within a hundred million days of that; beyond, and for NaN, it is an "Invalid Date".
 * Where: any thread.
 * Ownership: has no owner.
 * Errors: none. */
static inline fibril_value fibril_date(double ms) {
  fibril_value value;
  value.tag = FIBRIL_DATE;
  value.as.number = ms;
  return value;
}

/* A string of `length` bytes of UTF-8 (FIBRIL_AUTO_LENGTH: up to the NUL); the copy is
 * NUL-terminated.
 * Where: any thread.
 * Ownership: copies the bytes; the value is the running coroutine's, elsewhere owned.
 * Errors: UV_ENOMEM an error value is given instead. */
fibril_value fibril_string(const char *utf8, size_t length);

/* A Buffer of `length` bytes.
 * Where: any thread.
 * Ownership: copies the bytes; the value is the running coroutine's, elsewhere owned.
 * Errors: UV_ENOMEM an error value is given instead. */
fibril_value fibril_buffer(const void *data, size_t length);

/* The same without a copy: `release(data)` is called once when the last user is gone, also when
 * this call fails. JavaScript of the main thread gets it without a copy from 64 KiB on, where Node
 * allows that and nobody else has the value. `release` makes no values: they would be those of
 * whoever runs.
 * Where: any thread; `release` on that of the last user.
 * Ownership: `data` is handed over, also on failure; the value is the running coroutine's,
 * elsewhere owned.
 * Errors: UV_ENOMEM an error value is given instead. */
fibril_value fibril_buffer_take(void *data, size_t length, void (*release)(void *data));

/* A buffer that JavaScript gets as `view`, of `count` elements of it, for which its memory is
 * aligned: `fibril_typed_array(FIBRIL_VIEW_FLOAT64_ARRAY, numbers, 3)`.
 * Where: any thread.
 * Ownership: copies the elements; the value is the running coroutine's, elsewhere owned.
 * Errors: UV_EINVAL there is no such view; UV_ENOMEM there is none for them. An error value is
 * given instead. */
fibril_value fibril_typed_array(fibril_view view, const void *data, size_t count);

/* What JavaScript gets a buffer as from here on, whatever it came as; what it has got already stays
 * as it is.
 * Where: the value's thread.
 * Ownership: borrows the buffer, which should be one's own: whoever else has it sees the change.
 * Errors: FIBRIL_ETYPE `buffer` is no buffer; UV_EINVAL there is no such view, or the bytes are no
 * whole number of its elements, or not aligned for them. */
int fibril_buffer_set_view(fibril_value buffer, fibril_view view);

/* An empty array, with room for `capacity` items.
 * Where: any thread.
 * Ownership: the value is the running coroutine's, elsewhere owned.
 * Errors: UV_ENOMEM an error value is given instead. */
fibril_value fibril_array(size_t capacity);

/* Adds an item at the end.
 * Where: the value's thread.
 * Ownership: `item` is handed over, also on failure, but nothing is taken with UV_EINVAL.
 * Errors: FIBRIL_ETYPE `array` is no array; UV_EINVAL `item` is the array itself; UV_ENOMEM there
 * is no room for it. */
int fibril_array_push(fibril_value array, fibril_value item);

/* An empty object.
 * Where: any thread.
 * Ownership: the value is the running coroutine's, elsewhere owned.
 * Errors: UV_ENOMEM an error value is given instead. */
fibril_value fibril_object(void);

/* Sets or replaces what the object has under `key`. Finding a key takes the same time however many
 * there are.
 * Where: the value's thread.
 * Ownership: `key` is copied; `item` is handed over, also on failure, but nothing is taken with
 * UV_EINVAL.
 * Errors: FIBRIL_ETYPE `object` is no object; UV_EINVAL `item` is the object itself; UV_ENOMEM
 * there is no room for it. */
int fibril_object_set(fibril_value object, const char *key, fibril_value item);

/* What stands in an object one after the other, in the order in which it was set: how many keys,
 * the one at `index`, which a NUL follows, and what is under it. A key that came from JavaScript
 * may have a NUL in it: `length`, which may be NULL, gets the whole. Outside there is NULL, for
 * which `length` stays as it was, and undefined; of other kinds there are none.
 * Where: the value's thread.
 * Ownership: keys and values are borrowed from the object.
 * Errors: none. */
size_t fibril_object_length(fibril_value object);
const char *fibril_object_key(fibril_value object, size_t index, size_t *length);
fibril_value fibril_object_value(fibril_value object, size_t index);

/* An empty Map, and an empty Set.
 * Where: any thread.
 * Ownership: the value is the running coroutine's, elsewhere owned.
 * Errors: UV_ENOMEM an error value is given instead. */
fibril_value fibril_map(void);
fibril_value fibril_set(void);

/* Sets or replaces what the map has under `key`, which is any value. Keys are compared as
 * JavaScript compares them, strings, numbers and the like by what they are (0 is -0, NaN is NaN, 1
 * is not 1n), dates by their time, and whatever has an owner by being the same value. Finding one
 * takes the same time however many there are. Answers to Map.prototype.set.
 * Where: the value's thread.
 * Ownership: `key` and `item` are handed over, also on failure, but nothing is taken with
 * UV_EINVAL.
 * Errors: FIBRIL_ETYPE `map` is no map; UV_EINVAL `key` or `item` is the map itself; UV_ENOMEM
 * there is no room for it. */
int fibril_map_set(fibril_value map, fibril_value key, fibril_value item);

/* What a map has under a key; what it has one after the other, in the order in which the keys came.
 * Undefined without it and outside, 0 and false for other kinds.
 * Where: the value's thread.
 * Ownership: `key` is borrowed; what is returned is borrowed from the map.
 * Errors: none. */
fibril_value fibril_map_get(fibril_value map, fibril_value key);
bool fibril_map_has(fibril_value map, fibril_value key);
size_t fibril_map_size(fibril_value map);
fibril_value fibril_map_key(fibril_value map, size_t index);
fibril_value fibril_map_value(fibril_value map, size_t index);

/* Adds an item to a set, unless it has it. Compared as keys of maps are. Answers to
 * Set.prototype.add.
 * Where: the value's thread.
 * Ownership: `item` is handed over, also on failure, but nothing is taken with UV_EINVAL.
 * Errors: FIBRIL_ETYPE `set` is no set; UV_EINVAL `item` is the set itself; UV_ENOMEM there is no
 * room for it. */
int fibril_set_add(fibril_value set, fibril_value item);

/* What is in a set, in the order in which it came. Undefined outside, 0 and false for other kinds.
 * Where: the value's thread.
 * Ownership: `item` is borrowed; what is returned is borrowed from the set.
 * Errors: none. */
bool fibril_set_has(fibril_value set, fibril_value item);
size_t fibril_set_size(fibril_value set);
fibril_value fibril_set_get(fibril_value set, size_t index);

/* An error with a code and a printf-style message (NULL: fibril_strerror(code), and it needs no
 * memory). In JavaScript an Error whose `code` is fibril_err_name(code).
 * Where: any thread.
 * Ownership: the value is the running coroutine's, elsewhere owned.
 * Errors: UV_ENOMEM there was no memory for the message; those of the caller. */
fibril_value fibril_error(int code, const char *format, ...) FIBRIL_PRINTF(2, 3);

/* The error of a failed system call: in JavaScript `errno`, `code`, `syscall` and `path` as Node
 * sets them, the message "ENOENT: no such file or directory, open 'x'".
 * Where: any thread.
 * Ownership: `syscall` and `path` are copied and may be NULL; the value is the running coroutine's,
 * elsewhere owned.
 * Errors: UV_ENOMEM there was no memory for it; those of the caller. */
fibril_value fibril_error_uv(int code, const char *syscall, const char *path);

/* An error of a class with a `code` property of your own, for bad arguments and for errors of a
 * library that has codes: an instance of JavaScript's own Error classes ("TypeError"), and for
 * every other name ("SQLiteError", "AbortError", "") an Error with that `name`, or an instance of
 * the class of the name that fibril_export_error has exported. NULL: "Error",
 * "EINVAL", and for the format a message that is the code, or "invalid argument" without one. To C
 * its code is UV_EINVAL.
 * Where: any thread.
 * Ownership: copies the texts; the value is the running coroutine's, elsewhere owned.
 * Errors: UV_ENOMEM there was no memory for it; UV_EINVAL otherwise. */
fibril_value fibril_error_type(const char *class_name, const char *code, const char *format, ...)
    FIBRIL_PRINTF(3, 4);

/* Gives the Error that JavaScript gets one more property ("detail", "position").
 * Where: the value's thread.
 * Ownership: `key` is copied; `item` is handed over, also on failure, but nothing is taken with
 * UV_EINVAL.
 * Errors: FIBRIL_ETYPE `error` is no error, or is a code without a text (fibril_error(code, NULL));
 * UV_EINVAL `item` is the error itself; UV_ENOMEM there is no room for it. */
int fibril_error_set(fibril_value error, const char *key, fibril_value item);

/* What fibril_error_set has set; undefined where there is nothing.
 * Where: the value's thread.
 * Ownership: borrowed from the error.
 * Errors: none. */
fibril_value fibril_error_get(fibril_value error, const char *key);

/* What a value is, and what is in it.
 * Where: the value's thread.
 * Ownership: borrows the value; a pointer is whose it was.
 * Errors: none. */
fibril_kind fibril_value_kind(fibril_value value);
bool fibril_is_error(fibril_value value);
bool fibril_value_boolean(fibril_value value);    /* false for other kinds */
double fibril_value_number(fibril_value value);   /* also a bigint, and a date's milliseconds;
                                                     NaN for other kinds */
int64_t fibril_value_integer(fibril_value value); /* the same truncated; 0 for other kinds, NaN */
void *fibril_value_pointer(fibril_value value);   /* NULL for other kinds */

/* The bytes of a string or buffer; NULL for other kinds, and then `length` stays as it was. It may
 * be NULL.
 * Where: the value's thread.
 * Ownership: the bytes are borrowed from the value.
 * Errors: none. */
const char *fibril_value_string(fibril_value value, size_t *length);
void *fibril_value_buffer(fibril_value value, size_t *length);

/* What JavaScript gave the bytes as, or gets them as: FIBRIL_VIEW_BUFFER for a Buffer and for any
 * other Uint8Array, and for other kinds.
 * Where: the value's thread.
 * Ownership: borrows the value.
 * Errors: none. */
fibril_view fibril_value_view(fibril_value value);

/* True when JavaScript has the same bytes, as fibril_arg_buffer says: what is written into them it
 * sees, and what it writes changes them.
 * Where: the value's thread.
 * Ownership: borrows the value.
 * Errors: none. */
bool fibril_value_is_shared(fibril_value value);

/* The bytes of an element of a view, so that `length / fibril_view_size(view)` elements are in so
 * many bytes: 1 for what has no elements, 0 for what is no view.
 * Where: any thread.
 * Errors: none. */
size_t fibril_view_size(fibril_view view);

/* What is in an array or object.
 * Where: the value's thread.
 * Ownership: items are borrowed from what they are in.
 * Errors: none. */
size_t fibril_array_length(fibril_value array);                       /* 0 for other kinds */
fibril_value fibril_array_get(fibril_value array, size_t index);      /* undefined outside */
fibril_value fibril_object_get(fibril_value object, const char *key); /* undefined without it */

/* The code of an error, 0 for other kinds.
 * Where: the value's thread.
 * Ownership: borrows the value.
 * Errors: those of the value. */
int fibril_error_code(fibril_value error);

/* The message of an error, "" for other kinds.
 * Where: the value's thread.
 * Ownership: the text is borrowed from the value.
 * Errors: none. */
const char *fibril_error_message(fibril_value error);

/* Another owner of the same value, which outlives those that there are.
 * Where: the value's thread.
 * Ownership: what is returned is owned.
 * Errors: those of the value. */
fibril_value fibril_value_dup(fibril_value value);

/* Takes a value out of the running coroutine's arena. So a coroutine that runs for long keeps no
 * more than it needs: fibril_value_free(fibril_value_take(value)). Of a borrowed value another
 * owner, as fibril_value_dup; an owned one is returned as it is.
 * Where: the value's thread.
 * Ownership: what is returned is owned; the value that was passed is borrowed from it.
 * Errors: those of the value. */
fibril_value fibril_value_take(fibril_value value);

/* Drops an owned value; does nothing for a borrowed one or one that the arena owns.
 * Where: the value's thread.
 * Ownership: an owned value is handed over.
 * Errors: none. */
void fibril_value_free(fibril_value value);

/* ---- Coroutines ------------------------------------------------------------------------------ */

/* The body of a coroutine. What it returns becomes the result of its future; an error value, its
 * error. */
typedef fibril_value (*fibril_fn)(void *arg);

/* Of a coroutine. NULL stands for all of them zero. */
typedef struct fibril_spawn_options {
  size_t size;       /* sizeof(fibril_spawn_options) */
  const char *name;  /* for messages and debuggers; borrowed until the coroutine has ended */
  size_t stack_size; /* bytes; 0: 256 KiB. Rounded up to a power of two; 16 KiB to 64 MiB */
} fibril_spawn_options;

/* Starts fn(arg) as a coroutine of the running coroutine's loop and goes on when it waits for the
 * first time or has ended: the caller keeps its turn. Where it can't start, the future has failed
 * already and `fn` has not run. A parent that is cancelled does not wait for its children: what
 * they need after their first wait must be theirs, or they belong into a group. Answers to calling
 * Tornado's gen.coroutine.
 * Where: a coroutine.
 * Ownership: the future is one reference, never NULL.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_EINVAL the options are bad; UV_ENOMEM
 * there is no stack, or no future; FIBRIL_ECLOSED the loop is closing. */
fibril_future *fibril_spawn(fibril_fn fn, void *arg, const fibril_spawn_options *options);

/* The same from anywhere on the loop's thread. From the loop's stack the coroutine runs at once, up
 * to its first wait; from a coroutine of another loop in its own loop's next turn.
 * Where: the loop's thread.
 * Ownership: the future is one reference, never NULL.
 * Errors: UV_EINVAL the options are bad; UV_ENOMEM there is no stack, or no future; FIBRIL_ECLOSED
 * the loop is closing. */
fibril_future *fibril_loop_spawn(fibril_loop *loop, fibril_fn fn, void *arg,
                                 const fibril_spawn_options *options);

/* Waits until the future is done. Its result, or an error value when it failed. Who may not wait,
 * because it was cancelled for instance, gets that error, also for a future that is done; a future
 * that is done by the time that a wait has ended early gives its result. What a future fails with
 * after its only waiter was cancelled is not reported as unread: somebody was told. Answers to
 * Tornado's `yield future`.
 * Where: a coroutine. Suspends unless the future is done.
 * Ownership: the value is borrowed from the future, or, when nobody has that any more, the
 * coroutine's.
 * Errors: those of a wait; FIBRIL_EBADYIELD `future` is NULL; UV_ENOMEM nobody has the future any
 * more, and its result could not be kept; those of the future. */
fibril_value fibril_await(fibril_future *future);

/* The same for at most `timeout` milliseconds; the future goes on. Answers to Tornado's
 * gen.with_timeout.
 * Where: a coroutine. Suspends unless the future is done.
 * Ownership: as fibril_await.
 * Errors: those of a wait; UV_ETIMEDOUT the future was not done in time; UV_EINVAL `timeout` is NaN
 * or negative; FIBRIL_EBADYIELD `future` is NULL; UV_ENOMEM there is none for the timeout, or as
 * fibril_await; those of the future. */
fibril_value fibril_await_timeout(fibril_future *future, double timeout);

/* Waits for all, whichever of them fails: undefined, or the first error in the order of the array;
 * read the results with fibril_future_result. When the caller's wait is ended it returns at once,
 * and the futures go on. Answers to Tornado's gen.multi.
 * Where: a coroutine. Suspends unless all are done.
 * Ownership: the error is borrowed from its future; the array is borrowed for the call.
 * Errors: those of a wait; FIBRIL_EBADYIELD NULL stands in the array; UV_ENOMEM as fibril_await;
 * those of the futures. */
fibril_value fibril_await_all(fibril_future *const *futures, size_t count);

/* Waits for the first one that is done: its index. Answers to Tornado's WaitIterator.
 * Where: a coroutine. Suspends unless one is done.
 * Errors: those of a wait; UV_EINVAL the array is empty, or longer than INT32_MAX; FIBRIL_EBADYIELD
 * NULL stands in it; UV_ENOMEM there are more than 16, and there is none for them. */
int fibril_await_any(fibril_future *const *futures, size_t count);

/* Lets the loop do one whole iteration, I/O included: 0. A cancellation meanwhile shows at the next
 * wait. Answers to Tornado's gen.moment.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait. */
int fibril_moment(void);

/* Waits `ms` milliseconds, never less; with 0 the loop has its turn. 0 when they are over. Answers
 * to Tornado's gen.sleep.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait; UV_EINVAL `ms` is negative, NaN or above 2^53; UV_ENOMEM there is none
 * for the timeout. */
int fibril_sleep(double ms);

/* Goes to the end of the ready queue: others that are ready run first; no I/O in between is
 * promised. A cancellation meanwhile shows at the next wait.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait. */
int fibril_pass(void);

/* Cancels the coroutine behind a future of fibril_spawn, or settles any other pending future with
 * UV_ECANCELED. Asks, does not wait: await the future to see the end. Groups in groups are
 * cancelled on any stack, however deep they nest. Answers to libdill's hclose, made cooperative.
 * Where: the loop's thread.
 * Errors: FIBRIL_EALREADY the future is done. */
int fibril_cancel(fibril_future *future);

/* True when the running coroutine has been cancelled, masked or not; false outside of one.
 * Where: any thread.
 * Errors: none. */
bool fibril_cancelled(void);

/* Has release(arg) called when the running coroutine has ended, the last one first. Its function
 * has returned by then, so `arg` may not point to one of its local variables. `release` runs on the
 * coroutine's stack and may wait. Answers to Go's defer.
 * Where: a coroutine.
 * Ownership: `arg` is the caller's still when this fails.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_ENOMEM nothing will call `release`. */
int fibril_defer(void (*release)(void *arg), void *arg);

/* Coroutine-local storage. `key` is any address of yours (a static variable). `release` may be NULL
 * and is called when the slot is overwritten or the coroutine ends.
 * Where: a coroutine.
 * Ownership: `value` is handed over, but stays the caller's when this fails.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_ENOMEM nothing was set. */
int fibril_local_set(const void *key, void *value, void (*release)(void *value));

/* What the running coroutine has under `key`; NULL where that is nothing, and outside of one.
 * Where: any thread.
 * Ownership: borrowed until it is overwritten or the coroutine ends.
 * Errors: none. */
void *fibril_local_get(const void *key);

/* The name of the running coroutine, for messages and debuggers; "" outside of one.
 * Where: any thread.
 * Ownership: borrowed.
 * Errors: none. */
const char *fibril_name(void);

/* Gives the running coroutine another name; does nothing outside of one.
 * Where: any thread.
 * Ownership: `name` is borrowed until the coroutine ends.
 * Errors: none. */
void fibril_set_name(const char *name);

/* Switches to the loop's stack, calls fn(data) there and comes back. For what must not run on a
 * coroutine's stack: Node-API above all, and code that needs more stack. `fn` may not wait. Outside
 * of a coroutine it is a plain call. Values that `fn` makes are owned: it frees them, or hands them
 * out by `data`. Those of fibril_reference_batch are the coroutine's.
 * Where: any thread.
 * Ownership: `data` is borrowed for the call.
 * Errors: none. */
void fibril_on_loop(void (*fn)(void *data), void *data);

/* ---- Masks and deadlines ------------------------------------------------------------------------
 *
 * Clean-up that has to wait does so behind a mask: there, waits are neither ended nor refused
 * because the coroutine was cancelled or a deadline of before has passed. A deadline ends the wait
 * that the coroutine is in, and every later one until it is popped; a cancellation comes first.
 * Both nest; the earliest deadline wins. Both hold for generators that the coroutine calls; a
 * coroutine that it spawns has neither (fibril_group_wait passes the end on: it cancels the
 * children). What is left of either when the coroutine's function returns ends there.
 *
 * When the loop closes, masks hold for another five seconds; from then on waits behind them are
 * refused as all others. A wait for JavaScript, and a fibril_yield to it, give UV_ECANCELED at once
 * then: no answer will come. */

/* Masks the running coroutine until the fibril_unmask that belongs to it. A generator's mask holds
 * for itself, and for generators that it calls. Answers to Python's asyncio.shield and Trio's
 * CancelScope.shield.
 * Where: a coroutine.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_EOVERFLOW 255 masks are in place. */
int fibril_mask(void);

/* Takes the last mask off. When it was the only one, what the next wait would give.
 * Where: a coroutine.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_EINVAL there is no mask; UV_ECANCELED
 * it is off, and the coroutine has been cancelled; UV_ETIMEDOUT it is off, and a deadline has
 * passed. */
int fibril_unmask(void);

/* A deadline `ms` milliseconds from now, until the fibril_deadline_pop that belongs to it: once it
 * has passed, the wait that the running coroutine is in and every later one give UV_ETIMEDOUT. One
 * that is pushed behind a mask holds there. Answers to Tornado's gen.with_timeout.
 * Where: a coroutine.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_EINVAL `ms` is NaN; UV_ENOMEM there is
 * no deadline. */
int fibril_deadline_push(double ms);

/* Takes the last deadline off.
 * Where: a coroutine.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_EINVAL there is no deadline;
 * UV_ETIMEDOUT it is off, and had passed. */
int fibril_deadline_pop(void);

/* The milliseconds that are left until the next deadline, 0 when it has passed, INFINITY where
 * there is none; for libraries with timeouts of their own. Answers to Python's asyncio.timeout.
 * Where: any thread.
 * Errors: none. */
double fibril_deadline_left(void);

/* ---- Groups: children that end before their parent goes on ----------------------------------- */

/* Coroutines that a coroutine starts and waits for. */
typedef struct fibril_group fibril_group;

/* A group of the running coroutine. When the coroutine ends, what is left of the group is cancelled
 * and waited for, and the group is freed; so none outlives it. That is when its function has
 * returned: children that use its variables are waited for (fibril_group_wait) before each return.
 * A generator that has one must be closed by a coroutine, or the process ends with a sentence: on
 * the loop's stack nothing can wait. Answers to Python's asyncio.TaskGroup.
 * Where: a coroutine.
 * Ownership: the group is the coroutine's.
 * Errors: NULL without memory, or no coroutine is running. */
fibril_group *fibril_group_new(void);

/* fibril_spawn of a child. Its result is dropped; the first one that fails cancels the others. The
 * parent or a child may call it. Whatever it fails with, nothing was started.
 * Where: a coroutine.
 * Errors: UV_ECANCELED the group has been cancelled; FIBRIL_ESYNC its owner is a generator for a
 * synchronous iterator, which can't wait for it; FIBRIL_ENOTCOROUTINE
 * no coroutine is running; UV_EINVAL the options are bad; UV_ENOMEM there is no stack;
 * FIBRIL_ECLOSED the loop is closing (and the owner masked, else it is UV_ECANCELED soon). */
int fibril_group_spawn(fibril_group *group, fibril_fn fn, void *arg,
                       const fibril_spawn_options *options);

/* Waits until all children have ended. Undefined, or the first error in time. When the caller is
 * cancelled, or its deadline passes, before it calls or while children run, they are cancelled; it
 * still waits for their ends. Where nothing can wait it gives what every wait gives there, at once.
 * Where: a coroutine. Suspends while children run.
 * Ownership: the error is borrowed from the group; `return fibril_group_wait(group);` hands it
 * over.
 * Errors: those of a wait; UV_EPERM another coroutine than the one that made the group calls it;
 * those of the children. */
fibril_value fibril_group_wait(fibril_group *group);

/* Cancels all children; later ones are refused.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_group_cancel(fibril_group *group);

/* ---- Synchronisation: between the coroutines of one loop ----------------------------------------
 *
 * Mutexes, conditions, events, semaphores and wait groups are ready when zeroed (static, `= {0}`,
 * calloc), need no memory and no destroy, and must stay in place while somebody waits. Who waits
 * longest goes first, and what is released is handed to it: nobody overtakes. A `timeout` is in
 * milliseconds, less than 0 for none. All that does not wait acts at once, also in a coroutine that
 * is cancelled. An addon may be loaded in several threads, each with its loop: what is static there
 * is `_Thread_local`. */

typedef struct fibril__waiter fibril__waiter;
typedef struct fibril_line {
  fibril__waiter *first, *last;
} fibril_line;

/* Whoever locks it unlocks it before it ends: else nobody gets it any more. A loop that closes
 * while somebody in fibril_cond_wait still needs it, and nothing else is left that could end, ends
 * the process with a sentence that says who waits for whom. Answers to uv_mutex_t and Tornado's
 * Lock. */
typedef struct fibril_mutex {
  uint64_t owner; /* no coroutine's address, which is soon another's */
  fibril_line line;
} fibril_mutex;

/* Waits until it is the caller's.
 * Where: a coroutine. Suspends while another one has it.
 * Errors: those of a wait; UV_EBUSY the caller has it already. */
int fibril_mutex_lock(fibril_mutex *mutex);

/* Takes it if nobody has it.
 * Where: a coroutine.
 * Errors: FIBRIL_ENOTCOROUTINE no coroutine is running; UV_EBUSY anybody has it, the caller too. */
int fibril_mutex_trylock(fibril_mutex *mutex);

/* Gives it to who waits longest.
 * Where: a coroutine.
 * Errors: UV_EPERM the caller does not have it, or no coroutine is running. */
int fibril_mutex_unlock(fibril_mutex *mutex);

/* Answers to uv_cond_t and Tornado's Condition. */
typedef struct fibril_cond {
  fibril_line line;
} fibril_cond;

/* Unlocks the mutex, waits for a signal, and has the mutex again when it returns, however the wait
 * ended. `mutex` may be NULL: coroutines are not preempted.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait; UV_EPERM the caller does not have the mutex; UV_ETIMEDOUT no signal came
 * in time; UV_EINVAL `timeout` is NaN; UV_ENOMEM there is none for the timeout. */
int fibril_cond_wait(fibril_cond *cond, fibril_mutex *mutex, double timeout);

/* Wakes who waits longest, or all of them. A signal that nobody waits for is lost.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_cond_signal(fibril_cond *cond);
void fibril_cond_broadcast(fibril_cond *cond);

/* Something that has happened, or not yet. Answers to Tornado's Event. */
typedef struct fibril_event {
  bool set;
  fibril_line line;
} fibril_event;

/* Sets the event, for all that wait and all that come; and takes that back.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_event_set(fibril_event *event);
void fibril_event_clear(fibril_event *event);

/* Waits until the event is set.
 * Where: a coroutine. Suspends unless it is set.
 * Errors: those of a wait; UV_ETIMEDOUT it was not set in time; UV_EINVAL it has to wait, and
 * `timeout` is NaN; UV_ENOMEM there is none for the timeout. */
int fibril_event_wait(fibril_event *event, double timeout);

/* `value`: how many may pass; set it before the first use. Answers to uv_sem_t and Tornado's
 * Semaphore. */
typedef struct fibril_sem {
  unsigned value;
  fibril_line line;
} fibril_sem;

/* Waits until one more may pass.
 * Where: a coroutine. Suspends unless one may.
 * Errors: those of a wait; UV_ETIMEDOUT nobody posted in time; UV_EINVAL it has to wait, and
 * `timeout` is NaN; UV_ENOMEM there is none for the timeout. */
int fibril_sem_wait(fibril_sem *sem, double timeout);

/* Passes if one more may.
 * Where: the loop's thread.
 * Errors: UV_EAGAIN nobody may. */
int fibril_sem_trywait(fibril_sem *sem);

/* Lets one more pass, who waits longest.
 * Where: the loop's thread.
 * Errors: UV_EOVERFLOW UINT_MAX may pass already. */
int fibril_sem_post(fibril_sem *sem);

/* A count of what is under way. Answers to Go's sync.WaitGroup. */
typedef struct fibril_wait_group {
  unsigned count;
  fibril_line line;
} fibril_wait_group;

/* Adds `delta` to the count.
 * Where: the loop's thread.
 * Errors: UV_EINVAL it would be below 0 or above UINT_MAX, and nothing changes. */
int fibril_wait_group_add(fibril_wait_group *group, int delta);

/* Takes one off the count.
 * Where: the loop's thread.
 * Errors: UV_EINVAL the count is 0 already. */
int fibril_wait_group_done(fibril_wait_group *group);

/* Waits until the count is 0.
 * Where: a coroutine. Suspends unless it is 0.
 * Errors: those of a wait; UV_ETIMEDOUT it was not 0 in time; UV_EINVAL it has to wait, and
 * `timeout` is NaN; UV_ENOMEM there is none for the timeout. */
int fibril_wait_group_wait(fibril_wait_group *group, double timeout);

/* A channel of values. Answers to Tornado's Queue. */
typedef struct fibril_channel fibril_channel;

/* A channel that holds up to `capacity` values; with 0 a sender waits for its receiver.
 * Where: any thread.
 * Ownership: owned, until fibril_channel_free.
 * Errors: NULL without memory. */
fibril_channel *fibril_channel_new(size_t capacity);

/* Drops what is in it. Nobody may wait for it any more, or the process ends with a sentence.
 * Where: the loop's thread.
 * Ownership: the channel, which may be NULL, is handed over.
 * Errors: none. */
void fibril_channel_free(fibril_channel *channel);

/* Waits until there is room.
 * Where: a coroutine. Suspends unless there is.
 * Ownership: `value` is handed over, also on failure.
 * Errors: those of a wait; UV_EPIPE the channel is closed, or was meanwhile; UV_ETIMEDOUT there was
 * no room in time; UV_EINVAL it has to wait, and `timeout` is NaN; UV_ENOMEM there is none for the
 * timeout. */
int fibril_channel_send(fibril_channel *channel, fibril_value value, double timeout);

/* The same without waiting.
 * Where: the loop's thread.
 * Ownership: `value` is handed over, also on failure.
 * Errors: UV_EPIPE the channel is closed; UV_EAGAIN there is no room. */
int fibril_channel_trysend(fibril_channel *channel, fibril_value value);

/* Waits for a value; `*out` is undefined on failure.
 * Where: a coroutine. Suspends unless there is one.
 * Ownership: `*out` is owned.
 * Errors: those of a wait; UV_EOF the channel is closed and empty; UV_ETIMEDOUT none came in time;
 * UV_EINVAL it has to wait, and `timeout` is NaN; UV_ENOMEM there is none for the timeout. */
int fibril_channel_receive(fibril_channel *channel, fibril_value *out, double timeout);

/* The same without waiting.
 * Where: the loop's thread.
 * Ownership: `*out` is owned.
 * Errors: UV_EOF the channel is closed and empty; UV_EAGAIN there is no value. */
int fibril_channel_tryreceive(fibril_channel *channel, fibril_value *out);

/* No value is taken any more; what is in it can still be received, senders that wait get UV_EPIPE,
 * receivers that wait UV_EOF.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_channel_close(fibril_channel *channel);

/* How many values it holds.
 * Where: the loop's thread.
 * Errors: none. */
size_t fibril_channel_length(const fibril_channel *channel);

/* ---- Bare coroutines: the switch without the scheduler's services ---------------------------- */

/* Makes a suspended coroutine without a future, for schedulers of your own. It starts at the first
 * fibril_coroutine_ready or _resume. fn's result is dropped.
 * Where: the loop's thread.
 * Ownership: the coroutine frees itself when fn returns: then `*coroutine` is nobody's.
 * Errors: UV_EINVAL the options are bad; UV_ENOMEM there is no stack; FIBRIL_ECLOSED the loop is
 * closing. */
int fibril_coroutine_create(fibril_loop *loop, fibril_fn fn, void *arg,
                            const fibril_spawn_options *options, fibril_coroutine **coroutine);

/* Runs a coroutine that waits in fibril_suspend, or has not started, at once, up to its next wait.
 * Where: the loop's stack.
 * Errors: FIBRIL_ERUNNING it waits elsewhere, or a coroutine is running here. */
int fibril_coroutine_resume(fibril_coroutine *coroutine);

/* Puts a coroutine that waits in fibril_suspend, or has not started, at the end of the ready queue.
 * Never runs it inside the call.
 * Where: the loop's thread.
 * Errors: FIBRIL_ERUNNING it waits elsewhere, is ready or runs. */
int fibril_coroutine_ready(fibril_coroutine *coroutine);

/* The running coroutine, or NULL.
 * Where: any thread.
 * Ownership: borrowed until it ends.
 * Errors: none. */
fibril_coroutine *fibril_coroutine_self(void);

/* Waits until somebody calls fibril_coroutine_ready or _resume.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait. */
int fibril_suspend(void);

/* ---- Generators ---------------------------------------------------------------------------------
 *
 * A coroutine that hands values to whoever asks. A wait inside it suspends its caller, too, who
 * must then be a coroutine of the same loop: else it gives FIBRIL_ENOTCOROUTINE there. */

/* The body of a generator. What it returns comes with FIBRIL_DONE. */
typedef fibril_value (*fibril_generator_fn)(fibril_generator *generator, void *arg);

/* What asking for the next value gives. */
enum { FIBRIL_DONE = 0, FIBRIL_YIELDED = 1 };

/* A generator that runs nothing until the first next.
 * Where: the loop's thread.
 * Ownership: owned, until fibril_generator_unref.
 * Errors: NULL without memory, with bad options, or when the loop is closing. */
fibril_generator *fibril_generator_new(fibril_loop *loop, fibril_generator_fn fn, void *arg,
                                       const fibril_spawn_options *options);

/* Runs to the next fibril_yield: FIBRIL_YIELDED with the value in `*out`; FIBRIL_DONE with what fn
 * returned, and undefined from then on. Answers to Python's next.
 * Where: the loop's thread. Suspends while the generator waits.
 * Ownership: `*out` is borrowed until the next call on the generator; `out` may be NULL.
 * Errors: FIBRIL_ERUNNING the generator is running. */
int fibril_generator_next(fibril_generator *generator, fibril_value *out);

/* The same, and the pending fibril_yield returns `value`. Answers to Python's send.
 * Where: the loop's thread. Suspends while the generator waits.
 * Ownership: `value` is handed over, also on failure; `*out` as for fibril_generator_next.
 * Errors: FIBRIL_ERUNNING the generator is running; FIBRIL_ENOTSTARTED it has not started, and
 * `value` is not undefined. */
int fibril_generator_send(fibril_generator *generator, fibril_value value, fibril_value *out);

/* Ends the generator: its pending yield and every later wait return UV_ECANCELED until fn returns,
 * which it has when this returns. A generator that has not started just ends. What it still yields
 * is dropped; one that goes on yielding ends the process with a sentence, at its 10000th refused
 * yield. A loop that closes closes those that are left when all other coroutines have ended.
 * Answers to Python's close.
 * Where: the loop's thread. Suspends while the generator waits.
 * Errors: FIBRIL_ERUNNING the generator is running. */
int fibril_generator_close(fibril_generator *generator);

/* Frees a generator; one that is not done is closed first. It may not be running.
 * Where: the loop's thread. Suspends while the generator waits.
 * Ownership: the generator is handed over.
 * Errors: none. */
void fibril_generator_unref(fibril_generator *generator);

/* In fn: hands `value` to the caller of next and returns what is sent. A generator for JavaScript
 * gets what the section on those says, too. Answers to Python's yield.
 * Where: a coroutine: the generator's own.
 * Ownership: `value` is handed over, also on failure; what is sent is borrowed until the next
 * yield.
 * Errors: UV_ECANCELED the generator is closed; FIBRIL_ENOTCOROUTINE it is not this generator that
 * runs; UV_ETIMEDOUT in a generator for JavaScript, a deadline has passed; FIBRIL_EEXCEPTION in a
 * generator for JavaScript, throw() was called; those of what is sent. */
fibril_value fibril_yield(fibril_generator *generator, fibril_value value);

/* ---- Futures --------------------------------------------------------------------------------- */

/* A pending future. Answers to Tornado's Future().
 * Where: the loop's thread.
 * Ownership: one reference.
 * Errors: NULL without memory. */
fibril_future *fibril_future_new(fibril_loop *loop);

/* Another reference to it; returns `future`.
 * Where: the loop's thread.
 * Ownership: what is returned is owned.
 * Errors: none. */
fibril_future *fibril_future_ref(fibril_future *future);

/* Drops a reference. The last one frees the future; when it failed and nobody read the error, the
 * log hook hears of it. While it is pending it fails first, with UV_ECANCELED: nobody can settle it
 * any more, and its done callbacks, and what it was chained to, hear of that.
 * Where: the loop's thread.
 * Ownership: the reference is handed over.
 * Errors: none. */
void fibril_future_unref(fibril_future *future);

/* fibril_future_unref of a result that nobody will read: an error is no loss, and nobody hears of
 * it, neither the log hook nor a report of leaks. For what goes on by itself,
 * fibril_future_ignore(fibril_spawn(...)); NULL, of a spawn that failed, does nothing. The
 * counterpart in JavaScript is promise.catch(() => {}).
 * Where: the loop's thread.
 * Ownership: the reference is handed over.
 * Errors: none. */
void fibril_future_ignore(fibril_future *future);

/* Keeps the loop, and with it the process, alive until the future is settled: for what comes from
 * outside, another thread or a library's callback. Timers, I/O and pool work do so by themselves.
 * Where: the loop's thread.
 * Errors: FIBRIL_EALREADY it is settled. */
int fibril_future_hold(fibril_future *future);

/* True once a result or an error is set.
 * Where: the loop's thread.
 * Errors: none. */
bool fibril_future_done(const fibril_future *future);

/* The result; an error value when it failed. Answers to Tornado's Future.result.
 * Where: the loop's thread.
 * Ownership: borrowed from the future.
 * Errors: FIBRIL_EPENDING it is not done; those of the future. */
fibril_value fibril_future_result(fibril_future *future);

/* Settles; an error value fails the future. Done callbacks run inside, on the loop's stack and in
 * order of registration; no coroutine does. Answers to Tornado's Future.set_result.
 * Where: the loop's thread.
 * Ownership: `value` is handed over, also on failure.
 * Errors: FIBRIL_EALREADY it is settled, and nothing changes. */
int fibril_future_set_result(fibril_future *future, fibril_value value);

/* Settles with an error of `code`.
 * Where: the loop's thread.
 * Errors: FIBRIL_EALREADY it is settled, and nothing changes. */
int fibril_future_set_error(fibril_future *future, int code);

/* Called with a future that is done. */
typedef void (*fibril_future_cb)(fibril_future *future, void *arg);

/* Calls callback(future, arg) on the loop's stack when the future is done; at once when it is.
 * Callbacks may not wait. `*id` is for removal, and 0 for one that was called at once. Answers to
 * Tornado's add_done_callback.
 * Where: the loop's thread.
 * Ownership: `id` may be NULL.
 * Errors: UV_ENOMEM nothing will call it. */
int fibril_future_add_done_callback(fibril_future *future, fibril_future_cb callback, void *arg,
                                    uint64_t *id);

/* Takes a done callback off.
 * Where: the loop's thread.
 * Errors: UV_ENOENT it ran or was removed. */
int fibril_future_remove_done_callback(fibril_future *future, uint64_t id);

/* Copies the outcome of `from` to `to` when it is there, unless `to` is done by then. Chains may
 * not form a circle, whose futures would keep each other. Answers to Tornado's chain_future.
 * Where: the loop's thread.
 * Ownership: keeps a reference to `to` until then.
 * Errors: UV_ENOMEM nothing is chained. */
int fibril_future_chain(fibril_future *from, fibril_future *to);

/* ---- The loop: a scheduler on a libuv loop --------------------------------------------------- */

/* A scheduler on a libuv loop that is initialised and not closed. In an addon the loop exists
 * already: fibril_loop_current in a coroutine. Answers to Tornado's IOLoop().
 * Where: the thread that runs the libuv loop.
 * Ownership: the libuv loop stays the caller's; `*loop` is until fibril_loop_close.
 * Errors: UV_ENOMEM there is no loop; those of uv_async_init. */
int fibril_loop_new(uv_loop_t *uv, fibril_loop **loop);

/* Cancels every coroutine, lets each unwind, closes every handle, then calls closed(arg) (may be
 * NULL) from the libuv loop, which the caller goes on running until then. In a coroutine, a
 * callback and inside fibril_loop_run, too, which then goes on until `closed` has been called.
 * Where all that is left waits for each other the process ends with a sentence that says who for
 * whom.
 * Where: the loop's thread.
 * Ownership: the loop is freed after `closed`.
 * Errors: FIBRIL_ECLOSED it is closing already; UV_EPERM it is an addon's in Node, which closes it
 * at its end. */
int fibril_loop_close(fibril_loop *loop, void (*closed)(void *arg), void *arg);

/* The libuv loop that it runs on, for handles of your own.
 * Where: the loop's thread.
 * Ownership: borrowed.
 * Errors: none. */
uv_loop_t *fibril_loop_uv(const fibril_loop *loop);

/* Keeps a pointer with the loop, in the place of the one that was there: state of one's own that
 * every function of the loop finds, so that each worker has another. release(data), which may be
 * NULL, is called once, on the loop's stack: when another pointer takes the place (NULL: none), or
 * when the loop closes and every coroutine, callback and instance of a class has ended, before
 * handles that nobody has closed are. It may not wait, and takes back a log hook that uses the
 * data. The same pointer again only changes `release`. Answers to uv_loop_set_data and
 * napi_set_instance_data.
 * Where: the loop's thread.
 * Ownership: `data` is handed over, but nothing is taken with an error.
 * Errors: FIBRIL_ECLOSED the loop closes, and has released its data. */
int fibril_loop_set_data(fibril_loop *loop, void *data, void (*release)(void *data));

/* What fibril_loop_set_data has set; NULL before that, and in its `release` at the loop's end.
 * Where: the loop's thread.
 * Ownership: borrowed from the loop.
 * Errors: none. */
void *fibril_loop_data(const fibril_loop *loop);

/* The loop of the running coroutine, or of the callback that runs; in an addon of the synchronous
 * function, constructor, getter or `release` as well, and in FIBRIL_MODULE. NULL elsewhere: on
 * other threads, and in callbacks of libuv handles of your own, to which you give the loop. Answers
 * to Tornado's IOLoop.current.
 * Where: any thread.
 * Ownership: borrowed.
 * Errors: none. */
fibril_loop *fibril_loop_current(void);

/* The loop's clock: milliseconds since an arbitrary point, never going back. For
 * fibril_loop_call_at. Answers to Tornado's IOLoop.time.
 * Where: any thread.
 * Errors: none. */
double fibril_loop_now(const fibril_loop *loop);

/* Called on the loop's stack, where it may not wait. */
typedef void (*fibril_cb)(void *arg);

/* Calls callback(arg) in the next iteration, in order. From other threads: fibril_post. Answers to
 * Tornado's IOLoop.add_callback.
 * Where: the loop's thread.
 * Errors: UV_ENOMEM nothing will be called; FIBRIL_ECLOSED the loop is closing. */
int fibril_loop_add_callback(fibril_loop *loop, fibril_cb callback, void *arg);

/* Calls callback(future, arg) in an iteration after the future is done, never inside set_result;
 * not when the loop has been closed by then. Answers to Tornado's IOLoop.add_future.
 * Where: the loop's thread.
 * Ownership: the future is referenced from when it is done until `callback` has returned.
 * Errors: UV_ENOMEM nothing will be called; FIBRIL_ECLOSED the loop is closing. */
int fibril_loop_add_future(fibril_loop *loop, fibril_future *future, fibril_future_cb callback,
                           void *arg);

/* Names a timeout for its removal; never 0. */
typedef uint64_t fibril_timeout;

/* Calls callback(arg) after `ms` milliseconds; never early; by deadline, also of those that have
 * passed (`ms` may be negative), equal ones in order of creation. Answers to Tornado's
 * IOLoop.call_later.
 * Where: the loop's thread.
 * Ownership: `timeout` may be NULL.
 * Errors: UV_EINVAL `ms` is NaN; UV_ENOMEM nothing will be called; FIBRIL_ECLOSED the loop is
 * closing. */
int fibril_loop_call_later(fibril_loop *loop, double ms, fibril_cb callback, void *arg,
                           fibril_timeout *timeout);

/* The same when fibril_loop_now reaches `when`. Answers to Tornado's IOLoop.call_at.
 * Where: the loop's thread.
 * Ownership: `timeout` may be NULL.
 * Errors: UV_EINVAL `when` is NaN; UV_ENOMEM nothing will be called; FIBRIL_ECLOSED the loop is
 * closing. */
int fibril_loop_call_at(fibril_loop *loop, double when, fibril_cb callback, void *arg,
                        fibril_timeout *timeout);

/* Removes a timeout. One that fired or was removed before is fine; one that is due in this very
 * iteration does not fire. Answers to Tornado's IOLoop.remove_timeout.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_loop_remove_timeout(fibril_loop *loop, fibril_timeout timeout);

/* Whether a timeout keeps the loop alive, and with it the process: it does until it is unheld. One
 * that fired or was removed before is fine.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_loop_hold_timeout(fibril_loop *loop, fibril_timeout timeout);
void fibril_loop_unhold_timeout(fibril_loop *loop, fibril_timeout timeout);

/* Called with a descriptor and what it is ready for, or UV_EBADF. */
typedef void (*fibril_handler)(fibril_socket fd, int events, void *arg);

/* Calls handler(fd, events, arg) whenever the descriptor is readable or writable (`events`:
 * UV_READABLE | UV_WRITABLE | UV_DISCONNECT | UV_PRIORITIZED). It gets UV_EBADF, once, when the
 * descriptor has an error pending or has gone away: closed, by whomever, and also when its number
 * is another one's by now. Then the handler sleeps until it is updated or removed. The descriptor
 * is non-blocking until then, and afterwards as it was. Answers to Tornado's IOLoop.add_handler.
 * Where: the loop's thread.
 * Ownership: the descriptor stays the caller's.
 * Errors: UV_EEXIST the descriptor has a handler, a poll or a wait; UV_EINVAL `events` is none of
 * these; UV_EBADF it is none; UV_EPERM it is a file, which is always ready; UV_ENOMEM there is none
 * for it; FIBRIL_ECLOSED the loop is closing; those of epoll. */
int fibril_loop_add_handler(fibril_loop *loop, fibril_socket fd, int events, fibril_handler handler,
                            void *arg);

/* Gives a handler other events, and wakes one that sleeps. Answers to Tornado's
 * IOLoop.update_handler.
 * Where: the loop's thread.
 * Errors: UV_ENOENT the descriptor has no handler; UV_EINVAL `events` is none of those. */
int fibril_loop_update_handler(fibril_loop *loop, fibril_socket fd, int events);

/* Removes a handler, if there is one: 0. Answers to Tornado's IOLoop.remove_handler.
 * Where: the loop's thread.
 * Errors: none. */
int fibril_loop_remove_handler(fibril_loop *loop, fibril_socket fd);

/* Whether a handler keeps the loop alive, and with it the process: it does until it is unheld,
 * unless it sleeps. Without a handler nothing happens.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_loop_hold_handler(fibril_loop *loop, fibril_socket fd);
void fibril_loop_unhold_handler(fibril_loop *loop, fibril_socket fd);

/* Runs a stand-alone loop until fibril_loop_stop; a stop that came before lets it return at once.
 * Of a loop that is closed meanwhile, or was closing, it runs until that is done. Answers to
 * Tornado's IOLoop.start.
 * Where: the loop's stack.
 * Errors: FIBRIL_ERUNNING it runs already, as Node's loop always does; FIBRIL_ECLOSED it has been
 * closed, and is gone. */
int fibril_loop_run(fibril_loop *loop);

/* Lets fibril_loop_run and fibril_loop_run_sync return. Answers to Tornado's IOLoop.stop.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_loop_stop(fibril_loop *loop);

/* Runs fn(arg) as a coroutine on a stand-alone loop until it has ended: 0 when there is a result,
 * an error value included. `timeout` 0: none. A loop that is closed meanwhile runs until that is
 * done, and `*out` has the result. Answers to Tornado's IOLoop.run_sync.
 * Where: the loop's stack.
 * Ownership: `*out` is owned; `out` may be NULL.
 * Errors: UV_ETIMEDOUT the coroutine did not end in time, was cancelled and has ended;
 * FIBRIL_ERUNNING the loop runs already; FIBRIL_ESTOPPED the loop was stopped, or nothing is left
 * that could wake the coroutine, which was cancelled; UV_ENOMEM it could not start, or there is
 * none for the timeout; FIBRIL_ECLOSED the loop was closing, or has been closed, and is gone. */
int fibril_loop_run_sync(fibril_loop *loop, fibril_fn fn, void *arg, double timeout,
                         fibril_value *out);

/* Runs what is ready, in order, until nothing is or `most` tasks ran; how many did. The loop does
 * this by itself; for a host that turns it by hand, and for benchmarks. Does not poll. The libuv
 * loop itself may be turned in a callback (uv_run, as some libraries that block do): what was due
 * or ready then runs there. In a coroutine or a synchronous function the process ends with a
 * sentence at uv_run: see fibril_on_loop.
 * Where: the loop's stack.
 * Errors: none. */
size_t fibril_loop_run_ready(fibril_loop *loop, size_t most);

/* How many coroutines of the loop have not ended.
 * Where: the loop's thread.
 * Errors: none. */
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
  const char *address; /* of the other end, or of a socket without one; or the host that is looked
                          up; NULL: none is known */
  bool unheld;         /* its wait does not keep the loop alive, as fibril_stream_unhold says */
} fibril_inspection;

/* Hears of one coroutine. It may not start, resume or end any. */
typedef void (*fibril_inspect_cb)(const fibril_inspection *about, void *arg);

/* Calls each(about, arg) for every coroutine of the loop that has not ended.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_loop_inspect(fibril_loop *loop, fibril_inspect_cb each, void *arg);

/* From here on the loop keeps book, and as it closes writes a line to stderr for every coroutine
 * that has not ended, and for every future that failed since and still is there, unread.
 * FIBRIL_LEAKS=1 in the environment does this for all loops.
 * Where: the loop's thread.
 * Errors: UV_ENOMEM there will be no report. */
int fibril_loop_report_leaks(fibril_loop *loop);

/* Hears of errors that nobody will. */
typedef void (*fibril_log_cb)(const char *message, fibril_value error, void *arg);

/* Has `log` called for them: a future that is gone with an error never read, a
 * fibril_loop_run_sync that nothing can wake, a generator that failed after JavaScript had dropped
 * it, a call of another thread's that did not reach JavaScript, what a connection's handler
 * (fibril_listener_serve) returns, a writer that was not flushed. NULL restores the default, a line
 * on stderr.
 * Where: the loop's thread.
 * Ownership: `error` is borrowed for the call.
 * Errors: none. */
void fibril_loop_set_log(fibril_loop *loop, fibril_log_cb log, void *arg);

/* ---- Other threads --------------------------------------------------------------------------- */

/* A counted handle through which other threads reach the loop; it may outlive the loop.
 * Where: the loop's thread.
 * Ownership: owned, until fibril_poster_unref.
 * Errors: NULL the loop is closing. */
fibril_poster *fibril_loop_poster(fibril_loop *loop);

/* Calls callback(arg) on the loop's thread, in order for one poster. Answers to Tornado's
 * IOLoop.add_callback.
 * Where: any thread.
 * Errors: UV_ENOMEM nothing will be called; UV_ECANCELED the loop is gone, and nothing will be. */
int fibril_post(fibril_poster *poster, fibril_cb callback, void *arg);

/* Another reference, and dropping one; the last frees the poster.
 * Where: any thread.
 * Ownership: the reference is owned; unref takes one.
 * Errors: none. */
fibril_poster *fibril_poster_ref(fibril_poster *poster);
void fibril_poster_unref(fibril_poster *poster);

/* ---- I/O: what libuv does, as awaits ------------------------------------------------------------
 *
 * fibril never takes more than half of the pool's threads (UV_THREADPOOL_SIZE, over all its loops);
 * what comes on top waits its turn.
 *
 * The file system's functions are each like the uv_fs_* call of their name. An operation that a
 * thread has begun is waited for and its result given, an open descriptor too: who was cancelled
 * meanwhile closes it as ever. Reads and writes at `offset` -1 use and move the file position. */

/* Runs fn(arg) on the thread pool and waits. 0 when fn has run, also for a caller that was
 * cancelled or late meanwhile: the next wait says so. After an error fn has not run and never will.
 * `fn` runs on another thread: of fibril it may call what any thread may. One job that blocks for
 * ever keeps its thread for ever, and a pool of one thread has no other for the host's files.
 * Answers to Tornado's IOLoop.run_in_executor.
 * Where: a coroutine. Suspends.
 * Ownership: `arg` is the caller's, and is in use until this returns.
 * Errors: those of a wait; UV_ENOMEM there is none for the job. */
int fibril_work(void (*fn)(void *arg), void *arg);

/* Of a job. NULL stands for all of them zero. */
typedef struct fibril_work_options {
  size_t size;       /* sizeof(fibril_work_options) */
  const char *name;  /* what fibril_loop_inspect calls it, "work" when NULL; borrowed */
  fibril_sem *limit; /* at most as many of those with the same one at a time as its value says */
  /* Called once, on the loop's thread, when the caller is cancelled or late while fn runs: to have
   * it return early. It may not wait, and may come when fn is just about to return. How far it came
   * is fn's to tell: the call gives 0. */
  void (*interrupt)(void *arg);
} fibril_work_options;

/* The same. With a limit below half of UV_THREADPOOL_SIZE slow work leaves threads for files; what
 * waits for the limit is in nobody's way.
 * Where: a coroutine. Suspends.
 * Ownership: as fibril_work.
 * Errors: those of a wait; UV_EINVAL the options are bad; UV_ENOMEM there is none for the job. */
int fibril_work_with(void (*fn)(void *arg), void *arg, const fibril_work_options *options);

/* Waits until a descriptor is ready, at most `timeout` milliseconds (negative: for ever). The ready
 * events (UV_READABLE ...), also when a cancellation came after them. The descriptor becomes
 * non-blocking. One with an error pending is ready for all that was asked: reading or writing says
 * what it is. A descriptor that is closed while it is waited for ends the wait at once, where
 * fibril_fs_close closes it; what others close is noticed within a fifth of a second.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait; UV_ETIMEDOUT it was not ready in time; UV_EEXIST another wait or a
 * handler has the descriptor; UV_EINVAL `events` is none of those, or `timeout` NaN; UV_EBADF it is
 * none, or is closed meanwhile; UV_EPERM it is a file; UV_ENOMEM there is none for it; those of
 * epoll. */
int fibril_poll_fd(fibril_socket fd, int events, double timeout);

/* Opens a file: its descriptor. Answers to uv_fs_open.
 * Where: a coroutine. Suspends.
 * Ownership: the descriptor is the caller's, also when it comes after a cancellation.
 * Errors: those of a wait; UV_EINVAL `path` is NULL; UV_ENOMEM there is none for the job; those of
 * uv_fs_open. */
int fibril_fs_open(const char *path, int flags, int mode);

/* Closes a descriptor, also when the coroutine is cancelled; at once where nothing can wait, so
 * that a callback, a class's `release` or another thread may close one. Answers to uv_fs_close.
 * Where: any thread. Suspends in a coroutine.
 * Ownership: the descriptor is handed over, also on failure.
 * Errors: those of uv_fs_close. */
int fibril_fs_close(int fd);

/* Reads up to `length` bytes: how many there were, 0 at the end. Answers to uv_fs_read.
 * Where: a coroutine. Suspends.
 * Ownership: `buffer` is the caller's; no thread touches it after the return.
 * Errors: those of a wait; UV_ENOMEM there is none for the job; those of uv_fs_read. */
int64_t fibril_fs_read(int fd, void *buffer, size_t length, int64_t offset);

/* Writes up to `length` bytes: how many were written. Answers to uv_fs_write.
 * Where: a coroutine. Suspends.
 * Ownership: `buffer` is the caller's; no thread reads it after the return.
 * Errors: those of a wait; UV_ENOMEM there is none for the job; those of uv_fs_write. */
int64_t fibril_fs_write(int fd, const void *buffer, size_t length, int64_t offset);

/* What there is to know of a file; of the link itself where it is one. Answers to uv_fs_stat and
 * uv_fs_lstat.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait; UV_EINVAL `path` is NULL; UV_ENOMEM there is none for the job; those of
 * uv_fs_stat. */
int fibril_fs_stat(const char *path, uv_stat_t *stat);
int fibril_fs_lstat(const char *path, uv_stat_t *stat);

/* The same of an open one. Answers to uv_fs_fstat.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait; UV_ENOMEM there is none for the job; those of uv_fs_fstat. */
int fibril_fs_fstat(int fd, uv_stat_t *stat);

/* The path that names a file without symbolic links, `.` and `..`: 0, when it is in `buffer`, with
 * a NUL. *size is the room there is and becomes the length without the NUL; with UV_ENOBUFS the
 * room that it takes, with the NUL; with other errors it stays. PATH_MAX bytes are enough for every
 * path that a system call takes. Answers to uv_fs_realpath.
 * Where: a coroutine. Suspends.
 * Ownership: `buffer` and `size` are the caller's; no thread touches them.
 * Errors: those of a wait; UV_EINVAL `path`, `buffer` or `size` is NULL; UV_ENOBUFS it does not fit
 * into `buffer`; UV_ENOMEM there is none for the job; those of uv_fs_realpath. */
int fibril_fs_realpath(const char *path, char *buffer, size_t *size);

/* Hears of one entry, on the stack of the coroutine that lists. */
typedef void (*fibril_dirent_cb)(const char *name, uv_dirent_type_t type, void *arg);

/* Lists a directory in one pool job and calls each(name, type, arg) for every entry, in the order
 * of uv_fs_scandir: how many there are. Answers to uv_fs_scandir.
 * Where: a coroutine. Suspends.
 * Ownership: `name` is borrowed for the call.
 * Errors: those of a wait; UV_EINVAL `path` is NULL; UV_ENOMEM there is none for the job; those of
 * uv_fs_scandir. */
int fibril_fs_readdir(const char *path, fibril_dirent_cb each, void *arg);

/* ---- Handles: what stays open over several waits ------------------------------------------------
 *
 * Polls, streams, listeners, UDP sockets, signals and processes. What holds for all of them:
 *
 *  - A handle belongs to the coroutine that opened it, whose end closes it, after all that was
 *    deferred and all groups. fibril_TYPE_detach takes it from there, for a struct of your own.
 *    Then it is yours to close, as one that was opened outside of a coroutine is. What is left is
 *    closed when the loop ends.
 *  - Closing never waits and never fails, and may be done on any stack of the loop's thread. Who
 *    waits for the handle gets UV_ECANCELED; every later call on it UV_EBADF. The owner's reference
 *    goes with it: who may come later with the pointer keeps one of fibril_TYPE_ref. Closing it
 *    again, while such a reference is there, does nothing.
 *  - One coroutine reads and one writes at a time. A second one gets UV_EBUSY.
 *  - While a coroutine waits for it a handle keeps the loop alive, and with it the process;
 *    fibril_TYPE_unhold ends that, fibril_TYPE_hold begins it again. An idle handle never does.
 * What libuv has taken of a stream's write and not yet written does in any case, until the stream
 * is closed.
 *  - Of waits that end at once at most 64 in a row do, or 256 KiB; then others have their turn. */

/* ---- Polls ----------------------------------------------------------------------------------- */

/* A descriptor that is waited for again and again. */
typedef struct fibril_poll fibril_poll;

/* Watches a descriptor, which is non-blocking until the poll is closed, and afterwards as it was.
 * Waits cost no system call each, as those of fibril_poll_fd do; what comes when nobody waits for
 * it is watched no more until somebody does. Answers to uv_poll_init.
 * Where: the loop's thread.
 * Ownership: the poll is the running coroutine's; elsewhere owned, until fibril_poll_close. The
 * descriptor stays the caller's.
 * Errors: UV_EINVAL `out` is NULL; UV_EBADF the descriptor is none; UV_EEXIST another poll, a
 * wait or a handler has it; UV_EPERM it is a file, which is always ready; UV_ENOMEM there is
 * none for it; FIBRIL_ENOTCOROUTINE no loop runs here; FIBRIL_ECLOSED the loop is closing; those
 * of epoll. */
int fibril_poll_open(fibril_socket fd, fibril_poll **out);

/* Waits until the descriptor is ready for one of `events` (UV_READABLE ...): for which, also when
 * a cancellation came after them. One with an error pending is ready for all that was asked:
 * reading or writing says what it is. Who waits for UV_WRITABLE writes, who waits for anything
 * else reads. Answers to uv_poll_start.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait; UV_EBADF the poll is closed, or the descriptor was; UV_EBUSY another
 * coroutine waits for that direction; UV_EINVAL `events` is none of those. */
int fibril_poll_wait(fibril_poll *poll, int events);

/* What the section on handles says.
 * Where: the loop's thread.
 * Ownership: what fibril_poll_ref returns is owned; unref and close take a reference.
 * Errors: none. */
fibril_poll *fibril_poll_ref(fibril_poll *poll);
void fibril_poll_unref(fibril_poll *poll);
void fibril_poll_detach(fibril_poll *poll);
void fibril_poll_hold(fibril_poll *poll);
void fibril_poll_unhold(fibril_poll *poll);
void fibril_poll_close(fibril_poll *poll);

/* ---- Streams: bytes in both directions ----------------------------------------------------------
 *
 * TCP, UNIX sockets and named pipes, terminals, pairs in memory, descriptors of others, and
 * whatever is written over another stream. Of those that fibril opened itself it reads ahead, at
 * most 64 KiB; a terminal and a descriptor of others are read only while somebody waits for them. A
 * read that was cancelled or late has consumed nothing. A write that was has broken the stream's
 * write side, since nobody knows how much of it came: reading goes on.
 *
 * A process that opens a stream ignores SIGPIPE from then on, unless it has said what is to be done
 * with it: the write says UV_EPIPE. */
typedef struct fibril_stream fibril_stream;

/* Of a connection. NULL stands for all of them zero. */
typedef struct fibril_tcp_options {
  size_t size;        /* sizeof(fibril_tcp_options) */
  bool delay;         /* leave Nagle's algorithm on */
  unsigned keepalive; /* seconds of silence before the first probe; 0: none */
  int send_buffer;    /* bytes; 0: the system's */
  int receive_buffer;
  const char *local_host; /* the address to connect from, no name; NULL: any */
  int local_port;         /* 0: any */
  int family;             /* AF_INET or AF_INET6; 0: both */
} fibril_tcp_options;

/* Connects to a host's port: looks its addresses up and tries them as RFC 8305 says, in the order
 * of fibril_dns_lookup but with the families in turn, the next one a quarter of a second after the
 * last or when that has failed; the first that answers is taken. An address ("127.0.0.1", "::1",
 * "fe80::1%eth0") is connected to as it is. Answers to uv_tcp_connect and Tornado's
 * TCPClient.connect.
 * Where: a coroutine. Suspends.
 * Ownership: `host` is copied; the stream is the coroutine's.
 * Errors: those of a wait; UV_EINVAL `host` or `out` is NULL, the port is none, or the options
 * are bad; UV_ENOMEM there is none for it; those of fibril_dns_lookup; those of uv_tcp_connect,
 * of the address that was tried first. */
int fibril_tcp_connect(const char *host, int port, const fibril_tcp_options *options,
                       fibril_stream **out);

/* Connects to a UNIX socket or a named pipe. A name that begins with a NUL byte is abstract: its
 * length is `length`; FIBRIL_AUTO_LENGTH: up to the NUL. Answers to uv_pipe_connect.
 * Where: a coroutine. Suspends.
 * Ownership: `path` is copied; the stream is the coroutine's.
 * Errors: those of a wait; UV_EINVAL `path` or `out` is NULL; UV_ENAMETOOLONG the path is longer
 * than an address can be; UV_ENOMEM there is none for it; those of uv_pipe_connect. */
int fibril_pipe_connect(const char *path, size_t length, fibril_stream **out);

/* Two streams of the system's that are connected to each other. Answers to uv_socketpair.
 * Where: the loop's thread.
 * Ownership: the streams are the running coroutine's; elsewhere owned.
 * Errors: UV_EINVAL `out` is NULL; UV_ENOMEM there is none for them; FIBRIL_ENOTCOROUTINE no
 * loop runs here; FIBRIL_ECLOSED the loop is closing; those of uv_socketpair. */
int fibril_pipe_pair(fibril_stream *out[2]);

/* Two streams in memory that are connected to each other: what is written to one is read from the
 * other, of which up to `capacity` bytes wait there (0: 64 KiB); a write waits for room. For tests
 * of protocols. Answers to Go's net.Pipe.
 * Where: the loop's thread.
 * Ownership: the streams are the running coroutine's; elsewhere owned.
 * Errors: UV_EINVAL `out` is NULL; UV_ENOMEM there is none for them; FIBRIL_ENOTCOROUTINE no
 * loop runs here; FIBRIL_ECLOSED the loop is closing. */
int fibril_memory_pair(size_t capacity, fibril_stream *out[2]);

/* A terminal. Answers to uv_tty_init.
 * Where: the loop's thread.
 * Ownership: the descriptor is the stream's, and stays the caller's on failure; the stream is the
 * running coroutine's, elsewhere owned.
 * Errors: UV_EINVAL the descriptor is no terminal, or `out` is NULL; UV_EBADF it is none;
 * UV_EEXIST a poll, a wait or a handler has it; UV_ENOMEM there is none for it;
 * FIBRIL_ENOTCOROUTINE no loop runs here; FIBRIL_ECLOSED the loop is closing; those of
 * uv_tty_init. */
int fibril_tty_open(fibril_socket fd, fibril_stream **out);

/* A stream of a descriptor of others: a connected socket, a pipe or a terminal. It becomes
 * non-blocking, and when the stream is closed or released is what it was before: so is every copy
 * of it (dup), which had better be closed first. Answers to uv_tcp_open and uv_pipe_open.
 * Where: the loop's thread.
 * Ownership: the descriptor is the stream's, and stays the caller's on failure; the stream is the
 * running coroutine's, elsewhere owned.
 * Errors: UV_EINVAL it is of another kind, or `out` is NULL; UV_EBADF it is none; UV_EEXIST a
 * poll, a wait or a handler has it; UV_ENOMEM there is none for it; FIBRIL_ENOTCOROUTINE no loop
 * runs here; FIBRIL_ECLOSED the loop is closing; those of uv_tcp_open and uv_pipe_open. */
int fibril_stream_adopt(fibril_socket fd, fibril_stream **out);

/* The other way: the descriptor, and a buffer of what was read ahead. The stream is closed then.
 * Where: the loop's thread.
 * Ownership: the descriptor is the caller's; `*rest` is owned.
 * Errors: UV_EBADF the stream is closed; UV_EBUSY a coroutine reads or writes; UV_ENOTSUP it has
 * no descriptor, or the system cannot; UV_EINVAL `fd` or `rest` is NULL; UV_ENOMEM there is none
 * for the buffer; those of dup. */
int fibril_stream_release(fibril_stream *stream, fibril_socket *fd, fibril_value *rest);

/* What a stream can do, for one of your own over another: TLS, compression, memory. Each
 * function gets the `self` of fibril_stream_wrap, on the stack of the coroutine that calls.
 * `read`, `write` and `shutdown` may wait, and give what the functions of their names give; one
 * reads and one writes at a time. */
typedef struct fibril_stream_type {
  size_t size;      /* sizeof(fibril_stream_type) */
  const char *name; /* what reports call its waits (`waits_for`); static; NULL: their own name */
  int64_t (*read)(void *self, void *buffer, size_t length);
  /* All of it, or an error. */
  int (*write)(void *self, const uv_buf_t *buffers, unsigned count);
  /* Flushes what the type keeps, says goodbye (a close_notify belongs here) and shuts the inner
   * stream's write side down. */
  int (*shutdown)(void *self);
  /* Once; may not wait. Closes the inner stream, which ends who reads and who writes. */
  void (*close)(void *self);
  /* When nobody has the stream any more and nobody is in one of the functions; may be NULL. */
  void (*release)(void *self);
  /* What there is without waiting, or UV_EAGAIN; may be NULL. */
  int64_t (*tryread)(void *self, void *buffer, size_t length);
  /* Has the peer see an end by force, before the close; may be NULL. */
  void (*abort)(void *self);
} fibril_stream_type;

/* A stream of a type of your own. `self` should have the inner stream detached, with a reference
 * (fibril_stream_ref), since the loop's end closes both in any order, and outlive the coroutine's
 * function, after whose return its handles are closed: it is no local variable. Whether
 * waits keep the loop alive the inner stream says, not this one.
 * Where: the loop's thread.
 * Ownership: `type` is borrowed until the stream is gone (static); `self` stays the caller's on
 * failure; the stream is the running coroutine's, elsewhere owned.
 * Errors: UV_EINVAL the type lacks a function or has another size, or `out` is NULL; UV_ENOMEM
 * there is none for it; FIBRIL_ENOTCOROUTINE no loop runs here; FIBRIL_ECLOSED the loop is
 * closing. */
int fibril_stream_wrap(const fibril_stream_type *type, void *self, fibril_stream **out);

/* Reads up to `length` bytes, as many as there are, at least one: how many, 0 at the end. Answers
 * to uv_read_start and Tornado's IOStream.read_bytes with `partial`.
 * Where: a coroutine. Suspends unless there are some.
 * Ownership: `buffer` is the caller's, and not touched after the return.
 * Errors: those of a wait; UV_EBADF the stream is closed; UV_EBUSY another coroutine reads;
 * UV_EINVAL `buffer` is NULL or `length` 0; those of the system, of a type its own. */
int64_t fibril_stream_read(fibril_stream *stream, void *buffer, size_t length);

/* The same without waiting.
 * Where: a coroutine.
 * Ownership: `buffer` is the caller's, and not touched after the return.
 * Errors: those of a wait; UV_EAGAIN there is nothing yet; UV_EBADF the stream is closed;
 * UV_EBUSY another coroutine reads; UV_EINVAL `buffer` is NULL or `length` 0; UV_ENOTSUP the
 * type cannot; those of the system, of a type its own. */
int64_t fibril_stream_tryread(fibril_stream *stream, void *buffer, size_t length);

/* Writes all of it: 0 when the system has taken it. Answers to uv_write and Tornado's
 * IOStream.write.
 * Where: a coroutine. Suspends unless the system takes it at once.
 * Ownership: `data` is the caller's, and not used after the return.
 * Errors: those of a wait; UV_EBADF the stream is closed; UV_EBUSY another coroutine writes;
 * UV_EPIPE it was shut down, or broken by a write that was cancelled, late or failed, or the
 * peer has gone; UV_EINVAL `data` is NULL and `length` is not 0; UV_ENOMEM there is none for it;
 * those of the system, of a type its own. */
int fibril_stream_write(fibril_stream *stream, const void *data, size_t length);

/* The same of several pieces, in one system call where it can be.
 * Where: a coroutine. Suspends unless the system takes it at once.
 * Ownership: `buffers` and what is in them is the caller's, and not used after the return.
 * Errors: those of fibril_stream_write. */
int fibril_stream_writev(fibril_stream *stream, const uv_buf_t *buffers, unsigned count);

/* How many bytes of all writes the system, or the type, has taken: after a write that failed, too.
 * Where: the loop's thread.
 * Errors: none. */
uint64_t fibril_stream_written(const fibril_stream *stream);

/* Ends the write side: the peer reads the end after all that was written. Reading goes on. Again:
 * 0. Terminals and pipes of one direction have no such end before they are closed: only writing
 * ends. Answers to uv_shutdown.
 * Where: a coroutine. Suspends.
 * Errors: those of a wait; UV_EBADF the stream is closed; UV_EBUSY another coroutine writes;
 * UV_EPIPE a write was broken; UV_ENOMEM there is none for it; those of uv_shutdown, of a type
 * its own. */
int fibril_stream_shutdown(fibril_stream *stream);

/* Shuts the write side down and reads, and drops, all that the peer still sends, up to the end: so
 * that closing does not reset the connection, and what the peer was sent is not lost. A deadline
 * limits it. Answers to nginx's lingering_close.
 * Where: a coroutine. Suspends.
 * Errors: those of fibril_stream_shutdown and fibril_stream_read. */
int fibril_stream_linger(fibril_stream *stream);

/* Copies all that is left of `from` to `to`, up to the end: how many bytes. On an error what was
 * read last may not have been written: fibril_stream_written knows. Answers to Go's io.Copy.
 * Where: a coroutine. Suspends.
 * Errors: those of fibril_stream_read and fibril_stream_write; UV_ENOMEM there is none for a
 * buffer. */
int64_t fibril_stream_copy(fibril_stream *from, fibril_stream *to);

/* Copies both ways, for a proxy: an end on one side shuts the other down, both ends end it: 0. An
 * error on either side ends it at once.
 * Where: a coroutine. Suspends.
 * Errors: those of fibril_stream_copy and fibril_stream_shutdown; those of fibril_group_spawn. */
int fibril_stream_copy_both(fibril_stream *a, fibril_stream *b);

/* The address of the other end, or of this one, as "127.0.0.1:80", "[::1]:80" or a path, cut where
 * it is too long: how long it is. Answers to uv_tcp_getpeername and uv_tcp_getsockname.
 * Where: the loop's thread.
 * Ownership: `buffer` is the caller's.
 * Errors: UV_EBADF the stream is closed; UV_ENOTSUP it has none; UV_EINVAL `buffer` is NULL or
 * `length` 0; those of getpeername. */
int fibril_stream_peer(const fibril_stream *stream, char *buffer, size_t length);
int fibril_stream_address(const fibril_stream *stream, char *buffer, size_t length);

/* Closes the stream so that the peer sees a reset, where there is such a thing. Answers to
 * uv_tcp_close_reset.
 * Where: the loop's thread.
 * Ownership: takes the owner's reference.
 * Errors: none. */
void fibril_stream_abort(fibril_stream *stream);

/* What the section on handles says.
 * Where: the loop's thread.
 * Ownership: what fibril_stream_ref returns is owned; unref and close take a reference.
 * Errors: none. */
fibril_stream *fibril_stream_ref(fibril_stream *stream);
void fibril_stream_unref(fibril_stream *stream);
void fibril_stream_detach(fibril_stream *stream);
void fibril_stream_hold(fibril_stream *stream);
void fibril_stream_unhold(fibril_stream *stream);
void fibril_stream_close(fibril_stream *stream);

/* ---- Readers and writers: buffers over a stream -------------------------------------------------
 *
 * The struct is the caller's, and stays where it is; its members are private. The buffer is the
 * coroutine's that began it, and goes at its end, or with _free; there is none before the first
 * read or write. _detach leaves it to _free alone, for a struct of your own that other coroutines
 * use, too, one at a time.
 *
 * A call that fails, with a deadline too, has taken nothing: what has come stays buffered, and the
 * call can be made again. A struct that was never initialised, or was freed, or copied from
 * elsewhere, gets UV_EINVAL; builds with FIBRIL_DEBUG=1 end the process with a sentence. */

typedef struct fibril_reader {
  void *private_[6];
} fibril_reader;

/* Begins one; `limit` bytes is the longest line, or piece, that it takes (0: 64 KiB).
 * Where: a coroutine.
 * Ownership: the stream is borrowed until the reader is freed.
 * Errors: UV_EINVAL `reader` or `stream` is NULL; FIBRIL_ENOTCOROUTINE no coroutine is running. */
int fibril_reader_init(fibril_reader *reader, fibril_stream *stream, size_t limit);

/* Reads up to `length` bytes, as fibril_stream_read, what is buffered first; many go straight into
 * `buffer`.
 * Where: a coroutine. Suspends unless there are some.
 * Ownership: `buffer` is the caller's.
 * Errors: those of fibril_stream_read; UV_EINVAL the reader is not initialised, too; UV_EBADF it
 * was freed meanwhile, too; UV_ENOMEM there is none for the buffer. */
int64_t fibril_reader_read(fibril_reader *reader, void *buffer, size_t length);

/* Reads exactly `length` bytes: 0.
 * Where: a coroutine. Suspends unless they are buffered.
 * Ownership: `buffer` is the caller's; after an error nothing that counts is in it.
 * Errors: those of fibril_reader_read; UV_EOF the end came before, and what there was can still
 * be read; UV_EMSGSIZE `length` is more than the limit; UV_EINVAL `buffer` is NULL and `length`
 * is not 0. */
int fibril_reader_exact(fibril_reader *reader, void *buffer, size_t length);

/* Reads up to the next `end`, of `length` bytes: how many come before it, which `*out` is, with a
 * NUL where `end` was. Answers to Tornado's IOStream.read_until.
 * Where: a coroutine. Suspends unless it is buffered.
 * Ownership: `*out` is borrowed until the next call on the reader.
 * Errors: those of fibril_reader_read; UV_EOF the stream ended, and what came after the last `end`
 * can still be peeked at and read; UV_EMSGSIZE none begins within the limit, and nothing is taken;
 * UV_EINVAL `end` or `out` is NULL, or `length` 0. `end` is not what the reader gave before: that
 * is overwritten. */
int64_t fibril_reader_until(fibril_reader *reader, const void *end, size_t length,
                            const char **out);

/* The same of a line, which ends with "\n" or "\r\n": 0 is an empty one.
 * Where: a coroutine. Suspends unless it is buffered.
 * Ownership: `*out` is borrowed until the next call on the reader.
 * Errors: those of fibril_reader_until. */
int64_t fibril_reader_line(fibril_reader *reader, const char **out);

/* For parsers: looks at what is buffered, at least `least` bytes of it: how many there are, which
 * is 0 only at the end, or where `least` is 0, with which it never waits. No NUL comes after them.
 * Where: a coroutine. Suspends unless they are buffered.
 * Ownership: `*out` is borrowed until the next call on the reader but fibril_reader_consume.
 * Errors: those of fibril_reader_read; UV_EOF the end came before, and something is there;
 * UV_EMSGSIZE `least` is more than the limit; UV_EINVAL `out` is NULL. */
int64_t fibril_reader_peek(fibril_reader *reader, size_t least, const char **out);

/* Takes so many bytes of what is buffered.
 * Where: the loop's thread.
 * Errors: UV_EINVAL there are fewer, or the reader is not initialised; UV_EBUSY another coroutine
 * reads. */
int fibril_reader_consume(fibril_reader *reader, size_t length);

/* Reads all up to the end: a buffer.
 * Where: a coroutine. Suspends.
 * Ownership: `*out` is the coroutine's.
 * Errors: those of fibril_reader_read; UV_EMSGSIZE it is more than the limit, and nothing is
 * taken; UV_EINVAL `out` is NULL. */
int fibril_reader_all(fibril_reader *reader, fibril_value *out);

/* The buffer is no coroutine's any more: it stays until fibril_reader_free.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_reader_detach(fibril_reader *reader);

/* Gives the buffer back, and drops what is in it. Again, or of a struct that is zeroed: nothing
 * happens.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_reader_free(fibril_reader *reader);

typedef struct fibril_writer {
  void *private_[6];
} fibril_writer;

/* Begins one that collects up to `size` bytes (0: 16 KiB) before it writes them.
 * Where: a coroutine.
 * Ownership: the stream is borrowed until the writer is freed.
 * Errors: UV_EINVAL `writer` or `stream` is NULL; FIBRIL_ENOTCOROUTINE no coroutine is running. */
int fibril_writer_init(fibril_writer *writer, fibril_stream *stream, size_t size);

/* Adds bytes; when they do not fit, writes what there is and them. After an error of writing
 * nothing is left to be flushed; after every other one nothing was added.
 * Where: a coroutine. Suspends where it writes.
 * Ownership: `data` is copied.
 * Errors: those of fibril_stream_write; UV_EINVAL the writer is not initialised, too; UV_EBADF it
 * was freed meanwhile, too; UV_ENOMEM there is none for the buffer. */
int fibril_writer_write(fibril_writer *writer, const void *data, size_t length);

/* The same of printf-style text.
 * Where: a coroutine. Suspends where it writes.
 * Ownership: copies the texts.
 * Errors: those of fibril_writer_write; UV_EINVAL the format is bad, or NULL. */
int fibril_writer_printf(fibril_writer *writer, const char *format, ...) FIBRIL_PRINTF(2, 3);

/* Writes what there is.
 * Where: a coroutine. Suspends unless there is nothing, or the system takes it at once.
 * Errors: those of fibril_writer_write. */
int fibril_writer_flush(fibril_writer *writer);

/* The buffer is no coroutine's any more: it stays until fibril_writer_free.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_writer_detach(fibril_writer *writer);

/* Gives the buffer back. What is in it is dropped, and the log hook hears of that, where a loop
 * runs. Again, or of a struct that is zeroed: nothing happens.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_writer_free(fibril_writer *writer);

/* ---- Listeners ------------------------------------------------------------------------------- */

/* What connections come to. */
typedef struct fibril_listener fibril_listener;

/* Of a listener. NULL stands for all of them zero. */
typedef struct fibril_listen_options {
  size_t size;    /* sizeof(fibril_listen_options) */
  int backlog;    /* connections that wait to be accepted; 0: 511 */
  bool reuseport; /* others may listen on the same port, and the system shares connections out */
  bool ipv6only;  /* "::" is not for IPv4, too */
  int mode;       /* of a UNIX socket's file; 0: what the process's mask leaves */
  fibril_tcp_options connection; /* of what is accepted; its `size` may be 0 */
} fibril_listen_options;

/* Listens on an address ("127.0.0.1", "::1"; NULL: all, of both families) and a port (0: a free
 * one). A name ("localhost" is one) is looked up, which waits. Answers to uv_tcp_bind with
 * uv_listen.
 * Where: the loop's thread. Suspends to look a name up, and only in a coroutine.
 * Ownership: `host` is copied; the listener is the running coroutine's, elsewhere owned.
 * Errors: those of a wait, for a name; UV_EINVAL the port is none, the options are bad, or `out`
 * is NULL; UV_EADDRINUSE the port is in use; UV_EADDRNOTAVAIL the address is not this machine's;
 * UV_ENOMEM there is none for it; FIBRIL_ENOTCOROUTINE no loop runs here; FIBRIL_ECLOSED the
 * loop is closing; those of fibril_dns_lookup; those of the system. */
int fibril_tcp_listen(const char *host, int port, const fibril_listen_options *options,
                      fibril_listener **out);

/* Listens on a UNIX socket, whose file is removed when the listener is closed. A name that begins
 * with a NUL byte is abstract: its length is `length`; FIBRIL_AUTO_LENGTH: up to the NUL. Answers
 * to uv_pipe_bind with uv_listen.
 * Where: the loop's thread.
 * Ownership: `path` is copied; the listener is the running coroutine's, elsewhere owned.
 * Errors: UV_EINVAL `path` or `out` is NULL, or the options are bad; UV_ENAMETOOLONG the path is
 * longer than an address can be; UV_EADDRINUSE there is such a file; UV_ENOMEM there is none for
 * it; FIBRIL_ENOTCOROUTINE no loop runs here; FIBRIL_ECLOSED the loop is closing; those of the
 * system. */
int fibril_pipe_listen(const char *path, size_t length, const fibril_listen_options *options,
                       fibril_listener **out);

/* The port that it listens on, 0 of a UNIX socket.
 * Where: the loop's thread.
 * Errors: UV_EBADF the listener is closed. */
int fibril_listener_port(const fibril_listener *listener);

/* Waits for a connection. Connections that were gone again are passed over; where the process or
 * the system has no descriptor left it waits until there is one. Answers to uv_accept.
 * Where: a coroutine. Suspends unless there is one.
 * Ownership: the stream is the coroutine's.
 * Errors: those of a wait; UV_EBADF the listener is closed, or its descriptor was, and none has
 * its number; UV_EBUSY another coroutine accepts; UV_EINVAL `out` is NULL; UV_ENOMEM there is none
 * for the stream, or UV_EEXIST its descriptor has the number of one that was closed under another
 * stream: then the connection is closed; those of uv_accept, where the system does not allow it. */
int fibril_listener_accept(fibril_listener *listener, fibril_stream **out);

/* Handles a connection. It returns whatever it likes: an error, or in C++ an exception, is told
 * to the log hook, and ends nothing but the connection, which is closed after it. */
typedef fibril_value (*fibril_serve_fn)(fibril_stream *stream, void *arg);

/* Of serving. NULL stands for all of them zero. */
typedef struct fibril_serve_options {
  size_t size;       /* sizeof(fibril_serve_options) */
  unsigned limit;    /* connections at once; the others stay in the backlog; 0: 10,000 */
  double grace;      /* milliseconds that handlers have when it is to end; 0: none */
  size_t stack_size; /* of each handler; 0: 256 KiB */
} fibril_serve_options;

/* Accepts connections, each handled by a coroutine of its own to which the stream belongs, until
 * the caller is cancelled or late, or the listener is closed. Then it accepts no more, waits
 * `grace` for the handlers, cancels those that are left and waits for their ends. Answers to
 * Tornado's TCPServer.
 * Where: a coroutine. Suspends.
 * Ownership: `arg` is in use until this returns.
 * Errors: those of a wait; UV_ECANCELED the listener was closed, too; UV_EBADF the listener was
 * closed before, or its descriptor was; UV_EBUSY another coroutine accepts; UV_EINVAL `handle`
 * is NULL, or the options are bad; UV_ENOMEM there is none for the group; those of uv_accept. */
int fibril_listener_serve(fibril_listener *listener, fibril_serve_fn handle, void *arg,
                          const fibril_serve_options *options);

/* What the section on handles says.
 * Where: the loop's thread.
 * Ownership: what fibril_listener_ref returns is owned; unref and close take a reference.
 * Errors: none. */
fibril_listener *fibril_listener_ref(fibril_listener *listener);
void fibril_listener_unref(fibril_listener *listener);
void fibril_listener_detach(fibril_listener *listener);
void fibril_listener_hold(fibril_listener *listener);
void fibril_listener_unhold(fibril_listener *listener);
void fibril_listener_close(fibril_listener *listener);

/* ---- UDP ------------------------------------------------------------------------------------- */

/* A socket for datagrams. What comes stays in the system, which drops what nobody receives in time:
 * a flood costs no memory here. An interface is told by its name, its number or an IPv4 address
 * that it has. */
typedef struct fibril_udp fibril_udp;

/* Of a UDP socket. NULL stands for all of them zero. */
typedef struct fibril_udp_options {
  size_t size;    /* sizeof(fibril_udp_options) */
  bool reuseaddr; /* others may have the same address and port, for multicast */
  bool ipv6only;
  bool broadcast; /* sending to broadcast addresses is allowed */
  int ttl;        /* 1 to 255; 0: the system's */
  int multicast_ttl;
  bool multicast_no_loop;          /* what is sent to a group does not come back */
  const char *multicast_interface; /* by which it leaves; NULL: the system's choice */
  int send_buffer;                 /* bytes; 0: the system's */
  int receive_buffer;
} fibril_udp_options;

/* Opens one on an address (NULL: all) and a port (0: a free one). A name is looked up, which
 * waits. Answers to uv_udp_bind.
 * Where: the loop's thread. Suspends to look a name up, and only in a coroutine.
 * Ownership: `host` is copied; the socket is the running coroutine's, elsewhere owned.
 * Errors: those of a wait, for a name; UV_EINVAL the port is none, the options are bad, or `out`
 * is NULL; UV_EADDRINUSE the port is in use; UV_EADDRNOTAVAIL the address is not this machine's;
 * UV_ENODEV there is no such interface; UV_ENOMEM there is none for it; FIBRIL_ENOTCOROUTINE no
 * loop runs here; FIBRIL_ECLOSED the loop is closing; those of fibril_dns_lookup; those of the
 * system. */
int fibril_udp_open(const char *host, int port, const fibril_udp_options *options,
                    fibril_udp **out);

/* From here on it sends to, and hears from, one peer only. Answers to uv_udp_connect.
 * Where: the loop's thread.
 * Ownership: `to` is borrowed for the call; NULL: any peer again.
 * Errors: UV_EBADF the socket is closed; UV_EINVAL `to` is of another family; UV_EISCONN it has a
 * peer; UV_ENOTCONN it has none, and `to` is NULL. */
int fibril_udp_connect(fibril_udp *udp, const struct sockaddr *to);

/* Waits for a datagram: its length. Answers to uv_udp_recv_start.
 * Where: a coroutine. Suspends unless there is one.
 * Ownership: `buffer` is the caller's, and not touched after the return; `from` may be NULL.
 * Errors: those of a wait; UV_EBADF the socket is closed; UV_EBUSY another coroutine receives;
 * UV_EMSGSIZE it was longer than `length`, and its beginning is in `buffer`; UV_EINVAL `buffer`
 * is NULL; UV_ECONNREFUSED the peer that it is connected to has refused one; UV_ENOMEM the
 * system has none for it. */
int64_t fibril_udp_receive(fibril_udp *udp, void *buffer, size_t length,
                           struct sockaddr_storage *from);

/* Sends a datagram: 0 when the system has taken it. Answers to uv_udp_send.
 * Where: a coroutine. Suspends unless the system takes it at once.
 * Ownership: `data` and `to` are the caller's, and not used after the return; `to` is NULL where
 * the socket is connected.
 * Errors: those of a wait; UV_EBADF the socket is closed; UV_EBUSY another coroutine sends;
 * UV_EMSGSIZE it is longer than a datagram can be; UV_EDESTADDRREQ `to` is NULL; UV_EISCONN it
 * is not; UV_EINVAL `data` is NULL and `length` is not 0, or `to` is of another family; those of
 * the system, UV_ECONNREFUSED for one before, which was not sent on then. */
int fibril_udp_send(fibril_udp *udp, const void *data, size_t length, const struct sockaddr *to);

/* Joins a multicast group on an interface (NULL: the system's choice). Answers to
 * uv_udp_set_membership.
 * Where: the loop's thread.
 * Ownership: the texts are borrowed for the call.
 * Errors: UV_EBADF the socket is closed; UV_EINVAL `group` is no address of a group; UV_ENODEV
 * there is no such interface; UV_EADDRINUSE it has joined it already. */
int fibril_udp_join(fibril_udp *udp, const char *group, const char *interface);

/* Leaves it again.
 * Where: the loop's thread.
 * Ownership: the texts are borrowed for the call.
 * Errors: UV_EBADF the socket is closed; UV_EINVAL `group` is no address of a group; UV_ENODEV
 * there is no such interface; UV_EADDRNOTAVAIL it has not joined it. */
int fibril_udp_leave(fibril_udp *udp, const char *group, const char *interface);

/* The port that it has.
 * Where: the loop's thread.
 * Errors: UV_EBADF the socket is closed. */
int fibril_udp_port(const fibril_udp *udp);

/* What the section on handles says.
 * Where: the loop's thread.
 * Ownership: what fibril_udp_ref returns is owned; unref and close take a reference.
 * Errors: none. */
fibril_udp *fibril_udp_ref(fibril_udp *udp);
void fibril_udp_unref(fibril_udp *udp);
void fibril_udp_detach(fibril_udp *udp);
void fibril_udp_hold(fibril_udp *udp);
void fibril_udp_unhold(fibril_udp *udp);
void fibril_udp_close(fibril_udp *udp);

/* ---- Names ----------------------------------------------------------------------------------- */

/* Hears of an address, in the order in which they should be tried, on the stack of the coroutine
 * that looks up. */
typedef void (*fibril_address_cb)(const struct sockaddr *address, void *arg);

/* Looks a host's addresses up, with the port in them, and calls each(address, arg) for each: how
 * many there are. `family` is AF_INET, AF_INET6 or 0 for both. Coroutines that ask for the same
 * while it is looked up share the lookup. It takes a thread of the pool, within fibril's half, for
 * as long as the resolver takes: two that are slow have both of those that there are by default
 * (UV_THREADPOOL_SIZE), and files wait. Answers to uv_getaddrinfo and Tornado's Resolver.
 * Where: a coroutine. Suspends, but not for an address.
 * Ownership: `host` is copied; `address` is borrowed for the call.
 * Errors: those of a wait; UV_EINVAL `host` or `each` is NULL, the port is none, or `family` is
 * no such; UV_ENAMETOOLONG the name is longer than one can be; UV_ENOMEM there is none for it;
 * those of uv_getaddrinfo, UV_EAI_NONAME for one that there is not. */
int fibril_dns_lookup(const char *host, int port, int family, fibril_address_cb each, void *arg);

/* The name of an address, or the address itself where it has none. Answers to uv_getnameinfo.
 * Where: a coroutine. Suspends.
 * Ownership: `address` is copied; `host` is the caller's.
 * Errors: those of a wait; UV_EINVAL `address` or `host` is NULL, or `address` is of another
 * family; UV_ENOBUFS the name does not fit; UV_ENOMEM there is none for it; those of
 * uv_getnameinfo. */
int fibril_dns_name(const struct sockaddr *address, char *host, size_t length);

/* ---- Signals --------------------------------------------------------------------------------- */

/* Signals that are waited for. */
typedef struct fibril_signal fibril_signal;

/* From here on these signals are counted, and do nothing else to the process; at the close what
 * was there before comes back. Answers to uv_signal_start.
 * Where: the loop's thread.
 * Ownership: `signals` is copied; the handle is the running coroutine's, elsewhere owned.
 * Errors: UV_EINVAL `signals` or `out` is NULL, `count` is 0, or one of them can't be waited
 * for: SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGPROF, and in Node SIGUSR1;
 * UV_ENOMEM there is none for it; FIBRIL_ENOTCOROUTINE no loop runs here; FIBRIL_ECLOSED the
 * loop is closing; those of uv_signal_init. */
int fibril_signal_open(const int *signals, size_t count, fibril_signal **out);

/* Waits for the next signal: which one. Those that come between two waits are counted, as far as
 * the system tells them apart, and libuv has room for thousands while the loop is busy.
 * Where: a coroutine. Suspends unless one has come.
 * Errors: those of a wait; UV_EBADF the handle is closed; UV_EBUSY another coroutine waits. */
int fibril_signal_wait(fibril_signal *signal);

/* What the section on handles says.
 * Where: the loop's thread.
 * Ownership: what fibril_signal_ref returns is owned; unref and close take a reference.
 * Errors: none. */
fibril_signal *fibril_signal_ref(fibril_signal *signal);
void fibril_signal_unref(fibril_signal *signal);
void fibril_signal_detach(fibril_signal *signal);
void fibril_signal_hold(fibril_signal *signal);
void fibril_signal_unhold(fibril_signal *signal);
void fibril_signal_close(fibril_signal *signal);

/* ---- Processes ------------------------------------------------------------------------------- */

/* A child process. Beside what holds for all handles: closing it kills it, unless it is detached,
 * and it is always reaped, whether or not anybody waits for it; the first one of a group when it is
 * closed, so that its number stays the group's. */
typedef struct fibril_process fibril_process;

/* What a descriptor of a child is: nothing (/dev/null), a stream of this process', or one of this
 * process' descriptors. */
typedef enum fibril_stdio_kind {
  FIBRIL_STDIO_IGNORE,
  FIBRIL_STDIO_PIPE,
  FIBRIL_STDIO_INHERIT
} fibril_stdio_kind;

typedef struct fibril_stdio {
  fibril_stdio_kind kind;
  fibril_socket fd; /* FIBRIL_STDIO_INHERIT: which; it stays the caller's */
} fibril_stdio;

/* Of a child. The last five are fibril_process_run's alone. */
typedef struct fibril_process_options {
  size_t size;               /* sizeof(fibril_process_options) */
  const char *file;          /* without a "/": looked for in the PATH of `env` */
  const char *const *args;   /* the first is the program's name; ends with NULL. NULL: { file } */
  const char *const *env;    /* "NAME=value", ends with NULL. NULL: this process' */
  const char *cwd;           /* the child's folder; NULL: this process' */
  const fibril_stdio *stdio; /* of 0, 1 and so on; what is missing of the first three is ignored */
  unsigned stdio_count;      /* at most 1,024 */
  bool detached;             /* a session of its own; goes on when the handle is closed */
  bool group;                /* a session of its own; a kill is for all of its processes */
  unsigned flags;            /* UV_PROCESS_SETUID and UV_PROCESS_SETGID, or 0 */
  uv_uid_t uid;              /* with UV_PROCESS_SETUID */
  uv_gid_t gid;              /* with UV_PROCESS_SETGID */
  const void *input;         /* what it reads; NULL: nothing is there */
  size_t input_length;
  size_t limit;    /* bytes of stdout, and of stderr; 0: 1 MiB */
  int kill_signal; /* with which it is asked to end; 0: SIGTERM */
  double grace;    /* milliseconds to end in; 0: 1,000; less: none */
} fibril_process_options;

/* Starts a program. Its signals have their default dispositions and none is blocked. What is no
 * binary and has no "#!" is run by /bin/sh, as execvp does. The loop is not stopped for long
 * however large the heap is: posix_spawn starts it, or uv_spawn where that or descriptors of
 * processes don't work (or with FIBRIL_SPAWN=uv in the environment) and for UV_PROCESS_SETUID and
 * _SETGID. Answers to uv_spawn.
 * Where: the loop's thread.
 * Ownership: `options` and all in it is borrowed for the call; the process is the running
 * coroutine's, elsewhere owned.
 * Errors: UV_EINVAL `out` or `file` is NULL, or the options are bad; UV_ENOENT there is no such
 * program, or folder; UV_EACCES it may not be run, or is a folder; UV_EBADF a descriptor to inherit
 * is none; UV_ENOMEM there is none for it; FIBRIL_ENOTCOROUTINE no loop runs here; FIBRIL_ECLOSED
 * the loop is closing; those of uv_spawn. */
int fibril_process_spawn(const fibril_process_options *options, fibril_process **out);

/* Its end of a pipe, by the child's number, in both directions: the child reads the end after
 * fibril_stream_shutdown. It is closed with the process.
 * Where: the loop's thread.
 * Ownership: borrowed from the process.
 * Errors: NULL where that number is no pipe. */
fibril_stream *fibril_process_stdio(const fibril_process *process, unsigned number);

/* Waits until it has ended: with which exit status, by which signal (0: none). Several may wait,
 * and again. `status` and `signal` may be NULL. Answers to waitpid and Tornado's
 * Subprocess.wait_for_exit.
 * Where: a coroutine. Suspends unless it has ended.
 * Errors: those of a wait; UV_EBADF the process is closed; FIBRIL_ECHILD somebody else has reaped
 * it: SIGCHLD is ignored, or a waitpid(-1) elsewhere. */
int fibril_process_wait(fibril_process *process, int64_t *status, int *signal);

/* Sends it a signal, or with 0 looks whether it is there; with `group` all that it has started.
 * A number that another process has meanwhile gets none. Answers to uv_process_kill.
 * Where: the loop's thread.
 * Errors: UV_EBADF the process is closed; UV_ESRCH it has ended; UV_EINVAL there is no such signal;
 * UV_EPERM it may not be sent one. */
int fibril_process_kill(fibril_process *process, int signal);

/* Its number, also when it has ended.
 * Where: the loop's thread.
 * Errors: none. */
int fibril_process_pid(const fibril_process *process);

/* Runs a program to its end, gives it `input` and collects what it writes: an object with `code`
 * (null when a signal ended it), `signal` (null when none did), `stdout` and `stderr`, Buffers.
 * When it has ended and somebody it has started has the pipes still, they are read for `grace`
 * more. Cancelled, late or over the limit, it is asked to end by `kill_signal`, and after `grace`
 * killed. With `group` what it has started is killed when this returns. Answers to Python's
 * subprocess.run.
 * Where: a coroutine. Suspends.
 * Ownership: `options` and all in it is borrowed until it returns; `*out` is the running
 * coroutine's.
 * Errors: those of a wait; UV_EMSGSIZE it has written more than the limit; UV_EINVAL `out` is
 * NULL, the options are bad, have `stdio` or `detached`; those of fibril_process_spawn and
 * fibril_process_wait. */
int fibril_process_run(const fibril_process_options *options, fibril_value *out);

/* What the section on handles says.
 * Where: the loop's thread.
 * Ownership: what fibril_process_ref returns is owned; unref and close take a reference.
 * Errors: none. */
fibril_process *fibril_process_ref(fibril_process *process);
void fibril_process_unref(fibril_process *process);
void fibril_process_detach(fibril_process *process);
void fibril_process_hold(fibril_process *process);
void fibril_process_unhold(fibril_process *process);
void fibril_process_close(fibril_process *process);

/* ---- Exporting to JavaScript --------------------------------------------------------------------
 *
 * Each call of an exported function runs as a coroutine. Where the signature's result is a promise,
 * it returns one. An error that it returns rejects the promise; after an abort, UV_ECANCELED
 * becomes Node's AbortError. A function that completes although it was aborted resolves. What the
 * future that it waited for fails with afterwards is nobody's to read, and not reported: the caller
 * was told.
 *
 * Where the result is anything else, the function is synchronous: it runs in the call, on the
 * loop's stack, returns its result and throws its errors. Nobody waits for it, so it may not
 * either: whatever waits gives FIBRIL_ESYNC. It is no coroutine: fibril_defer, fibril_local_set,
 * fibril_spawn and groups give an error. What it makes is its own as in one, so that one C function
 * can be exported both ways; what runs meanwhile, done callbacks, fibril_on_loop, JavaScript, has
 * nothing to do with that. While it runs JavaScript stands still: what takes long wants a promise.
 */

/* The decoded arguments of an exported function. They live until the function has returned. */
typedef struct fibril_args fibril_args;

/* What FIBRIL_MODULE declares, while it runs. */
typedef struct fibril_module fibril_module;

/* An exported function. */
typedef fibril_value (*fibril_export_fn)(fibril_args *args);

/* The i-th argument: undefined where it was left out and has no default.
 * Where: an exported function.
 * Ownership: borrowed from the arguments.
 * Errors: none. */
fibril_value fibril_arg(const fibril_args *args, size_t index);

/* A property of the i-th argument, an options object: undefined where it was left out and has no
 * default.
 * Where: an exported function.
 * Ownership: borrowed from the arguments.
 * Errors: none. */
fibril_value fibril_arg_option(const fibril_args *args, size_t index, const char *name);

/* True unless the i-th argument was left out or is null. One that has its default is given.
 * Where: an exported function.
 * Errors: none. */
bool fibril_arg_given(const fibril_args *args, size_t index);

/* The bytes of the i-th argument, a string, with a NUL behind them. There may be others among them,
 * where a library would take the string to end: fibril_value_string of fibril_arg gives its length.
 * Where: an exported function.
 * Ownership: borrowed from the arguments; NULL when it was left out.
 * Errors: none. */
const char *fibril_arg_string(const fibril_args *args, size_t index);

/* The bytes of the i-th argument, a Buffer or its like. `length` may be NULL. They are aligned for
 * the elements of the view that came (fibril_value_view), of which there are
 * `length / fibril_view_size(view)`.
 *
 * Most bytes are a copy, which is C's alone. An asynchronous function's call copies up to a MiB at
 * once, and what is more than that in pieces of 1 MiB, one in a turn of the loop: the function
 * begins when all of it is there. Calls that copy stand in a line; those whose bytes are fewer
 * overtake them. Memory that is detached meanwhile, or gets shorter than it was, rejects the call
 * with ERR_INVALID_ARG_VALUE; what JavaScript writes meanwhile may be in the copy or not. Whatever
 * else runs, synchronous functions, generators, constructors and what was exported with
 * `copy_at_once`, has all copied at once.
 *
 * Two kinds of memory are lent instead, as they stay where they are whatever JavaScript does: that
 * of a SharedArrayBuffer which can't grow, and fibril's own, also another addon's: what co.bytes(n)
 * gives, and results of 64 KiB and more that JavaScript got without a copy (fibril_buffer_take).
 * fibril_value_is_shared tells. What C writes there, on whatever thread, JavaScript sees at once,
 * and the other way round: two reads of a byte may differ, and what has been checked may be
 * different by the time it is used. The value keeps the memory: it outlives the ArrayBuffer, and
 * with fibril_value_dup the call. What C still has of shared memory when the environment ends
 * becomes a copy, and pointers into it are no good then.
 * Where: an exported function.
 * Ownership: borrowed from the arguments; NULL, and the length 0, when it was left out.
 * Errors: none. */
void *fibril_arg_buffer(const fibril_args *args, size_t index, size_t *length);

/* The struct of the i-th argument, an object of a class of the addon's own. Of a union of classes
 * fibril_value_instance tells which it is of.
 * Where: an exported function.
 * Ownership: borrowed from the arguments, which keep the object; NULL when it was left out.
 * Errors: none. */
void *fibril_arg_instance(const fibril_args *args, size_t index);

/* The i-th argument, of these kinds.
 * Where: an exported function.
 * Errors: none. */
double fibril_arg_number(const fibril_args *args, size_t index);   /* NaN when left out */
int64_t fibril_arg_integer(const fibril_args *args, size_t index); /* also of a bigint; or 0 */
bool fibril_arg_boolean(const fibril_args *args, size_t index);    /* false when left out */

/* Exports fn as an async function, or a synchronous one. `signature` is its TypeScript signature,
 * "name(path: string, flag?: boolean): Promise<number>" or "name(path: string): number"; its types
 * check and decode the arguments. What fn returns is not checked. A signature that cannot be parsed
 * fails the module's load, its `require`, with ERR_FIBRIL_SIGNATURE and the position; an
 * AbortSignal wants a promise. Answers to napi_create_function.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad, its name is taken, or the load has failed already;
 * UV_ENOMEM the function could not be made in JavaScript. */
int fibril_export(fibril_module *module, const char *signature, fibril_export_fn fn);

/* Of what is exported. NULL stands for all of them zero. */
typedef struct fibril_export_options {
  size_t size;       /* sizeof(fibril_export_options) */
  size_t stack_size; /* of each call's coroutine; 0: 256 KiB; a synchronous function has none */
  size_t ahead;      /* of an asynchronous generator; see fibril_export_async_generator */
  /* Large bytes are copied before the call returns, and the function begins in it, too: for one
   * that has to take hold of something at once, a descriptor or a place in a line. */
  bool copy_at_once;
} fibril_export_options;

/* fibril_export with options.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature or the options are bad, or the load has failed already; UV_ENOMEM
 * the function could not be made in JavaScript. */
int fibril_export_with(fibril_module *module, const char *signature, fibril_export_fn fn,
                       const fibril_export_options *options);

/* Exports a value that stays as it is, "VERSION: string" or "limits: {depth: number}": the
 * declarations have it as a `const`. It may be of every kind that a function can return, and is not
 * checked against its type. An error value fails the module's load with its message, so that the
 * result of fibril_string and the like can be passed as it is; so does a name that is taken.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal); the value is handed over.
 * Errors: UV_EINVAL the signature is bad, its name is taken, the value is an error, or the load has
 * failed already; UV_ENOMEM it could not be made in JavaScript, or the value is that error. */
int fibril_export_value(fibril_module *module, const char *signature, fibril_value value);

/* Exports an enum, "Mode { READ, WRITE = 4, APPEND = 'a' }": an object that is frozen, whose
 * members are numbers, each one more than that before it, or strings. From here on signatures may
 * name it as a type, which takes its values and no others; in the declarations it is the union of
 * them. A doc comment may stand before the name, and before each member. Numbers that are combined
 * with | are no enum: a namespace of constants suits them, with a parameter of uint32.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad, its name is taken, or the load has failed already;
 * UV_ENOMEM it could not be made in JavaScript. */
int fibril_export_enum(fibril_module *module, const char *signature);

/* Exports a class of errors, "SQLiteError extends Error { errcode: int32 }": from here on an error
 * of that name, fibril_error_type("SQLiteError", ...), is an instance of it. It extends one of
 * JavaScript's own, but AggregateError, or one that has been exported before, in whatever
 * namespace: the names are the addon's. What stands in braces is what fibril_error_set gives its
 * errors, for the declarations, which add `code: string`; it may be left out.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad, the name is taken, or the load has failed already;
 * UV_ENOMEM it extends what is no class of errors, has the name of one, or there was no memory. */
int fibril_export_error(fibril_module *module, const char *signature);

/* A namespace of the exports, an object with exports of its own: what is given back takes whatever
 * a module does, other namespaces, too. Signatures name what it declares as "limits.Mode", those
 * inside of it as "Mode". A doc comment may stand before the name.
 * Where: FIBRIL_MODULE.
 * Ownership: it is the module's, and gone with it; the name must outlive the module (a literal).
 * Errors: NULL the load has failed (a bad name, one that is taken, no memory), which the functions
 * that export accept. */
fibril_module *fibril_export_namespace(fibril_module *module, const char *name);

/* A second name, "copy = cp", for what has been exported in the same module or namespace: the same
 * function, class or value.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad, its first name is taken or its second one is not, or the
 * load has failed already; UV_ENOMEM there was no memory for it. */
int fibril_export_alias(fibril_module *module, const char *signature);

/* Makes a function or a class that has been exported what `require` and `import` give, as many
 * packages do: everything that is exported becomes a property of it, itself as "default", too. In
 * the declarations it is `export =`.
 * Where: FIBRIL_MODULE.
 * Ownership: the name must outlive the module (a literal).
 * Errors: UV_EINVAL nothing of the name has been exported, it is neither a function nor a class, it
 * is the second one, one of a namespace, or the load has failed already; UV_ENOMEM there was no
 * memory for it. A property of its own with the name of an export fails the load at its end. */
int fibril_export_default(fibril_module *module, const char *name);

/* ---- Generators for JavaScript ------------------------------------------------------------------
 *
 * A call decodes its arguments, throws if they are bad, and returns an iterator, which is as one of
 * JavaScript's own generator functions. Its first next starts fn as a coroutine, fibril_yield hands
 * a value over, what fn returns ends it: {done: true} with that value, or an error. fibril_yield
 * returns
 *
 *  - what next(value) sent, borrowed until the next yield,
 *  - an error of FIBRIL_EEXCEPTION for throw(error): returning it throws that error again,
 *  - an error of UV_ECANCELED once the loop was left, return() called, or the iterator collected.
 *    Every later yield and wait gives that too: fn cleans up, behind a mask where that has to wait,
 *    and returns. return() resolves after that, and rejects if fn returns another error,
 *  - an error value that it was given: that is not handed over, so that a constructor that found no
 *    memory ends fn as any error does.
 *
 * Anywhere but in fn itself it gives FIBRIL_ENOTCOROUTINE. Values that fn makes and does not hand
 * over stay until it ends, as in any coroutine: one that runs for long frees them,
 * fibril_value_free(fibril_value_take(value)). An abandoned iterator is unwound after its
 * collection; if fn fails then, the log hook hears of it. */

/* An exported generator. */
typedef fibril_value (*fibril_export_generator_fn)(fibril_args *args, fibril_generator *generator);

/* Exports fn as a generator function, "name(count: int32): Generator<number>", for `for...of` and
 * spread. Its consumer does not wait, so fn may not either: whatever waits gives FIBRIL_ESYNC
 * there.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature or the options are bad, an AbortSignal and `ahead` among them, or
 * the load has failed already; UV_ENOMEM the function could not be made in JavaScript. */
int fibril_export_generator(fibril_module *module, const char *signature,
                            fibril_export_generator_fn fn, const fibril_export_options *options);

/* Exports fn as an asynchronous generator function, "name(path: string): AsyncGenerator<object>",
 * for `for await`. fn may wait. Calls of next, throw and return are served in order, one after the
 * other. An AbortSignal in the signature ends the wait that fn is in at once; values that it
 * yielded before are still handed over, then next rejects with an AbortError.
 *
 * `options->ahead`: how many values that nobody has asked for fn may yield before fibril_yield
 * waits, up to 65536; 0: none, it goes on when the next one is asked for. It waits until half of
 * them have been taken. Ahead, what next(value) sends is lost, and throw and return drop the
 * values.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature or the options are bad, or the load has failed already; UV_ENOMEM
 * the function could not be made in JavaScript. */
int fibril_export_async_generator(fibril_module *module, const char *signature,
                                  fibril_export_generator_fn fn,
                                  const fibril_export_options *options);

/* ---- Classes: a C struct behind a JavaScript object ---------------------------------------------
 *
 * Declared inside FIBRIL_MODULE, with the class's name; `new Name(...)` makes a struct of zeroes
 * and calls the constructor. Methods are exported functions that have an object, getters are plain
 * calls. In JavaScript it is an ordinary class: instanceof works, and it can be extended. The
 * struct is released once its object has been collected and none of its methods runs any more; at
 * the environment's end when every coroutine has ended. The main thread's process.exit() releases
 * nothing. Another `this` than an object of the class is refused with a TypeError of
 * ERR_INVALID_THIS; objects of another copy of the addon, and proxies of an object, are such.
 *
 * A struct may keep values: what it keeps is its own, so it takes fibril_value_dup of an argument,
 * and gives a dup. Constructors, getters and `release` are no coroutines: fibril_defer,
 * fibril_local_set, groups and waits give an error there. */

/* A class that is being declared. */
typedef struct fibril_class fibril_class;

/* Of a class.
 *
 * release(state) is called once for every struct, also for one whose constructor has failed, or
 * that fibril_instance has made: what nobody set up is zero. It runs on the loop's stack and may
 * not wait, for a library's lock neither, which a job in the pool may have for long; whatever the
 * struct owns it frees (fibril_value_free, fibril_poster_unref ...). The memory itself is fibril's.
 */
typedef struct fibril_class_options {
  size_t size;                  /* sizeof(fibril_class_options) */
  size_t state_size;            /* of the struct, which may hold any type, zeroed */
  void (*release)(void *state); /* its end; NULL: none */
} fibril_class_options;

/* Exports a class. `options` may be NULL.
 * Where: FIBRIL_MODULE.
 * Ownership: the class is the module's; its name must outlive the module (a literal).
 * Errors: NULL the load has failed (a bad name or bad options, no memory), which the functions
 * below accept. */
fibril_class *fibril_export_class(fibril_module *module, const char *name,
                                  const fibril_class_options *options);

/* The constructor, "(host: string, port?: int32)": what it returns is dropped, unless it is an
 * error, which `new` throws, as bad arguments are. It runs on the loop's stack and may not wait.
 * Without one, `new` takes no arguments and leaves the struct zeroed: a class whose objects only C
 * makes, with fibril_instance, has one that gives an error.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad (an AbortSignal has no meaning here), it is the second
 * one, the load has failed or is over; UV_ENOMEM it could not be made in JavaScript. */
int fibril_class_constructor(fibril_class *cls, const char *signature, fibril_export_fn fn);

/* A method, like fibril_export_with. One called "close" that requires no argument is what
 * Symbol.asyncDispose calls, or Symbol.dispose where it is synchronous.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature or the options are bad, the load has failed or is over; UV_ENOMEM
 * it could not be made in JavaScript. */
int fibril_class_method(fibril_class *cls, const char *signature, fibril_export_fn fn,
                        const fibril_export_options *options);

/* A method that is a generator, like fibril_export_generator: the struct stays until fn has
 * returned, or the iterator has been collected without a next.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature or the options are bad, the load has failed or is over; UV_ENOMEM
 * it could not be made in JavaScript. */
int fibril_class_generator(fibril_class *cls, const char *signature, fibril_export_generator_fn fn,
                           const fibril_export_options *options);

/* The same like fibril_export_async_generator.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature or the options are bad, the load has failed or is over; UV_ENOMEM
 * it could not be made in JavaScript. */
int fibril_class_async_generator(fibril_class *cls, const char *signature,
                                 fibril_export_generator_fn fn,
                                 const fibril_export_options *options);

/* A property that is read by calling fn, "pid: number", on the loop's stack: it may not wait. An
 * error that it returns is thrown.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad, the load has failed or is over; UV_ENOMEM it could not be
 * made in JavaScript. */
int fibril_class_getter(fibril_class *cls, const char *signature, fibril_export_fn fn);

/* A property that is written by calling fn, "step: int32", on the loop's stack: it may not wait.
 * fibril_arg(args, 0) is the value, which the type checks; what fn returns is dropped, unless it is
 * an error, which is thrown. With a getter of the name the property is read, too.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad, the load has failed or is over; UV_ENOMEM it could not be
 * made in JavaScript. */
int fibril_class_setter(fibril_class *cls, const char *signature, fibril_export_fn fn);

/* A second name, "[Symbol.iterator] = values", for a member that the class has already.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature is bad, the load has failed or is over; UV_ENOMEM there is no
 * such member, or no memory for it. */
int fibril_class_alias(fibril_class *cls, const char *signature);

/* A function of the class itself, like fibril_export_with: `Name.open(...)`. fibril_this is NULL in
 * it; fibril_instance makes an object of the class.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal).
 * Errors: UV_EINVAL the signature or the options are bad, the load has failed or is over; UV_ENOMEM
 * it could not be made in JavaScript. */
int fibril_class_static(fibril_class *cls, const char *signature, fibril_export_fn fn,
                        const fibril_export_options *options);

/* A value of the class itself that stays as it is, like fibril_export_value: `Name.MAX`.
 * Where: FIBRIL_MODULE.
 * Ownership: the signature must outlive the module (a literal); the value is handed over.
 * Errors: UV_EINVAL the signature is bad, its name is taken, the value is an error, the load has
 * failed or is over; UV_ENOMEM it could not be made in JavaScript, or the value is that error. */
int fibril_class_value(fibril_class *cls, const char *signature, fibril_value value);

/* The struct of the object that a constructor, method, getter or setter was called on, aligned for
 * any type; NULL in an exported function, and in one of the class itself.
 * Where: an exported function.
 * Ownership: borrowed until fn has returned.
 * Errors: none. */
void *fibril_this(const fibril_args *args);

/* Keeps a struct beyond that, for a coroutine or a callback that goes on after the method that
 * started it: it is released when the object is collected and every fibril_this_ref has had its
 * fibril_this_unref. `state` is what fibril_this gave.
 * Where: the loop's thread.
 * Ownership: ref adds an owner, unref takes one.
 * Errors: none. */
void fibril_this_ref(void *state);
void fibril_this_unref(void *state);

/* Says how much memory a struct has outside of JavaScript, in bytes, all of it, so that the
 * collector knows what an object costs; each call replaces what the one before said. Released with
 * the struct. Answers to napi_adjust_external_memory.
 * Where: the loop's thread.
 * Errors: UV_EINVAL more than a TiB. */
int fibril_this_memory(void *state, size_t bytes);

/* ---- Objects of classes as values ---------------------------------------------------------------
 *
 * The name of a class is a type in the signatures that come after it, "all(statement: Statement)":
 * objects of that class are taken, subclasses' among them, and nothing else; a class that was
 * exported in a namespace is "sqlite.Statement" outside of it. The value keeps the object and its
 * struct as long as it is there; for one that is to outlive the call, fibril_value_dup. As a
 * result, as an item of arrays and objects, yielded or passed to a function it is that object
 * again.
 *
 * A struct that keeps an object of which that one keeps it in turn, by properties or by values, is
 * not collected: JavaScript's collector does not see what C keeps. fibril_this_ref keeps the struct
 * alone. At the environment's end such structs are released all the same, after all others and
 * after the loop's data, in any order: fibril_value_instance gives NULL for one that has been. */

/* A new object of the class, made without its constructor: a struct of zeroes, which
 * fibril_value_instance gives, to be filled in before it is handed over. JavaScript's object comes
 * about when the value gets there. Keep the fibril_class of the load per environment, as in
 * fibril_loop_set_data.
 * Where: the loop's thread.
 * Ownership: owned as any new value; `release` is called when nobody has it any more.
 * Errors: UV_EINVAL where cls is NULL; UV_ENOMEM without memory. */
fibril_value fibril_instance(fibril_class *cls);

/* The object that a struct is of, "this" for instance, to be returned, kept, or passed on. `state`
 * is what fibril_this gave. When only fibril_this_ref has kept the struct, and JavaScript's object
 * has been collected, it is a new one, of the class itself.
 * Where: the loop's thread.
 * Ownership: owned as any new value.
 * Errors: UV_EINVAL the struct is being released; UV_ENOMEM without memory. */
fibril_value fibril_instance_of(void *state);

/* The struct of an object of this class; cls NULL: of whatever class. NULL for any other value, and
 * for a struct that has been released.
 * Where: the value's thread.
 * Ownership: borrowed from the value.
 * Errors: none. */
void *fibril_value_instance(fibril_value value, const fibril_class *cls);

/* ---- Calling JavaScript -------------------------------------------------------------------------
 *
 * A function comes as an argument of type Function; fibril_value_dup keeps it beyond the call, on
 * the loop's thread, and a fibril_callback for other threads. It is called in the AsyncLocalStorage
 * context of the call that brought it. A failure in it is an error of FIBRIL_EEXCEPTION that
 * carries what was thrown. */

/* Calls a JavaScript function (a reference value) and waits for the promise it returns, if it does.
 * A wait that ends early leaves that promise to itself: the function has been called.
 * Where: a coroutine. Suspends.
 * Ownership: the arguments are borrowed; the result is the coroutine's.
 * Errors: those of a wait; FIBRIL_ETYPE `function` is of another kind; FIBRIL_ECLOSED its
 * environment ends or has ended; UV_ENOMEM there is none for the call; FIBRIL_EEXCEPTION it threw,
 * its promise was rejected, or an argument could not be made JavaScript's. */
fibril_value fibril_call(fibril_value function, const fibril_value *args, size_t count);

/* The same from anywhere on the loop's thread, a callback of libuv or of a library too, without
 * waiting: the function has returned when this does. A future of its result, or of its promise's,
 * which fails as fibril_call does, and with UV_ECANCELED when the environment ends first. Where
 * the call can't be made at all it has failed already.
 * Where: the loop's thread.
 * Ownership: the arguments are borrowed; the future is one reference, never NULL.
 * Errors: FIBRIL_ETYPE `function` is of another kind; FIBRIL_ECLOSED its environment ends or has
 * ended; UV_ENOMEM there is none for the call. */
fibril_future *fibril_call_start(fibril_value function, const fibril_value *args, size_t count);

/* The same without a result: what the function throws becomes an uncaughtException, what it rejects
 * an unhandledRejection.
 * Where: the loop's thread.
 * Ownership: the arguments are borrowed.
 * Errors: FIBRIL_ETYPE `function` is of another kind; FIBRIL_ECLOSED its environment ends or has
 * ended; UV_ENOMEM there is none for the call; FIBRIL_EEXCEPTION an argument could not be made
 * JavaScript's. */
int fibril_call_forget(fibril_value function, const fibril_value *args, size_t count);

/* ---- JavaScript's objects -----------------------------------------------------------------------
 *
 * What C does with an object, an array or a function that it holds as a FIBRIL_REFERENCE. Each call
 * goes to the loop's stack and back; only a method is waited for. Getters, setters and proxies run
 * and may do anything, end the worker for instance; so may promise jobs that are due. What they
 * throw is an error of FIBRIL_EEXCEPTION that carries it: return that error, as fibril_error with
 * its code has lost what was thrown. An error in place of the object comes back as it is, so that a
 * chain of them needs one look at its end. Several calls in a row cost less in
 * fibril_reference_batch; a method is not called there, nor in a synchronous function.
 *
 * Values cross as with fibril_call: strings, numbers, booleans, bigints of 64 bits and bytes are
 * copied, anything else is a reference. A method is called in the AsyncLocalStorage context of the
 * call that brought its object, where that came as `object`, and so is a function that was one of
 * the object's properties, by fibril_call; one of an object that came as `any` has none. Getters,
 * setters and proxies run in the one that is current.
 *
 * Names are UTF-8. The key of a function in _key is a string, a number, an array's index for
 * instance, or a reference to a symbol or a string. */

/* What object[name] is, own or inherited; undefined where there is nothing. An array has "length".
 * Where: the loop's thread.
 * Ownership: `name` and `key` are borrowed; the result is the running coroutine's, elsewhere owned.
 * Errors: FIBRIL_ETYPE `object` is no object or function of this thread's, or `key` is none;
 * FIBRIL_ECLOSED the environment ends or has ended; UV_ENOMEM there is none for the result;
 * FIBRIL_EEXCEPTION a getter or a proxy threw, or the name is longer than V8's strings; those of
 * `object`, an error. */
fibril_value fibril_reference_get(fibril_value object, const char *name);
fibril_value fibril_reference_get_key(fibril_value object, fibril_value key);

/* object[name] = value, as in strict code: what the object refuses throws. Undefined.
 * Where: the loop's thread.
 * Ownership: all is borrowed; an error is the running coroutine's, elsewhere owned.
 * Errors: FIBRIL_ETYPE `object` is no object or function of this thread's, `key` is none, or
 * `value` is a reference of another environment; FIBRIL_ECLOSED the environment ends or has ended;
 * UV_ENOMEM there is none for the value; FIBRIL_EEXCEPTION the object is frozen, a setter or a
 * proxy threw, or the value could not be made JavaScript's; those of `object`, an error. */
fibril_value fibril_reference_set(fibril_value object, const char *name, fibril_value value);
fibril_value fibril_reference_set_key(fibril_value object, fibril_value key, fibril_value value);

/* Whether `name in object`, own or inherited.
 * Where: the loop's thread.
 * Ownership: all is borrowed; an error is the running coroutine's, elsewhere owned.
 * Errors: FIBRIL_ETYPE `object` is no object or function of this thread's, or `key` is none;
 * FIBRIL_ECLOSED the environment ends or has ended; UV_ENOMEM there is none for the name;
 * FIBRIL_EEXCEPTION a proxy threw, or the name is longer than V8's strings; those of `object`, an
 * error. */
fibril_value fibril_reference_has(fibril_value object, const char *name);
fibril_value fibril_reference_has_key(fibril_value object, fibril_value key);

/* delete object[name], as in strict code: what the object refuses throws. Undefined, also where
 * there was nothing.
 * Where: the loop's thread.
 * Ownership: all is borrowed; an error is the running coroutine's, elsewhere owned.
 * Errors: FIBRIL_ETYPE `object` is no object or function of this thread's, or `key` is none;
 * FIBRIL_ECLOSED the environment ends or has ended; UV_ENOMEM there is none for the name;
 * FIBRIL_EEXCEPTION the object keeps it, a proxy threw, or the name is longer than V8's strings;
 * those of `object`, an error. */
fibril_value fibril_reference_delete(fibril_value object, const char *name);
fibril_value fibril_reference_delete_key(fibril_value object, fibril_value key);

/* The names of its own enumerable properties, an array of strings: Object.keys(object).
 * Where: the loop's thread.
 * Ownership: the result is the running coroutine's, elsewhere owned.
 * Errors: FIBRIL_ETYPE `object` is no object or function of this thread's; FIBRIL_ECLOSED the
 * environment ends or has ended; UV_ENOMEM there is none for the result; FIBRIL_EEXCEPTION a proxy
 * threw; those of `object`, an error. */
fibril_value fibril_reference_keys(fibril_value object);

/* Calls object.name(...args), the object as `this`, and waits for the promise it returns, if it
 * does. A wait that ends early leaves that promise to itself: the method has been called.
 * Where: a coroutine. Suspends.
 * Ownership: all is borrowed; the result is the coroutine's.
 * Errors: those of a wait; FIBRIL_ETYPE `object` is no object or function of this thread's, or
 * `key` is none; FIBRIL_ECLOSED the environment ends or has ended; UV_ENOMEM there is none for the
 * call; FIBRIL_EEXCEPTION there is no such method, it threw, its promise was rejected, or an
 * argument could not be made JavaScript's; those of `object`, an error. */
fibril_value fibril_reference_call(fibril_value object, const char *name, const fibril_value *args,
                                   size_t count);
fibril_value fibril_reference_call_key(fibril_value object, fibril_value key,
                                       const fibril_value *args, size_t count);

/* Calls fn(data) on the loop's stack, for several of these calls, also with other objects: they go
 * there and back together, and promise jobs run after the last of them. Nothing may wait in it:
 * what would, a method too, gives FIBRIL_ESYNC.
 * Where: the loop's thread.
 * Ownership: `object` and `data` are borrowed; what `fn` makes is the running coroutine's,
 * elsewhere owned.
 * Errors: FIBRIL_ETYPE `object` is no reference of this thread's; FIBRIL_ECLOSED its environment
 * ends or has ended. `fn` is not called then. */
int fibril_reference_batch(fibril_value object, void (*fn)(void *data), void *data);

/* Whether two references are the same for JavaScript, one === other.
 * Where: the loop's thread.
 * Ownership: both are borrowed.
 * Errors: FIBRIL_ETYPE one of them is no reference of this thread's, or both are of different
 * environments; FIBRIL_ECLOSED the environment ends or has ended; UV_ENOMEM Node.js refused it. */
fibril_value fibril_reference_equal(fibril_value one, fibril_value other);

/* Symbol.for(key), as a reference of the environment whose coroutine or function runs.
 * Where: a coroutine, or an exported function.
 * Ownership: `key` is borrowed; the value is the running coroutine's, elsewhere owned.
 * Errors: UV_EINVAL no environment's loop runs here; FIBRIL_ECLOSED the environment ends or has
 * ended; UV_ENOMEM there is none for it; FIBRIL_EEXCEPTION the key is longer than V8's strings. */
fibril_value fibril_symbol(const char *key);

/* Of a function for other threads. NULL stands for all of them zero. */
typedef struct fibril_callback_options {
  size_t size;  /* sizeof(fibril_callback_options) */
  size_t limit; /* calls that may be under way at once; 0: 256 */
  bool unref;   /* does not keep the process alive: as fibril_callback_unhold */
} fibril_callback_options;

/* A function for other threads to call, counted. It keeps the process alive until its last
 * reference is dropped and the calls made by then have reached JavaScript; a promise that the
 * function returned does not. process.exit() and the end of a worker wake the threads that wait.
 * Answers to napi_create_threadsafe_function.
 * Where: the loop's thread.
 * Ownership: `function` is borrowed; the callback is one reference.
 * Errors: NULL without memory, with bad options, for what is no function, or when the environment
 * ends. */
fibril_callback *fibril_callback_new(fibril_value function, const fibril_callback_options *options);

/* Another reference, and dropping one, also when the environment is gone.
 * Where: any thread.
 * Ownership: the reference is owned; unref takes one.
 * Errors: none. */
fibril_callback *fibril_callback_ref(fibril_callback *callback);
void fibril_callback_unref(fibril_callback *callback);

/* Whether it keeps the process alive: it does until it is unheld, unless `unref` was set. When the
 * environment is gone nothing happens.
 * Where: the loop's thread.
 * Errors: none. */
void fibril_callback_hold(fibril_callback *callback);
void fibril_callback_unhold(fibril_callback *callback);

/* The function, for fibril_call and the others; undefined when the environment is gone.
 * Where: the loop's thread.
 * Ownership: borrowed from the callback.
 * Errors: none. */
fibril_value fibril_callback_function(const fibril_callback *callback);

/* Hears on the loop's stack, where it may not wait, how a call ended: with the function's result or
 * its promise's, borrowed, or an error: FIBRIL_EEXCEPTION, UV_ENOMEM, or UV_ECANCELED when the
 * environment has ended first. Once for every call that was taken. */
typedef void (*fibril_callback_done)(fibril_value result, void *arg);

/* Calls the function on the loop's thread, one call after the other in the order of each thread.
 * A call is under way until the function has returned and the promise that it may have returned is
 * settled, so that an async function slows the threads down to its own pace: while `limit` calls
 * are, the thread waits; the loop's own never does. `done` may be NULL: then failures are the
 * process's, as in fibril_call_forget. On the thread the arguments may be scalars, strings,
 * buffers, arrays, objects and errors that it made itself. Answers to
 * napi_call_threadsafe_function.
 * Where: any thread.
 * Ownership: the arguments are handed over, also on failure.
 * Errors: UV_ENOMEM there is none for the call; UV_ECANCELED the environment ends or has ended,
 * also while it waits; UV_EAGAIN on the loop's thread, `limit` calls are under way. */
int fibril_callback_send(fibril_callback *callback, const fibril_value *args, size_t count,
                         fibril_callback_done done, void *arg);

/* The same without waiting, on every thread.
 * Where: any thread.
 * Ownership: the arguments are handed over, also on failure.
 * Errors: UV_ENOMEM there is none for the call; UV_ECANCELED the environment ends or has ended;
 * UV_EAGAIN `limit` calls are under way. */
int fibril_callback_trysend(fibril_callback *callback, const fibril_value *args, size_t count,
                            fibril_callback_done done, void *arg);

/* ---- The module ------------------------------------------------------------------------------ */

/* Defines the module's entry point, once: FIBRIL_MODULE(m) { fibril_export(m, ...); } */
#define FIBRIL_MODULE(m)                                                         \
  static void fibril_module_init_(fibril_module *m);                             \
  FIBRIL_MODULE_ENTRY_ void *napi_register_module_v1(void *env, void *exports) { \
    return fibril__module_register(env, exports, fibril_module_init_);           \
  }                                                                              \
  static void fibril_module_init_(fibril_module *m)

/* Code at load that may wait: fn(arg) runs as a coroutine, up to its first wait before `require`
 * returns, unless FIBRIL_MODULE has failed. What is called before it has ended waits for it, in
 * the order of the calls: an asynchronous function or method, whose arguments are decoded and
 * checked at once, and an asynchronous generator in its first next. A call that is cancelled
 * meanwhile never begins. What can't wait, a synchronous function or method, a constructor, a
 * getter, a synchronous generator, throws an Error with the code ERR_FIBRIL_NOT_READY. Constants
 * are there at once.
 *
 * What fn returns is dropped. If that is an error, or C++ throws, every call fails with it, each
 * with an Error of its own, for as long as the environment lives; one that no call has heard of
 * goes to the log at the end (fibril_loop_set_log). A second init, or none (NULL), fails the load,
 * with ERR_FIBRIL_MODULE.
 * Where: FIBRIL_MODULE.
 * Ownership: `arg` stays the caller's; what fn makes or opens is the coroutine's: handles that are
 * to outlive it want a detach.
 * Errors: UV_EINVAL `fn` is NULL, it is the second one, or the load has failed already. */
int fibril_module_init(fibril_module *module, fibril_fn fn, void *arg);

/* Code at the end that may wait: when the environment ends (the process has nothing left to do; a
 * worker ends, in whatever way) and all other coroutines have unwound, init's among them, fn(arg)
 * runs as a coroutine. After it instances of classes, the loop's data and handles that are left
 * open are released. It runs unless FIBRIL_MODULE has failed, whatever became of init; not where
 * the main thread's process.exit() or an uncaught exception ends the process: that cancels nothing,
 * and waits for nothing.
 *
 * It is as in a coroutine that has been cancelled, behind a mask for all of fn: it waits for jobs,
 * files and streams while the five seconds last that clean-up has when a loop closes, of which
 * others may have used some. From then on its waits give UV_ECANCELED, and it has to return. New
 * coroutines and timeouts give FIBRIL_ECLOSED, and so do fibril_process_run, which needs some, and
 * fibril_call, for no JavaScript runs any more; fibril_callback_send gives UV_ECANCELED. An error
 * that fn returns goes to the log. A second end, or none (NULL), fails the load, with
 * ERR_FIBRIL_MODULE.
 * Where: FIBRIL_MODULE.
 * Ownership: `arg` stays the caller's; what fn makes or opens is the coroutine's.
 * Errors: UV_EINVAL `fn` is NULL, it is the second one, or the load has failed already. */
int fibril_module_end(fibril_module *module, fibril_fn fn, void *arg);

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

/* ---- Signatures ---------------------------------------------------------------------------------
 *
 * The TypeScript declaration of what is exported, of this grammar. It checks and decodes the
 * arguments of each call, and is what `npx fibril dts` prints.
 *
 *     function   = [ doc ] name "(" [ parameters ] ")" ":" ( "Promise" "<" foreign ">" | foreign )
 *     parameters = parameter { "," parameter } [ "," [ rest ] ] | rest
 *     parameter  = name [ "?" ] ":" type [ "=" default ]
 *     rest       = "..." name ":" type
 *     type       = [ "|" ] member { "|" member }
 *     member     = primary { "[" "]" } | "readonly" ( tuple | primary "[" "]" ) { "[" "]" }
 *     primary    = keyword | literal | "(" type ")" | array | tuple | object | record | map | set
 *                | arrow | declared
 *     declared   = name { "." name }  (* a class or an enum that has been exported *)
 *     array      = ( "Array" | "ReadonlyArray" ) "<" type ">"
 *     tuple      = "[" [ place { "," place } [ "," ] ] "]"
 *     place      = type [ "?" ] | name [ "?" ] ":" type
 *     record     = "Record" "<" "string" "," type ">"
 *     map        = ( "Map" | "ReadonlyMap" ) "<" type "," type ">"
 *     set        = ( "Set" | "ReadonlySet" ) "<" type ">"
 *     object     = "{" [ property { ( "," | ";" ) property } [ "," | ";" ] ] "}"
 *     property   = name [ "?" ] ":" type [ "=" default ]
 *     arrow      = "(" foreign ")" "=>" foreign  (* takes the rest of a union for its result *)
 *     literal    = string | number | "true" | "false"
 *     default    = string | number | integer "n" | "true" | "false" | "null"
 *     keyword    = "string" | "number" | "int32" | "uint32" | "int64" | "bigint" | "boolean"
 *                | "null" | "undefined" | "void" | "any" | "unknown" | "object" | "Function"
 *                | "symbol" | "Date" | "path" | "AbortSignal" | "bytes" | "ArrayBufferView"
 *                | "ArrayBuffer" | "Buffer" | "DataView" | "Int8Array" | "Uint8Array"
 *                | "Uint8ClampedArray" | "Int16Array" | "Uint16Array" | "Int32Array"
 *                | "Uint32Array" | "Float16Array" | "Float32Array" | "Float64Array"
 *                | "BigInt64Array" | "BigUint64Array"
 *     string     = "'" { character | escape } "'" | '"' { character | escape } '"'
 *     escape     = "\\" ( "n" | "t" | "r" | "\\" | "'" | '"' )
 *     number     = [ "-" ] ( integer [ "." integer ] [ exponent ] | "Infinity" )
 *     exponent   = ( "e" | "E" ) [ "+" | "-" ] integer
 *     doc        = "/" "**" { character } "*" "/"  (* without spaces between *)
 *     foreign    = any TypeScript type: its brackets must match and its strings end
 *
 *     constructor     = [ doc ] "(" [ parameters ] ")"  (* without rest *)
 *     getter          = [ doc ] name ":" foreign  (* constants are the same *)
 *     setter          = [ doc ] name ":" type
 *     enum            = [ doc ] name "{" member { "," member } [ "," ] "}"
 *     member          = [ doc ] name [ "=" ( string | number ) ]
 *     alias           = [ doc ] name "=" name
 *     error           = [ doc ] name "extends" name [ "{" foreign "}" ]
 *     generator       = [ doc ] name "(" [ parameters ] ")" ":" "Generator" "<" foreign ">"
 *     async generator = [ doc ] name "(" [ parameters ] ")" ":" "AsyncGenerator" "<" foreign ">"
 *
 * Of a member of a class the name may be a symbol's, "[Symbol.iterator]", of those that the Node at
 * hand has. An arrow that is not the last of a union stands in parentheses. At most 8 parameters,
 * 64 properties of options objects, and 16 types in one another. `?` or a default makes a parameter
 * optional, and no required one may follow; a default must be of its parameter's type, or `null`.
 * Only `undefined` counts as left out: `null` is a value like any other, and a type has to say that
 * it takes it. A function whose result is no promise is synchronous; it has no AbortSignal, and
 * generators are exported by functions of their own. What doesn't follow the grammar fails the
 * `require` with ERR_FIBRIL_SIGNATURE, the whole signature, what was expected, and where.
 *
 * What the types accept, and what C gets:
 *
 *  - `any`, `unknown`: everything. Numbers, booleans, `null` and `undefined` come as themselves,
 *    anything else, strings and bytes too, as a FIBRIL_REFERENCE, which comes back to JavaScript as
 *    the same value. To read those, name their types: `string | bytes | object`.
 *  - `string`: a string, as FIBRIL_STRING, UTF-8.
 *  - `number`: a number, as FIBRIL_NUMBER. `int32`, `uint32`: an integer in their range. `int64`:
 *    one that a number holds exactly, up to 2^53 - 1 either way.
 *  - `bigint`: a bigint of 64 bits with sign, as FIBRIL_BIGINT.
 *  - `boolean`: a boolean, as FIBRIL_BOOLEAN.
 *  - `'a'`, `1`, `true`: that value, as its type.
 *  - `bytes`: a Buffer, TypedArray, DataView or ArrayBuffer, as FIBRIL_BUFFER with that view,
 *    copied or lent as fibril_arg_buffer says. `ArrayBufferView`, `ArrayBuffer`, `DataView`,
 *    `Float64Array` ...: an object of that class. `Buffer`, `Uint8Array`: a Uint8Array, which a
 *    Buffer is.
 *  - `path`: a string, a Buffer or a `file:` URL, without NUL, as FIBRIL_STRING.
 *  - `T[]`, `Array<T>`, `readonly T[]`: an array, each element a T, as FIBRIL_ARRAY.
 *  - `[A, B?]`: an array with a type for each of its elements, as many as FIBRIL_ARRAY has then;
 *    those with `?`, which come last, may be missing, and C gets undefined. Names before the types
 *    are for the reader.
 *  - `Record<string, T>`: an object with any keys, its own that are enumerable and strings, each
 *    value a T, as FIBRIL_OBJECT. Arrays, maps and sets are none; of every other object it is what
 *    Object.entries gives.
 *  - `Map<K, V>`, `Set<T>`: one, as FIBRIL_MAP and FIBRIL_SET, whatever subclasses say of it. To C
 *    objects as keys, and references to them, are each another one.
 *  - `Date`: one, as FIBRIL_DATE. `symbol`: one, as FIBRIL_REFERENCE.
 *  - `{...}` as a parameter, also with `null` or `undefined`: an object with these properties, own
 *    or inherited, for fibril_arg_option; others are ignored. Elsewhere the same as FIBRIL_OBJECT.
 *  - `object`: any object or function but `null`, as FIBRIL_REFERENCE, for fibril_reference_get.
 *  - `Function`, `(...) => T`: a function, as FIBRIL_REFERENCE, for fibril_call.
 *  - The name of a class that has been exported before: an object of it, as FIBRIL_INSTANCE. Of an
 *    enum: one of its values. It is looked for in the namespace that the signature is in, then in
 *    those around it; the names above come first.
 *  - `AbortSignal`: one, as a parameter or an option, once in a signature. C gets nothing: the
 *    runtime cancels the coroutine when it is aborted.
 *  - `A | B`: what one of them accepts, as that one. At most one of the types of numbers, one array
 *    or tuple, one map, one set and one object or record; no `path` with `string` or bytes.
 *  - `...rest: T[]`: the arguments that are left, as FIBRIL_ARRAY.
 *
 * Everything is copied before the function starts, so it can't change under it, but for the bytes
 * that are lent (fibril_arg_buffer). Those of a detached ArrayBuffer are refused, with
 * ERR_INVALID_ARG_VALUE.
 *
 * What doesn't fit rejects the call, or throws where it is synchronous, with Node's errors: another
 * type with ERR_INVALID_ARG_TYPE, an integer out of its range or a fraction with ERR_OUT_OF_RANGE,
 * none of the literals, a tuple of another length or a NUL in a path with ERR_INVALID_ARG_VALUE.
 * Each names what is wrong: `path`, `options.flag`, `items[2]`, `rows[0].tags[1]`. The function
 * does not run then.
 *
 * `npx fibril dts build/Release/addon.node addon.d.ts` writes the declarations of everything that
 * an addon exports, classes with their members, and the doc comments that its signatures begin
 * with; without a second argument it prints them. A package of `fibril new` does that in every
 * build. The types of integers are `number` there; `bytes` is `ArrayBufferView | ArrayBuffer` where
 * JavaScript gives it and `Buffer` where C does, `path` is `string | Buffer | URL` and `string`; a
 * default makes its parameter optional. The results stand there as they were written: nothing
 * checks that C returns what it says. The addon is loaded for this; it has its signatures under the
 * symbol `Symbol.for('fibril.signatures')`. */

#ifdef __cplusplus
}
#endif

/* ---- C++ ----------------------------------------------------------------------------------------
 *
 * The header is C++, too, from C++11 on, and FIBRIL_MODULE may stand in a .cc file. Node's build
 * compiles C++ without exceptions; a target that uses them says so:
 *
 *     'cflags_cc!': ['-fno-exceptions'],
 *     'cflags_cc': ['-fexceptions'],
 *
 * Then an exception that leaves the function of a coroutine, a generator or a class becomes its
 * error: std::bad_alloc UV_ENOMEM, any other FIBRIL_EEXCEPTION with the message of what().
 * JavaScript sees a rejected promise; a constructor or a synchronous function throws. Waits and
 * yields inside catch blocks, and in destructors that an exception calls, are fine: each coroutine
 * has the exceptions that it has caught to itself. What fibril calls back (done callbacks,
 * handlers, `each`, `release`) and the function of fibril_on_loop may not throw. A cancelled
 * coroutine returns like any other, so destructors run. */
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
