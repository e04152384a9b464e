/* Hashes of keys: words multiplied by a secret of the process, both halves of the product kept. */
#include "hash.h"

#include <string.h>
#include <uv.h>

#define START UINT64_C(0x9e3779b97f4a7c15)

static uint64_t secret;
static uv_once_t secret_once = UV_ONCE_INIT;

static void choose_secret(void) {
  if (uv_random(NULL, NULL, &secret, sizeof secret, 0, NULL) != 0)
    secret = uv_hrtime() ^ (uintptr_t)&secret;
}

static inline uint64_t mix(uint64_t hash, uint64_t word) {
  unsigned __int128 product = (unsigned __int128)(hash ^ word) * (secret | 1);
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t fibril__hash_bytes(const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  uv_once(&secret_once, choose_secret);
  uint64_t hash = mix(length, START), word = 0;
  for (; length > sizeof word; at += sizeof word, length -= sizeof word) {
    memcpy(&word, at, sizeof word);
    hash = mix(hash, word);
  }
  word = 0;
  for (size_t i = 0; i < length; i++) word = word << 8 | at[i];
  return mix(hash, word);
}

uint64_t fibril__hash_word(uint64_t word) {
  uv_once(&secret_once, choose_secret);
  return mix(START, word);
}
