/* A hundred random guards of a million stacks, looked at. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "scale.h"

#include "../../src/core/switch/stack.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MILLION 1000000
#define PROBES 100
#define STACK ((size_t)64 * 1024)

/* Whether the system can read a byte: asked of the kernel, which doesn't fault. */
static bool readable(const int fds[2], const char *address) {
  char byte;
  if (write(fds[1], address, 1) != 1) return false;
  return read(fds[0], &byte, 1) == 1;
}

/* What a test keeps of a stack: its descriptor lies in the stack, whose memory is given back. */
typedef struct {
  char *base;
  uint32_t guard;
} place;

/* A million pages would be four gigabytes, for nothing. */
static place take(fibril__stack *stack, size_t page) {
  place taken = {stack->base, stack->guard};
  madvise((char *)((uintptr_t)stack / page * page), page, MADV_DONTNEED);
  return taken;
}

/* All of the guard is closed and all of the stack above it is open. */
static bool guarded(const int fds[2], const place *stack, size_t page) {
  const char *guard = stack->base - fibril__guard_size();
  const char *end = stack->base + STACK;
  if (stack->guard == FIBRIL__GUARD_CANARY) return fibril__guard_canary_intact(stack->base);
  for (const char *address = guard; address < end; address += page)
    if (readable(fds, address) != (address >= stack->base) ||
        readable(fds, address + page - 1) != (address >= stack->base))
      return false;
  return true;
}

TEST(guards_of_a_million_stacks) {
  int count = as_memory_allows(MILLION, MILLION / 10, 1e9);
  int cls = fibril__stack_class(STACK);
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  place *list = malloc((size_t)count * sizeof *list);
  fibril__stacks stacks;
  uint64_t random = 3;
  int fds[2], of_kind[3] = {0}, taken = 0, probed[3] = {0}, unguarded = 0;
  if (!CHECK(list != NULL) || !CHECK_INT(pipe(fds), 0)) return;
  fibril__stacks_init(&stacks);
  for (; taken < count; taken++) {
    fibril__stack *stack = fibril__stack_get(&stacks, cls);
    if (stack == NULL) break;
    list[taken] = take(stack, page);
    of_kind[list[taken].guard]++;
  }
  CHECK_INT(taken, count);
  for (int i = 0; i < PROBES && taken > 0; i++) {
    const place *stack = &list[random_next(&random) % (uint64_t)taken];
    probed[stack->guard]++;
    unguarded += !guarded(fds, stack, page);
  }
  CHECK_INT(unguarded, 0);
  if (fibril__guard_kind() == FIBRIL__GUARD_INSTALL)
    CHECK_INT(of_kind[FIBRIL__GUARD_INSTALL], count);
  note("%d stacks: %d guards installed, %d by mprotect, %d canaries; looked at %d, %d, %d of them; "
       "%.0f bytes resident and %.0f of page tables each",
       taken, of_kind[FIBRIL__GUARD_INSTALL], of_kind[FIBRIL__GUARD_MPROTECT],
       of_kind[FIBRIL__GUARD_CANARY], probed[0], probed[1], probed[2], resident() / count,
       page_tables() / count);
  fibril__stacks_destroy(&stacks);
  close(fds[0]);
  close(fds[1]);
  free(list);
}
