/* Error codes, error values, and the one way this library ends a process. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIBRIL__ERRORS(V)                                                         \
  V(FIBRIL_EALREADY, "future is settled already")                                 \
  V(FIBRIL_EPENDING, "future is not done yet")                                    \
  V(FIBRIL_ENOTCOROUTINE, "this call waits, and no coroutine is running")         \
  V(FIBRIL_ENOTSTARTED, "can't send a value to a generator that has not started") \
  V(FIBRIL_ECLOSED, "loop is closing or closed")                                  \
  V(FIBRIL_EBADYIELD, "what is awaited is not a future")                          \
  V(FIBRIL_ERUNNING, "it is running already")                                     \
  V(FIBRIL_ESTOPPED, "loop was stopped before the result was there")              \
  V(FIBRIL_EEXCEPTION, "JavaScript threw")                                        \
  V(FIBRIL_ETYPE, "value is of another kind")                                     \
  V(FIBRIL_ESYNC, "a synchronous function or generator can't wait")               \
  V(FIBRIL_ECHILD, "somebody else has reaped the process")

const char *fibril_strerror(int code) {
  switch (code) {
#define V(name, message) \
  case name: return message;
    FIBRIL__ERRORS(V)
#undef V
    default: return uv_strerror(code);
  }
}

const char *fibril_err_name(int code) {
  switch (code) {
#define V(name, message) \
  case name: return #name;
    FIBRIL__ERRORS(V)
#undef V
    default: return uv_err_name(code);
  }
}

static void destroy_error(fibril__box *box, fibril__box **dead) {
  fibril__error *error = (fibril__error *)box;
  fibril__value_drop(error->exception, dead);
  fibril__value_drop(error->properties, dead);
  free(error);
}

/* The strings are copied behind the struct; NULL stays NULL. */
static fibril_value error_new(int code, const char *const strings[5], fibril_value exception) {
  size_t lengths[5], total = 0;
  for (int i = 0; i < 5; i++) total += lengths[i] = strings[i] == NULL ? 0 : strlen(strings[i]) + 1;
  fibril__error *error = malloc(sizeof *error + total);
  if (error == NULL) {
    fibril_value_free(exception);
    return fibril__error_code(UV_ENOMEM);
  }
  const char *copies[5];
  char *text = error->text;
  for (int i = 0; i < 5; i++) {
    copies[i] = strings[i] == NULL ? NULL : memcpy(text, strings[i], lengths[i]);
    text += lengths[i];
  }
  error->code = code;
  error->message = copies[0];
  error->syscall = copies[1];
  error->path = copies[2];
  error->class_name = copies[3];
  error->code_name = copies[4];
  error->exception = exception;
  error->properties = fibril_undefined();
  return fibril__value_of(FIBRIL_ERROR, &error->box, destroy_error);
}

/* A formatted message of any length; NULL without memory. The caller frees it. */
FIBRIL_PRINTF(1, 0) static char *format_message(const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *message = length < 0 ? NULL : malloc((size_t)length + 1);
  if (message != NULL) vsnprintf(message, (size_t)length + 1, format, args);
  return message;
}

fibril_value fibril_error(int code, const char *format, ...) {
  if (format == NULL) return fibril__error_code(code);
  va_list args;
  va_start(args, format);
  char *message = format_message(format, args);
  va_end(args);
  if (message == NULL) return fibril__error_code(UV_ENOMEM);
  fibril_value error = error_new(code, (const char *const[5]){message}, fibril_undefined());
  free(message);
  return error;
}

fibril_value fibril_error_type(const char *class_name, const char *code, const char *format, ...) {
  va_list args;
  if (format == NULL) {
    const char *message = code == NULL ? fibril_strerror(UV_EINVAL) : code;
    return error_new(UV_EINVAL, (const char *const[5]){message, NULL, NULL, class_name, code},
                     fibril_undefined());
  }
  va_start(args, format);
  char *message = format_message(format, args);
  va_end(args);
  if (message == NULL) return fibril__error_code(UV_ENOMEM);
  fibril_value error = error_new(
      UV_EINVAL, (const char *const[5]){message, NULL, NULL, class_name, code}, fibril_undefined());
  free(message);
  return error;
}

fibril_value fibril_error_uv(int code, const char *syscall, const char *path) {
  return error_new(code, (const char *const[5]){NULL, syscall, path}, fibril_undefined());
}

fibril_value fibril__error_exception(fibril_value exception, const char *message) {
  return error_new(FIBRIL_EEXCEPTION, (const char *const[5]){message}, exception);
}

int fibril_error_set(fibril_value error, const char *key, fibril_value item) {
  if (fibril__value_is_in(error, item)) return UV_EINVAL;
  if (!fibril__is_error(error) || !(error.tag & FIBRIL__BOXED)) {
    fibril_value_free(fibril_value_take(item));
    return FIBRIL_ETYPE;
  }
  fibril__error *box = fibril__value_box(error);
  if (fibril_value_kind(box->properties) == FIBRIL_UNDEFINED) {
    fibril_value properties = fibril_value_take(fibril_object());
    if (fibril__is_error(properties)) {
      fibril_value_free(fibril_value_take(item));
      return UV_ENOMEM;
    }
    box->properties = properties;
  }
  return fibril_object_set(box->properties, key, item);
}

fibril_value fibril_error_get(fibril_value error, const char *key) {
  if (!fibril__is_error(error) || !(error.tag & FIBRIL__BOXED)) return fibril_undefined();
  return fibril_object_get(((fibril__error *)fibril__value_box(error))->properties, key);
}

int fibril_error_code(fibril_value error) {
  if (!fibril__is_error(error)) return 0;
  if (!(error.tag & FIBRIL__BOXED)) return (int)error.as.integer;
  return ((fibril__error *)fibril__value_box(error))->code;
}

const char *fibril_error_message(fibril_value error) {
  if (!fibril__is_error(error)) return "";
  if (error.tag & FIBRIL__BOXED) {
    const fibril__error *box = fibril__value_box(error);
    if (box->message != NULL) return box->message;
  }
  return fibril_strerror(fibril_error_code(error));
}

void fibril__fatal(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("fibril: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  fflush(stderr);
  abort();
}
