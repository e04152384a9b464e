/* The functions of a stream type that does nothing, for types that are about something else. */
#ifndef FIBRIL_TEST_NOTHING_H
#define FIBRIL_TEST_NOTHING_H

#include <fibril.h>

#define NOTHING static __attribute__((unused))

NOTHING int64_t read_nothing(void *self, void *buffer, size_t length) {
  (void)self;
  (void)buffer;
  (void)length;
  return 0;
}

NOTHING int write_nothing(void *self, const uv_buf_t *buffers, unsigned count) {
  (void)self;
  (void)buffers;
  (void)count;
  return 0;
}

NOTHING int shut_nothing(void *self) {
  (void)self;
  return 0;
}

NOTHING void close_nothing(void *self) {
  (void)self;
}

#undef NOTHING

#endif /* FIBRIL_TEST_NOTHING_H */
