/* Exports a function with the signature and stack size that the environment says: its load is what
 * is tested. */
#include <fibril.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char signature[16384];

static fibril_value echo(fibril_args *args) {
  return fibril_arg(args, 0);
}

/* A class with one member, whose signature it is; or without any, and it is the class's name. What
 * follows a failure is refused. */
static void export_class(fibril_module *m, const char *member, fibril_export_options options) {
  fibril_class_options sized = {.size = sizeof sized};
  bool alone = strcmp(member, "class") == 0;
  if (alone && options.size != sizeof options) sized.size = options.size;
  fibril_class *cls = fibril_export_class(m, alone ? signature : "Echo", &sized);
  int err = cls == NULL ? UV_EINVAL : 0;
  if (strstr(member, "constructor") != NULL) err = fibril_class_constructor(cls, signature, echo);
  if (strstr(member, "twice") != NULL) err = fibril_class_constructor(cls, signature, echo);
  if (strcmp(member, "method") == 0) err = fibril_class_method(cls, signature, echo, &options);
  if (strcmp(member, "getter") == 0) err = fibril_class_getter(cls, signature, echo);
  if (err == 0) return;
  if (fibril_class_constructor(cls, "()", echo) != UV_EINVAL ||
      fibril_class_method(cls, "m(): Promise<any>", echo, NULL) != UV_EINVAL ||
      fibril_class_getter(cls, "g: any", echo) != UV_EINVAL ||
      fibril_export_class(m, "Other", NULL) != NULL)
    abort();
}

FIBRIL_MODULE(m) {
  const char *text = getenv("FIBRIL_TEST_SIGNATURE"), *stack = getenv("FIBRIL_TEST_STACK"),
             *size = getenv("FIBRIL_TEST_SIZE");
  if (getenv("FIBRIL_TEST_LOCALE") != NULL && setlocale(LC_ALL, "") == NULL) abort();
  fibril_export_options options = {
      .size = size == NULL ? sizeof options : strtoull(size, NULL, 10),
      .stack_size = stack == NULL ? 0 : strtoull(stack, NULL, 10),
  };
  snprintf(signature, sizeof signature, "%s",
           text == NULL ? "echo(value: any): Promise<any>" : text);
  if (getenv("FIBRIL_TEST_CONSTANT") != NULL) {
    const char *constant = getenv("FIBRIL_TEST_CONSTANT");
    fibril_value value = strcmp(constant, "none") == 0   ? fibril_error(UV_ENOMEM, NULL)
                         : strcmp(constant, "zero") == 0 ? fibril_error(0, "%s", "zero")
                         : strcmp(constant, "unreadable") == 0
                             ? fibril_error_type("TypeError", "E_CONFIG", "%s", "could not read it")
                             : fibril_string("value", 5);
    if (strcmp(constant, "twice") == 0) fibril_export_value(m, signature, fibril_null());
    if (strcmp(constant, "function") == 0) fibril_export(m, "name(): void", echo);
    int err = fibril_export_value(m, signature, value);
    if (err != 0 && fibril_export_value(m, "other: any", fibril_array(1)) != err) abort();
    return;
  }
  if (getenv("FIBRIL_TEST_CLASS") == NULL)
    fibril_export_with(m, signature, echo, &options);
  else
    export_class(m, getenv("FIBRIL_TEST_CLASS"), options);
}
