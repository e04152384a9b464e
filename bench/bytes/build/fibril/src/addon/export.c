#include "export.h"

int addon_export(fibril_module *module, const char *signature, fibril_export_fn fn) {
  fibril_export_options options = {.size = sizeof options, .stack_size = ADDON_STACK_SIZE};
  return fibril_export_with(module, signature, fn, &options);
}
