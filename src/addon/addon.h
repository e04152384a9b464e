/* fibril's own native functions. They are written like anybody else's: with the public header
 * alone. */
#ifndef FIBRIL_ADDON_ADDON_H
#define FIBRIL_ADDON_ADDON_H

#include <fibril.h>

/* Each file's functions, added to the module. 0 or a negative code. */
int addon_export_sleep(fibril_module *module);
int addon_export_files(fibril_module *module);
int addon_export_metadata(fibril_module *module);
int addon_export_du(fibril_module *module);

/* Exports with the small stack that is enough for all functions here. */
int addon_export(fibril_module *module, const char *signature, fibril_export_fn fn);

#endif /* FIBRIL_ADDON_ADDON_H */
