/* Hashes of keys. */
#ifndef FIBRIL_CORE_VALUE_HASH_H
#define FIBRIL_CORE_VALUE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Keys may come from anywhere: only the process knows which of them fall on the same place. */
uint64_t fibril__hash_bytes(const void *bytes, size_t length);
uint64_t fibril__hash_word(uint64_t word);

#endif /* FIBRIL_CORE_VALUE_HASH_H */
