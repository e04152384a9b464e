/* Exporting generators: their iterators are in iterator.c. */
#include "iterator.h"

fibril__export *fibril__generator_new(fibril_module *module, const char *what, fibril__form form,
                                      fibril_class *cls, const char *signature,
                                      fibril_export_generator_fn fn,
                                      const fibril_export_options *options) {
  const fibril__parameter *key;
  fibril__export *entry = fibril__export_new(module, what, form, cls, signature, NULL, options);
  if (entry == NULL) return NULL;
  size_t ahead = options == NULL ? 0 : options->ahead;
  bool sync = form == FIBRIL__FORM_GENERATOR;
  const char *expected = NULL;
  if (ahead > (sync ? 0 : FIBRIL__AHEAD_MAX))
    expected = sync ? "no values ahead" : "at most 65536 values ahead";
  if (sync && fibril__signature_signal(&entry->signature, &key) >= 0) expected = "no AbortSignal";
  if (expected != NULL) {
    fibril__fail_load(module, what, UV_EINVAL, signature, expected, 0);
    return NULL;
  }
  entry->generate = fn;
  entry->ahead = (uint32_t)ahead;
  return entry;
}

static int export_as(fibril_module *module, const char *what, fibril__form form,
                     const char *signature, fibril_export_generator_fn fn,
                     const fibril_export_options *options) {
  fibril__export *entry = fibril__generator_new(module, what, form, NULL, signature, fn, options);
  if (entry == NULL) return UV_EINVAL;
  int js =
      form == FIBRIL__FORM_GENERATOR ? FIBRIL__JS_WRAP_GENERATOR : FIBRIL__JS_WRAP_ASYNC_GENERATOR;
  if (fibril__export_define(module, entry, fibril__iterator_begin, js)) return 0;
  return fibril__fail_load(module, what, UV_ENOMEM, signature, NULL, 0);
}

int fibril_export_generator(fibril_module *module, const char *signature,
                            fibril_export_generator_fn fn, const fibril_export_options *options) {
  return export_as(module, "fibril_export_generator", FIBRIL__FORM_GENERATOR, signature, fn,
                   options);
}

int fibril_export_async_generator(fibril_module *module, const char *signature,
                                  fibril_export_generator_fn fn,
                                  const fibril_export_options *options) {
  return export_as(module, "fibril_export_async_generator", FIBRIL__FORM_ASYNC_GENERATOR, signature,
                   fn, options);
}
