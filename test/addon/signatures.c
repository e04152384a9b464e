/* Exports a function with the signature and stack size that the environment says: its load is what
 * is tested. */
#include <fibril.h>

#include <stdio.h>
#include <stdlib.h>

static char signature[1024];

static fibril_value echo(fibril_args *args) {
  return fibril_arg(args, 0);
}

FIBRIL_MODULE(m) {
  const char *text = getenv("FIBRIL_TEST_SIGNATURE"), *stack = getenv("FIBRIL_TEST_STACK"),
             *size = getenv("FIBRIL_TEST_SIZE");
  fibril_export_options options = {
      .size = size == NULL ? sizeof options : strtoull(size, NULL, 10),
      .stack_size = stack == NULL ? 0 : strtoull(stack, NULL, 10),
  };
  snprintf(signature, sizeof signature, "%s",
           text == NULL ? "echo(value: any): Promise<any>" : text);
  fibril_export_with(m, signature, echo, &options);
}
