/* The loop whose frame or callback runs on the calling thread. Every wait and every frame looks it
 * up, so it must be cheap; and every addon has a copy of fibril, so it may take nothing that a
 * process has little of. Static thread-local storage is both, but glibc has 1.6 KB of it for all
 * libraries that are loaded later, and a library that finds none left does not load. So threads
 * that have loops are found in a small table of the copy, by their thread pointer, which is in a
 * register; a thread that finds its seat taken has a variable of the slower, dynamic kind. */
#ifndef FIBRIL_CORE_HERE_H
#define FIBRIL_CORE_HERE_H

#include "fibril.h"
#include "macros.h"

#include <stdatomic.h>

/* A power of two. */
#define FIBRIL__SEATS_SHIFT 6

/* A cache line each: threads must not get into each other's way. */
typedef struct {
  _Alignas(64) _Atomic(uintptr_t) thread; /* 0: nobody's. The rest is its own */
  fibril_loop *loop;
  unsigned loops; /* that were made on the thread and are not closed */
} fibril__seat;

extern fibril__seat fibril__seats[1 << FIBRIL__SEATS_SHIFT];
extern __thread fibril_loop *fibril__seatless;

/* Different for any two threads that live; 0 where there is none to be had, and only there, which
 * the compiler is told because every wait asks. */
static inline uintptr_t fibril__thread_pointer(void) {
  uintptr_t pointer;
#if defined(__x86_64__) && defined(__LP64__) && defined(__ELF__)
  __asm__("movq %%fs:0, %0" : "=r"(pointer));
  if (pointer == 0) __builtin_unreachable();
#elif defined(__aarch64__) && defined(__ELF__)
  __asm__("mrs %0, tpidr_el0" : "=r"(pointer));
  if (pointer == 0) __builtin_unreachable();
#else
  pointer = 0;
#endif
  return pointer;
}

/* Thread pointers are the size of a stack apart, so the lower bits tell nothing. */
static inline fibril__seat *fibril__seat_of(uintptr_t thread) {
  return &fibril__seats[(uint64_t)thread * 0x9e3779b97f4a7c15 >> (64 - FIBRIL__SEATS_SHIFT)];
}

/* The calling thread's seat, or NULL. */
static inline fibril__seat *fibril__seat_here(void) {
  uintptr_t thread = fibril__thread_pointer();
  fibril__seat *seat = fibril__seat_of(thread);
  if (thread == 0) return NULL;
  bool own = atomic_load_explicit(&seat->thread, memory_order_relaxed) == thread;
  return FIBRIL__LIKELY(own) ? seat : NULL;
}

/* Until a loop is made or closed on the thread. */
static inline fibril_loop **fibril__here(void) {
  fibril__seat *seat = fibril__seat_here();
  return FIBRIL__LIKELY(seat != NULL) ? &seat->loop : &fibril__seatless;
}

#define fibril__loop_here (*fibril__here())

/* The same without a call, and NULL where that does not find it. */
static inline fibril_loop *fibril__loop_seated(void) {
  fibril__seat *seat = fibril__seat_here();
  return FIBRIL__LIKELY(seat != NULL) ? seat->loop : NULL;
}

/* A loop has been made, or closed, on this thread. */
void fibril__here_attach(void);
void fibril__here_detach(void);

#endif /* FIBRIL_CORE_HERE_H */
