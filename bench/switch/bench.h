/* What the contenders of the switch bench share. Each starts the rows it can, and all run in turn
 * in one process. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define STACK_SIZE ((size_t)64 * 1024)

enum shape {
  YIELD,     /* each coroutine yields for ever, the resumer goes round in a flat loop */
  DEEP,      /* the same, the yield being four calls down */
  CREATE,    /* create, run an empty function, end */
  GENERATOR, /* next and yield with a number */
  SHAPES
};

struct row {
  const char *name;
  enum shape shape;
  size_t count; /* of coroutines; more than one are resumed in the order of shuffled() */
};

struct contender {
  const char *name;
  /* What `run` needs, or NULL without memory. */
  void *(*start[SHAPES])(const struct row *row); /* NULL: the contender has no such shape */
  /* Resumes `rounds` times, or creates as many coroutines. */
  void (*run[SHAPES])(void *state, uint64_t rounds);
  void (*stop)(void *state);
};

#ifdef __cplusplus
extern "C" {
#endif

extern const struct contender fibril_contender, boost_contender, ucontext_contender, call_contender;

/* A permutation of 0 .. count - 1, the same at every call; malloc'd, or NULL without memory. */
size_t *shuffled(size_t count);

#ifdef __cplusplus
}
#endif

/* Keeps the compiler from turning the call before it into a jump. */
#define NO_TAIL_CALL() __asm__ volatile("")

/* Defines deep(context), which calls yield(context) four frames further down. */
#define DEFINE_DEEP(type, yield)                              \
  __attribute__((noinline)) static void deep4(type context) { \
    yield(context);                                           \
    NO_TAIL_CALL();                                           \
  }                                                           \
  __attribute__((noinline)) static void deep3(type context) { \
    deep4(context);                                           \
    NO_TAIL_CALL();                                           \
  }                                                           \
  __attribute__((noinline)) static void deep2(type context) { \
    deep3(context);                                           \
    NO_TAIL_CALL();                                           \
  }                                                           \
  __attribute__((noinline)) static void deep(type context) {  \
    deep2(context);                                           \
    NO_TAIL_CALL();                                           \
  }

#endif
