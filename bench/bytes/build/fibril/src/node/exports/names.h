/* What a module exports besides functions and classes. */
#ifndef FIBRIL_NODE_EXPORTS_NAMES_H
#define FIBRIL_NODE_EXPORTS_NAMES_H

#include "export.h"

/* As fibril_export_value: `value` is handed over. */
int fibril__export_constant(fibril_module *module, const fibril__export_spec *spec,
                            fibril_value value);
/* What `require` gives, once everything has been exported; NULL: an exception may be pending. */
napi_value fibril__module_exports(fibril_module *module);
/* Frees its namespaces. */
void fibril__module_end(fibril_module *module);

#endif /* FIBRIL_NODE_EXPORTS_NAMES_H */
