/* Exports what the environment says, "enum Mode { A }" for instance, beside a function and a value:
 * its load is what is tested. */
#include <fibril.h>

#include <stdlib.h>
#include <string.h>

static fibril_class *sealed;

static fibril_value nothing(fibril_args *args) {
  (void)args;
  return fibril_undefined();
}

/* A function that JavaScript makes has a prototype that can't be replaced. */
static void export_class(fibril_module *m) {
  fibril_export_class(m, "fn", NULL);
  fibril_export_value(m, "prototype: null", fibril_null());
  fibril_export_default(m, "fn");
}

static void export_late(fibril_module *m, bool outside, bool inside) {
  fibril_module *space = outside || inside ? fibril_export_namespace(m, "space") : m;
  if (outside || inside) fibril_export_class(space, "Late", NULL);
  fibril_export(inside ? space : m, "f(late: Late): void", nothing);
  if (!outside && !inside) fibril_export_class(m, "Late", NULL);
}

static int add_member(fibril_class *cls, const char *what) {
  if (strcmp(what, "symbol") == 0)
    return fibril_class_method(cls, "[Symbol.nothing](): void", nothing, NULL);
  if (strcmp(what, "noSymbol") == 0) return fibril_class_method(cls, "[Symbol.]()", nothing, NULL);
  if (strcmp(what, "noMember") == 0) return fibril_class_alias(cls, "a = b");
  if (strcmp(what, "twoMethods") == 0) {
    fibril_class_method(cls, "m(): void", nothing, NULL);
    return fibril_class_method(cls, "m(a: string): Promise<void>", nothing, NULL);
  }
  if (strcmp(what, "twoForms") == 0) {
    fibril_class_setter(cls, "p: any", nothing);
    fibril_class_getter(cls, "p: any", nothing);
    return fibril_class_method(cls, "p(): void", nothing, NULL);
  }
  if (strcmp(what, "twoStatics") == 0) {
    fibril_class_static(cls, "m(): void", nothing, NULL);
    return fibril_class_static(cls, "m(): void", nothing, NULL);
  }
  if (strcmp(what, "prototype") == 0)
    return fibril_class_static(cls, "prototype(): void", nothing, NULL);
  if (strcmp(what, "noSymbols") == 0)
    return fibril_class_static(cls, "[Symbol.for](): void", nothing, NULL);
  return fibril_class_setter(cls, "s: AbortSignal", nothing);
}

/* After a failure, or the end of the load, everything is refused. */
static void expect_refusals(fibril_module *m, fibril_class *cls) {
  if (fibril_class_setter(cls, "s: any", nothing) == 0 || fibril_class_alias(cls, "a = m") == 0 ||
      fibril_class_static(cls, "m(): void", nothing, NULL) == 0 ||
      fibril_class_value(cls, "V: string", fibril_string("value", 5)) == 0)
    abort();
  if (m == NULL) return;
  if (fibril_export_enum(m, "E { A }") == 0 || fibril_export_error(m, "E extends Error") == 0 ||
      fibril_export_alias(m, "b = taken") == 0 || fibril_export_default(m, "fn") == 0 ||
      fibril_export_namespace(m, "n") != NULL || fibril_module_init(NULL, NULL, NULL) == 0 ||
      fibril_module_end(NULL, NULL, NULL) == 0 || fibril_export(NULL, "f(): void", nothing) == 0 ||
      fibril_export_enum(NULL, "E { A }") == 0 ||
      fibril_export_value(NULL, "V: string", fibril_string("value", 5)) == 0 ||
      fibril_export_class(NULL, "C", NULL) != NULL || fibril_export_alias(NULL, "a = b") == 0 ||
      fibril_export_default(NULL, "fn") == 0 || fibril_export_namespace(NULL, "n") != NULL)
    abort();
}

static fibril_value refusals(fibril_args *args) {
  (void)args;
  expect_refusals(NULL, sealed);
  return fibril_undefined();
}

static bool starts(const char **text, const char *word) {
  size_t length = strlen(word);
  if (strncmp(*text, word, length) != 0 || (*text)[length] != ' ') return false;
  *text += length + 1;
  return true;
}

static bool export_text(fibril_module *m, const char *text) {
  if (starts(&text, "enum")) return fibril_export_enum(m, text) != 0;
  if (starts(&text, "error")) return fibril_export_error(m, text) != 0;
  if (starts(&text, "class")) return fibril_export_class(m, text, NULL) == NULL;
  if (starts(&text, "function")) return fibril_export(m, text, nothing) != 0;
  if (starts(&text, "alias")) return fibril_export_alias(m, text) != 0;
  if (starts(&text, "default")) return fibril_export_default(m, text) != 0;
  if (starts(&text, "namespace")) return fibril_export_namespace(m, text) == NULL;
  return false;
}

FIBRIL_MODULE(m) {
  static char text[256];
  const char *wanted = getenv("FIBRIL_TEST_EXPORTS");
  strncpy(text, wanted == NULL ? "" : wanted, sizeof text - 1);
  if (strcmp(text, "own") == 0) {
    export_class(m);
    return;
  }
  if (strcmp(text, "shadow") == 0) {
    fibril_export_enum(m, "Mode { OUTER = 'outer' }");
    fibril_module *space = fibril_export_namespace(m, "space");
    fibril_export(space, "f(mode: Mode): void", nothing);
    if (fibril_export_enum(space, "Mode { INNER = 'inner' }") == 0) abort();
    return;
  }
  if (strcmp(text, "name") == 0 || strcmp(text, "default") == 0) {
    fibril_export(m, "fn(): void", nothing);
    fibril_export_value(m, text[0] == 'n' ? "name: null" : "default: null", fibril_null());
    fibril_export_default(m, "fn");
    return;
  }
  if (strcmp(text, "early") == 0 || strcmp(text, "outside") == 0 || strcmp(text, "inside") == 0) {
    export_late(m, strcmp(text, "outside") == 0, strcmp(text, "inside") == 0);
    return;
  }
  fibril_export(m, "fn(): void", nothing);
  fibril_export_value(m, "taken: null", fibril_null());
  fibril_class *cls = fibril_export_class(m, "Class", NULL);
  if (strcmp(text, "sealed") == 0) {
    sealed = cls;
    fibril_export(m, "refusals(): void", refusals);
    return;
  }
  if (strcmp(text, "twice") == 0) fibril_export_default(m, "fn");
  if (strcmp(text, "inner") == 0) {
    fibril_module *space = fibril_export_namespace(m, "space");
    fibril_export(space, "fn(): void", nothing);
    if (fibril_export_default(space, "fn") != UV_EINVAL) abort();
  } else if (strcmp(text, "twice") == 0  ? fibril_export_default(m, "fn") == 0
             : strchr(text, ' ') != NULL ? !export_text(m, text)
                                         : add_member(cls, text) == 0) {
    return;
  }
  expect_refusals(m, cls);
}
