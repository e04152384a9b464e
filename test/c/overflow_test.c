/* Overflows end the process with one sentence, whatever guards the stacks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "test.h"

#include "../../src/core/switch/stack.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define KIB 1024

/* ---- Overflows ----------------------------------------------------------------------------------
 */

/* Makes the compiler keep the bytes on the stack. */
static void keep(void *bytes) {
  __asm__ volatile("" : : "r"(bytes) : "memory");
}

__attribute__((noinline)) static int recurse(int depth) {
  char frame[1000];
  frame[0] = (char)depth;
  keep(frame);
  int below = depth > 1 ? recurse(depth - 1) : 0;
  keep(frame);
  return below + frame[0];
}

/* Ends a little below the stack, so that a canary is what it finds where there is no guard page. */
static fibril_value overflow_by_recursion(void *arg) {
  int bytes = *(int *)arg + 8 * KIB;
  fibril_value result = fibril_number(recurse(bytes / 1000));
  fibril_sleep(0);
  return result;
}

static fibril_value overflow_by_frame(void *arg) {
  char frame[100 * KIB];
  memset(frame, *(char *)arg + 1, sizeof frame);
  keep(frame);
  fibril_sleep(0);
  return fibril_undefined();
}

static void run_coroutine(fibril_loop *loop, fibril_fn fn, const char *name, int stack_size) {
  fibril_spawn_options options = {sizeof options, name, (size_t)stack_size};
  fibril_future *future = fibril_loop_spawn(loop, fn, &stack_size, &options);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_future_unref(future);
}

#define SENTENCE(name, size)                                              \
  "^fibril: stack overflow in coroutine \"" name "\" \\(stack size " size \
  " bytes\\): give it a larger stack_size or move large local variables to the heap\\n"

CRASH_TEST(overflow_by_recursion, "SIGSEGV", SENTENCE("parse", "65536")) {
  run_coroutine(loop, overflow_by_recursion, "parse", 64 * KIB);
}

CRASH_TEST(overflow_by_one_frame, "SIGSEGV", SENTENCE("large frame", "65536")) {
  run_coroutine(loop, overflow_by_frame, "large frame", 64 * KIB);
}

CRASH_TEST(overflow_of_a_large_stack, "SIGSEGV", SENTENCE("large", "1048576")) {
  run_coroutine(loop, overflow_by_recursion, "large", 1000 * KIB);
}

CRASH_TEST(overflow_of_an_unnamed_coroutine, "SIGSEGV", SENTENCE("unnamed", "16384")) {
  run_coroutine(loop, overflow_by_recursion, NULL, 16 * KIB);
}

CRASH_TEST(overflow_shortens_a_long_name, "SIGSEGV",
           SENTENCE("0123456789012345678901234567890123456789012345678901234567890123", "16384")) {
  run_coroutine(loop, overflow_by_recursion,
                "012345678901234567890123456789012345678901234567890123456789012345", 16 * KIB);
}

static void thread_with_overflow(void *arg) {
  uv_loop_t uv;
  fibril_loop *loop;
  (void)arg;
  if (!CHECK_INT(uv_loop_init(&uv), 0) || !CHECK_INT(fibril_loop_new(&uv, &loop), 0)) return;
  run_coroutine(loop, overflow_by_recursion, "in a thread", 64 * KIB);
}

CRASH_TEST(overflow_in_a_thread, "SIGSEGV", SENTENCE("in a thread", "65536")) {
  uv_thread_t thread;
  CHECK_INT(uv_thread_create(&thread, thread_with_overflow, NULL), 0);
  uv_thread_join(&thread);
}

/* ---- The kinds of guard
 * -------------------------------------------------------------------------- */

CRASH_TEST(overflow_with_mprotect, "SIGSEGV", SENTENCE("mprotect", "65536") "$") {
  setenv("FIBRIL_GUARD", "mprotect", 1);
  if (!CHECK_INT(fibril__guard_kind(), FIBRIL__GUARD_MPROTECT)) return;
  run_coroutine(loop, overflow_by_recursion, "mprotect", 64 * KIB);
}

CRASH_TEST(overflow_with_canary, "SIGSEGV", SENTENCE("canary", "65536") "$") {
  setenv("FIBRIL_GUARD", "canary", 1);
  if (!CHECK_INT(fibril__guard_kind(), FIBRIL__GUARD_CANARY)) return;
  run_coroutine(loop, overflow_by_recursion, "canary", 64 * KIB);
}

CRASH_TEST(guard_of_unknown_kind, "7",
           "^fibril: FIBRIL_GUARD=nonsense is unknown: use install, mprotect or canary\\n$") {
  setenv("FIBRIL_GUARD", "nonsense", 1);
  fibril__guard_kind();
  fibril__guard_kind();
  _exit(fibril__guard_kind() == FIBRIL__GUARD_CANARY ? 8 : 7);
}

/* Takes stacks until there are `most` or no more. Returns how many have a guard of this kind. */
static int get_many(fibril__stacks *stacks, int most, uint32_t kind) {
  int count = 0;
  for (int i = 0; i < most; i++) {
    const fibril__stack *stack = fibril__stack_get(stacks, 0);
    if (stack == NULL) break;
    count += stack->guard == kind;
  }
  return count;
}

#if defined(__linux__)

static int max_map_count(void) {
  FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
  int count = 0;
  if (file == NULL || fscanf(file, "%d", &count) != 1) count = 0;
  if (file != NULL) fclose(file);
  return count;
}

CRASH_TEST(guard_budget_is_used_up, "7",
           "^fibril: no more guard pages: [^\\n]*max_map_count[^\\n]*\\n$") {
  int limit = max_map_count();
  static fibril__stacks stacks;
  setenv("FIBRIL_GUARD", "mprotect", 1);
  fibril__stacks_init(&stacks);
  int protected = get_many(&stacks, limit / 2, FIBRIL__GUARD_MPROTECT);
  CHECK(protected > limit / 4 && protected < limit / 2);
  CHECK_INT(get_many(&stacks, 100, FIBRIL__GUARD_CANARY), 100);
  /* The rest of the process can go on mapping memory. */
  for (int i = 0; i < limit / 8; i++) {
    int protection = i % 2 ? PROT_NONE : PROT_READ;
    char *page = mmap(NULL, 1, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED && !CHECK_INT(i, limit / 8)) return;
  }
  /* The budget is there again once the stacks are gone. */
  fibril__stacks_destroy(&stacks);
  if (CHECK_INT(get_many(&stacks, limit / 2, FIBRIL__GUARD_MPROTECT), protected)) _exit(7);
}

/* Without address space for a slab of the usual size, smaller ones have to do. */
CRASH_TEST(stack_slabs_shrink_where_memory_is_limited, "7", "^\\d\\d stacks\\n$") {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!CHECK(file != NULL) || !CHECK_INT(fscanf(file, "%ld", &pages), 1)) return;
  fclose(file);
  rlim_t now = (rlim_t)(pages * sysconf(_SC_PAGESIZE));
  struct rlimit limit = {now + 3 * 1024 * KIB, RLIM_INFINITY};
  if (!CHECK_INT(setrlimit(RLIMIT_AS, &limit), 0)) return;
  fibril__stacks stacks;
  fibril__stacks_init(&stacks);
  int count = get_many(&stacks, 1000, (uint32_t)fibril__guard_kind());
  limit.rlim_cur = RLIM_INFINITY;
  setrlimit(RLIMIT_AS, &limit);
  dprintf(STDERR_FILENO, "%d stacks\n", count);
  _exit(7);
}

#endif
