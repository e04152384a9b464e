/* What the environment asks for: FIBRIL_GUARD, FIBRIL_LEAKS, FIBRIL_TRACE, and what others have
 * there that concerns fibril. */
#ifndef FIBRIL_CORE_SWITCH_SETTINGS_H
#define FIBRIL_CORE_SWITCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* The text of a variable; false, and "", where it is not set. Of one that is too long it gives the
 * text "(too long)". */
bool fibril__setting(const char *name, char *text, size_t size);

/* Whether it is "1". */
bool fibril__setting_is_on(const char *name);

#endif /* FIBRIL_CORE_SWITCH_SETTINGS_H */
