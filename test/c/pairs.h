/* Two streams that are connected to each other, of every kind that there is. */
#ifndef FIBRIL_TEST_PAIRS_H
#define FIBRIL_TEST_PAIRS_H

#include "test.h"

typedef struct {
  const char *name;
  int (*make)(fibril_stream *out[2]);
  bool resets; /* who is aborted leaves the peer a reset */
} pair_kind;

extern const pair_kind pair_kinds[];
extern const size_t pair_kind_count;

/* Runs the scene in a coroutine of its own for every kind. */
typedef void (*pair_scene)(fibril_stream *a, fibril_stream *b, const pair_kind *kind);
void with_every_pair(fibril_loop *loop, pair_scene scene);
/* The same with a pair in memory alone. */
void with_memory(fibril_loop *loop, pair_scene scene);

#define PAIRS__TEST(test_name, run)                                                         \
  static void scene_##test_name(fibril_stream *a, fibril_stream *b, const pair_kind *kind); \
  LOOP_TEST(test_name) {                                                                    \
    run(loop, scene_##test_name);                                                           \
  }                                                                                         \
  static void scene_##test_name(__attribute__((unused)) fibril_stream *a,                   \
                                __attribute__((unused)) fibril_stream *b,                   \
                                __attribute__((unused)) const pair_kind *kind)

/* A LOOP_TEST in a coroutine, with `a` and `b` connected, of `kind`. */
#define PAIR_TEST(name) PAIRS__TEST(name, with_every_pair)
#define MEMORY_TEST(name) PAIRS__TEST(name, with_memory)

/* What a coroutine has ended with, as a code, or as the number that it returned; its future is
 * given back. */
int64_t outcome_of(fibril_future *future);

#endif /* FIBRIL_TEST_PAIRS_H */
