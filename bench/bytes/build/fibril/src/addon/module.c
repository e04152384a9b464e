#include "../node/runtime.h"
#include "addon.h"

/* What fails to be exported, the runtime reports when it loads the module. */
FIBRIL_MODULE(module) {
  addon_export_sleep(module);
  addon_export_files(module);
  addon_export_metadata(module);
  addon_export_du(module);
  fibril__module_runtime(module);
}
