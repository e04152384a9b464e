/* Exporting generators. */
#include "export.h"

#include "request.h"

fibril__export *fibril__generator_new(fibril_module *module, const fibril__export_spec *spec,
                                      fibril_export_generator_fn generate) {
  fibril__export *entry = fibril__export_new(module, spec, sizeof(fibril__generator_export));
  if (entry == NULL) return NULL;
  const fibril__parameter *key;
  size_t ahead = spec->options == NULL ? 0 : spec->options->ahead;
  bool sync = spec->form == FIBRIL__FORM_GENERATOR;
  const char *expected = NULL;
  if (ahead > (sync ? 0 : FIBRIL__AHEAD_MAX))
    expected = sync ? "no values ahead" : "at most 65536 values ahead";
  if (sync && fibril__signature_signal(&entry->signature, &key) >= 0) expected = "no AbortSignal";
  if (expected != NULL) {
    fibril__load_expected(module, spec->what, spec->signature, expected, 0);
    return NULL;
  }
  fibril__generator_export *generator = FIBRIL__CONTAINER(fibril__generator_export, entry, entry);
  generator->generate = generate;
  generator->ahead = (uint32_t)ahead;
  return entry;
}

static int export_generator(fibril_module *module, const fibril__export_spec *spec,
                            fibril_export_generator_fn generate, int js) {
  fibril__export *entry = fibril__generator_new(module, spec, generate);
  if (entry == NULL) return fibril__module_failure(module);
  return fibril__export_define(module, spec, entry, fibril__iterator_begin, js);
}

int fibril_export_generator(fibril_module *module, const char *signature,
                            fibril_export_generator_fn fn, const fibril_export_options *options) {
  const fibril__export_spec spec = {.what = "fibril_export_generator",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_GENERATOR,
                                    .options = options};
  return export_generator(module, &spec, fn, FIBRIL__JS_WRAP_GENERATOR);
}

int fibril_export_async_generator(fibril_module *module, const char *signature,
                                  fibril_export_generator_fn fn,
                                  const fibril_export_options *options) {
  const fibril__export_spec spec = {.what = "fibril_export_async_generator",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_ASYNC_GENERATOR,
                                    .options = options};
  return export_generator(module, &spec, fn, FIBRIL__JS_WRAP_ASYNC_GENERATOR);
}
