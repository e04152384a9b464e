/* fibril's own native functions, by file. They are written like anybody else's: with the public
 * header alone. */
#ifndef FIBRIL_ADDON_ADDON_H
#define FIBRIL_ADDON_ADDON_H

#include <fibril.h>

/* Each file's functions, added to the module. 0 or a negative code. */
int addon_export_sleep(fibril_module *module);
int addon_export_files(fibril_module *module);
int addon_export_metadata(fibril_module *module);
int addon_export_du(fibril_module *module);

#endif /* FIBRIL_ADDON_ADDON_H */
