/* Exporting generators. */
#ifndef FIBRIL_NODE_ITERATORS_EXPORT_H
#define FIBRIL_NODE_ITERATORS_EXPORT_H

#include "../exports/export.h"

#define FIBRIL__AHEAD_MAX 65536

/* An exported generator. */
typedef struct fibril__generator_export {
  fibril__export entry;
  fibril_export_generator_fn generate;
  uint32_t ahead;
} fibril__generator_export;

static inline const fibril__generator_export *fibril__generator_of(const fibril__export *entry) {
  return FIBRIL__CONTAINER(const fibril__generator_export, entry, entry);
}

/* As fibril__export_new; `generate` is the function. */
fibril__export *fibril__generator_new(fibril_module *module, const fibril__export_spec *spec,
                                      fibril_export_generator_fn generate);

#endif /* FIBRIL_NODE_ITERATORS_EXPORT_H */
