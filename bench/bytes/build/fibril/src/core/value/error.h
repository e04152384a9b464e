/* Error values that know more than a code, and the one way this library ends a process. */
#ifndef FIBRIL_CORE_VALUE_ERROR_H
#define FIBRIL_CORE_VALUE_ERROR_H

#include "box.h"

typedef struct fibril__error {
  fibril__box box;
  int code;
  const char *class_name; /* NULL: Error */
  const char *code_name;  /* NULL: fibril_err_name(code) */
  const char *syscall;    /* NULL: not of a system call */
  const char *path;
  const char *message;
  fibril_value exception;  /* FIBRIL_EEXCEPTION: what JavaScript threw */
  fibril_value properties; /* an object, or undefined */
  char text[];             /* what the strings above point into */
} fibril__error;

/* The error of what JavaScript threw; takes `exception`, an owned reference, also on failure. */
fibril_value fibril__error_exception(fibril_value exception, const char *message);

/* One sentence on stderr, then abort. */
_Noreturn void fibril__fatal(const char *format, ...) FIBRIL_PRINTF(1, 2);

#endif /* FIBRIL_CORE_VALUE_ERROR_H */
