/* How fibril's own functions are exported. */
#ifndef FIBRIL_ADDON_EXPORT_H
#define FIBRIL_ADDON_EXPORT_H

#include <fibril.h>

/* Enough for all of them. */
#define ADDON_STACK_SIZE (64 * 1024)

/* With that stack. 0 or a negative code. */
int addon_export(fibril_module *module, const char *signature, fibril_export_fn fn);

#endif /* FIBRIL_ADDON_EXPORT_H */
