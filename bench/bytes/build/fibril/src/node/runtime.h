/* For fibril's own addon: what lib/ needs besides the exported functions. */
#ifndef FIBRIL_NODE_RUNTIME_H
#define FIBRIL_NODE_RUNTIME_H

#include "fibril.h"

/* Puts the runtime's API for lib/ on the exports, as `runtime`. Inside FIBRIL_MODULE only. */
void fibril__module_runtime(fibril_module *module);

#endif /* FIBRIL_NODE_RUNTIME_H */
