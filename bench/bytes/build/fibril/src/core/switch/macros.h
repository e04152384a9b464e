/* What every file may use. */
#ifndef FIBRIL_CORE_SWITCH_MACROS_H
#define FIBRIL_CORE_SWITCH_MACROS_H

#include <stddef.h>

#define FIBRIL__LIKELY(x) __builtin_expect(!!(x), 1)
#define FIBRIL__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FIBRIL__CONTAINER(type, member, pointer) \
  ((type *)((char *)(pointer)-offsetof(type, member)))

#define FIBRIL__INLINE __attribute__((always_inline)) static inline
#define FIBRIL__INTERNAL __attribute__((visibility("hidden")))

/* Builds for tests look after what the others rely on. */
#if !defined(FIBRIL_DEBUG)
#define FIBRIL_DEBUG 0
#endif

#endif /* FIBRIL_CORE_SWITCH_MACROS_H */
