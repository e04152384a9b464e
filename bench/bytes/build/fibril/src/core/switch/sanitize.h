/* What the tools that follow stacks have to be told: ASan, TSan and LSan, which the compiler's own
 * macros announce (LSan alone has none: define FIBRIL_LSAN), and valgrind, in builds that define
 * FIBRIL_VALGRIND and have its headers. In every other build all of this is empty. */
#ifndef FIBRIL_CORE_SANITIZE_H
#define FIBRIL_CORE_SANITIZE_H

#include <stddef.h>

#if defined(__has_feature)
#define FIBRIL__HAS_FEATURE(name) __has_feature(name)
#else
#define FIBRIL__HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || FIBRIL__HAS_FEATURE(address_sanitizer)
#define FIBRIL__ASAN 1
#include <sanitizer/asan_interface.h>
#else
#define FIBRIL__ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || FIBRIL__HAS_FEATURE(thread_sanitizer)
#define FIBRIL__TSAN 1
#include <sanitizer/tsan_interface.h>
#else
#define FIBRIL__TSAN 0
#endif

/* ASan looks for leaks at the end of a process too. */
#if FIBRIL__ASAN || defined(FIBRIL_LSAN)
#define FIBRIL__LSAN 1
#include <sanitizer/lsan_interface.h>
#else
#define FIBRIL__LSAN 0
#endif

#if defined(FIBRIL_VALGRIND)
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#endif

/* Each switch is announced. */
#define FIBRIL__FIBERS (FIBRIL__ASAN || FIBRIL__TSAN)

#if FIBRIL__FIBERS

/* A context's. `bottom` and `size` are the stack's; of the loop's own stack they become known when
 * somebody leaves it. */
typedef struct fibril__fiber {
  const void *bottom;
  size_t size;
  void *fake;   /* ASan's, for the locals it moves off the stack */
  void *thread; /* TSan's; NULL before the first switch */
} fibril__fiber;

/* Whom the running context came from; NULL when that has ended. */
extern __thread fibril__fiber *fibril__fiber_left;

/* Always inline: TSan counts calls, and these are made on one stack and end on another. */
#define FIBRIL__FIBER_HOOK __attribute__((always_inline)) static inline void

/* The last thing before a switch. */
FIBRIL__FIBER_HOOK fibril__fiber_leave(fibril__fiber *from, fibril__fiber *to) {
  fibril__fiber_left = from;
#if FIBRIL__ASAN
  __sanitizer_start_switch_fiber(&from->fake, to->bottom, to->size);
#endif
#if FIBRIL__TSAN
  from->thread = __tsan_get_current_fiber();
  if (to->thread == NULL) to->thread = __tsan_create_fiber(0);
  __tsan_switch_to_fiber(to->thread, 0);
#endif
}

/* The same, for one that nobody will go back to. */
FIBRIL__FIBER_HOOK fibril__fiber_end(fibril__fiber *from, fibril__fiber *to) {
  fibril__fiber_left = NULL;
  (void)from;
#if FIBRIL__ASAN
  __sanitizer_start_switch_fiber(NULL, to->bottom, to->size);
#endif
#if FIBRIL__TSAN
  void *thread = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to->thread, 0);
  __tsan_destroy_fiber(thread);
#endif
}

/* The first thing after a switch: `self` goes on, or begins. */
FIBRIL__FIBER_HOOK fibril__fiber_arrive(fibril__fiber *self) {
#if FIBRIL__ASAN
  fibril__fiber *left = fibril__fiber_left;
  __sanitizer_finish_switch_fiber(self->fake, left == NULL ? NULL : &left->bottom,
                                  left == NULL ? NULL : &left->size);
#else
  (void)self;
#endif
}

#define FIBRIL__FIBER_LEAVE(from, to) fibril__fiber_leave(&(from)->fiber, &(to)->fiber)
#define FIBRIL__FIBER_END(from, to) fibril__fiber_end(&(from)->fiber, &(to)->fiber)
#define FIBRIL__FIBER_ARRIVE(self) fibril__fiber_arrive(&(self)->fiber)

#else

#define FIBRIL__FIBER_LEAVE(from, to) ((void)0)
#define FIBRIL__FIBER_END(from, to) ((void)0)
#define FIBRIL__FIBER_ARRIVE(self) ((void)0)

#endif /* FIBRIL__FIBERS */

/* ---- Memory of stacks ---- */

/* It is anybody's again, whatever was left there by calls that never returned. A stack that was not
 * used has nothing to undo, and its shadow stays without memory of its own. */
static inline void fibril__memory_anew(void *low, size_t bytes) {
#if FIBRIL__ASAN
  char *first = __asan_region_is_poisoned(low, bytes);
  if (first != NULL) __asan_unpoison_memory_region(first, bytes - (size_t)(first - (char *)low));
#endif
#if defined(FIBRIL_VALGRIND)
  VALGRIND_MAKE_MEM_UNDEFINED(low, bytes);
#endif
  (void)low;
  (void)bytes;
}

/* A stack from `low` to `high` that is in use may hold the only pointer to a block. */
static inline void fibril__root_add(void *low, char *high) {
#if FIBRIL__LSAN
  __lsan_register_root_region(low, (size_t)(high - (char *)low));
#endif
  (void)low;
  (void)high;
}

static inline void fibril__root_remove(void *low, char *high) {
#if FIBRIL__LSAN
  __lsan_unregister_root_region(low, (size_t)(high - (char *)low));
#endif
  (void)low;
  (void)high;
}

/* A coroutine that has not run, its context at the top of its stack. */
#if FIBRIL__FIBERS
#define FIBRIL__FIBER_INIT(context, low) \
  ((context)->fiber = (fibril__fiber){.bottom = (low), .size = (size_t)((char *)(context) - (low))})
#else
#define FIBRIL__FIBER_INIT(context, low) ((void)0)
#endif
#define FIBRIL__STACK_BEGIN(context, low, high)                      \
  do {                                                               \
    fibril__memory_anew((low), (size_t)((char *)(context) - (low))); \
    fibril__root_add((low), (high));                                 \
    FIBRIL__FIBER_INIT(context, low);                                \
  } while (0)

#if defined(FIBRIL_VALGRIND)
#define FIBRIL__STACK_ADDED(stack) \
  ((stack)->valgrind = VALGRIND_STACK_REGISTER((stack)->base, (char *)((stack) + 1) - 1))
#define FIBRIL__STACK_REMOVED(stack) VALGRIND_STACK_DEREGISTER((stack)->valgrind)
#else
#define FIBRIL__STACK_ADDED(stack) ((void)0)
#define FIBRIL__STACK_REMOVED(stack) ((void)0)
#endif

#endif /* FIBRIL_CORE_SANITIZE_H */
