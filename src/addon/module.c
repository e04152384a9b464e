#include "../node/runtime.h"
#include "addon.h"

#define STACK_SIZE (64 * 1024)

int addon_export(fibril_module *module, const char *signature, fibril_export_fn fn) {
  fibril_export_options options = {.size = sizeof options, .stack_size = STACK_SIZE};
  return fibril_export_with(module, signature, fn, &options);
}

/* What fails to be exported, the runtime reports when it loads the module. */
FIBRIL_MODULE(module) {
  addon_export_sleep(module);
  addon_export_files(module);
  addon_export_metadata(module);
  addon_export_du(module);
  fibril__module_runtime(module);
}
